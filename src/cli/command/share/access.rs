//! The access tokens as this server knows them: read from the registry, again and again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use super::bearer;
use super::rates::Bucket;
use crate::cli::clock;
use crate::cli::command::dispense::allowed::Allowed;
use crate::cli::error::Result;
use crate::registry::{AccessToken, Kept};
use crate::time::Timestamp;

/// After how long they are read again: so long one that was removed may still be good.
const FRESH: Duration = Duration::from_secs(5);

/// After how long they are read again for the sake of one that isn't known: it may just have been made.
const NEW: Duration = Duration::from_millis(100);

/// Whoever has an access token.
#[derive(Debug)]
pub(super) struct Holder {
    /// The token's name.
    pub(super) name: String,
    /// By which pools are told apart that different tokens see.
    pub(super) hash: [u8; 32],
    /// The devices that it is for.
    pub(super) allowed: Allowed,
    /// How much it asked for lately.
    pub(super) bucket: Bucket,
    expires: Option<Timestamp>,
}

/// All holders.
pub(super) struct Access {
    registry: Arc<dyn Kept>,
    holders: RwLock<Arc<Read>>,
    reading: Mutex<()>,
    uptime: Box<dyn Fn() -> Duration + Send + Sync>,
}

#[derive(Debug, Default)]
struct Read {
    by_hash: HashMap<[u8; 32], Arc<Holder>>,
    at: Duration,
}

/// Why somebody isn't let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stranger {
    Unknown,
    Expired,
}

impl Access {
    /// Reads them for the first time.
    pub(super) fn open(registry: Arc<dyn Kept>) -> Result<Self> {
        let uptime = Box::new(clock::stopwatch());
        let access = Self { registry, holders: RwLock::default(), reading: Mutex::default(), uptime };
        access.read_again(&access.alone())?;
        Ok(access)
    }

    pub(super) fn count(&self) -> usize {
        self.known().by_hash.len()
    }

    /// Whose a token is, where that is known without asking the registry again.
    pub(super) fn known_holder(&self, token: &str) -> Option<std::result::Result<Arc<Holder>, Stranger>> {
        let known = self.known();
        let fresh = (self.uptime)().saturating_sub(known.at) <= FRESH;
        let holder = known.by_hash.get(&bearer::hash(token)).filter(|_| fresh)?;
        Some(holder.in_time())
    }

    /// Whose a token is.
    ///
    /// # Errors
    ///
    /// Those of the registry.
    pub(super) fn holder(&self, token: &str) -> Result<std::result::Result<Arc<Holder>, Stranger>> {
        let hash = bearer::hash(token);
        let mut known = self.known();
        let age = (self.uptime)().saturating_sub(known.at);
        let is_new = !known.by_hash.contains_key(&hash);
        if age > FRESH || is_new {
            let alone = self.alone();
            // Somebody else may have read them meanwhile, and those who guess are kept waiting.
            if self.known().at == known.at {
                if is_new {
                    std::thread::sleep(NEW.saturating_sub(age));
                }
                self.read_again(&alone)?;
            }
            known = self.known();
        }
        Ok(known.by_hash.get(&hash).map_or(Err(Stranger::Unknown), Holder::in_time))
    }

    fn known(&self) -> Arc<Read> {
        Arc::clone(&self.holders.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn alone(&self) -> MutexGuard<'_, ()> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_again(&self, _alone: &MutexGuard<'_, ()>) -> Result<()> {
        let at = (self.uptime)();
        let tokens = self.registry.access_tokens()?;
        let before = self.known();
        let by_hash = tokens.into_iter().filter_map(|token| {
            let same = before.by_hash.get(&token.hash).filter(|holder| holder.name == token.name.as_str());
            let holder = same.map_or_else(|| Holder::of(&token).map(Arc::new), |holder| Some(Arc::clone(holder)));
            holder.map(|holder| (token.hash, holder))
        });
        let read = Read { by_hash: by_hash.collect(), at };
        *self.holders.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
        Ok(())
    }
}

impl Holder {
    fn in_time(self: &Arc<Self>) -> std::result::Result<Arc<Self>, Stranger> {
        let expired = self.expires.is_some_and(|expires| expires <= clock::now());
        if expired { Err(Stranger::Expired) } else { Ok(Arc::clone(self)) }
    }

    /// None for one whose patterns can't be read, which a newer version may have written.
    fn of(token: &AccessToken) -> Option<Self> {
        Some(Self {
            name: token.name.to_string(),
            hash: token.hash,
            allowed: Allowed::of(&token.allow).ok()?,
            bucket: Bucket::default(),
            expires: token.expires,
        })
    }
}

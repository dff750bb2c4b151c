//! The access tokens as this server knows them: read from the registry, again and again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::bearer;
use super::rates::Bucket;
use crate::cli::clock;
use crate::cli::command::dispense::allowed::Allowed;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::hints;
use crate::registry::{AccessToken, Kept};
use crate::time::Timestamp;

/// After how long they have to be read again: so long one that was removed may still be good. The server reads them more often.
const FRESH: Duration = Duration::from_secs(5);

/// How many requests of one token are answered at once: half of all.
const MOST_CALLS: usize = 512;

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
    /// How many of its requests are answered at once.
    pub(super) room: Arc<Semaphore>,
    expires: Option<Timestamp>,
    removed: AtomicBool,
}

/// All holders.
pub(super) struct Access {
    registry: Arc<dyn Kept>,
    holders: RwLock<Arc<Read>>,
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

impl From<Stranger> for Error {
    fn from(stranger: Stranger) -> Self {
        let message = match stranger {
            Stranger::Unknown => "this access token isn't known, or was removed",
            Stranger::Expired => "this access token has expired",
        };
        Self::new(Kind::Remote, "unauthorized", message).hint(hints::share::ASK_FOR_TOKEN)
    }
}

impl Access {
    /// Reads them for the first time.
    pub(super) fn open(registry: Arc<dyn Kept>) -> Result<Self> {
        let uptime = Box::new(clock::stopwatch());
        let access = Self { registry, holders: RwLock::default(), uptime };
        access.read_again()?;
        Ok(access)
    }

    pub(super) fn count(&self) -> usize {
        self.known().by_hash.len()
    }

    /// How long the server runs: the moment at which somebody comes.
    pub(super) fn now(&self) -> Duration {
        (self.uptime)()
    }

    /// Whose a token is, for somebody who came at a moment. None where the registry has to be asked first: the tokens were read
    /// long ago, or before somebody came whose token isn't among them, and may just have been made.
    pub(super) fn holder(&self, token: &str, came: Duration) -> Option<std::result::Result<Arc<Holder>, Stranger>> {
        let known = self.known();
        match known.by_hash.get(&bearer::hash(token)) {
            Some(holder) if came.saturating_sub(known.at) <= FRESH => Some(holder.in_time()),
            None if known.at >= came => Some(Err(Stranger::Unknown)),
            Some(_) | None => None,
        }
    }

    /// How long those who guess are kept waiting before the tokens are read once more.
    pub(super) fn pause(&self) -> Duration {
        NEW.saturating_sub((self.uptime)().saturating_sub(self.known().at))
    }

    /// Reads the tokens.
    ///
    /// # Errors
    ///
    /// Those of the registry.
    pub(super) fn read_again(&self) -> Result<()> {
        let at = (self.uptime)();
        let tokens = self.registry.access_tokens()?;
        let before = self.known();
        let by_hash = tokens.into_iter().filter_map(|token| {
            let same = before.by_hash.get(&token.hash).filter(|holder| holder.name == token.name.as_str());
            let holder = same.map_or_else(|| Holder::of(&token).map(Arc::new), |holder| Some(Arc::clone(holder)));
            holder.map(|holder| (token.hash, holder))
        });
        let read = Read { by_hash: by_hash.collect(), at };
        // Those who wait with one that was removed are told.
        for (_, holder) in before.by_hash.iter().filter(|(hash, _)| !read.by_hash.contains_key(*hash)) {
            holder.removed.store(true, Ordering::Relaxed);
        }
        *self.holders.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
        Ok(())
    }

    fn known(&self) -> Arc<Read> {
        Arc::clone(&self.holders.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Holder {
    fn in_time(self: &Arc<Self>) -> std::result::Result<Arc<Self>, Stranger> {
        self.expect_known().map(|()| Arc::clone(self))
    }

    /// Makes sure that the token is still good, for one who waited.
    pub(super) fn expect_known(&self) -> std::result::Result<(), Stranger> {
        let expired = self.expires.is_some_and(|expires| expires <= clock::now());
        match (self.removed.load(Ordering::Relaxed), expired) {
            (true, _) => Err(Stranger::Unknown),
            (false, true) => Err(Stranger::Expired),
            (false, false) => Ok(()),
        }
    }

    /// None for one whose patterns can't be read, which a newer version may have written.
    fn of(token: &AccessToken) -> Option<Self> {
        Some(Self {
            name: token.name.to_string(),
            hash: token.hash,
            allowed: Allowed::of(&token.allow).ok()?,
            bucket: Bucket::default(),
            expires: token.expires,
            removed: AtomicBool::new(false),
            room: Arc::new(Semaphore::new(MOST_CALLS)),
        })
    }
}

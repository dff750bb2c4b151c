//! The devices as this server knows them: read from the registry again and again, so that a request needn't.
//!
//! What it knows is a help in choosing, and never decides: each code is claimed in the registry.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use super::access::Holder;
use super::line::Line;
use super::member::Member;
use crate::cli::clock;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::pattern::Pool;
use crate::device;
use crate::registry::{Device, Kept};
use crate::vault::Id;

/// After how long the devices are read again, by a thread of its own.
const FRESH: Duration = Duration::from_secs(1);

/// The same for the sake of one that isn't known: it may just have been added.
const NEW: Duration = Duration::from_millis(100);

/// After how long they are read again before a request is answered.
const STALE: Duration = Duration::from_secs(10);

/// Reading takes at most this part of the time.
const SHARE: u32 = 20;

/// The most pools that are kept ready.
const MOST_POOLS: usize = 256;

/// How far away a code may be, and how long it has to be good.
type Terms = (Option<Option<u64>>, Option<u64>);

/// By the token's hash, the pattern, and the terms, by which a device has its next code at another time.
type Pools = HashMap<([u8; 32], String, Terms), Arc<Line>>;

/// The devices at one time, by name.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    members: Vec<Arc<Member>>,
    by_name: HashMap<String, usize>,
    /// Those that a token may use and a pattern names.
    pools: Mutex<Pools>,
    changes: u64,
    took: Duration,
}

impl Snapshot {
    /// The device of this name.
    pub(super) fn named(&self, name: &str) -> Option<&Arc<Member>> {
        self.members.get(*self.by_name.get(name)?)
    }

    /// Those that somebody may use.
    pub(super) fn allowed(&self, holder: &Holder) -> Vec<Device> {
        let allowed = self.members.iter().filter(|member| holder.allowed.has(member.as_read()));
        allowed.map(|member| member.device()).collect()
    }

    /// A device may have a code now that it hadn't before.
    pub(super) fn is_free(&self, name: &str) {
        let pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.values().for_each(|line| line.is_free(name));
    }

    /// All there are.
    pub(super) fn devices(&self) -> Vec<Device> {
        self.members.iter().map(|member| member.device()).collect()
    }

    /// A pool of them, as somebody sees it.
    pub(super) fn line(&self, holder: &Holder, text: &str, pattern: &Pool, terms: Terms) -> Arc<Line> {
        let key = (holder.hash, text.to_owned(), terms);
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = pools.get(&key) {
            return Arc::clone(known);
        }
        let wanted = |device: &Device| pattern.has(device) && holder.allowed.has(device);
        let line = Arc::new(Line::of(
            self.members.iter().filter(|member| wanted(member.as_read())).cloned(),
            terms.0.is_some(),
        ));
        if pools.len() >= MOST_POOLS {
            pools.clear();
        }
        pools.insert(key, Arc::clone(&line));
        line
    }
}

/// The kind, code and message of a failure.
type Told = (Kind, String, String);

/// What is known now.
pub(super) struct Fleet {
    registry: Arc<dyn Kept>,
    current: RwLock<(Arc<Snapshot>, Duration)>,
    /// Whoever holds it reads; it has how the last read failed that did.
    reading: Mutex<Option<Told>>,
    /// How many reads have failed.
    failed: AtomicU64,
    /// Whether a thread reads.
    ahead: AtomicBool,
    uptime: Box<dyn Fn() -> Duration + Send + Sync>,
}

impl Fleet {
    /// Reads the devices for the first time.
    pub(super) fn open(registry: Arc<dyn Kept>) -> Result<Self> {
        let uptime = Box::new(clock::stopwatch());
        let current = RwLock::new((Arc::default(), Duration::ZERO));
        let (reading, failed, ahead) = (Mutex::default(), AtomicU64::new(0), AtomicBool::new(false));
        let fleet = Self { registry, current, reading, failed, ahead, uptime };
        fleet.read_again(&mut fleet.alone(), true)?;
        Ok(fleet)
    }

    /// The devices as they were a moment ago.
    ///
    /// # Errors
    ///
    /// Those of the registry, where they were not read for long.
    pub(super) fn now(self: &Arc<Self>) -> Result<Arc<Snapshot>> {
        let (snapshot, at) = self.current();
        let age = (self.uptime)().saturating_sub(at);
        if age > STALE {
            self.read_unless_read_since(at)?;
            return Ok(self.current().0);
        }
        if age > FRESH.max(snapshot.took.saturating_mul(SHARE)) && !self.ahead.swap(true, Ordering::SeqCst) {
            let fleet = Arc::clone(self);
            let read = move || {
                // What is wrong is told by the look that is taken every few seconds.
                let _: Result<()> = fleet.read_again(&mut fleet.alone(), false);
                fleet.ahead.store(false, Ordering::SeqCst);
            };
            if thread::Builder::new().name("devices".to_owned()).spawn(read).is_err() {
                self.ahead.store(false, Ordering::SeqCst);
            }
        }
        Ok(snapshot)
    }

    /// The devices as they are now: for one that isn't known yet.
    ///
    /// # Errors
    ///
    /// Those of the registry.
    pub(super) fn again(&self) -> Result<Arc<Snapshot>> {
        let (snapshot, at) = self.current();
        if (self.uptime)().saturating_sub(at) > NEW.max(snapshot.took.saturating_mul(SHARE)) {
            self.read_unless_read_since(at)?;
        }
        Ok(self.current().0)
    }

    /// Reads the devices, unless that was done a moment ago.
    ///
    /// # Errors
    ///
    /// Those of the registry.
    pub(super) fn look(&self) -> Result<()> {
        let (snapshot, at) = self.current();
        if (self.uptime)().saturating_sub(at) > FRESH.max(snapshot.took.saturating_mul(SHARE)) {
            self.read_unless_read_since(at)?;
        }
        Ok(())
    }

    /// How long reading the devices took.
    pub(super) fn reading_takes(&self) -> Duration {
        self.current().0.took
    }

    /// One reads for all who want it. If that fails, it has failed for all who waited.
    fn read_unless_read_since(&self, at: Duration) -> Result<()> {
        let before = self.failed.load(Ordering::SeqCst);
        let mut alone = self.alone();
        if self.current().1 != at {
            return Ok(());
        }
        match &*alone {
            Some((kind, code, message)) if self.failed.load(Ordering::SeqCst) != before => {
                Err(Error::told(*kind, code, message))
            }
            _ => self.read_again(&mut alone, false),
        }
    }

    fn current(&self) -> (Arc<Snapshot>, Duration) {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn alone(&self) -> MutexGuard<'_, Option<Told>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_again(&self, alone: &mut Option<Told>, first: bool) -> Result<()> {
        let read = self.read(first);
        if let Err(error) = &read {
            *alone = Some((error.kind(), error.code().to_owned(), error.message().to_owned()));
            self.failed.fetch_add(1, Ordering::SeqCst);
        }
        read
    }

    fn read(&self, first: bool) -> Result<()> {
        let at = (self.uptime)();
        let changes = self.registry.changes()?;
        let (before, _) = self.current();
        let snapshot = if before.changes == changes && !first {
            before
        } else {
            let devices = device::active(&*self.registry)?;
            let same = |device: &Device| {
                let known = before.named(device.name.as_str())?;
                known.is(device).then(|| Arc::clone(known))
            };
            let member = |device: Device| same(&device).unwrap_or_else(|| Arc::new(Member::of(device)));
            let members: Vec<_> = devices.into_iter().map(member).collect();
            let by_name = members.iter().enumerate().map(|(place, member)| (member.name().to_owned(), place)).collect();
            let unchanged = members.len() == before.members.len()
                && members.iter().zip(&before.members).all(|(new, old)| Arc::ptr_eq(new, old));
            let pools = if unchanged {
                before.pools.lock().unwrap_or_else(PoisonError::into_inner).clone()
            } else {
                HashMap::new()
            };
            let took = (self.uptime)().saturating_sub(at);
            Arc::new(Snapshot { members, by_name, pools: Mutex::new(pools), changes, took })
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = (snapshot, at);
        Ok(())
    }

    /// The ids of all devices.
    pub(super) fn ids(&self) -> HashSet<Id> {
        self.current().0.members.iter().map(|member| member.as_read().id).collect()
    }
}

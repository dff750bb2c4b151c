//! The registry in PostgreSQL, for many machines: every change one transaction, every claim one statement.
//!
//! The database knows ids, names and steps, and of secrets only what age has encrypted. Marks by which a restored copy of a registry file is
//! noticed are SQLite's; who restores a database says so by [`Kept::accept_restored`].

mod access;
mod address;
mod claim;
mod failure;
#[cfg(feature = "age")]
mod items;
mod keys;
mod ledger;
mod link;
mod passfile;
mod restored;
mod row;
mod schema;
mod stream;
mod sweep;
mod transaction;
mod united;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::link::{Expected, Link};
use self::schema::KNOWN;
use super::{
    Accepted, AccessToken, Claim, Device, Error, Fingerprint, History, Holder, Kept, Ledger, Registry, Taken, Token,
};
use crate::name::Name;
use crate::time::{Step, Timestamp};
use crate::vault::Id;

pub use self::address::{Address, Host, NotAddress, PORT};
pub use self::passfile::password;

/// A registry in a database. One connection, guarded; other processes have their own.
///
/// It waits for the server within each call, so calls don't belong into asynchronous code.
pub struct Postgres {
    place: String,
    link: Mutex<Link>,
    /// How long a server that can't be reached, or is busy, is tried again.
    patience: Duration,
    /// Called when the registry has to wait for the database, with the reason.
    notice: Option<Notice>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Hears of a wait, and what it is for.
type Notice = Box<dyn Fn(&str) + Send + Sync>;

/// How long a server is tried again that is restarted, or hands over to another.
const PATIENCE: Duration = Duration::from_secs(30);

impl Postgres {
    /// Makes the registry in a database, or brings it up to date: the schema `vmfa` and its tables. That is for their
    /// owner; a user of the registry only reads and writes rows.
    ///
    /// # Errors
    ///
    /// [`Error::TooNew`], and what the server or the way to it said.
    pub fn prepare(address: Address) -> Result<(), Error> {
        schema::prepare(address)
    }

    /// Opens a registry that was made before. The server is reached when something is asked.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] where the system gives no means to wait for answers.
    pub fn open(address: Address) -> Result<Self, Error> {
        let place = address.to_string();
        let link = Link::new(address, Expected::Version(KNOWN))?;
        Ok(Self { place, link: Mutex::new(link), patience: PATIENCE, notice: None })
    }

    /// The same with another patience for a server that can't be reached or is busy.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same with somebody to tell, once in a call, that it waits for more than a second, and why.
    #[must_use]
    pub fn with_notice(mut self, notice: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.notice = Some(Box::new(notice));
        self
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry for Postgres {
    fn insert(&self, devices: &[Device]) -> Result<(), Error> {
        self.insert_devices(devices)
    }

    fn find(&self, name: &Name) -> Result<Option<Device>, Error> {
        self.device_named(name)
    }

    fn list(&self) -> Result<Vec<Device>, Error> {
        self.all_devices()
    }

    fn update(&self, devices: &[Device]) -> Result<(), Error> {
        self.update_devices(devices)
    }

    fn join(&self, device: Id, fingerprint: &Fingerprint) -> Result<Id, Error> {
        self.join_ledger(device, fingerprint)
    }

    fn ledger_of(&self, fingerprint: &Fingerprint) -> Result<Option<Id>, Error> {
        self.ledger_with(fingerprint)
    }

    fn see_key(&self, place: &str, print: &Fingerprint) -> Result<(), Error> {
        self.recognize_key(place, Some(print))
    }

    fn knows_key(&self, place: &str) -> Result<bool, Error> {
        self.has_key(place)
    }

    fn expect_no_key(&self, place: &str) -> Result<(), Error> {
        self.recognize_key(place, None)
    }

    fn sharers(&self, ledger: Id) -> Result<Vec<Device>, Error> {
        self.sharers_of(ledger)
    }

    fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Step>, Error> {
        self.claim_steps(claim)
    }

    fn claim_all(&self, claims: &[Claim<'_>]) -> Vec<Result<Vec<Step>, Error>> {
        self.claim_steps_of_all(claims)
    }

    fn release(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        self.release_step(ledger, step, token)
    }

    fn give(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        self.give_step(ledger, step, token)
    }

    fn holder(&self, ledger: Id, step: Step) -> Result<Option<Holder>, Error> {
        self.holder_of(ledger, step)
    }

    fn claimed(&self, ledger: Id, first: Step, last: Step) -> Result<Vec<Step>, Error> {
        self.claimed_steps(ledger, first, last)
    }

    fn taken(&self, from: &[(Id, Step)]) -> Result<Vec<Taken>, Error> {
        self.taken_of_several(from)
    }

    fn claimed_by(&self, ledger: Id, token: Token) -> Result<Vec<Step>, Error> {
        self.steps_of_claim(ledger, token)
    }

    fn last_uses(&self) -> Result<BTreeMap<Id, Timestamp>, Error> {
        self.uses_of_ledgers()
    }

    fn ledger(&self, id: Id) -> Result<Ledger, Error> {
        self.read_ledger(id)
    }

    fn update_ledger(&self, ledger: &Ledger) -> Result<(), Error> {
        self.write_ledger(ledger)
    }

    fn unite(&self, ledger: Id, history: &History) -> Result<(), Error> {
        self.unite_ledger(ledger, history)
    }

    fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        self.sweep_ledgers(now)
    }

    fn remove(&self, ids: &[Id]) -> Result<(), Error> {
        self.remove_devices(ids)
    }

    fn probe(&self) -> Result<String, Error> {
        self.look()
    }
}

impl Kept for Postgres {
    fn id(&self) -> Result<String, Error> {
        self.own_name()
    }

    fn changes(&self) -> Result<u64, Error> {
        self.count_changes()
    }

    fn fingerprint(&self, ledger: Id) -> Result<Fingerprint, Error> {
        self.fingerprint_of(ledger)
    }

    fn known_keys(&self) -> Result<Vec<(String, Fingerprint)>, Error> {
        self.keys_of_places()
    }

    fn clock(&self) -> Result<Option<i64>, Error> {
        self.server_clock().map(Some)
    }

    fn expect_writable(&self) -> Result<(), Error> {
        self.again(&mut |link| link.expect_writable())
    }

    fn accept_restored(&self, now: Timestamp) -> Result<Accepted, Error> {
        self.accept(now)
    }

    fn access_tokens(&self) -> Result<Vec<AccessToken>, Error> {
        self.tokens()
    }

    fn add_access_token(&self, token: &AccessToken) -> Result<(), Error> {
        self.insert_token(token)
    }

    fn remove_access_token(&self, name: &Name) -> Result<bool, Error> {
        self.delete_token(name)
    }
}

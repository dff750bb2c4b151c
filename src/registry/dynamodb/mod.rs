//! The registry in a table of Amazon DynamoDB, for many machines without a server: every change is one transaction, every
//! step is taken by one conditional write.
//!
//! The table knows ids, names and steps, and of secrets only what age has encrypted. All items are found by their keys:
//!
//! | partition | items |
//! |---|---|
//! | `registry` | one: the version, the registry's own id, until when all counts as handed out |
//! | `device` | a device each |
//! | `name:NAME` | one: which devices hold the name |
//! | `print` | a fingerprint each: which ledger is the secret's |
//! | `ledger:ID` | `claimed:STEP`, a step each; behind them `ledger`, all else |
//! | `used` | a ledger each: when it was last used, and how often it changed |
//! | `key` | a place each: the keys that it is known with |
//! | `item` | an item of the shared vault each |
//! | `access_token` | an access token each, by its name |
//!
//! Reads are consistent, and no table is ever scanned but by [`DynamoDb::prepare`], for one item. Marks by which a restored copy
//! of a registry file is noticed are SQLite's; who restores a table says so by [`Kept::accept_restored`].

mod access;
mod action;
mod address;
mod ask;
mod book;
mod change;
mod changing;
mod claim;
mod client;
mod devices;
mod failure;
mod hexadecimal;
#[cfg(feature = "age")]
mod items;
mod keys;
mod ledger;
mod names;
mod own;
mod restored;
mod step;
mod sweep;
mod table;
mod united;
mod uses;
mod value;
mod way;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use self::change::Change;
use self::client::Client;
use super::{
    Accepted, AccessToken, Claim, Device, Error, Fingerprint, History, Holder, Kept, Ledger, Registry, Taken, Token,
};
use crate::name::Name;
use crate::threads;
use crate::time::{Step, Timestamp};
use crate::vault::Id;

pub use self::address::{Address, NotAddress};
pub use self::way::{Answer, Credentials, Keys, Lost, Transport, Way, World};

/// How many claims of several callers are under way at once.
const MOST_AT_ONCE: usize = 32;

/// How long the service is tried again where it can't be reached or refuses for the moment.
const PATIENCE: Duration = Duration::from_secs(30);

/// A registry in a table.
///
/// It waits for the service within each call, so calls don't belong into asynchronous code.
pub struct DynamoDb {
    client: Client,
    /// Set once the table was found to have a registry that this program knows.
    known: OnceLock<()>,
}

impl fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDb").field("place", &self.client.place).finish_non_exhaustive()
    }
}

impl DynamoDb {
    /// Makes the table and the registry in it, or brings that up to date.
    ///
    /// # Errors
    ///
    /// [`Error::TooNew`]; [`Error::Refused`] for a table that is another program's; and what the service or the way to it said.
    pub fn prepare(address: &Address, way: Way) -> Result<(), Error> {
        table::prepare(&Client::new(address.to_string(), address.table().to_owned(), way, PATIENCE))
    }

    /// Opens a registry that was made before. The service is reached when something is asked.
    #[must_use]
    pub fn open(address: &Address, way: Way) -> Self {
        let client = Client::new(address.to_string(), address.table().to_owned(), way, PATIENCE);
        Self { client, known: OnceLock::new() }
    }

    /// The same with another patience for a service that can't be reached or is busy.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.client.patience = patience;
        self
    }

    /// The same with somebody to tell, once in a call, that it waits for more than a second, and why.
    #[must_use]
    pub fn with_notice(mut self, notice: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.client.notice = Some(Box::new(notice));
        self
    }

    fn damaged(&self, record: &'static str, id: &str, field: &'static str) -> Error {
        Error::Damaged { place: self.client.place.clone(), record, id: failure::readable(id), field }
    }

    fn describe(&self) -> Result<String, Error> {
        let devices = self.all_devices()?.into_iter().filter(|device| device.state == super::State::Active).count();
        if let Some(refused) = self.refused_key()? {
            return Err(refused);
        }
        let plural = if devices == 1 { "" } else { "s" };
        let (place, region) = (&self.client.place, &self.client.way.region);
        Ok(format!("{place}, DynamoDB in {region}, {devices} device{plural}"))
    }
}

impl Registry for DynamoDb {
    fn insert(&self, devices: &[Device]) -> Result<(), Error> {
        self.change_devices(&devices.iter().cloned().map(Change::Insert).collect::<Vec<_>>())
    }

    fn find(&self, name: &Name) -> Result<Option<Device>, Error> {
        self.device_named(name)
    }

    fn list(&self) -> Result<Vec<Device>, Error> {
        self.all_devices()
    }

    fn update(&self, devices: &[Device]) -> Result<(), Error> {
        self.change_devices(&devices.iter().cloned().map(Change::Update).collect::<Vec<_>>())
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

    /// Each is some requests, which go out at once.
    fn claim_all(&self, claims: &[Claim<'_>]) -> Vec<Result<Vec<Step>, Error>> {
        threads::at_once(claims, MOST_AT_ONCE, |claim| self.claim_steps(claim))
    }

    fn join_all(&self, joins: &[(Id, Fingerprint)]) -> Vec<Result<Id, Error>> {
        threads::at_once(joins, MOST_AT_ONCE, |(device, fingerprint)| self.join(*device, fingerprint))
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
        self.change_devices(&ids.iter().copied().map(Change::Remove).collect::<Vec<_>>())
    }

    fn probe(&self) -> Result<String, Error> {
        self.describe()
    }
}

impl Kept for DynamoDb {
    fn id(&self) -> Result<String, Error> {
        Ok(self.registry()?.id)
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
        self.service_clock()
    }

    /// Nothing tells but a write; one that isn't allowed is refused when it comes.
    fn expect_writable(&self) -> Result<(), Error> {
        self.ready()
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

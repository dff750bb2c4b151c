//! Registries: where everything but the secrets lives.
//!
//! A registry knows devices by id and name, and what changes about them. Every change is atomic: a
//! call changes all that it was given or nothing.

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
mod access;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
mod copy;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
mod error;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
mod grouped;
mod ledger;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
mod record;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
mod restored;
mod runs;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::collections::BTreeMap;
use std::fmt;

use crate::name::Name;
use crate::oath::Parameters;
use crate::time::{Drift, Step, Timestamp};
use crate::vault::{Id, Kind};

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
pub use access::AccessToken;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
pub use copy::{Copied, copy};
pub use error::{Error, Restored};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
pub use grouped::Grouped;
pub use ledger::{
    Claim, Fingerprint, Forget, History, Holder, LastPair, Ledger, NotToken, REMEMBERED, REMEMBERED_AT_LEAST,
    Returnable, Taken, Token,
};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
pub use restored::{AHEAD, Accepted};
pub use runs::{Run, Runs};

/// What is known of a device, but for its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Under which its secret is stored in the vault.
    pub id: Id,
    /// Unique among active devices.
    pub name: Name,
    /// Who gave the secret, where it said.
    pub issuer: Option<String>,
    /// For which account; may be empty.
    pub account: String,
    /// How codes are made; for HOTP, `next` is the counter of the next code.
    pub parameters: Parameters,
    /// The serial number (ARN) of an AWS device.
    pub serial: Option<String>,
    /// What its owner wrote beside it.
    pub note: Option<String>,
    /// The vault that holds its secret.
    pub vault: Kind,
    /// When it was added.
    pub created: Timestamp,
    /// Where it stands between being added and being gone.
    pub state: State,
    /// How wrong its clock is set on purpose.
    pub drift: Drift,
    /// Where it is written down what was handed out; all devices of one secret in one kind of vault have the same. None
    /// before the first time. [`Registry::join`] alone changes it.
    pub ledger: Option<Id>,
    /// Counts the changes, so that two writers notice each other.
    pub revision: u64,
}

/// Where a device stands. Secret and record live in two places; the states in between say what an
/// interruption left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its name is reserved and its secret on the way into the vault.
    Pending {
        /// All that one `add` brings has one batch, and becomes active together.
        batch: Id,
        /// The active device of the same name that it takes the place of.
        replaces: Option<Id>,
        /// The deadline of the process that adds it; later, any process may finish or undo the work.
        until: Timestamp,
    },
    /// In use.
    Active,
    /// Removed, and its secret is kept for a while. Its name is free.
    Trashed {
        /// When it was removed, by the system's clock.
        since: Timestamp,
    },
    /// Its secret is on the way out of the vault.
    Retired {
        /// The deadline of the process that removes it; later, any process may finish the work.
        until: Timestamp,
    },
}

/// A place for what is known of devices.
pub trait Registry: Send + Sync + fmt::Debug {
    /// Takes new devices in, all or none.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] where a pending device has the name, or an active one that isn't the one
    /// to be replaced.
    fn insert(&self, devices: &[Device]) -> Result<(), Error>;

    /// The active device of this very name.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn find(&self, name: &Name) -> Result<Option<Device>, Error>;

    /// All devices in all states, by name.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn list(&self) -> Result<Vec<Device>, Error>;

    /// Writes changed devices over those of the same id, in this order, all or none. Each carries the
    /// revision that it was read with; the stored one becomes the next. A device's ledger stays what it is.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where the stored revision is another one or the device is gone, and
    /// [`Error::NameTaken`] as for [`Registry::insert`].
    fn update(&self, devices: &[Device]) -> Result<(), Error>;

    /// The ledger of a device: its own; else, from now on, the one with this fingerprint; else a new one. Atomic, so
    /// that all who ask at once get the same.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] where the device isn't there.
    fn join(&self, device: Id, fingerprint: &Fingerprint) -> Result<Id, Error>;

    /// The same for several devices, of as many callers, in order. It is quicker where the back-end can write them down
    /// together; each succeeds or fails as if it were by itself.
    fn join_all(&self, joins: &[(Id, Fingerprint)]) -> Vec<Result<Id, Error>> {
        joins.iter().map(|(device, fingerprint)| self.join(*device, fingerprint)).collect()
    }

    /// The ledger with this fingerprint, if there is one.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn ledger_of(&self, fingerprint: &Fingerprint) -> Result<Option<Id>, Error>;

    /// Recognizes the key that fingerprints are made with, by a keyed hash: the first one that a place is seen
    /// with, and those that were accepted since.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKey`] for another one: fingerprints that it makes find no ledger, so that codes would be handed out
    /// twice.
    fn see_key(&self, place: &str, print: &Fingerprint) -> Result<(), Error>;

    /// Whether a place was seen with a key, and nobody accepted that it gets another one.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn knows_key(&self, place: &str) -> Result<bool, Error>;

    /// Makes sure that a key may be made for a place that has none.
    ///
    /// # Errors
    ///
    /// [`Error::OtherKey`] where there was one.
    fn expect_no_key(&self, place: &str) -> Result<(), Error>;

    /// The active devices with this ledger, by name.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn sharers(&self, ledger: Id) -> Result<Vec<Device>, Error>;

    /// Takes the first steps that were never handed out, and writes them down. Atomic: no other caller, in any
    /// process, gets them. When this returns they have reached the disk, unless `again` is set.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] where the ledger isn't there. Those of the back-end; then nothing was taken, or what was taken
    /// stays taken.
    fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Step>, Error>;

    /// The same for several claims, of as many callers, in order. It is quicker where the back-end can write them down
    /// together; each succeeds or fails as if it were made by itself.
    fn claim_all(&self, claims: &[Claim<'_>]) -> Vec<Result<Vec<Step>, Error>> {
        claims.iter().map(|claim| self.claim(claim)).collect()
    }

    /// Gives a step back that this very claim took; false where another did, or where it was handed out again since.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn release(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error>;

    /// Writes down that what a claim took, and waited for, is shown now; false where the claim hasn't got it any more.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn give(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error>;

    /// Who has a step; none where nobody has, or where it is forgotten.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn holder(&self, ledger: Id, step: Step) -> Result<Option<Holder>, Error>;

    /// The steps from `first` to `last` that were handed out and aren't forgotten, in order.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn claimed(&self, ledger: Id, first: Step, last: Step) -> Result<Vec<Step>, Error>;

    /// What isn't free of several ledgers, from a step on in each, in the same order.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] where one of them isn't there.
    fn taken(&self, from: &[(Id, Step)]) -> Result<Vec<Taken>, Error> {
        let taken = |(ledger, first): &(Id, Step)| {
            let Ledger { forgotten, restored, .. } = self.ledger(*ledger)?;
            let far = Step::new(i64::MAX.unsigned_abs());
            Ok(Taken { steps: self.claimed(*ledger, *first, far)?, forgotten, restored })
        };
        from.iter().map(taken).collect()
    }

    /// The steps that a claim has, in order.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn claimed_by(&self, ledger: Id, token: Token) -> Result<Vec<Step>, Error>;

    /// When something of each ledger was last handed out, or verified, by the system's clock; only ledgers of which it is
    /// known. What was given back doesn't count.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn last_uses(&self) -> Result<BTreeMap<Id, Timestamp>, Error>;

    /// What else a ledger says.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] where it isn't there.
    fn ledger(&self, id: Id) -> Result<Ledger, Error>;

    /// Writes a ledger that carries the revision it was read with; the stored one becomes the next.
    ///
    /// # Errors
    ///
    /// [`Error::LedgerConflict`] where the stored revision is another one.
    fn update_ledger(&self, ledger: &Ledger) -> Result<(), Error>;

    /// Has a ledger know what another registry does: what either handed out or accepted counts as handed out and accepted,
    /// and can't be given back. Repeated, it changes nothing. When this returns it has reached the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] where the ledger isn't there.
    fn unite(&self, ledger: Id, history: &History) -> Result<(), Error>;

    /// Shortens ledgers that no device has: steps that passed and were given long ago ([`REMEMBERED`] periods of the
    /// device that began it) become runs. Forgets those where nothing was ever handed out or accepted; a secret that is
    /// enrolled again goes on where it was.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn sweep(&self, now: Timestamp) -> Result<(), Error>;

    /// Forgets devices, all or none; ids that aren't there are passed over.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn remove(&self, ids: &[Id]) -> Result<(), Error>;

    /// One line on where this registry is and what it holds, after a look at it.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn probe(&self) -> Result<String, Error>;
}

/// A registry that is there when the process has ended.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
pub trait Kept: Registry {
    /// Its own name, which its copies share.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn id(&self) -> Result<String, Error>;

    /// A number that changes with every change that another connection makes.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn changes(&self) -> Result<u64, Error>;

    /// The fingerprint of a ledger.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] where the ledger isn't there.
    fn fingerprint(&self, ledger: Id) -> Result<Fingerprint, Error>;

    /// The keys that places are known with, as [`Registry::see_key`] was given them.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn known_keys(&self) -> Result<Vec<(String, Fingerprint)>, Error>;

    /// What the engine's own clock shows, in milliseconds since 1970; none where that is the system's.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn clock(&self) -> Result<Option<i64>, Error>;

    /// Whether anything can be written down.
    ///
    /// # Errors
    ///
    /// [`Error::ReadOnly`] where nothing can be.
    fn expect_writable(&self) -> Result<(), Error>;

    /// Goes on with a registry that was restored or replaced, or that has another key to make fingerprints with: all codes
    /// up to `now`, by the system's clock, count as handed out and accepted.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn accept_restored(&self, now: Timestamp) -> Result<Accepted, Error>;

    /// Who may ask a lease service for codes, by name.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn access_tokens(&self) -> Result<Vec<AccessToken>, Error>;

    /// Adds an access token.
    ///
    /// # Errors
    ///
    /// [`Error::TokenNameTaken`], and those of the back-end.
    fn add_access_token(&self, token: &AccessToken) -> Result<(), Error>;

    /// Removes the access token of this name; false where there is none.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn remove_access_token(&self, name: &Name) -> Result<bool, Error>;
}

/// The rules for names, over what a back-end holds: shared by all back-ends, so that none bends them.
/// `new` may stand beside `old` unless both claim the name.
fn names_clash(new: &Device, old: &Device) -> bool {
    if new.id == old.id || new.name != old.name {
        return false;
    }
    match (new.state, old.state) {
        (State::Retired { .. } | State::Trashed { .. }, _) | (_, State::Retired { .. } | State::Trashed { .. }) => {
            false
        }
        (State::Pending { replaces, .. }, State::Active) => replaces != Some(old.id),
        (State::Active, State::Pending { replaces, .. }) => replaces != Some(new.id),
        (State::Pending { .. }, State::Pending { .. }) | (State::Active, State::Active) => true,
    }
}

/// The error for a clash with `old`.
fn clash(old: &Device) -> Error {
    match old.state {
        State::Pending { until, .. } => Error::Busy { name: old.name.clone(), until },
        State::Active | State::Trashed { .. } | State::Retired { .. } => Error::NameTaken(old.name.clone()),
    }
}

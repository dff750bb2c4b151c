//! Registries: where everything but the secrets lives.
//!
//! A registry knows devices by id and name, and what changes about them. Every change is atomic: a
//! call changes all that it was given or nothing.

mod error;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod record;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod restored;
mod runs;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::name::Name;
use crate::oath::{Parameters, relying_party};
use crate::time::{Drift, Step, Timestamp};
use crate::vault::{Id, Kind};

pub use error::{Error, Restored};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
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

/// What was handed out for one secret, but for the steps of single codes; and what was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Its own id.
    pub id: Id,
    /// The last pair that was handed out.
    pub last_pair: Option<LastPair>,
    /// The second step of the pair that was given back last: if it is taken again, somebody else has seen it.
    pub pair_released: Option<Step>,
    /// The counter that no device of the secret has handed out yet.
    pub counter: Option<u64>,
    /// Steps that passed long ago and were handed out, as runs. [`Registry::claim`] and [`Registry::sweep`] alone change
    /// it.
    pub forgotten: Runs,
    /// What a relying party knows that verifies this secret's codes here; none before the first verification.
    pub relying_party: Option<relying_party::State>,
    /// The last step that counts as handed out and accepted because the registry was restored: all before it do, too.
    /// It is the registry's, so [`Registry::update_ledger`] doesn't change it.
    pub restored: Option<Step>,
    /// When it was last changed, by the system's clock.
    pub changed: Timestamp,
    /// Counts the changes, so that two writers notice each other.
    pub revision: u64,
}

/// The newest pair of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastPair {
    /// Its second step.
    pub second: Step,
    /// Who took it.
    pub token: Token,
    /// Whether it was shown; false while the process that took it waits until it can be used.
    pub given: bool,
    /// What is left when it is given back; none where it can't be.
    pub returnable: Option<Returnable>,
}

impl LastPair {
    /// The last pair; or the one that stands for all that may have been handed out before a registry was restored.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    fn not_before(restored: Option<Step>, last: Option<Self>) -> Option<Self> {
        match restored {
            Some(second) if last.is_none_or(|last| last.second < second) => {
                Some(Self { second, token: Token::NONE, given: true, returnable: None })
            }
            _ => last,
        }
    }
}

/// Names one claim: only who took something can give it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token(u64);

impl Token {
    /// Of what was taken before claims had tokens.
    pub const NONE: Self = Self(0);

    /// A new one, from the OS's random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self(Id::random().low_bits().max(1))
    }

    /// As a back-end stores it.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// From what a back-end stored.
    #[must_use]
    pub const fn from_value(value: u64) -> Self {
        Self(value)
    }
}

/// As people and programs see it: 16 hexadecimal digits.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Not as a [`Token`] is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a claim is 16 hexadecimal digits, as `--json` shows it")]
pub struct NotToken;

impl FromStr for Token {
    type Err = NotToken;

    fn from_str(text: &str) -> Result<Self, NotToken> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        // Nothing that somebody was shown has none.
        value.filter(|value| *value > 0).map(Self).ok_or(NotToken)
    }
}

/// Who has a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The claim that took it first.
    pub token: Token,
    /// Whether somebody else was shown it, too: after that, or before and gave it back.
    pub again: bool,
    /// Whether it was shown; false while the process that took it waits until it can be used.
    pub given: bool,
}

/// What a pair that is given back leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returnable {
    /// Whether its steps were claimed, too.
    pub claimed: bool,
    /// The second step of the pair before it.
    pub before: Option<Step>,
}

impl Ledger {
    /// One with nothing in it.
    #[must_use]
    pub const fn new(id: Id) -> Self {
        let changed = Timestamp::from_unix(0);
        Self {
            id,
            last_pair: None,
            pair_released: None,
            counter: None,
            forgotten: Runs::NONE,
            relying_party: None,
            restored: None,
            changed,
            revision: 0,
        }
    }
}

/// What another registry knows of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Steps that were handed out.
    pub taken: Vec<Step>,
    /// More of them.
    pub runs: Runs,
    /// The second step of the last pair.
    pub last_pair: Option<Step>,
    /// The counter that nobody was given yet.
    pub counter: Option<u64>,
    /// What a relying party knows.
    pub relying_party: Option<relying_party::State>,
    /// When something of it was last handed out or verified, by the system's clock.
    pub changed: Timestamp,
}

impl History {
    /// A ledger that knows this as well, but for the steps that were taken.
    fn united_with(&self, known: &Ledger) -> Ledger {
        let mut ledger = known.clone();
        self.runs.as_slice().iter().for_each(|run| ledger.forgotten.add(*run));
        // Nobody here was given that pair, so nobody can give it back.
        if let Some(second) = self.last_pair.filter(|second| known.last_pair.is_none_or(|last| last.second < *second)) {
            ledger.last_pair = Some(LastPair { second, token: Token::NONE, given: true, returnable: None });
        }
        ledger.counter = known.counter.max(self.counter);
        ledger.relying_party = match (&known.relying_party, &self.relying_party) {
            (Some(known), Some(other)) => Some(known.united(other)),
            (known, other) => known.clone().or_else(|| other.clone()),
        };
        ledger.changed = known.changed.max(self.changed);
        ledger
    }
}

/// Each step that was handed out is kept by itself for this many periods after it passed and its code was given; then it
/// becomes part of a run. AWS, the most
/// generous of what was measured, takes a pair 1,000 steps away from where it believes the device to be; four times
/// that leaves room for a device that is resynchronized again and again.
pub const REMEMBERED: u64 = 4_000;

/// The shortest time for which each step is kept by itself, in seconds.
pub const REMEMBERED_AT_LEAST: u64 = 24 * 60 * 60;

/// A keyed hash of a secret, by which two devices of one secret find each other. The key is the vault's own, so that a
/// fingerprint is no help in guessing.
pub type Fingerprint = [u8; 32];

/// Steps that are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Where they are written down.
    pub ledger: Id,
    /// Whose they are from now on.
    pub token: Token,
    /// What may be taken, the best first.
    pub candidates: &'a [Step],
    /// How many at most.
    pub most: usize,
    /// The last one that can be shown now. Those after it are waited for first, then [`Registry::give`] is called.
    pub ready: Step,
    /// When this is, by the system's clock.
    pub now: Timestamp,
    /// Whether those that were handed out before are handed out again. Who waits for one of them must not give it back
    /// then. Such a claim outlives this process, but perhaps not a power failure in the same seconds.
    pub again: bool,
    /// What may be forgotten on the way.
    pub forget: Forget,
}

/// Steps that no relying party could still accept: both conditions hold for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forget {
    /// They lie before this one.
    pub below: Step,
    /// They were handed out before this moment of the system's clock.
    pub before: Timestamp,
}

/// What isn't free of a ledger, from a step on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Steps that were handed out, in order.
    pub steps: Vec<Step>,
    /// As [`Ledger::forgotten`].
    pub forgotten: Runs,
    /// As [`Ledger::restored`].
    pub restored: Option<Step>,
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

    /// Takes the first steps that were never handed out, and writes them down. Atomic: whoever else asks, in whatever
    /// process, doesn't get them. When this returns they have reached the disk, unless `again` is set.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] where the ledger isn't there. Those of the back-end; then nothing was taken, or what was taken
    /// stays taken.
    fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Step>, Error>;

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
#[cfg(any(feature = "sqlite", feature = "postgres"))]
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

//! What is written down of one secret: which codes of it were handed out, and which were accepted.

use std::fmt;
use std::str::FromStr;

use crate::oath::relying_party;
use crate::time::{Step, Timestamp};
use crate::vault::Id;

use super::Runs;

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
    /// Steps that passed long ago and were handed out, as runs. Only [`claim`](super::Registry::claim) and
    /// [`sweep`](super::Registry::sweep) change it.
    pub forgotten: Runs,
    /// What a relying party knows that verifies this secret's codes here; none before the first verification.
    pub relying_party: Option<relying_party::State>,
    /// The last step that counts as handed out and accepted because the registry was restored: all before it do, too.
    /// It is the registry's, so [`update_ledger`](super::Registry::update_ledger) doesn't change it.
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
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
    pub(super) fn not_before(restored: Option<Step>, last: Option<Self>) -> Option<Self> {
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
    pub(super) fn united_with(&self, known: &Ledger) -> Ledger {
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
    /// The last one that can be shown now. Those after it are waited for first, then
    /// [`give`](super::Registry::give) is called.
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

//! What a device hands out, and on which terms: codes, leases of codes that nobody else has, and what becomes of those
//! that are given back.

use crate::oath::Code;
use crate::oath::resync::Window;
use crate::registry::Token;
use crate::time::Timestamp;

/// The longest that a lease or a pair may be waited for, in seconds.
pub const LONGEST_WAIT: u64 = 24 * 60 * 60;

/// A code and the step or counter it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// The code.
    pub code: Code,
    /// The step of a TOTP code, the counter of an HOTP code.
    pub moving_factor: u64,
    /// The first second of a TOTP code, and the first one after it.
    pub valid: Option<(Timestamp, Timestamp)>,
    /// Whether it had been handed out before; never so for a counter.
    pub repeated: bool,
    /// The claim that has it; none for a counter, for what another claim has, and for what isn't written down.
    pub claim: Option<Token>,
}

/// When something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// By the clock that the device runs on, before any drift it is given.
    pub time: Timestamp,
    /// By the system's clock, which ledgers are kept by.
    pub now: Timestamp,
}

/// What a lease may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How far from the current step a code may be, for the relying party to take it now.
    pub window: Window,
    /// For how many seconds the relying party must go on to take it, from when it is ready.
    pub validity: u64,
    /// By less than how many seconds the moment may be rounded down: so much more of the code has to be left, but for
    /// a validity that only a whole code has.
    pub rounding: u64,
    /// How many seconds may be waited.
    pub patience: u64,
}

/// A code that nobody else has or will get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a lease is used up, whether its code is used or not"]
pub struct Leased {
    /// The code.
    pub issued: Issued,
    /// From when on the relying party takes it.
    pub ready: Timestamp,
    /// How many seconds that is away; none when it can be used now.
    pub wait: u64,
    /// Whose it is.
    pub token: Token,
}

/// What became of something that was to be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// It can be handed out again.
    Yes,
    /// It was never handed out, or is forgotten.
    NotThere,
    /// Somebody else has it, too, or may have.
    Shared,
}

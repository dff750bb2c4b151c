//! Codes that count as handed out because a registry was restored: all up to a moment.

use crate::time::{Step, Timestamp};

/// Steps after the present that may have been handed out as well: a process that waits for one has it already.
pub const AHEAD: u64 = 10;

/// What going on with a restored registry did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Until when all codes count as handed out.
    pub until: Timestamp,
    /// Until when they did before.
    pub before: Option<Timestamp>,
    /// Whether the registry was seen to be restored or replaced; otherwise nobody knows how many counters are missing.
    pub noticed: bool,
    /// Whether a vault's key was accepted.
    pub new_key: bool,
}

/// The last step that counts as handed out, from what back-ends store: the moment, in Unix seconds, and a period.
pub(super) fn restored_until(accepted: i64, period: Option<i64>) -> Option<Step> {
    let period = period.filter(|period| accepted > 0 && *period > 0);
    let step = period.and_then(|period| accepted.cast_unsigned().checked_div(period.cast_unsigned()));
    step.map(|step| Step::new(step.saturating_add(AHEAD)))
}

//! What a relying party keeps of a device between two verifications.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::rules::Budget;
use crate::time::{Step, Timestamp};

/// What a relying party keeps of a device: for time the adjustment and the steps used, for counters the next one.
///
/// The default is a fresh device. The keys it is written with are stable; unknown ones are passed over, and missing
/// ones are as in the default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    #[serde(skip_serializing_if = "is_default")]
    adjustment: i64,
    #[serde(skip_serializing_if = "is_default")]
    used: BTreeSet<u64>,
    /// Every step below counts as used: those that were are forgotten.
    #[serde(skip_serializing_if = "is_default")]
    forgotten: u64,
    /// The last step of the last pair that was accepted.
    #[serde(skip_serializing_if = "is_default")]
    pair: Option<u64>,
    #[serde(skip_serializing_if = "is_default")]
    next: u64,
    #[serde(skip_serializing_if = "is_default")]
    attempts: Attempts,
}

/// The attempts of one window of a [`Budget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Attempts {
    /// The window's first second.
    since: u64,
    count: u32,
}

/// How many steps behind the adjusted time, and behind the unadjusted, used steps are remembered.
///
/// A pair moves the adjusted time back by at most 1,000 steps. Under the rules of AWS the next must be newer, so that
/// it can't happen again; elsewhere each further pair takes two codes that nobody has presented. Four
/// such moves, or a relying party's clock set back by a day, leave every used step that they reach remembered. What
/// is forgotten nevertheless counts as used, so that no step is ever accepted twice: only codes
/// from before a forgotten one are refused although they are new.
const REMEMBERED: u64 = 4_000;

impl State {
    /// A counter device that is expected to use this counter next.
    #[must_use]
    pub fn counter(next: u64) -> Self {
        Self { next, ..Self::default() }
    }

    /// What a new seed under the same serial number inherits: the attempts of the current window, or else a new seed
    /// would be a way around the budget.
    #[must_use]
    pub fn reseeded(&self) -> Self {
        Self::default().with_attempts_of(self)
    }

    /// The same past with the attempts of another one: two seeds under one serial number share a budget.
    #[must_use]
    pub fn with_attempts_of(&self, other: &Self) -> Self {
        Self { attempts: other.attempts, ..self.clone() }
    }

    /// How many steps the device is taken to be ahead of the relying party's clock.
    #[must_use]
    pub const fn adjustment(&self) -> i64 {
        self.adjustment
    }

    /// The same past with another adjustment: that of a verifier which the last resynchronization hasn't reached.
    #[must_use]
    pub fn with_adjustment(&self, adjustment: i64) -> Self {
        Self { adjustment, ..self.clone() }
    }

    /// The counter that is expected next.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// The last step of the last two or more codes that were accepted together.
    #[must_use]
    pub fn last_pair(&self) -> Option<Step> {
        self.pair.map(Step::new)
    }

    /// Whether a step's code was accepted and used up, or is from before one that is forgotten.
    #[must_use]
    pub fn is_used(&self, step: Step) -> bool {
        step.value() < self.forgotten || self.used.contains(&step.value())
    }

    /// The same past where all steps up to one, and pairs of them, count as accepted, too.
    #[must_use]
    pub fn having_used_all(self, last: Step) -> Self {
        let (forgotten, pair) = (last.value().saturating_add(1), Some(last.value()));
        Self { forgotten: self.forgotten.max(forgotten), pair: self.pair.max(pair), ..self }
    }

    /// The same past where all counters before one count as accepted, too.
    #[must_use]
    pub fn expecting(self, next: u64) -> Self {
        Self { next: self.next.max(next), ..self }
    }

    /// The same past where all that another one accepted counts as accepted, too.
    #[must_use]
    pub fn united(&self, other: &Self) -> Self {
        Self {
            used: self.used.union(&other.used).copied().collect(),
            forgotten: self.forgotten.max(other.forgotten),
            pair: self.pair.max(other.pair),
            next: self.next.max(other.next),
            ..self.clone()
        }
    }

    /// The relying party's time as the device is taken to tell it; the range of steps ends it on both sides.
    pub(super) const fn adjusted(&self, reference: u64) -> u64 {
        reference.saturating_add_signed(self.adjustment)
    }

    pub(super) const fn adjust(&mut self, adjustment: i64) {
        self.adjustment = adjustment;
    }

    pub(super) const fn expect(&mut self, next: u64) {
        self.next = next;
    }

    pub(super) const fn paired(&mut self, last: u64) {
        self.pair = Some(last);
    }

    /// Uses steps up, and forgets those that are [`REMEMBERED`] no longer.
    pub(super) fn use_up(&mut self, steps: impl IntoIterator<Item = u64>, reference: u64) {
        self.used.extend(steps);
        let oldest = self.adjusted(reference).min(reference).saturating_sub(REMEMBERED);
        let kept = self.used.split_off(&oldest);
        if let Some(newest) = self.used.last() {
            self.forgotten = self.forgotten.max(newest.saturating_add(1));
        }
        self.used = kept;
    }

    /// Counts an attempt.
    ///
    /// # Errors
    ///
    /// When the window's budget is spent: the time from which there is a new one.
    pub(super) fn attempt(&mut self, budget: Budget, now: Timestamp) -> Result<(), Timestamp> {
        let gone = now.as_unix() % budget.seconds;
        let since = now.as_unix().saturating_sub(gone);
        let count = if self.attempts.since == since { self.attempts.count } else { 0 };
        if count >= budget.attempts {
            return Err(Timestamp::from_unix(since.saturating_add(budget.seconds.get())));
        }
        self.attempts = Attempts { since, count: count.saturating_add(1) };
        Ok(())
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_state_is_an_empty_object_and_unknown_keys_are_passed_over() {
        assert_eq!(serde_json::to_string(&State::default()).unwrap(), "{}");
        let read: State = serde_json::from_str(r#"{"adjustment": -3, "colour": "red"}"#).unwrap();
        assert_eq!(read, State { adjustment: -3, ..State::default() });
    }

    #[test]
    fn the_keys_are_stable() {
        let state = State {
            adjustment: 1,
            used: [7, 9].into(),
            forgotten: 3,
            pair: Some(8),
            next: 5,
            attempts: Attempts { since: 180, count: 2 },
        };
        let text =
            r#"{"adjustment":1,"used":[7,9],"forgotten":3,"pair":8,"next":5,"attempts":{"since":180,"count":2}}"#;
        assert_eq!(serde_json::to_string(&state).unwrap(), text);
        assert_eq!(serde_json::from_str::<State>(text).unwrap(), state);
    }

    #[test]
    fn united_with_another_it_has_accepted_what_either_did() {
        let one = State { adjustment: 1, used: [7].into(), forgotten: 3, pair: None, next: 5, ..State::default() };
        let other = State { adjustment: 9, used: [8].into(), forgotten: 4, pair: Some(2), next: 1, ..State::default() };
        let both = State { used: [7, 8].into(), forgotten: 4, pair: Some(2), ..one.clone() };
        assert_eq!(one.united(&other), both);
        assert_eq!(both.united(&other), both, "again, it changes nothing");
    }

    #[test]
    fn what_is_forgotten_stays_used_and_the_rest_is_open() {
        let mut state = State::default();
        state.use_up([100, 6_000], 6_000);
        assert_eq!(state.used, [6_000].into());
        assert_eq!(state.forgotten, 101);
        assert!(state.is_used(Step::new(100)) && !state.is_used(Step::new(101)) && state.is_used(Step::new(6_000)));
        state.use_up([9_999], 10_000);
        assert_eq!(state.used, [6_000, 9_999].into(), "4,000 steps behind is remembered");
        state.use_up([], 10_001);
        assert_eq!((state.used.clone(), state.forgotten), ([9_999].into(), 6_001));
        // The adjusted time counts as well as the unadjusted, whichever is earlier.
        state.adjust(-500);
        state.use_up([], 14_499);
        assert!(state.used.contains(&9_999));
        state.adjust(500);
        state.use_up([], 13_999);
        assert!(state.used.contains(&9_999));
    }
}

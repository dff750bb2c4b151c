//! A relying party: what decides about the codes that a device presents.
//!
//! RFC 6238, sections 5.2 and 6, and RFC 4226, sections 7.2 to 7.4, as pure functions: state, time and codes in,
//! state and verdict out. The [`Rules`] are those of the RFCs or those that AWS was measured to have.

mod rules;
mod state;

use subtle::ConstantTimeEq;

pub use self::rules::{Budget, Error, PROPAGATION, Propagation, Rules};
pub use self::state::State;
use super::resync::{Sightings, Window, earlier};
use super::totp::EPOCH;
use super::{Code, Digits, MovingFactor, Parameters, distance};
use crate::secret::Secret;
use crate::time::{Period, Step, Timestamp};

/// What became of the codes that were presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a verdict that nobody reads lets everybody in"]
pub enum Verdict {
    /// They are right.
    Accepted(Match),
    /// They aren't, or aren't any longer.
    Refused(Refusal),
}

/// Codes that were accepted, and where the last of them is from.
///
/// Store the new state before you act on the match: RFC 6238, section 5.2, forbids a second acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a match that is not stored can be replayed"]
pub struct Match {
    /// The step or the counter of the last code.
    pub moving_factor: u64,
    /// How far that is from the relying party's own step, unadjusted, or from the counter that was
    /// expected: device minus reference.
    pub drift: i64,
    /// The adjustment from now on, in steps; 0 for counters.
    pub adjustment: i64,
}

/// Why codes weren't accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There was nothing to verify.
    #[error("no code was given")]
    NoCodes,
    /// The device's codes are shorter or longer.
    #[error("a code has {given}, and the device's have {expected}")]
    WrongLength {
        /// How many digits the code has.
        given: Digits,
        /// How many the device's codes have.
        expected: Digits,
    },
    /// Wrong, or too far from the expected moving factor: nobody can tell which.
    #[error("the code is wrong or lies outside the window")]
    NoMatch,
    /// Right, and accepted before.
    #[error("the code of step {step} (drift {drift:+}) has been used")]
    Used {
        /// Its step.
        step: u64,
        /// Its distance from the relying party's own step.
        drift: i64,
    },
    /// The code of a counter that lies behind the expected one.
    #[error("the code of counter {counter} comes too late: counter {next} is expected")]
    Passed {
        /// The code's counter; the first one's, where there are more.
        counter: u64,
        /// The counter that is expected.
        next: u64,
    },
    /// The same code twice, where consecutive ones belong.
    #[error("the codes are equal, not consecutive")]
    Equal,
    /// Consecutive codes, the newest first.
    #[error("the codes are in the wrong order: the older one comes first")]
    Reversed,
    /// Right codes in the right order, with others between them.
    #[error("the codes aren't consecutive: there are others between them")]
    Skipped,
    /// Consecutive codes that aren't all newer than the last ones accepted.
    #[error("the codes aren't newer than step {last}, with which the last accepted pair ended")]
    NotNewer {
        /// The last step of the run accepted before.
        last: u64,
    },
    /// The budget of single codes is spent.
    #[error("too many attempts: codes are verified again from {until}")]
    TooManyAttempts {
        /// When the next window begins.
        until: Timestamp,
    },
    /// RFC 6238 counts from T0 upwards.
    #[error("there are no codes before T0")]
    BeforeT0,
}

/// Decides about one code, or about two or more consecutive ones, the oldest first.
///
/// One code is a login; two or more set a device up or find it again (resynchronization). The new state takes the
/// place of the old one with every verdict: a refusal may have cost an attempt, and changes nothing else.
///
/// The whole window is searched, and codes are compared in constant time. The ends of the range are arguments like
/// any other; only the last counter of 64 bits is never accepted, for none could be expected after it.
pub fn accept(
    rules: &Rules,
    secret: &Secret,
    parameters: &Parameters,
    state: &State,
    now: Timestamp,
    codes: &[Code],
) -> (State, Verdict) {
    let mut state = state.clone();
    let verification = Verification { rules, secret, parameters, codes };
    let verdict = match verification.run(&mut state, now) {
        Ok(found) => Verdict::Accepted(found),
        Err(refusal) => Verdict::Refused(refusal),
    };
    (state, verdict)
}

impl Refusal {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoCodes => "no-codes",
            Self::WrongLength { .. } => "wrong-length",
            Self::NoMatch => "no-match",
            Self::Used { .. } => "used",
            Self::Passed { .. } => "passed",
            Self::Equal => "equal",
            Self::Reversed => "reversed",
            Self::Skipped => "skipped",
            Self::NotNewer { .. } => "not-newer",
            Self::TooManyAttempts { .. } => "too-many-attempts",
            Self::BeforeT0 => "before-t0",
        }
    }
}

/// How far behind the expected counter a code is looked for, only to say that it comes too late.
const LOOK_BACK: u64 = 10;

/// What is verified, and by what.
struct Verification<'a> {
    rules: &'a Rules,
    secret: &'a Secret,
    parameters: &'a Parameters,
    codes: &'a [Code],
}

impl Verification<'_> {
    /// Changes nothing of the state but its budget until the codes are accepted.
    fn run(&self, state: &mut State, now: Timestamp) -> Result<Match, Refusal> {
        if self.codes.is_empty() {
            return Err(Refusal::NoCodes);
        }
        let expected = self.parameters.digits;
        if let Some(code) = self.codes.iter().find(|code| code.digits() != expected) {
            return Err(Refusal::WrongLength { given: code.digits(), expected });
        }
        let single = self.codes.len() == 1;
        if let (true, Some(budget)) = (single, self.rules.budget) {
            state.attempt(budget, now).map_err(|until| Refusal::TooManyAttempts { until })?;
        }
        match self.parameters.factor {
            MovingFactor::Counter { .. } => self.counter(state, single),
            MovingFactor::Time { period } => {
                let reference = reference(period, now)?;
                if single { self.one_in_time(state, reference) } else { self.run_in_time(state, reference) }
            }
        }
    }

    fn one_in_time(&self, state: &mut State, reference: u64) -> Result<Match, Refusal> {
        let centre = state.adjusted(reference);
        let found = self.sightings(centre, self.rules.single).consecutive();
        let unused = found.iter().copied().filter(|step| !state.is_used(Step::new(*step)));
        let Some(step) = nearest(unused, centre) else {
            let used = nearest(found.iter().copied(), centre).ok_or(Refusal::NoMatch)?;
            return Err(Refusal::Used { step: used, drift: distance(used, reference) });
        };
        let drift = distance(step, reference);
        if self.rules.single_adjusts {
            state.adjust(drift);
        }
        state.use_up([step], reference);
        Ok(Match { moving_factor: step, drift, adjustment: state.adjustment() })
    }

    fn run_in_time(&self, state: &mut State, reference: u64) -> Result<Match, Refusal> {
        let centre = state.adjusted(reference);
        let sightings = self.sightings(centre, self.rules.pair);
        let found = sightings.consecutive();
        let acceptable = found.iter().copied().filter(|last| self.objection(state, reference, *last).is_none());
        let Some(last) = nearest(acceptable, centre) else {
            let objection =
                nearest(found.iter().copied(), centre).and_then(|last| self.objection(state, reference, last));
            return Err(objection.unwrap_or_else(|| self.no_run(&sightings)));
        };
        let drift = distance(last, reference);
        state.adjust(drift);
        state.paired(last);
        if self.rules.pair_uses_steps {
            state.use_up(self.first_of(last)..=last, reference);
        }
        Ok(Match { moving_factor: last, drift, adjustment: drift })
    }

    /// What the past has against a run of steps that ends with `last`.
    fn objection(&self, state: &State, reference: u64, last: u64) -> Option<Refusal> {
        let first = self.first_of(last);
        let before = state.last_pair().map(Step::value).filter(|before| self.rules.pair_is_newer && first <= *before);
        if let Some(before) = before {
            return Some(Refusal::NotNewer { last: before });
        }
        let used = (first..=last).find(|step| self.rules.pair_uses_steps && state.is_used(Step::new(*step)))?;
        Some(Refusal::Used { step: used, drift: distance(used, reference) })
    }

    fn counter(&self, state: &mut State, single: bool) -> Result<Match, Refusal> {
        let next = state.next();
        let ahead = if single { self.rules.look_ahead } else { self.rules.counter_resynchronization };
        let sightings = self.sightings(next, Window { behind: LOOK_BACK, ahead });
        let found = sightings.consecutive();
        let ahead = found.iter().copied().filter(|last| self.first_of(*last) >= next);
        // The lowest; and the highest of those that come too late, for it came last.
        let following = ahead.filter_map(|last| Some((last, last.checked_add(1)?))).min();
        let Some((counter, following)) = following else {
            let passed = found.iter().map(|last| self.first_of(*last)).filter(|first| *first < next).max();
            return Err(match passed {
                Some(counter) => Refusal::Passed { counter, next },
                None if single || !found.is_empty() => Refusal::NoMatch,
                None => self.no_run(&sightings),
            });
        };
        state.expect(following);
        Ok(Match { moving_factor: counter, drift: distance(counter, next), adjustment: 0 })
    }

    fn sightings(&self, centre: u64, window: Window) -> Sightings {
        Sightings::of(self.secret, self.parameters, self.codes, window.around(centre))
    }

    /// Why two or more codes aren't a run, as far as the window tells.
    fn no_run(&self, sightings: &Sightings) -> Refusal {
        let neighbours = self.codes.iter().zip(self.codes.iter().skip(1));
        if neighbours.into_iter().any(|(code, next)| code.ct_eq(next).into()) {
            Refusal::Equal
        } else if sightings.reversed() {
            Refusal::Reversed
        } else if sightings.skipped() {
            Refusal::Skipped
        } else {
            Refusal::NoMatch
        }
    }

    /// The moving factor of the first code, where the last one's is known; no run begins below 0.
    fn first_of(&self, last: u64) -> u64 {
        earlier(last, self.codes.len().saturating_sub(1)).unwrap_or(0)
    }
}

fn reference(period: Period, now: Timestamp) -> Result<u64, Refusal> {
    period.step_at(now, EPOCH).map(|(step, _)| step.value()).ok_or(Refusal::BeforeT0)
}

/// The one that is nearest to the centre; of two, the earlier.
fn nearest(steps: impl Iterator<Item = u64>, centre: u64) -> Option<u64> {
    steps.min_by_key(|step| (step.abs_diff(centre), *step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_steps_as_near_the_earlier_is_chosen() {
        assert_eq!(nearest([3, 5, 7].into_iter(), 6), Some(5));
        assert_eq!(nearest([3, 7].into_iter(), 6), Some(7));
        assert_eq!(nearest([0, u64::MAX].into_iter(), u64::MAX / 2), Some(0));
        assert_eq!(nearest([].into_iter(), 6), None);
    }

    #[test]
    fn a_distance_stays_in_its_range() {
        assert_eq!(distance(3, 5), -2);
        assert_eq!(distance(u64::MAX, 0), i64::MAX);
        assert_eq!(distance(0, u64::MAX), i64::MIN);
        assert_eq!(distance(0, 1 << 63), i64::MIN);
        assert_eq!(distance(u64::MAX, u64::MAX - 1), 1);
    }
}

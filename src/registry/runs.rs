//! Steps that were handed out long ago, kept as runs of consecutive numbers.
//!
//! A mark up to which all steps count as handed out would be shorter, and wrong: one that was set while a clock ran
//! ahead stands in the way of all codes until that time has come.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::time::Step;

/// Consecutive steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The first of them.
    pub first: Step,
    /// The last of them.
    pub last: Step,
}

/// Runs in order, none touching the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runs(Vec<Run>);

/// The most runs of one ledger. Where there are more, the two that are closest become one, with the steps between them:
/// a month of which nothing was handed out stays free.
const MOST: usize = 256;

impl Runs {
    /// No step at all.
    pub const NONE: Self = Self(Vec::new());

    /// The runs, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Run] {
        &self.0
    }

    /// Whether there is no step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The run with a step in it.
    #[must_use]
    pub fn run_of(&self, step: Step) -> Option<Run> {
        let index = self.0.partition_point(|run| run.last < step);
        self.0.get(index).copied().filter(|run| run.first <= step)
    }

    /// Whether a step is in one of them.
    #[must_use]
    pub fn contains(&self, step: Step) -> bool {
        self.run_of(step).is_some()
    }

    /// Adds a run, and joins those that touch.
    pub fn add(&mut self, new: Run) {
        if new.first > new.last {
            return;
        }
        let touches = |one: Step, other: Step| one.value().saturating_add(1) >= other.value();
        let from = self.0.partition_point(|run| !touches(run.last, new.first));
        let to = self.0.partition_point(|run| touches(new.last, run.first));
        let touched = self.0.get(from..to).unwrap_or_default();
        let first = touched.first().map_or(new.first, |run| run.first.min(new.first));
        let last = touched.last().map_or(new.last, |run| run.last.max(new.last));
        self.0.splice(from..to.max(from), [Run { first, last }]);
        while self.0.len() > MOST {
            let gaps = self.0.windows(2).enumerate().filter_map(|(index, pair)| match pair {
                [one, two] => Some((two.first.value().saturating_sub(one.last.value()), index)),
                _ => None,
            });
            let Some((_, index)) = gaps.min() else { break };
            let joined = self.0.get(index).zip(self.0.get(index.saturating_add(1)));
            let Some(joined) = joined.map(|(one, two)| Run { first: one.first, last: two.last }) else { break };
            self.0.splice(index..=index.saturating_add(1), [joined]);
        }
    }
}

/// `3-7,9-9`: how back-ends store them.
impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Run { first, last }) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_char(',')?;
            }
            write!(f, "{}-{}", first.value(), last.value())?;
        }
        Ok(())
    }
}

/// Not as [`Runs`] are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a list of runs of steps")]
pub struct NotRuns;

impl FromStr for Runs {
    type Err = NotRuns;

    fn from_str(text: &str) -> Result<Self, NotRuns> {
        let mut runs = Self::NONE;
        for run in text.split(',').filter(|run| !run.is_empty()) {
            let (first, last) = run.split_once('-').ok_or(NotRuns)?;
            let step = |text: &str| text.parse().map(Step::new).map_err(|_| NotRuns);
            let (first, last) = (step(first)?, step(last)?);
            if first > last || runs.0.last().is_some_and(|before| before.last >= first) {
                return Err(NotRuns);
            }
            runs.0.push(Run { first, last });
        }
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn run(first: u64, last: u64) -> Run {
        Run { first: Step::new(first), last: Step::new(last) }
    }

    #[test]
    fn runs_that_touch_become_one() {
        let mut runs = Runs::NONE;
        for step in [5, 9, 7, 6, 20, 8] {
            runs.add(run(step, step));
        }
        assert_eq!(runs.to_string(), "5-9,20-20");
        runs.add(run(1, 30));
        assert_eq!(runs.to_string(), "1-30");
        runs.add(run(u64::MAX, u64::MAX));
        assert!(runs.contains(Step::new(u64::MAX)) && !runs.contains(Step::new(31)));
    }

    #[test]
    fn of_too_many_the_closest_are_joined() {
        let mut runs = Runs::NONE;
        runs.add(run(5, 5));
        for step in (100_000..110_000).step_by(10) {
            runs.add(run(step, step));
        }
        runs.add(run(500_000, 500_000));
        assert_eq!(runs.as_slice().len(), MOST);
        assert_eq!(runs.as_slice().first(), Some(&run(5, 5)));
        assert!([50_000, 109_985, 400_000].map(|step| runs.contains(Step::new(step))).iter().all(|there| !there));
    }

    proptest! {
        #[test]
        fn they_hold_what_was_added_and_nothing_else(added in prop::collection::vec((0_u64..300, 0_u64..4), 0..60)) {
            let mut runs = Runs::NONE;
            let mut steps = BTreeSet::new();
            for (first, more) in added {
                let last = first.saturating_add(more);
                runs.add(run(first, last));
                steps.extend(first..=last);
            }
            for step in 0..310 {
                prop_assert_eq!(runs.contains(Step::new(step)), steps.contains(&step));
            }
            prop_assert_eq!(runs.to_string().parse::<Runs>(), Ok(runs));
        }
    }

    #[test]
    fn what_is_no_list_of_runs_is_refused() {
        for text in ["1", "1-", "2-1", "1-3,3-4", "1-3,-", "x-y", "5-6,1-2"] {
            assert_eq!(text.parse::<Runs>(), Err(NotRuns), "{text}");
        }
    }
}

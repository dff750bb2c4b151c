//! How long something may still take.

use std::time::{Duration, Instant};

/// Longer than anybody waits.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// The end of a stretch of time that began when this was made; the time of day doesn't matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// So long from now; a year where a clock can't count so far.
    #[expect(clippy::disallowed_methods, reason = "it is measured, not told")]
    pub(crate) fn after(limit: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(limit).or_else(|| now.checked_add(FOREVER)).unwrap_or(now))
    }

    /// How long it is until then; `None` once that is over.
    #[expect(clippy::disallowed_methods, reason = "it is measured, not told")]
    pub(crate) fn left(self) -> Option<Duration> {
        Some(self.0.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_has_nothing_left() {
        assert_eq!(Deadline::after(Duration::ZERO).left(), None);
        assert!(Deadline::after(Duration::from_secs(60)).left().is_some_and(|left| left <= Duration::from_secs(60)));
        assert!(Deadline::after(Duration::MAX).left().is_some());
        assert!(Deadline::after(Duration::ZERO) < Deadline::after(Duration::from_secs(1)));
    }
}

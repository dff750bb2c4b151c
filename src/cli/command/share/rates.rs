//! How many requests a second somebody may make.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many requests a second, and as many at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate(f64);

impl Rate {
    pub(super) fn of(per_second: u32) -> Self {
        Self(f64::from(per_second))
    }
}

/// What is left of a rate.
#[derive(Debug, Default)]
pub(super) struct Bucket(Mutex<Level>);

#[derive(Debug, Default)]
struct Level {
    spent: f64,
    at: Duration,
}

impl Bucket {
    /// Takes one request, `uptime` after the server began; false where there is none left.
    pub(super) fn takes(&self, rate: Rate, uptime: Duration) -> bool {
        let mut level = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let regained = uptime.saturating_sub(level.at).as_secs_f64() * rate.0;
        level.at = level.at.max(uptime);
        level.spent = (level.spent - regained).max(0.0);
        let left = level.spent + 1.0 <= rate.0;
        if left {
            level.spent += 1.0;
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_a_second_has_at_once_then_as_they_come_back() {
        let (bucket, rate) = (Bucket::default(), Rate::of(10));
        let taken = |at: u64| (0..100).filter(|_| bucket.takes(rate, Duration::from_millis(at))).count();
        assert_eq!(taken(0), 10);
        assert_eq!(taken(0), 0);
        assert_eq!(taken(250), 2);
        assert_eq!(taken(100), 0);
        assert_eq!(taken(60_000), 10);
    }
}

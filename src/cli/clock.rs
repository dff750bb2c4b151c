//! The one place that reads a clock.
#![expect(clippy::disallowed_methods, reason = "this is the place")]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::time::Timestamp;

/// The system's time; 1970 where the clock stands before it.
pub(super) fn now() -> Timestamp {
    Timestamp::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// Tells whether `limit` has gone by since this call.
pub(super) fn deadline(limit: Duration) -> Arc<dyn Fn() -> bool + Send + Sync> {
    let start = Instant::now();
    Arc::new(move || start.elapsed() >= limit)
}

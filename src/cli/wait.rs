//! Waiting for a time of the clock that codes are made by: for the system's clock by counting seconds, for a server's by asking it
//! again and again.

use std::time::Duration;

use super::chosen_clock::Clock;
use super::clock;
use super::error::{Error, Kind, Result};
use super::hints;
use super::note::note;
use super::server_time::Server;
use super::stand_in;
use crate::time::{Timestamp, words};

/// When a server is first asked again, and then how often.
const FIRST: Duration = Duration::from_secs(3);
const OFTEN: Duration = Duration::from_secs(15);

/// By how many seconds a wait may grow before the clock counts as set back. Dates are in whole seconds.
const SLACK: u64 = 5;

/// The longest pause before the clock is read again: it may have been set, or the machine may have slept.
const LOOK: Duration = Duration::from_secs(1);

/// How to wait.
#[derive(Clone, Copy)]
pub(super) struct Waiting<'a> {
    /// Move a stand-in's virtual time instead of waiting.
    pub(super) jump: bool,
    /// Who waits.
    pub(super) waiter: Waiter<'a>,
}

/// Who waits.
#[derive(Clone, Copy)]
pub(super) enum Waiter<'a> {
    /// This process, which says so on stderr. A signal ends the wait.
    Process,
    /// One of several that this process does at the same time.
    One(&'a dyn Waits),
}

/// One of several that may wait at the same time, each told of its wait and ended by itself.
pub(super) trait Waits {
    /// The wait begins: for this many seconds, for what, and until when.
    fn begins(&self, seconds: u64, what: &str, until: Timestamp);

    /// Pauses for at most `limit`.
    ///
    /// # Errors
    ///
    /// The wait was cancelled.
    fn pause(&self, limit: Duration) -> Result<()>;

    /// Checks, before something that can't be undone, that the caller still wants it.
    ///
    /// # Errors
    ///
    /// It was cancelled.
    fn expect_wanted(&self) -> Result<()>;

    /// Says something that the caller needn't hear, on stderr.
    fn warn(&self, text: &str) {
        note(text);
    }
}

impl Waiter<'_> {
    /// As [`Waits::warn`].
    pub(super) fn warn(self, text: &str) {
        match self {
            Self::Process => note(text),
            Self::One(one) => one.warn(text),
        }
    }

    /// As [`Waits::expect_wanted`]. A signal ends a process that doesn't wait.
    ///
    /// # Errors
    ///
    /// The same.
    pub(super) fn expect_wanted(self) -> Result<()> {
        match self {
            Self::Process => Ok(()),
            Self::One(one) => one.expect_wanted(),
        }
    }

    fn count_down(self, seconds: u64, what: &str, until: Timestamp, mut left: impl FnMut() -> Duration) -> Result<()> {
        let one = match self {
            Self::Process => return clock::count_down(seconds, what, until, left).map_err(Error::interrupted),
            Self::One(one) => one,
        };
        one.begins(seconds, what, until);
        loop {
            match left() {
                Duration::ZERO => return Ok(()),
                left => one.pause(left.min(LOOK))?,
            }
        }
    }
}

/// Waits until a clock shows a time, some seconds from now; where that is a stand-in's virtual one, it is moved
/// with `jump`.
///
/// # Errors
///
/// A signal or a cancellation, so that the caller can give back what it took; and a clock that stands still or was set back.
pub(super) fn until(clock: &Clock, time: Timestamp, seconds: u64, what: &str, waiting: Waiting<'_>) -> Result<()> {
    match clock.server() {
        _ if seconds == 0 => Ok(()),
        None => waiting.waiter.count_down(seconds, what, time, clock::remaining(seconds)),
        Some(server) => follow(server, clock, time, seconds, what, waiting),
    }
}

fn follow(
    server: &Server,
    clock: &Clock,
    time: Timestamp,
    seconds: u64,
    what: &str,
    waiting: Waiting<'_>,
) -> Result<()> {
    if let Some(stand_in) = server.stand_in() {
        // Somebody may have moved it just now.
        if (waiting.jump && stand_in.move_to(time.as_unix())) || clock.time() >= time {
            return Ok(());
        }
        return Err(stands_still(stand_in.url(), time, seconds, what)
            .hint(hints::serve::advance(&stand_in::command(stand_in.url(), seconds))));
    }
    let elapsed = clock::stopwatch();
    let begin = shown(server.asked_again());
    let (mut due, mut stands, mut set_back) = (FIRST, false, false);
    let left = |ahead| Duration::from_secs(time.as_unix().saturating_sub(shown(ahead)));
    let waited = waiting.waiter.count_down(seconds, what, time, || {
        let mut remaining = left(server.difference().server_ahead());
        let passed = elapsed();
        if passed >= due || remaining.is_zero() {
            let ahead = server.asked_again();
            remaining = left(ahead);
            due = passed.saturating_add(OFTEN);
            // Dates are in whole seconds, so the clock stands still if it shows less than half of the time that has passed.
            let moved = shown(ahead).saturating_add(1).checked_sub(begin).map(Duration::from_secs);
            set_back = remaining > Duration::from_secs(seconds.saturating_add(SLACK));
            stands = passed >= FIRST && moved.is_some_and(|moved| moved < passed.div_f64(2.0));
        }
        if stands || set_back { Duration::ZERO } else { remaining }
    });
    waited?;
    if stands {
        return Err(stands_still(server.url(), time, seconds, what).hint(hints::serve::OTHER_CLOCK));
    }
    if set_back {
        // Another code may be available sooner now.
        let message = format!("the clock at {} was set back during the wait", server.url());
        return Err(Error::new(Kind::No, "clock", message).hint(hints::TRY_AGAIN));
    }
    Ok(())
}

/// The time, in Unix seconds, of a clock that is `ahead` seconds ahead of the system's.
fn shown(ahead: i64) -> u64 {
    let now = clock::now();
    now.shifted(ahead).unwrap_or(now).as_unix()
}

fn stands_still(url: &str, time: Timestamp, seconds: u64, what: &str) -> Error {
    let message = format!("{what} needs up to {} more, and the time at {url} stands still", words(seconds));
    Error::new(Kind::No, "time-stands-still", message).available(time, seconds)
}

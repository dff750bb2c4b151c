//! The one place that reads a clock, and waits for one.
#![expect(clippy::disallowed_methods, reason = "this is the place")]

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::interrupt::Interrupted;
use super::note::note;
use crate::aws::Boot;
use crate::time::Timestamp;

/// The release of this program: a clock that stands before it is wrong.
pub(super) const RELEASED: Timestamp = Timestamp::from_unix(1_795_219_200);

/// The system's time; 1970 where the clock stands before it.
pub(super) fn now() -> Timestamp {
    Timestamp::from_unix(since_1970().as_secs())
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Tells whether `limit` has gone by since this call.
pub(super) fn deadline(limit: Duration) -> Arc<dyn Fn() -> bool + Send + Sync> {
    let start = Instant::now();
    Arc::new(move || start.elapsed() >= limit)
}

/// Tells whether this process has worked for `limit` since this call, whatever else the machine is busy with; at the
/// latest after ten times as long.
pub(super) fn work_limit(limit: Duration) -> Arc<dyn Fn() -> bool + Send + Sync> {
    const PATIENCE: u32 = 10;
    let (start, worked) = (Instant::now(), cpu_time());
    Arc::new(move || match (cpu_time(), worked) {
        (Some(now), Some(before)) => {
            now.saturating_sub(before) >= limit || start.elapsed() >= limit.saturating_mul(PATIENCE)
        }
        _ => start.elapsed() >= limit,
    })
}

/// How long all threads of this process have worked; `None` where that can't be asked.
#[cfg(unix)]
fn cpu_time() -> Option<Duration> {
    Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime)).ok()
}

#[cfg(not(unix))]
const fn cpu_time() -> Option<Duration> {
    None
}

/// The system's time around a piece of work, in milliseconds since 1970. What the work took is measured by a clock
/// that nobody sets.
pub(super) fn timed<T>(work: impl FnOnce() -> T) -> (T, i128, i128) {
    let before = since_1970();
    let start = Instant::now();
    let result = work();
    let after = before.saturating_add(start.elapsed());
    let milliseconds = |time: Duration| i128::try_from(time.as_millis()).unwrap_or(i128::MAX);
    (result, milliseconds(before), milliseconds(after))
}

/// Waits for a number of seconds, and says so on stderr. Time that the machine sleeps counts.
///
/// # Errors
///
/// The number of a signal that would have ended the program.
pub(super) fn wait(seconds: u64, what: &str, until: Timestamp) -> std::result::Result<(), u8> {
    count_down(seconds, what, until, remaining(seconds))
}

/// Tells how much is left of a number of seconds that begin now. Time that the machine sleeps counts.
pub(super) fn remaining(seconds: u64) -> impl FnMut() -> Duration {
    let (end, start, limit) = (now().plus(seconds).unwrap_or(now()), Instant::now(), Duration::from_secs(seconds));
    move || {
        // By the system's clock, whose seconds are counted; one that is set back makes nobody wait longer.
        let left = Duration::from_secs(end.as_unix()).saturating_sub(since_1970());
        left.min(limit.saturating_sub(start.elapsed()))
    }
}

/// Waits while time is left, which is asked ten times a second, and says so on stderr: counting down on a terminal, else
/// in one line.
///
/// # Errors
///
/// As [`wait`], so that what was taken can be given back.
pub(super) fn count_down(
    seconds: u64,
    what: &str,
    until: Timestamp,
    mut left: impl FnMut() -> Duration,
) -> std::result::Result<(), u8> {
    if seconds == 0 {
        return Ok(());
    }
    let interrupted = Interrupted::watch();
    let eyes = std::io::stderr().is_terminal();
    let line = |left: u64| format!("waiting {} for {what}, until {until}", crate::time::words(left));
    if !eyes {
        note(&line(seconds));
    }
    let mut shown = None;
    let result = loop {
        let left = left();
        if left.is_zero() {
            break Ok(());
        }
        if let Some(signal) = interrupted.by() {
            break Err(signal);
        }
        let seconds = left.as_millis().div_ceil(1000);
        if eyes && shown != Some(seconds) {
            // A line that wraps would be a new one every second.
            let width =
                terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(width, _)| usize::from(width.0));
            let line: String =
                line(u64::try_from(seconds).unwrap_or(0)).chars().take(width.saturating_sub(1)).collect();
            let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
            shown = Some(seconds);
        }
        thread::sleep(left.min(Duration::from_millis(100)));
    };
    if eyes {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    result
}

/// Pauses, without a word, until the time is over or `done` says so, which is asked ten times a second.
///
/// # Errors
///
/// The number of a signal that would have ended the program.
pub(super) fn pause(limit: Duration, mut done: impl FnMut() -> bool) -> std::result::Result<(), u8> {
    let interrupted = Interrupted::watch();
    let start = Instant::now();
    loop {
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() || done() {
            return Ok(());
        }
        if let Some(signal) = interrupted.by() {
            return Err(signal);
        }
        thread::sleep(left.min(Duration::from_millis(100)));
    }
}

/// Tells how long it has been since this call, by a clock that nobody sets.
pub(super) fn stopwatch() -> impl Fn() -> Duration {
    let start = Instant::now();
    move || start.elapsed()
}

/// How long this boot of the machine has lasted, its sleep included. Straight from the kernel: what fakes the time for
/// other programs doesn't reach it.
#[cfg(target_os = "linux")]
pub(super) fn boot() -> Option<Boot> {
    use rustix::time::{ClockId, clock_gettime};
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let seconds = u64::try_from(clock_gettime(ClockId::Boottime).tv_sec).ok()?;
    Some(Boot { id: id.trim().to_owned(), seconds })
}

/// Other systems have such clocks too, and no safe way to them that was tried: kept sessions are asked for there.
#[cfg(not(target_os = "linux"))]
pub(super) fn boot() -> Option<Boot> {
    None
}

/// The system's time in milliseconds since 1970.
pub(super) fn milliseconds() -> i128 {
    i128::try_from(since_1970().as_millis()).unwrap_or(i128::MAX)
}

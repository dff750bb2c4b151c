//! The one place that reads a clock, and waits for one.
#![expect(clippy::disallowed_methods, reason = "this is the place")]

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::error::{Error, Result};
use super::interrupt::Interrupted;
use super::{environment, render, server_time};
use crate::device::issue::Moment;
use crate::time::Timestamp;

/// Which clock, and which time of it.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// At a time: RFC 3339, Unix seconds, or an offset such as +30s or -5m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) at: Option<String>,
    #[command(flatten)]
    which: Which,
}

/// Which clock.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(super) struct Which {
    /// The clock that the device runs on: `system`, a server's (URL), or the system's shifted, such as +90s
    /// [env: VMFA_CLOCK]
    #[arg(long, value_name = "CLOCK", allow_hyphen_values = true)]
    clock: Option<String>,
}

/// What the arguments say, once a server has been asked where one was named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Where it stands still, when.
    at: Option<Timestamp>,
    /// This clock minus the system's, in seconds.
    ahead: i64,
}

impl Args {
    /// As [`Which::open`], at the time asked for.
    ///
    /// # Errors
    ///
    /// And what is no time.
    pub(super) fn open(&self) -> Result<Clock> {
        let clock = self.which.open()?;
        let at = self.at.as_ref().map(|text| Timestamp::parse(text, clock.time())).transpose()?;
        Ok(Clock { at, ..clock })
    }
}

impl Which {
    /// A clock that was named elsewhere.
    pub(super) const fn named(clock: Option<String>) -> Self {
        Self { clock }
    }

    /// As [`Self::open`]; none where nobody named one.
    ///
    /// # Errors
    ///
    /// The same.
    pub(super) fn open_if_named(&self) -> Result<Option<Clock>> {
        let named = self.clock.is_some() || environment::text("VMFA_CLOCK").is_some();
        if named { self.open().map(Some) } else { Ok(None) }
    }

    /// Reads the arguments, and asks the server where one is named.
    ///
    /// # Errors
    ///
    /// What can't be read, or a server that doesn't tell the time.
    pub(super) fn open(&self) -> Result<Clock> {
        let named = match &self.clock {
            Some(text) => Some(text.clone()),
            None => environment::text("VMFA_CLOCK"),
        };
        let ahead = match named.as_deref() {
            None | Some("system") => 0,
            Some(url) if url.contains("://") => server_time::difference(url)?.server_ahead(),
            Some(text) => shift(text)?,
        };
        let reachable = now().shifted(ahead).filter(|time| *time <= Timestamp::LATEST);
        reachable
            .map(|_| Clock { at: None, ahead })
            .ok_or_else(|| Error::usage("that clock stands before 1970 or after the year 9999"))
    }
}

fn shift(text: &str) -> Result<i64> {
    let signed = text.starts_with(['+', '-']).then(|| crate::time::signed_duration(text)).flatten();
    signed
        .ok_or_else(|| Error::usage(format!("`{text}` is no clock: `system`, a URL, or an offset such as +90s or -5m")))
}

impl Clock {
    /// The time asked for, else now by this clock: asked again after whatever had to wait for a person.
    pub(super) fn time(&self) -> Timestamp {
        self.at.or_else(|| now().shifted(self.ahead)).unwrap_or(now())
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { time: self.time(), now: now() }
    }

    /// This clock minus the system's, in seconds.
    pub(super) const fn ahead(&self) -> i64 {
        self.ahead
    }

    /// Whether it stands still, so that nothing can be waited for.
    pub(super) const fn stands_still(&self) -> bool {
        self.at.is_some()
    }
}

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

/// Waits so many seconds, and says so on stderr: counting down on a terminal, else in one line. A machine that slept
/// meanwhile has waited too.
///
/// # Errors
///
/// A signal that would have ended the program, so that what was taken can be given back.
pub(super) fn wait(seconds: u64, what: &str, until: Timestamp) -> Result<()> {
    wait_or_signal(seconds, what, until).map_err(Error::interrupted)
}

/// The same; the error is the signal's number.
pub(super) fn wait_or_signal(seconds: u64, what: &str, until: Timestamp) -> std::result::Result<(), u8> {
    if seconds == 0 {
        return Ok(());
    }
    let (end, start, limit) = (now().plus(seconds).unwrap_or(now()), Instant::now(), Duration::from_secs(seconds));
    let interrupted = Interrupted::watch();
    let eyes = std::io::stderr().is_terminal();
    let line = |left: u64| format!("waiting {left} s for {what}, until {until}");
    if !eyes {
        render::note(&line(seconds));
    }
    let mut shown = None;
    let result = loop {
        // By the system's clock, whose seconds are counted; one that is set back makes nobody wait longer.
        let left = Duration::from_secs(end.as_unix()).saturating_sub(since_1970());
        let left = left.min(limit.saturating_sub(start.elapsed()));
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

/// The system's time in milliseconds since 1970.
pub(super) fn milliseconds() -> i128 {
    i128::try_from(since_1970().as_millis()).unwrap_or(i128::MAX)
}

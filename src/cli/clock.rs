//! The one place that reads a clock, and waits for one.
#![expect(clippy::disallowed_methods, reason = "this is the place")]

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::error::{Error, Result};
use super::interrupt::Interrupted;
use super::server_time::Server;
use super::{environment, render};
use crate::aws::Boot;
use crate::device::issue::Moment;
use crate::time::Timestamp;

/// Which clock, and which time of it.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// A time other than now: RFC 3339, Unix seconds, or an offset such as +30s or -5m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) at: Option<String>,
    #[command(flatten)]
    which: Which,
}

/// Which clock.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(super) struct Which {
    /// The clock to make codes by: `system`, a server's (URL), or the system's shifted, such as +90s [env: VMFA_CLOCK]
    #[arg(long, value_name = "CLOCK", allow_hyphen_values = true)]
    clock: Option<String>,
}

/// What the arguments say, once a server has been asked where one was named.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    /// Where it stands still, when.
    at: Option<Timestamp>,
    ahead: Ahead,
}

/// How far a clock is ahead of the system's.
#[derive(Debug, Clone)]
enum Ahead {
    /// So many seconds.
    By(i64),
    /// As far as a server's, which is asked again and again: it may be moved.
    Server(Arc<Server>),
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
            None | Some("system") => Ahead::By(0),
            Some(url) if url.contains("://") => Ahead::Server(Arc::new(Server::ask(url)?)),
            Some(text) => Ahead::By(shift(text)?),
        };
        let clock = Clock { at: None, ahead };
        let reachable = now().shifted(clock.ahead()).filter(|time| *time <= Timestamp::LATEST).map(|_| clock);
        reachable.ok_or_else(|| Error::usage("that clock stands before 1970 or after the year 9999"))
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
        self.at.or_else(|| now().shifted(self.ahead())).unwrap_or(now())
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { time: self.time(), now: now() }
    }

    /// This clock minus the system's, in seconds.
    pub(super) fn ahead(&self) -> i64 {
        match &self.ahead {
            Ahead::By(seconds) => *seconds,
            Ahead::Server(server) => server.ahead(),
        }
    }

    /// The server whose clock it is.
    pub(super) fn server(&self) -> Option<&Server> {
        match &self.ahead {
            Ahead::By(_) => None,
            Ahead::Server(server) => Some(server),
        }
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
    let (end, start, limit) = (now().plus(seconds).unwrap_or(now()), Instant::now(), Duration::from_secs(seconds));
    count_down(seconds, what, until, || {
        // By the system's clock, whose seconds are counted; one that is set back makes nobody wait longer.
        let left = Duration::from_secs(end.as_unix()).saturating_sub(since_1970());
        left.min(limit.saturating_sub(start.elapsed()))
    })
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
        render::note(&line(seconds));
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

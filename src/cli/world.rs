//! What the AWS flows need of the world: the system's clock, its random numbers, a person's eyes, and a stand-in's time.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::{clock, render};
use crate::aws::{Interrupted, World};
use crate::time::difference::Difference;

/// The longest that a stand-in's time is waited for, in seconds: nobody moves it.
const LONGEST: u64 = 600;

/// How long a stand-in may take to tell or move its time.
const ANSWER: Duration = Duration::from_secs(10);

/// The world of a run.
pub(super) struct Real {
    /// Where a stand-in may be, whose time may be virtual.
    stand_in: Option<String>,
    /// Whether virtual time is moved rather than waited for.
    jump: bool,
    /// Whether requests are told of.
    debug: bool,
    /// Whether nothing is told: many do the same at once.
    quiet: AtomicBool,
    is_virtual: OnceLock<bool>,
}

impl Real {
    pub(super) fn new(stand_in: Option<String>, jump: bool, debug: bool) -> Self {
        Self { stand_in, jump, debug, quiet: AtomicBool::new(false), is_virtual: OnceLock::new() }
    }

    /// From now on, nothing is told and nothing is counted down, and signals end the program at once.
    pub(super) fn be_quiet(&self) {
        self.quiet.store(true, Ordering::SeqCst);
    }

    /// The stand-in whose time is virtual.
    fn virtual_stand_in(&self) -> Option<&str> {
        let url = self.stand_in.as_deref()?;
        let is_virtual = || self.time(url).is_some_and(|(_, is_virtual)| is_virtual);
        self.is_virtual.get_or_init(is_virtual).then_some(url)
    }

    /// A stand-in's time, and whether it is virtual.
    fn time(&self, url: &str) -> Option<(u64, bool)> {
        let mut answer = agent().get(format!("{url}/_vmfa/time")).call().ok()?;
        let value: Value = serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()?;
        Some((value.get("unix")?.as_u64()?, value.get("virtual")?.as_bool()?))
    }

    fn wait_for_virtual(&self, url: &str, seconds: u64, what: &str) -> Result<(), Interrupted> {
        if self.jump {
            let body = format!("{{\"advance\": \"{seconds}s\"}}");
            let moved = agent().post(format!("{url}/_vmfa/time")).content_type("application/json").send(body);
            if moved.is_ok() {
                return Ok(());
            }
        }
        let Some((start, _)) = self.time(url) else { return Ok(()) };
        let end = start.saturating_add(seconds);
        self.tell(&format!(
            "waiting {seconds} s of the stand-in's time for {what}: --jump moves it, or `vmfa serve time +{seconds}s --endpoint {url}`"
        ));
        let there = || self.time(url).is_none_or(|(time, _)| time >= end);
        clock::pause(Duration::from_secs(LONGEST), there).map_err(|signal| Interrupted { signal })
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(ANSWER))
        .max_redirects(0)
        .http_status_as_error(true)
        .proxy(None)
        .build()
        .into()
}

impl World for Real {
    fn milliseconds(&self) -> i128 {
        clock::milliseconds()
    }

    fn difference(&self) -> Option<Difference> {
        let url = self.stand_in.as_deref().filter(|_| self.is_virtual.get() != Some(&false))?;
        let (told, sent, received) = clock::timed(|| self.time(url));
        let is_virtual = *self.is_virtual.get_or_init(|| told.is_some_and(|(_, is_virtual)| is_virtual));
        told.filter(|_| is_virtual).map(|(time, _)| Difference::of(time.into(), sent, received))
    }

    fn wait(&self, seconds: u64, what: &str) -> Result<(), Interrupted> {
        if let Some(url) = self.virtual_stand_in() {
            return self.wait_for_virtual(url, seconds, what);
        }
        if self.quiet.load(Ordering::SeqCst) {
            return self.pause(seconds.saturating_mul(1000));
        }
        let now = self.now();
        let until = now.plus(seconds).unwrap_or(now);
        clock::wait_or_signal(seconds, what, until).map_err(|signal| Interrupted { signal })
    }

    fn pause(&self, milliseconds: u64) -> Result<(), Interrupted> {
        let limit = Duration::from_millis(milliseconds);
        if self.quiet.load(Ordering::SeqCst) {
            std::thread::sleep(limit);
            return Ok(());
        }
        clock::pause(limit, || false).map_err(|signal| Interrupted { signal })
    }

    fn random(&self, below: u64) -> u64 {
        let mut bytes = [0; 8];
        // Without random numbers everybody comes back at once, which is all that is lost.
        let _ = getrandom::fill(&mut bytes);
        u64::from_le_bytes(bytes).checked_rem(below).unwrap_or(0)
    }

    fn tell(&self, note: &str) {
        if !self.quiet.load(Ordering::SeqCst) {
            render::note(&render::plain(note));
        }
    }

    fn debug(&self, line: &dyn Fn() -> String) {
        if self.debug {
            let line = line();
            let stderr = std::io::stderr();
            let (dim, plain) = if stderr.is_terminal() { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
            render::note(&format!("{dim}{}{plain}", render::plain(&line)));
        }
    }
}

impl fmt::Debug for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Real").field("stand_in", &self.stand_in).finish_non_exhaustive()
    }
}

//! What the AWS flows need from outside: the clock, random numbers, messages to the user, and a stand-in's time.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::stand_in::StandIn;
use super::{clock, render};
use crate::aws::{Boot, Error, Interrupted, World};
use crate::time::Timestamp;
use crate::time::difference::Difference;

/// The world of a run.
pub(super) struct Real {
    /// The URL of what may be a stand-in with virtual time.
    stand_in: Option<StandIn>,
    /// Move virtual time instead of waiting.
    jump: bool,
    /// Print each request.
    debug: bool,
    /// Print nothing, since many do the same at once.
    quiet: AtomicBool,
    is_virtual: OnceLock<bool>,
}

impl Real {
    pub(super) fn new(stand_in: Option<StandIn>, jump: bool, debug: bool) -> Self {
        Self { stand_in, jump, debug, quiet: AtomicBool::new(false), is_virtual: OnceLock::new() }
    }

    /// From now on, nothing is told and nothing is counted down, and signals end the program at once.
    pub(super) fn be_quiet(&self) {
        self.quiet.store(true, Ordering::SeqCst);
    }

    /// The stand-in whose time is virtual.
    fn virtual_stand_in(&self) -> Option<&StandIn> {
        let stand_in = self.stand_in.as_ref()?;
        let is_virtual = || stand_in.time().is_some_and(|told| told.is_virtual);
        self.is_virtual.get_or_init(is_virtual).then_some(stand_in)
    }
}

/// Lets some milliseconds pass.
///
/// # Errors
///
/// A signal that would have ended the program.
pub(super) fn pause(milliseconds: u64) -> Result<(), Interrupted> {
    clock::pause(Duration::from_millis(milliseconds), || false).map_err(|signal| Interrupted { signal })
}

impl World for Real {
    fn milliseconds(&self) -> i128 {
        clock::milliseconds()
    }

    fn difference(&self) -> Option<Difference> {
        let stand_in = self.stand_in.as_ref().filter(|_| self.is_virtual.get() != Some(&false))?;
        let (told, _, received) = clock::timed(|| stand_in.time());
        let is_virtual = *self.is_virtual.get_or_init(|| told.is_some_and(|told| told.is_virtual));
        told.filter(|_| is_virtual).map(|told| Difference::standing(told.unix.into(), received))
    }

    fn boot(&self) -> Option<Boot> {
        clock::boot()
    }

    fn wait(&self, seconds: u64, what: &str) -> Result<(), Error> {
        if let Some(stand_in) = self.virtual_stand_in() {
            let now = stand_in.time().map_or(self.now().as_unix(), |told| told.unix);
            let until = now.saturating_add(seconds);
            if self.jump && stand_in.move_to(until) {
                return Ok(());
            }
            let (endpoint, until) = (stand_in.url().to_owned(), Timestamp::from_unix(until));
            return Err(Error::StandsStill { endpoint, seconds, until, what: what.to_owned() });
        }
        if self.quiet.load(Ordering::SeqCst) {
            return Ok(self.pause(seconds.saturating_mul(1000))?);
        }
        let now = self.now();
        let until = now.plus(seconds).unwrap_or(now);
        clock::wait(seconds, what, until).map_err(|signal| Interrupted { signal }.into())
    }

    fn pause(&self, milliseconds: u64) -> Result<(), Interrupted> {
        if self.quiet.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(milliseconds));
            return Ok(());
        }
        pause(milliseconds)
    }

    fn random(&self, below: u64) -> u64 {
        let mut bytes = [0; 8];
        // Without random numbers all retries come at the same moment, and nothing worse.
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

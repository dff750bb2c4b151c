//! What keeps the server from handing out: told to its operator in full, to clients without saying where things are.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::cli::clock;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::hints;
use crate::cli::render::{note, plain};

/// After how long the operator is told the same again.
const AGAIN: Duration = Duration::from_secs(60);

/// How old the last look at the registry may be for the server to be well, beyond the time that a look takes.
const OLD: Duration = Duration::from_secs(15);

/// How long the server counts as unwell after the audit file couldn't be written.
const RECOVERY: Duration = Duration::from_secs(10);

/// What is known of it.
pub(super) struct Trouble {
    state: Mutex<State>,
    uptime: Box<dyn Fn() -> Duration + Send + Sync>,
}

#[derive(Debug, Default)]
struct State {
    /// When registry and tokens were last read, and whether that went well.
    looked: Duration,
    failed: bool,
    /// When the audit file last couldn't be written.
    unaudited: Option<Duration>,
    /// What the operator was told, and when.
    told: Option<(String, Duration)>,
}

impl Trouble {
    /// None so far.
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), uptime: Box::new(clock::stopwatch()) }
    }

    /// How a look at registry and tokens went.
    pub(super) fn is(&self, looked: Result<()>) {
        let now = (self.uptime)();
        let failed = looked.map_err(|error| self.tell(&error)).is_err();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.looked, state.failed) = (now, failed);
    }

    /// Whether codes can be handed out, as far as is known. It asks nobody, so it takes no time.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub(super) fn expect_none(&self, took: Duration) -> Result<()> {
        let now = (self.uptime)();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let old = now.saturating_sub(state.looked) > OLD.saturating_add(took.saturating_mul(2));
        let unaudited = state.unaudited.is_some_and(|at| now.saturating_sub(at) < RECOVERY);
        if state.failed || old || unaudited { Err(unavailable("unavailable")) } else { Ok(()) }
    }

    /// An error as a client may see it: where registry, vaults and files are is for the operator, who reads stderr.
    pub(super) fn told_to_clients(&self, error: Error) -> Error {
        if error.code() == "audit" {
            let now = (self.uptime)();
            self.state.lock().unwrap_or_else(PoisonError::into_inner).unaudited = Some(now);
            return error;
        }
        // Of the kind are also errors that name nothing but the device.
        if error.kind() != Kind::Storage || ["conflict", "unavailable"].contains(&error.code()) {
            return error;
        }
        self.tell(&error);
        if error.code().starts_with("registry") {
            // Until the next look.
            self.state.lock().unwrap_or_else(PoisonError::into_inner).failed = true;
        }
        unavailable(error.code())
    }

    /// Tells the operator, once for all who meet it.
    pub(super) fn tell(&self, error: &Error) {
        let now = (self.uptime)();
        let text = plain(&format!("vmfa: {}", error.message())).into_owned();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.told.as_ref().is_none_or(|(told, at)| *told != text || now.saturating_sub(*at) > AGAIN) {
            note(&text);
            state.told = Some((text, now));
        }
    }
}

fn unavailable(code: &str) -> Error {
    Error::told(Kind::Storage, code, "the server can't do this now; its log says why").hint(hints::share::LATER)
}

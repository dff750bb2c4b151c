//! What keeps the server from handing out codes. The operator is told in full; clients aren't told where anything is.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::cli::clock;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::hints;
use crate::cli::render::{note, plain};

/// How long the same message isn't repeated to the operator.
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
    told: HashMap<String, Duration>,
}

impl Trouble {
    /// None so far.
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), uptime: Box::new(clock::stopwatch()) }
    }

    /// How a look at registry and tokens went.
    pub(super) fn record(&self, looked: Result<()>) {
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
        // These two are of the same kind, but name only the device.
        if error.kind() != Kind::Storage || ["conflict", "unavailable"].contains(&error.code()) {
            return error;
        }
        if error.is_of_one_device() {
            self.tell(&error);
            let message = "the secret of this device can't be read; the server's log says why";
            return Error::told(Kind::Storage, error.code(), message);
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
        let hints = error.hints().iter().map(|hint| format!("\nhint: {hint}")).collect::<String>();
        self.tell_text(&format!("vmfa: {}{hints}", error.message()));
    }

    /// The same of any text.
    pub(super) fn tell_text(&self, text: &str) {
        let now = (self.uptime)();
        let is_new = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.told.retain(|_, at| now.saturating_sub(*at) < AGAIN);
            state.told.insert(text.to_owned(), now).is_none_or(|at| {
                state.told.insert(text.to_owned(), at);
                false
            })
        };
        // Whoever reads stderr may be slow.
        if is_new {
            text.lines().for_each(|line| note(&plain(line)));
        }
    }
}

fn unavailable(code: &str) -> Error {
    Error::told(Kind::Storage, code, "the server can't do this now; its log says why").hint(hints::share::LATER)
}

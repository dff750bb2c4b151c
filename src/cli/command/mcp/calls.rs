//! Calls that are being answered: how many at once, which of them wait, and what ends them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::message::Id;
use super::output::Outbox;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::wait::Waits;
use crate::time::{Timestamp, words};

/// How many calls are answered at once.
pub(super) const MOST: usize = 16;

/// Why no more calls come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// The client has closed stdin: what can be answered at once is, and nothing is waited for.
    Input,
    /// A signal, or a client that is gone: nothing is answered any more.
    Now,
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It may be cancelled.
    Open,
    /// Its client doesn't want it any more.
    Cancelled,
    /// It has what it is answered with, and is writing that down. Nobody cancels it any more.
    Bound,
    /// All that is left is to send the answer.
    Done,
}

struct Entry {
    number: u64,
    id: Id,
    stage: Stage,
}

/// The calls of a server.
#[derive(Default)]
pub(super) struct Calls {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: Vec<Entry>,
    count: u64,
    end: Option<End>,
}

/// Why a call isn't begun.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotBegun {
    TooMany,
    SameId,
}

impl Calls {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a call. Its progress is told where the client has a token for it.
    pub(super) fn begin(
        self: &Arc<Self>,
        id: Id,
        progress: Option<(Id, Arc<Outbox>)>,
    ) -> std::result::Result<Call, NotBegun> {
        let mut state = self.state();
        if state.running.iter().any(|entry| entry.id == id) {
            return Err(NotBegun::SameId);
        }
        if state.running.len() >= MOST {
            return Err(NotBegun::TooMany);
        }
        state.count = state.count.wrapping_add(1);
        let number = state.count;
        state.running.push(Entry { number, id, stage: Stage::Open });
        Ok(Call { calls: Arc::clone(self), number, progress: Mutex::new(progress) })
    }

    /// Cancels a call; one that isn't there, or that is being answered, is no error.
    pub(super) fn cancel(&self, id: &Id) {
        let mut state = self.state();
        if let Some(entry) = state.running.iter_mut().find(|entry| entry.id == *id && entry.stage == Stage::Open) {
            entry.stage = Stage::Cancelled;
            self.changed.notify_all();
        }
    }

    /// Ends all.
    pub(super) fn end(&self, end: End) {
        let mut state = self.state();
        state.end = state.end.max(Some(end));
        self.changed.notify_all();
    }

    /// Waits for the end, then until no call holds anything, then for at most `patience` until all are answered.
    pub(super) fn wait_for_end(&self, patience: Duration) {
        let waiting = |state: &mut State| {
            let holds = |entry: &Entry| entry.stage != Stage::Done;
            state.end.is_none() || state.running.iter().any(holds)
        };
        let state = self.changed.wait_while(self.state(), waiting).unwrap_or_else(PoisonError::into_inner);
        let unanswered = |state: &mut State| state.end != Some(End::Now) && !state.running.is_empty();
        drop(self.changed.wait_timeout_while(state, patience, unanswered));
    }
}

/// A call that is being answered.
pub(super) struct Call {
    calls: Arc<Calls>,
    number: u64,
    /// What its client called its progress, until that was told.
    progress: Mutex<Option<(Id, Arc<Outbox>)>>,
}

impl Call {
    /// Has what it is answered with: from now on it isn't cancelled.
    ///
    /// # Errors
    ///
    /// It was before.
    pub(super) fn bind(&self) -> Result<()> {
        self.expect_wanted()?;
        self.go_on_to(Stage::Bound)
    }

    /// Holds nothing any more that could have to be given back. False where no answer is wanted.
    pub(super) fn is_done(&self) -> bool {
        self.go_on_to(Stage::Done).is_ok()
    }

    fn go_on_to(&self, stage: Stage) -> Result<()> {
        let mut state = self.calls.state();
        let entry = state.running.iter_mut().find(|entry| entry.number == self.number);
        let entry = entry.filter(|entry| entry.stage != Stage::Cancelled).ok_or_else(cancelled)?;
        entry.stage = stage;
        self.calls.changed.notify_all();
        Ok(())
    }

    fn is_cancelled(&self, state: &State) -> bool {
        state.running.iter().any(|entry| entry.number == self.number && entry.stage == Stage::Cancelled)
    }
}

impl Waits for Call {
    fn begins(&self, seconds: u64, what: &str, until: Timestamp) {
        let told = self.progress.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((token, outbox)) = told {
            outbox.offer(&serde_json::json!({
                "jsonrpc": "2.0",
                "method": "notifications/progress",
                "params": {
                    "progressToken": token,
                    "progress": 0,
                    "total": seconds,
                    "message": format!("waiting {} for {what}, until {until}", words(seconds)),
                },
            }));
        }
    }

    fn pause(&self, limit: Duration) -> Result<()> {
        let wanted = |state: &mut State| state.end.is_none() && !self.is_cancelled(state);
        let waited = self.calls.changed.wait_timeout_while(self.calls.state(), limit, wanted);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if wanted(&mut state) { Ok(()) } else { Err(cancelled()) }
    }

    fn expect_wanted(&self) -> Result<()> {
        let state = self.calls.state();
        if state.end == Some(End::Now) || self.is_cancelled(&state) { Err(cancelled()) } else { Ok(()) }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.calls.state().running.retain(|entry| entry.number != self.number);
        self.calls.changed.notify_all();
    }
}

/// Nobody hears of it: a call that was cancelled isn't answered.
fn cancelled() -> Error {
    Error::new(Kind::No, CANCELLED, "the call was cancelled")
}

/// The code of that error.
pub(super) const CANCELLED: &str = "cancelled";

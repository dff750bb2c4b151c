//! Messages on their way to the client, which may not read them: a few wait, and who has one more waits as well.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::json;

/// How many messages wait; of those that are no loss, some more.
const MOST: usize = 32;
const MOST_OFFERED: usize = 64;

/// A message as it is written, with a code in it perhaps.
type Bytes = Zeroizing<Vec<u8>>;

/// The way out.
#[derive(Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Bytes>,
    /// Whether one is being written.
    writing: bool,
    /// Whether nothing is written any more.
    closed: bool,
    /// What stood in the way of writing.
    failed: Option<io::Error>,
}

impl Outbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a message once there is room for it. False where nothing is written any more.
    pub(super) fn send(&self, message: &impl Serialize) -> bool {
        let Some(bytes) = line(message) else { return false };
        let mut state = self
            .changed
            .wait_while(self.state(), |state| !state.closed && state.waiting.len() >= MOST)
            .unwrap_or_else(PoisonError::into_inner);
        if !state.closed {
            state.waiting.push_back(bytes);
            self.changed.notify_all();
        }
        !state.closed
    }

    /// Sends a message that is no loss, if there is room for it.
    pub(super) fn offer(&self, message: &impl Serialize) {
        let Some(bytes) = line(message) else { return };
        let mut state = self.state();
        if !state.closed && state.waiting.len() < MOST_OFFERED {
            state.waiting.push_back(bytes);
            self.changed.notify_all();
        }
    }

    /// Writes to stdout what is sent, until it is closed or can't be written to.
    pub(super) fn write(&self) {
        loop {
            let mut state = self
                .changed
                .wait_while(self.state(), |state| !state.closed && state.waiting.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            let Some(bytes) = state.waiting.pop_front().filter(|_| !state.closed) else { return };
            state.writing = true;
            drop(state);
            self.changed.notify_all();
            let mut stdout = io::stdout().lock();
            let written = stdout.write_all(&bytes).and_then(|()| stdout.flush());
            drop(stdout);
            let mut state = self.state();
            state.writing = false;
            if let Err(error) = written {
                state.closed = true;
                state.failed = Some(error);
            }
            self.changed.notify_all();
        }
    }

    /// From now on nothing is written.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.waiting.clear();
        self.changed.notify_all();
    }

    /// Waits until everything is written, for at most `limit`.
    ///
    /// # Errors
    ///
    /// Why it can't be; a client that is gone has had what it wanted.
    pub(super) fn finish(&self, limit: Duration) -> io::Result<()> {
        let unfinished = |state: &mut State| !state.closed && (state.writing || !state.waiting.is_empty());
        let finished = self.changed.wait_timeout_while(self.state(), limit, unfinished);
        let (mut state, _) = finished.unwrap_or_else(PoisonError::into_inner);
        let failed = state.failed.take().filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
        failed.map_or(Ok(()), Err)
    }
}

/// A message as a line of JSON, in one piece, wiped afterwards.
fn line(message: &impl Serialize) -> Option<Bytes> {
    let mut text = Zeroizing::new(Vec::with_capacity(16 << 10));
    json::write(&mut *text, message).ok()?;
    text.push(b'\n');
    Some(text)
}

//! Requests that are being answered: which of them wait, and what ends them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::metrics::Metrics;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::wait::Waits;
use crate::time::Timestamp;

/// The requests of a server that may have to wait.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: Mutex<Open>,
    next: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    calls: HashMap<u64, Arc<Call>>,
    ended: bool,
}

/// A request.
#[derive(Debug)]
pub(super) struct Call {
    stage: Mutex<Stage>,
    changed: Condvar,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// Its client went away.
    Left,
    /// The server ends.
    Ended,
    /// It has what it is answered with.
    Bound,
}

/// A call for as long as its client is there: dropped, it is over.
pub(super) struct Attended {
    calls: Arc<Calls>,
    number: u64,
    call: Arc<Call>,
}

impl Calls {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a call.
    pub(super) fn begin(self: &Arc<Self>, metrics: &Arc<Metrics>) -> Attended {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut open = self.open();
        let stage = if open.ended { Stage::Ended } else { Stage::Open };
        let call = Arc::new(Call { stage: Mutex::new(stage), changed: Condvar::new(), metrics: Arc::clone(metrics) });
        open.calls.insert(number, Arc::clone(&call));
        Attended { calls: Arc::clone(self), number, call }
    }

    /// Ends all: those that wait give back what they took.
    pub(super) fn end(&self) {
        let mut open = self.open();
        open.ended = true;
        open.calls.values().for_each(|call| call.leave(Stage::Ended));
    }
}

impl Attended {
    pub(super) fn call(&self) -> Arc<Call> {
        Arc::clone(&self.call)
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.call.leave(Stage::Left);
        self.calls.open().calls.remove(&self.number);
    }
}

impl Call {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, why: Stage) {
        let mut stage = self.stage();
        if *stage == Stage::Open {
            *stage = why;
            self.changed.notify_all();
        }
    }

    /// From now on it is answered.
    pub(super) fn bind(&self) -> Result<()> {
        let mut stage = self.stage();
        expect_open(*stage)?;
        *stage = Stage::Bound;
        Ok(())
    }
}

fn expect_open(stage: Stage) -> Result<()> {
    match stage {
        Stage::Open | Stage::Bound => Ok(()),
        Stage::Left => Err(Error::new(Kind::No, "cancelled", "the client went away")),
        Stage::Ended => Err(Error::new(Kind::Remote, "server-ends", "the server ends: nothing was handed out")
            .hint(crate::cli::hints::share::LATER)),
    }
}

impl Waits for Call {
    fn begins(&self, seconds: u64, _: &str, _: Timestamp) {
        self.metrics.waits(seconds);
    }

    fn pause(&self, limit: Duration) -> Result<()> {
        let waits = |stage: &mut Stage| *stage == Stage::Open;
        let waited = self.changed.wait_timeout_while(self.stage(), limit, waits);
        let (stage, _) = waited.unwrap_or_else(PoisonError::into_inner);
        expect_open(*stage)
    }

    fn expect_wanted(&self) -> Result<()> {
        expect_open(*self.stage())
    }
}

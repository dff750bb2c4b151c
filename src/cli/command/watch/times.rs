//! The clock of `vmfa watch`. A second thread asks a server, so that one that doesn't answer holds nothing up.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crate::cli::chosen_clock::Clock;
use crate::cli::clock::now;
use crate::cli::server_time::Server;
use crate::device::issue::Moment;
use crate::time::Timestamp;

/// How often the thread looks whether a server is to be asked.
const OFTEN: Duration = Duration::from_millis(500);

/// A time that nobody has told yet.
const NONE: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Times(Arc<Told>);

/// What was told last.
#[derive(Debug)]
struct Told {
    /// How far the clock is ahead of the system's, in seconds.
    ahead: AtomicI64,
    /// Where it stands, in Unix seconds, if it is a stand-in's virtual one.
    standing: AtomicU64,
}

impl Times {
    pub(super) fn follow(clock: Clock) -> Self {
        let told = Arc::new(Told { ahead: AtomicI64::new(clock.ahead()), standing: AtomicU64::new(NONE) });
        if clock.server().is_some() {
            ask(&clock, &told);
            let asked = Arc::downgrade(&told);
            // Without a thread, the clock goes on as it was told at first.
            let _ = thread::Builder::new().name("clock".to_owned()).spawn(move || keep_asking(&clock, &asked));
        }
        Self(told)
    }

    pub(super) fn moment(&self) -> Moment {
        let now = now();
        let time = match self.0.standing.load(Ordering::Relaxed) {
            NONE => now.shifted(self.0.ahead.load(Ordering::Relaxed)).unwrap_or(now),
            standing => Timestamp::from_unix(standing),
        };
        Moment { time, now }
    }
}

fn ask(clock: &Clock, told: &Told) {
    let stands = clock.server().and_then(Server::stand_in).is_some();
    if stands {
        told.standing.store(clock.time().as_unix(), Ordering::Relaxed);
    } else {
        told.ahead.store(clock.ahead(), Ordering::Relaxed);
    }
}

fn keep_asking(clock: &Clock, told: &Weak<Told>) {
    while let Some(told) = told.upgrade() {
        ask(clock, &told);
        drop(told);
        thread::sleep(OFTEN);
    }
}

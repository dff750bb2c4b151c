//! What the server counts, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counters since the server began.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    codes: AtomicU64,
    pairs: AtomicU64,
    releases: AtomicU64,
    waits: AtomicU64,
    wait_seconds: AtomicU64,
    waiting: AtomicU64,
    refusals: Mutex<BTreeMap<String, u64>>,
}

/// What was handed out, or given back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given {
    Code,
    Pair,
    Release,
}

/// What is looked up when somebody asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) devices: usize,
    /// How many have a current code that nobody has.
    pub(super) free: usize,
}

impl Metrics {
    pub(super) fn given(&self, what: Given) {
        let counter = match what {
            Given::Code => &self.codes,
            Given::Pair => &self.pairs,
            Given::Release => &self.releases,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Somebody waits this long.
    pub(super) fn waits(&self, seconds: u64) {
        self.waits.fetch_add(1, Ordering::Relaxed);
        self.wait_seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Counts a request as one that is answered now, until the result is dropped.
    pub(super) fn answering(self: &std::sync::Arc<Self>) -> Answering {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Answering(std::sync::Arc::clone(self))
    }

    /// Somebody was refused, with the code of an error.
    pub(super) fn refused(&self, code: &str) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let count = refusals.entry(code.to_owned()).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn text(&self, seen: Seen) -> String {
        let mut text = String::new();
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let free = u64::try_from(seen.free).unwrap_or(u64::MAX);
        let devices = u64::try_from(seen.devices).unwrap_or(u64::MAX);
        for (name, sort, help, value) in [
            ("vmfa_codes_total", "counter", "Codes handed out.", number(&self.codes)),
            ("vmfa_pairs_total", "counter", "Pairs of codes handed out.", number(&self.pairs)),
            ("vmfa_releases_total", "counter", "Codes and pairs given back.", number(&self.releases)),
            ("vmfa_waits_total", "counter", "Requests that had to wait for their code.", number(&self.waits)),
            ("vmfa_wait_seconds_total", "counter", "Seconds that they were to wait.", number(&self.wait_seconds)),
            ("vmfa_requests_in_progress", "gauge", "Requests for codes being answered.", number(&self.waiting)),
            ("vmfa_devices", "gauge", "Time-based devices.", devices),
            ("vmfa_free_steps", "gauge", "Devices whose current code nobody has.", free),
        ] {
            // A String takes everything.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {sort}\n{name} {value}");
        }
        text.push_str("# HELP vmfa_refusals_total Requests refused, by the code of the error.\n");
        text.push_str("# TYPE vmfa_refusals_total counter\n");
        for (code, count) in &*self.refusals.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(text, "vmfa_refusals_total{{code=\"{code}\"}} {count}");
        }
        text
    }
}

/// A request that is being answered.
pub(super) struct Answering(std::sync::Arc<Metrics>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

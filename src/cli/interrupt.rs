//! Signals that would end the program, noticed where something has to be given back first.

#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Notices SIGINT, SIGTERM and SIGHUP while it lives. Afterwards they end the program as they did before.
pub(super) struct Interrupted {
    /// The signal that came; none is 0.
    #[cfg(unix)]
    signal: Arc<AtomicUsize>,
    #[cfg(unix)]
    over: Arc<AtomicBool>,
}

impl Interrupted {
    #[cfg(unix)]
    pub(super) fn watch() -> Self {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let watch = Self { signal: Arc::default(), over: Arc::default() };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal).unwrap_or_default();
            // Who can't be told ends as without.
            let _ = signal_hook::flag::register_conditional_default(signal, Arc::clone(&watch.over))
                .and_then(|_| signal_hook::flag::register_usize(signal, Arc::clone(&watch.signal), number));
        }
        watch
    }

    #[cfg(not(unix))]
    pub(super) fn watch() -> Self {
        Self {}
    }

    /// The number of the signal that came.
    pub(super) fn by(&self) -> Option<u8> {
        #[cfg(unix)]
        return u8::try_from(self.signal.load(Ordering::Relaxed)).ok().filter(|signal| *signal > 0);
        #[cfg(not(unix))]
        return None;
    }
}

#[cfg(unix)]
impl Drop for Interrupted {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

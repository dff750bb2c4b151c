//! Notices signals that would end the program, where something has to be given back first.

#[cfg(unix)]
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
#[cfg(unix)]
use std::sync::{Arc, OnceLock};

/// Notices SIGINT, SIGTERM and SIGHUP while it lives. Afterwards they end the program as they did before.
pub(super) struct Interrupted;

/// Registered once: what is registered for a signal stays.
#[cfg(unix)]
struct Registered {
    /// The signal that came; none is 0.
    signal: Arc<AtomicUsize>,
    /// Whether a signal ends the program.
    ends: Arc<AtomicBool>,
}

#[cfg(unix)]
static REGISTERED: OnceLock<Registered> = OnceLock::new();

impl Interrupted {
    #[cfg(unix)]
    pub(super) fn watch() -> Self {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let registered = REGISTERED.get_or_init(|| {
            let registered = Registered { signal: Arc::default(), ends: Arc::default() };
            for signal in [SIGINT, SIGTERM, SIGHUP] {
                let number = usize::try_from(signal).unwrap_or_default();
                // If nobody can be told, the program ends as usual.
                let _ = signal_hook::flag::register_conditional_default(signal, Arc::clone(&registered.ends))
                    .and_then(|_| signal_hook::flag::register_usize(signal, Arc::clone(&registered.signal), number));
            }
            registered
        });
        registered.signal.store(0, Ordering::SeqCst);
        registered.ends.store(false, Ordering::SeqCst);
        Self
    }

    #[cfg(not(unix))]
    pub(super) fn watch() -> Self {
        Self
    }

    /// The number of the signal that came.
    pub(super) fn by(&self) -> Option<u8> {
        #[cfg(unix)]
        return u8::try_from(REGISTERED.get()?.signal.load(Ordering::SeqCst)).ok().filter(|signal| *signal > 0);
        #[cfg(not(unix))]
        return None;
    }
}

/// Completes at the first SIGINT, SIGTERM or SIGHUP; the second one ends the program. Await it inside a runtime. From now
/// on, a file that grows beyond its limit (SIGXFSZ) is an error of writing and no signal.
///
/// # Errors
///
/// Those of the system.
#[cfg(unix)]
pub(super) fn first_signal() -> std::io::Result<impl Future<Output = ()>> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::{flag, low_level};
    flag::register(SIGXFSZ, Arc::default())?;
    let (told, tell) = std::os::unix::net::UnixStream::pair()?;
    let came = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order: none is lost meanwhile, and the first one doesn't take itself for the second.
        low_level::pipe::register(signal, tell.try_clone()?)?;
        flag::register_conditional_default(signal, Arc::clone(&came))?;
        flag::register(signal, Arc::clone(&came))?;
    }
    told.set_nonblocking(true)?;
    Ok(async move {
        // A server that can't be told to end doesn't begin.
        if let Ok(told) = tokio::net::UnixStream::from_std(told) {
            let _ = told.readable().await;
        }
    })
}

#[cfg(not(unix))]
pub(super) fn first_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(std::future::pending())
}

/// Runs something in a thread when the first SIGINT, SIGTERM or SIGHUP comes; the second one ends the program. From now on,
/// a file that grows beyond its limit (SIGXFSZ) is an error of writing and no signal.
///
/// # Errors
///
/// Those of the system, which may have no thread for it.
#[cfg(unix)]
pub(super) fn on_signal(work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let wait = move || {
        let mut signals = signals.forever();
        if signals.next().is_some() {
            work();
        }
        if let Some(signal) = signals.next() {
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map(|_| ())
}

#[cfg(not(unix))]
pub(super) fn on_signal(_: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
impl Drop for Interrupted {
    fn drop(&mut self) {
        if let Some(registered) = REGISTERED.get() {
            registered.ends.store(true, Ordering::SeqCst);
        }
    }
}

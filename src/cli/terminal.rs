//! Restores the terminal when a signal ends the program.

use std::fs::File;
use std::io::Write as _;
use std::thread;

use rustix::fs::{Mode, OFlags, open};
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

/// While this lives, a signal that ends the program first restores the terminal to what it is now.
pub(super) struct Terminal {
    file: File,
    signals: Option<Handle>,
}

impl Terminal {
    /// `farewell` is asked what to write to it then, before its modes are set.
    pub(super) fn open(farewell: impl FnOnce() -> String + Send + 'static) -> Option<Self> {
        // If nobody reads the terminal, writing to it must not keep the program from ending.
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(open("/dev/tty", flags, Mode::empty()).ok()?);
        let before = tcgetattr(&file).ok()?;
        let signals = file.try_clone().ok().and_then(|file| watch(file, before, farewell));
        Some(Self { file, signals })
    }

    /// Whether more than the line that was asked for has come; it is thrown away.
    pub(super) fn discard_more(&self) -> bool {
        let more = rustix::io::ioctl_fionread(&self.file).is_ok_and(|bytes| bytes > 0);
        let _ = tcflush(&self.file, QueueSelector::IFlush);
        more
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(signals) = self.signals.take() {
            signals.close();
        }
    }
}

fn watch(mut file: File, before: Termios, farewell: impl FnOnce() -> String + Send + 'static) -> Option<Handle> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).ok()?;
    let handle = signals.handle();
    let work = move || {
        if let Some(signal) = signals.forever().next() {
            let _ = file.write_all(farewell().as_bytes());
            let _ = tcsetattr(&file, OptionalActions::Now, &before);
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(work).ok()?;
    Some(handle)
}

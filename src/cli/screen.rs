//! The terminal while a command has it to itself: keys as they are pressed, and a few lines or the whole screen. It is given
//! back however that ends: also by a panic or a signal, and while a prompt asks something in between.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crossterm::event::{self, Event};
use crossterm::terminal;

use super::error::{Error, Result};
#[cfg(unix)]
use super::terminal::Terminal;

/// How much of the terminal is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Lines from the cursor on, on stderr: stdout is for the answer.
    Lines,
    /// All of it, on stdout, by the alternate screen: what was there before comes back.
    Whole,
}

/// What is drawn on, and by which thread; none where the terminal is as it was.
static TAKEN: Mutex<Option<(Extent, ThreadId)>> = Mutex::new(None);

/// Whether the screen was taken since somebody asked: then nothing is on it.
static BLANK: AtomicBool = AtomicBool::new(false);

/// Whether the program goes on after it was stopped.
static RESUMED: OnceLock<std::sync::Arc<AtomicBool>> = OnceLock::new();

fn taken() -> MutexGuard<'static, Option<(Extent, ThreadId)>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unreadable(error: io::Error) -> Error {
    Error::input("prompt", format!("the terminal can't be read: {error}"))
}

/// The terminal, taken until this goes.
pub(super) struct Screen {
    extent: Extent,
    #[cfg(unix)]
    _ended_by_signals: Option<Terminal>,
}

impl Screen {
    /// # Errors
    ///
    /// A terminal that can't be set.
    pub(super) fn take(extent: Extent) -> Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let otherwise = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                // The message belongs on the screen that stays. What another thread failed at is done again by this one.
                let owner = taken().map(|(_, owner)| owner);
                if owner.is_none_or(|owner| owner == thread::current().id()) {
                    leave();
                    otherwise(info);
                }
            }));
        });
        #[cfg(unix)]
        if RESUMED.get().is_none() {
            let flag = RESUMED.get_or_init(std::sync::Arc::default);
            let _ = signal_hook::flag::register(signal_hook::consts::SIGCONT, std::sync::Arc::clone(flag));
        }
        // In another thread, and before anything is changed: the modes as they are now are those that come back.
        #[cfg(unix)]
        let _ended_by_signals = Terminal::open(farewell_by_signal);
        let screen = Self {
            extent,
            #[cfg(unix)]
            _ended_by_signals,
        };
        enter(extent)?;
        Ok(screen)
    }

    /// Writes to the screen, in one piece.
    ///
    /// # Errors
    ///
    /// A terminal that is gone.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<()> {
        // A signal that gives the terminal back comes before this or after it.
        let taken = taken();
        if taken.is_none() {
            return Ok(());
        }
        write(self.extent, bytes).map_err(unreadable)
    }

    /// Whether the screen was cleared since this was asked last.
    pub(super) fn is_blank(&self) -> bool {
        if RESUMED.get().is_some_and(|resumed| resumed.swap(false, Ordering::SeqCst)) {
            // The terminal may have been set otherwise while the program was stopped.
            leave();
            let _ = enter(self.extent);
        }
        BLANK.swap(false, Ordering::SeqCst)
    }

    /// The next event, or none within `limit`.
    ///
    /// # Errors
    ///
    /// A terminal that was hung up, or can't be read.
    pub(super) fn event(&self, limit: Duration) -> Result<Option<Event>> {
        // Looked at first: one that was hung up would be read without end.
        let came = readable(Duration::ZERO)?;
        if !event::poll(Duration::ZERO).map_err(unreadable)? {
            if came {
                // The end of a paste that is longer than what is read at once, and told of only once.
                discard_input();
            }
            readable(limit)?;
            if !event::poll(Duration::ZERO).map_err(unreadable)? {
                return Ok(None);
            }
        }
        event::read().map(Some).map_err(unreadable)
    }

    /// Stops the program and those it was started with, as Ctrl-Z does; returns when it goes on.
    ///
    /// # Errors
    ///
    /// As [`Self::take`].
    pub(super) fn stop(&self) -> Result<()> {
        #[cfg(unix)]
        {
            const PATIENCE: u8 = 50;
            leave();
            let resumed = RESUMED.get_or_init(std::sync::Arc::default);
            resumed.store(false, Ordering::SeqCst);
            let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
            // It comes in its time; and never where no shell is there that could go on with the program.
            for _ in 0..PATIENCE {
                if resumed.swap(false, Ordering::SeqCst) {
                    break;
                }
                thread::sleep(Duration::from_millis(4));
            }
            enter(self.extent)?;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// Gives the terminal back while something else is done with it.
pub(super) fn aside<T>(work: impl FnOnce() -> T) -> T {
    let extent = taken().map(|(extent, _)| extent);
    leave();
    let result = work();
    if let Some(extent) = extent {
        let _ = enter(extent);
    }
    result
}

fn enter(extent: Extent) -> Result<()> {
    let mut taken = taken();
    terminal::enable_raw_mode().map_err(unreadable)?;
    *taken = Some((extent, thread::current().id()));
    if extent == Extent::Whole {
        keep_interrupts();
        let text = format!("\x1b[?1049h{}\x1b[?25l", erased());
        write(extent, text.as_bytes()).map_err(unreadable)?;
    }
    BLANK.store(true, Ordering::SeqCst);
    Ok(())
}

fn leave() {
    let mut taken = taken();
    if let Some((extent, _)) = taken.take() {
        let _ = write(extent, farewell(extent).as_bytes());
        let _ = terminal::disable_raw_mode();
    }
}

fn farewell(extent: Extent) -> String {
    match extent {
        Extent::Lines => "\r\x1b[J".to_owned(),
        Extent::Whole => format!("{}\x1b[?25h\x1b[?1049l", erased()),
    }
}

/// What a signal that ends the program writes. From then on nothing else is drawn.
#[cfg(unix)]
fn farewell_by_signal() -> String {
    const PATIENCE: u8 = 50;
    for _ in 0..PATIENCE {
        if let Ok(mut taken) = TAKEN.try_lock() {
            let text = taken.map(|(extent, _)| farewell(extent));
            *taken = None;
            return text.unwrap_or_default();
        }
        // It is being drawn on, or can't be.
        thread::sleep(Duration::from_millis(4));
    }
    farewell(Extent::Whole)
}

/// All lines without their texts, one by one: terminals keep the lines of a screen that is cleared at once.
pub(super) fn erased() -> String {
    let (_, rows) = terminal::size().unwrap_or((80, 24));
    let lines: String = (1..=rows).map(|row| format!("\x1b[{row}H\x1b[2K")).collect();
    format!("\x1b[m{lines}\x1b[H")
}

fn write(extent: Extent, bytes: &[u8]) -> io::Result<()> {
    fn all(mut out: impl io::Write, bytes: &[u8]) -> io::Result<()> {
        out.write_all(bytes).and_then(|()| out.flush())
    }
    match extent {
        Extent::Lines => all(io::stderr().lock(), bytes),
        Extent::Whole => all(io::stdout().lock(), bytes),
    }
}

/// Ctrl-C ends the program also where it waits for something else than keys; other signals of keys come as keys.
fn keep_interrupts() {
    #[cfg(unix)]
    {
        use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
        const NONE: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };
        let stdin = io::stdin();
        if let Ok(mut modes) = tcgetattr(&stdin) {
            modes.local_modes |= LocalModes::ISIG;
            modes.special_codes[SpecialCodeIndex::VSUSP] = NONE;
            modes.special_codes[SpecialCodeIndex::VQUIT] = NONE;
            let _ = tcsetattr(&stdin, OptionalActions::Now, &modes);
        }
    }
}

/// Whether something was typed within `limit`; a signal ends the wait.
#[cfg(unix)]
fn readable(limit: Duration) -> Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = io::stdin();
    let mut descriptors = [PollFd::new(&stdin, PollFlags::IN)];
    match poll(&mut descriptors, Timespec::try_from(limit).ok().as_ref()) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok(false),
        Err(error) => return Err(unreadable(error.into())),
    }
    let found = descriptors.iter().fold(PollFlags::empty(), |found, descriptor| found | descriptor.revents());
    if found.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        return Err(Error::input("prompt", "the terminal was closed"));
    }
    Ok(found.contains(PollFlags::IN))
}

#[cfg(not(unix))]
fn readable(limit: Duration) -> Result<bool> {
    event::poll(limit).map_err(unreadable)
}

fn discard_input() {
    #[cfg(unix)]
    let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
}

//! A terminal of its own for the program: a pseudo-terminal that a test types into and looks at.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use super::tool;

pub struct Terminal {
    /// None once it was hung up.
    master: Option<File>,
    /// Kept open, so that its modes can be looked at after the program ended.
    slave: OwnedFd,
    /// How it was set before the program started.
    before: Termios,
    child: Child,
    seen: Arc<Mutex<Seen>>,
    reader: Option<thread::JoinHandle<()>>,
    ends: Arc<AtomicBool>,
}

/// What was written.
struct Seen {
    bytes: Vec<u8>,
    /// What that looks like.
    screen: vt100::Parser,
}

/// As many lines that left the screen at its top are looked at.
const SCROLLBACK: usize = 1_000;

impl Terminal {
    /// Starts a command in a session of its own, with a terminal of this size as stdin, stdout and stderr.
    pub fn start(command: &Command, columns: u16, rows: u16) -> Self {
        Self::start_with(command, columns, rows, None)
    }

    /// The same with stdout elsewhere.
    pub fn start_with(command: &Command, columns: u16, rows: u16, stdout: Option<Stdio>) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = File::options().read(true).write(true).open(path).unwrap();
        set_size(&slave, columns, rows);
        let before = tcgetattr(&slave).unwrap();
        let stdio = || Stdio::from(slave.try_clone().unwrap());
        let mut session = tool("setsid", "util-linux");
        session.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
        session.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(directory) = command.get_current_dir() {
            session.current_dir(directory);
        }
        session.stdin(stdio()).stdout(stdout.unwrap_or_else(stdio)).stderr(stdio());
        let child = session.spawn().unwrap();
        drop(session);
        let master = File::from(master);
        let seen = Seen { bytes: Vec::new(), screen: vt100::Parser::new(nonzero(rows), nonzero(columns), SCROLLBACK) };
        let (seen, ends) = (Arc::new(Mutex::new(seen)), Arc::<AtomicBool>::default());
        let (mut reader, shared, over) = (master.try_clone().unwrap(), Arc::clone(&seen), Arc::clone(&ends));
        let read = move || {
            let mut buffer = [0; 4096];
            while !over.load(Ordering::SeqCst) {
                let patience = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
                if !matches!(poll(&mut [PollFd::new(&reader, PollFlags::IN)], Some(&patience)), Ok(1..)) {
                    continue;
                }
                let Ok(length @ 1..) = reader.read(&mut buffer) else { break };
                let mut seen = shared.lock().unwrap();
                seen.bytes.extend_from_slice(&buffer[..length]);
                seen.screen.process(&buffer[..length]);
            }
        };
        let reader = Some(thread::spawn(read));
        Self { master: Some(master), slave: slave.into(), before, child, seen, reader, ends }
    }

    pub fn type_in(&mut self, keys: &str) {
        self.master.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        self.seen.lock().unwrap().screen.screen_mut().set_size(nonzero(rows), nonzero(columns));
        set_size(&self.slave, columns, rows);
    }

    /// Goes away, as the window of a terminal that is closed.
    pub fn hang_up(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        self.reader.take().unwrap().join().unwrap();
        self.master = None;
    }

    /// All that was written so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().bytes).into_owned()
    }

    /// What is on the screen now.
    pub fn screen(&self) -> String {
        self.seen.lock().unwrap().screen.screen().contents()
    }

    /// The lines that left the screen at its top, and those on it.
    pub fn scrollback(&self) -> String {
        let seen = &mut self.seen.lock().unwrap();
        let screen = seen.screen.screen_mut();
        let mut text = String::new();
        for back in (0..=SCROLLBACK).rev() {
            screen.set_scrollback(back);
            if screen.scrollback() == back {
                text.push_str(screen.contents().lines().next().unwrap_or_default());
                text.push('\n');
            }
        }
        text.push_str(&screen.contents());
        text
    }

    /// Whether the program has the alternate screen, or hides the cursor.
    pub fn is_drawn_on(&self) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.screen.screen().alternate_screen() || seen.screen.screen().hide_cursor()
    }

    /// The program that runs in it.
    pub fn program(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Forgets what was written so far; the screen stays.
    pub fn forget(&self) {
        self.seen.lock().unwrap().bytes.clear();
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn see(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{what} isn't on the screen:\n{}", self.screen());
    }

    /// Waits until a text was written.
    #[track_caller]
    pub fn expect(&self, text: &str) -> String {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            let seen = self.text();
            if seen.contains(text) {
                return seen;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("`{text}` didn't come: {:?}", self.text());
    }

    /// Waits for the end; the exit code.
    #[track_caller]
    pub fn ended(&mut self) -> i32 {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it wrote last is on its way.
                thread::sleep(Duration::from_millis(50));
                return status.code().unwrap_or(-1);
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("it goes on: {:?}", self.text());
    }

    /// Whether it is set in all its modes as it was before the program started.
    pub fn is_as_it_was(&self) -> bool {
        let modes = |set: &Termios| (set.input_modes, set.output_modes, set.control_modes, set.local_modes);
        modes(&tcgetattr(&self.slave).unwrap()) == modes(&self.before)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn nonzero(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

fn set_size(terminal: impl std::os::fd::AsFd, columns: u16, rows: u16) {
    tcsetwinsize(terminal, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

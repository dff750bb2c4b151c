//! A terminal of its own for the program: a pseudo-terminal that a test types into and looks at.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use super::tool;

pub struct Terminal {
    master: File,
    /// Kept open, so that its modes can be looked at after the program ended.
    slave: OwnedFd,
    /// How it was set before the program started.
    before: Termios,
    child: Child,
    seen: Arc<Mutex<Vec<u8>>>,
}

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
        let seen = Arc::<Mutex<Vec<u8>>>::default();
        let (mut reader, shared) = (master.try_clone().unwrap(), Arc::clone(&seen));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                shared.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Self { master, slave: slave.into(), before, child, seen }
    }

    pub fn type_in(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        set_size(&self.slave, columns, rows);
    }

    /// All that was written so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    /// Forgets what was written so far.
    pub fn forget(&self) {
        self.seen.lock().unwrap().clear();
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

fn set_size(terminal: impl std::os::fd::AsFd, columns: u16, rows: u16) {
    tcsetwinsize(terminal, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

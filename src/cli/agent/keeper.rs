//! The process that holds an identity: no core file, no other process reads its memory, and the identity is never swapped
//! where the system lets a process lock that much.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, getrlimit};
use zeroize::Zeroizing;

use super::protocol::{GET, LOCK, LONGEST, READY, READY_UNLOCKED, expect_same_user};
use crate::cli::clock;

/// How often it looks whether its time is over, and whether its socket is still there: it isn't after logout.
const LOOK: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };

/// Room for the identity: so much that the allocator asks the system for pages of its own.
const ROOM: usize = 512 << 10;

/// What it takes to lock that, with what else is allocated.
const ENOUGH: u64 = 2 << 20;

/// Reads an identity from stdin and gives it to processes of this user that ask at a socket, until its time is over. Its
/// first line on stdout says that it does, or why not.
pub(in crate::cli) fn hold(socket: &OsStr, seconds: &OsStr) -> ExitCode {
    // It has to outlive the terminal, and the process that started it.
    let _ = rustix::process::setsid();
    let seconds = seconds.to_str().and_then(|seconds| seconds.parse().ok());
    let Some(seconds) = seconds else { return ExitCode::FAILURE };
    match held(Path::new(socket), seconds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn held(socket: &Path, seconds: u64) -> io::Result<()> {
    // Of what is allocated from now on; all of this program would be more than a process may lock.
    let may_lock = getrlimit(Resource::Memlock).current.is_none_or(|limit| limit >= ENOUGH);
    let locked = may_lock && mlockall(MlockAllFlags::FUTURE).is_ok();
    let mut identity = Zeroizing::new(Vec::with_capacity(ROOM));
    // Not through the buffer of `io::stdin`, which isn't wiped.
    File::from(io::stdin().as_fd().try_clone_to_owned()?).take(LONGEST).read_to_end(&mut identity)?;
    let over = time_limit(seconds);

    // One that has ended leaves its socket; one that hasn't was told to end before.
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    let own = inode(socket);
    say(if locked { READY } else { READY_UNLOCKED });
    while !over() && own.is_some() && inode(socket) == own {
        let _ = poll(&mut [PollFd::new(&listener, PollFlags::IN)], Some(&LOOK));
        let Ok((mut stream, _)) = listener.accept() else { continue };
        // It may have slept for hours since it looked.
        if over() || answered(&mut stream, &identity).is_ok_and(|wanted| wanted == Wanted::End) {
            // Before the client hears of it, who may start another one.
            leave(socket, own);
            return Ok(());
        }
    }
    leave(socket, own);
    Ok(())
}

/// Takes the socket away, unless it is another's.
fn leave(socket: &Path, own: Option<(u64, u64)>) {
    if own.is_some() && inode(socket) == own {
        let _ = fs::remove_file(socket);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Answer,
    End,
}

/// Answers one client; one that keeps the agent waiting isn't.
fn answered(stream: &mut UnixStream, identity: &[u8]) -> io::Result<Wanted> {
    stream.set_nonblocking(false)?;
    expect_same_user(stream)?;
    let mut line = String::new();
    BufReader::new((&*stream).take(64)).read_line(&mut line)?;
    match line.trim_end() {
        GET => stream.write_all(identity).map(|()| Wanted::Answer),
        LOCK => Ok(Wanted::End),
        _ => Ok(Wanted::Answer),
    }
}

/// Tells whether a number of seconds has gone by, the machine's sleep included.
fn time_limit(seconds: u64) -> impl Fn() -> bool {
    let since_boot = || clock::boot().map(|boot| boot.seconds);
    let (start, awake) = (since_boot(), clock::deadline(Duration::from_secs(seconds)));
    move || awake() || start.zip(since_boot()).is_some_and(|(start, now)| now.saturating_sub(start) >= seconds)
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{}", text.replace('\n', " ")).and_then(|()| stdout.flush());
}

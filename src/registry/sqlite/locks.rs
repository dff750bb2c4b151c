//! Locks of files: who holds one, and whether the file system grants them at all.
//!
//! SQLite keeps writers apart by POSIX record locks. Some file systems grant each of them without remembering any; two
//! processes then hand out one code. What the kernel remembers of a descriptor stands in `/proc/self/fdinfo` (proc(5)),
//! of all processes in `/proc/locks`.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::Sqlite;
use super::files::beside;
use crate::registry::Error;

/// The byte of the `-shm` file that the one writer of a write-ahead log locks: `WAL_WRITE_LOCK` in SQLite's format of
/// that file.
const WRITER: &str = "120";

/// How often a lock is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// Locks a file, waiting for others for at most `patience`.
pub(super) fn within(file: &File, patience: Duration) -> Result<(), TryLockError> {
    let mut waited = Duration::ZERO;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if waited < patience => {
                thread::sleep(PAUSE);
                waited = waited.saturating_add(PAUSE);
            }
            result => return result,
        }
    }
}

/// A lock that the kernel knows.
struct Known<'a> {
    posix: bool,
    pid: &'a str,
    inode: Option<u64>,
    first: &'a str,
}

/// A lock as the kernel writes it: `1: POSIX  ADVISORY  WRITE 4711 fe:00:131079 120 120`. Those who wait for one are
/// left out.
fn known(line: &str) -> Option<Known<'_>> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let kind = fields.next().filter(|kind| *kind != "->")?;
    let (pid, file, first) = (fields.nth(2)?, fields.next()?, fields.next()?);
    let inode = file.rsplit(':').next()?.parse().ok();
    Some(Known { posix: kind == "POSIX", pid, inode, first })
}

/// Whether one of this process's descriptors has a lock like that; none where the system doesn't tell.
fn held(wanted: impl Fn(&Known<'_>) -> bool) -> Option<bool> {
    let descriptors = std::fs::read_dir("/proc/self/fdinfo").ok()?;
    // Those that were opened last come first: the registry is among them.
    let mut paths: Vec<_> = descriptors.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.reverse();
    Some(paths.iter().any(|path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().filter_map(|line| known(line.strip_prefix("lock:")?)).any(|lock| wanted(&lock))
    }))
}

/// Another process that has a lock on a file, as far as the system tells.
pub(super) fn holder(path: &Path) -> Option<String> {
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).ok()?);
    #[cfg(not(unix))]
    let inode = path.exists().then_some(0)?;
    let text = std::fs::read_to_string("/proc/locks").ok()?;
    let own = std::process::id().to_string();
    // Readers of the write-ahead log hold locks as well; its writer is who stands in the way.
    let others = || text.lines().filter_map(known).filter(|lock| lock.inode == Some(inode) && lock.pid != own);
    let pid = others().find(|lock| lock.first == WRITER).or_else(|| others().next())?.pid;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let name = field("Name:").map(|name| format!(" ({name})")).unwrap_or_default();
    let stopped = if field("State:").is_some_and(|state| state.starts_with('T')) { ", which is stopped" } else { "" };
    Some(format!("process {pid}{name}{stopped}"))
}

impl Sqlite {
    /// Makes sure, once, that the lock of the transaction that was begun is one that other processes meet.
    pub(super) fn see_lock(&self) -> Result<(), Error> {
        if self.locks.load(Ordering::Relaxed) {
            return Ok(());
        }
        if held(|lock| lock.posix && lock.first == WRITER) == Some(false) && self.grants_all() {
            return Err(Error::NoLocks { place: self.path.display().to_string() });
        }
        self.locks.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether a record lock on a file beside the registry is granted to two who exclude each other: open file
    /// descriptions (fcntl(2), `F_OFD_SETLK`), which take the same way through the file system as the locks of processes.
    #[cfg(target_os = "linux")]
    fn grants_all(&self) -> bool {
        use nix::fcntl::{FcntlArg, fcntl};
        // Its own: another process's lock would say nothing of this one's.
        let path = beside(&self.path, &format!("-probe-{}", std::process::id()));
        let open = || File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let all = nix::libc::flock {
            l_type: i16::try_from(nix::libc::F_WRLCK).unwrap_or_default(),
            l_whence: i16::try_from(nix::libc::SEEK_SET).unwrap_or_default(),
            l_start: 0,
            l_len: 1,
            l_pid: 0,
        };
        let granted = match (open(), open()) {
            (Ok(one), Ok(other)) => {
                fcntl(&one, FcntlArg::F_OFD_SETLK(&all)).is_ok() && fcntl(&other, FcntlArg::F_OFD_SETLK(&all)).is_ok()
            }
            _ => false,
        };
        let _ = std::fs::remove_file(&path);
        granted
    }

    #[cfg(not(target_os = "linux"))]
    fn grants_all(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_read_as_the_kernel_writes_them() {
        let text = "1: POSIX  ADVISORY  WRITE 4711 fe:00:131079 120 120\n\
                    1: -> POSIX  ADVISORY  WRITE 4712 fe:00:131079 120 120\n\
                    2: FLOCK  ADVISORY  WRITE 99 00:2f:7 0 EOF\n\
                    3: LEASE\n";
        let found: Vec<_> =
            text.lines().filter_map(known).map(|lock| (lock.posix, lock.pid, lock.inode, lock.first)).collect();
        assert_eq!(found, [(true, "4711", Some(131_079), "120"), (false, "99", Some(7), "0")]);
    }
}

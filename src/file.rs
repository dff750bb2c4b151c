//! Opening files that a person, a configuration or another program named.
//!
//! Anything that isn't a file is an error at once: opening a FIFO waits for a writer, and a device may never end.

use std::fs::File;
use std::io;
use std::path::Path;

/// Whether what isn't a file but can be read like one is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// Files alone.
    #[cfg_attr(not(feature = "age"), allow(dead_code, reason = "what else is read may come through a pipe"))]
    Refused,
    /// Pipes too, such as `<(command)` of a shell, a FIFO that somebody writes to, and `/dev/null`.
    Taken,
}

/// Opens a file to be read.
///
/// # Errors
///
/// Those of the OS; and what it is, where it is no file, or a FIFO that nobody writes to.
pub(crate) fn open(path: &Path, streams: Streams) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        // Neither has an effect on a file. A terminal doesn't become this process's own.
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
    }
    let file = options.open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    if kind.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory, not a file"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return if streams == Streams::Taken { pipe(file, path) } else { Err(no_file("a FIFO")) };
        }
        if streams == Streams::Taken && path == Path::new("/dev/null") {
            return Ok(file);
        }
        if kind.is_char_device() || kind.is_block_device() {
            return Err(no_file("a device"));
        }
    }
    #[cfg(not(unix))]
    if streams == Streams::Taken {
        return Ok(file);
    }
    Err(no_file("something else"))
}

/// What the system said of a file that can't be written, as it goes behind its path; none where something else is wrong.
#[cfg(any(feature = "age", feature = "sqlite", feature = "cli"))]
pub(crate) fn unwritable(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => Some("it is on a read-only file system"),
        io::ErrorKind::PermissionDenied => Some("you have no permission"),
        _ => None,
    }
}

/// That a file that isn't there may be created, as far as can be told without trying.
///
/// # Errors
///
/// What keeps it from being created; none where it is there.
#[cfg(feature = "sqlite")]
pub(crate) fn may_create(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if !path.exists()
        && let Some(above) = path.ancestors().skip(1).find(|above| above.exists())
    {
        rustix::fs::access(above, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Creates a database's file if it isn't there, and its directory, for this user alone: SQLite creates files as the umask says, and
/// its log files take the mode of the main file.
#[cfg(feature = "sqlite")]
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(directory) = path.parent() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

fn no_file(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("is {what}, not a file"))
}

/// A pipe that was handed to this process, or a FIFO that somebody has begun to write to: it is read to its end, however
/// long that takes.
#[cfg(unix)]
fn pipe(file: File, path: &Path) -> io::Result<File> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{OFlags, fcntl_setfl};
    /// How long a FIFO waits for its first byte.
    const SECONDS: i64 = 10;

    let handed_over = ["/dev/fd", "/dev/stdin", "/proc"].iter().any(|start| path.starts_with(start));
    if !handed_over {
        let limit = Timespec { tv_sec: SECONDS, tv_nsec: 0 };
        if poll(&mut [PollFd::new(&file, PollFlags::IN)], Some(&limit))? == 0 {
            let reason = format!("is a FIFO, and nothing was written to it within {SECONDS} s");
            return Err(io::Error::new(io::ErrorKind::TimedOut, reason));
        }
    }
    fcntl_setfl(&file, OFlags::empty())?;
    Ok(file)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    fn fifo(directory: &Path) -> std::path::PathBuf {
        let path = directory.join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        path
    }

    #[test]
    fn what_is_no_file_is_told_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = fifo(directory.path());
        let said = |path: &Path, streams| open(path, streams).unwrap_err().to_string();
        assert_eq!(said(&fifo, Streams::Refused), "is a FIFO, not a file");
        assert_eq!(said(directory.path(), Streams::Taken), "is a directory, not a file");
        for streams in [Streams::Refused, Streams::Taken] {
            assert_eq!(said(Path::new("/dev/zero"), streams), "is a device, not a file");
        }
        assert_eq!(said(Path::new("/dev/null"), Streams::Refused), "is a device, not a file");
        assert!(open(Path::new("/dev/null"), Streams::Taken).is_ok());
    }

    #[test]
    fn a_fifo_is_read_to_its_end_by_whoever_takes_pipes() {
        let directory = tempfile::tempdir().unwrap();
        let path = fifo(directory.path());
        let writer = std::thread::spawn({
            let path = path.clone();
            move || File::options().write(true).open(path).unwrap().write_all(&[b'x'; 200_000]).unwrap()
        });
        let mut bytes = Vec::new();
        open(&path, Streams::Taken).unwrap().read_to_end(&mut bytes).unwrap();
        writer.join().unwrap();
        assert_eq!(bytes.len(), 200_000);
    }
}

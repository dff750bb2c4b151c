//! Files with secrets in them: whole or not at all, for their owner's eyes alone.

use std::io::{self, Write as _};
use std::path::Path;

use super::error::{Error, Kind, Result};
use super::hints;

/// Begins the names of files that aren't whole yet.
const PREFIX: &str = ".vmfa-";

/// Refuses `-`, which means stdout elsewhere: secrets don't go there by the way.
pub(super) fn expect_file(path: &Path) -> Result<()> {
    if path.as_os_str() == "-" {
        return Err(Error::usage("this writes a file, and can't write to stdout").hint(hints::usage::NAME_FILE));
    }
    Ok(())
}

/// Makes sure that the directory of a file that is to be written is there: a mistyped path shouldn't make one.
pub(super) fn expect_directory(path: &Path) -> Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if directory.is_dir() {
        return Ok(());
    }
    Err(Error::new(Kind::Storage, "io", format!("there is no directory `{}`", directory.display())))
}

/// Writes a file that isn't there yet, or with `force` one that takes the place of another. It has reached the disk when
/// this returns.
pub(super) fn write(path: &Path, bytes: &[u8], force: bool) -> Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if let Some(mut file) = nameless::create(directory) {
            file.write_all(bytes)?;
            file.sync_all()?;
            nameless::name(&file, path, directory, force)?;
            return sync(directory);
        }
        // Created with 0600 under any umask.
        let mut file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        if force {
            file.persist(path)?
        } else {
            file.persist_noclobber(path)?
        };
        sync(directory)
    };
    expect_directory(path)?;
    write().map_err(|error| {
        let failure = Error::new(Kind::Storage, "io", format!("{}: {error}", path.display()));
        if error.kind() == io::ErrorKind::AlreadyExists { failure.hint(hints::usage::NOT_OVERWRITTEN) } else { failure }
    })
}

/// Makes sure that the names in a directory have reached the disk.
fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { std::fs::File::open(directory)?.sync_all() } else { Ok(()) }
}

/// Files that get their name when they are whole. Nothing is left of one if the process is killed before (open(2),
/// `O_TMPFILE`).
#[cfg(target_os = "linux")]
mod nameless {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd as _;
    use std::path::{Path, PathBuf};

    use rustix::fs::{AtFlags, CWD, Mode, OFlags};

    use super::PREFIX;

    /// A new one (0600). `None` if the file system has none, or if it couldn't be named later because `/proc` isn't
    /// mounted.
    pub(super) fn create(directory: &Path) -> Option<File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(directory, flags, Mode::RUSR | Mode::WUSR).ok()?);
        handle(&file).exists().then_some(file)
    }

    /// Gives it its name in a directory. With `force`, it takes the place of another file.
    pub(super) fn name(file: &File, path: &Path, directory: &Path, force: bool) -> io::Result<()> {
        let link = |path: &Path| -> io::Result<()> {
            Ok(rustix::fs::linkat(CWD, handle(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
        };
        match link(path) {
            Err(error) if force && error.kind() == io::ErrorKind::AlreadyExists => {
                let named = tempfile::Builder::new().prefix(PREFIX).make_in(directory, link)?;
                Ok(named.into_temp_path().persist(path)?)
            }
            done => done,
        }
    }

    /// Its place in `/proc`, by which it can be named without privileges.
    fn handle(file: &File) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
    }
}

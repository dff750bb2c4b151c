//! Files that appear whole or not at all, for their owner alone.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use super::super::Error;
use crate::file::{Streams, open, unwritable};

/// The largest file that is read, item or identity.
pub(super) const MAX_FILE: u64 = 64 * 1024;

/// How a file is called until it is whole.
const UNFINISHED: &str = ".unfinished-";
/// A lock is tried so often, with this pause between: ten seconds.
const TRIES: usize = 1000;
const PAUSE: Duration = Duration::from_millis(10);

/// Files that are to be written.
pub(super) type Files = Vec<(PathBuf, Vec<u8>)>;

/// Writes a file that wasn't there before, with permissions for its owner alone (0600), and its directory (0700)
/// if that wasn't there either. When this returns, it has reached the disk.
///
/// # Errors
///
/// [`Error::Io`], of kind [`io::ErrorKind::AlreadyExists`] if there is one: nothing is ever replaced.
pub fn write_new_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let directory = parent(path);
    make_directory(&directory)?;
    let write = || -> io::Result<()> {
        unfinished(&directory, bytes)?.persist_noclobber(path)?;
        sync(&directory)
    };
    write().map_err(writing(path))
}

/// The same, or with `replace` in place of the file that is there; after what has reached the disk was read back and found
/// right.
///
/// # Errors
///
/// As for [`write_new_file`], and those of `verify`; then what was there before is there still.
pub fn write_verified(
    path: &Path,
    bytes: &[u8],
    replace: bool,
    verify: impl FnOnce(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let directory = parent(path);
    make_directory(&directory)?;
    let file = unfinished(&directory, bytes).map_err(writing(path))?;
    verify(&fs::read(file.path()).map_err(at(path))?)?;
    let named = if replace { file.persist(path) } else { file.persist_noclobber(path) };
    named.map_err(|error| writing(path)(error.error))?;
    sync(&directory).map_err(writing(path))
}

/// A file that has reached the disk, and not its name yet.
fn unfinished(directory: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    // Created with 0600 under any umask.
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// As many files as may be open at once, and as make it worth to have a whole file system written.
const TOGETHER: usize = 256;
const WORTHWHILE: usize = 16;

/// Writes files into a directory that is there, as [`write_new_file`] does one, with one flush of the disk for many. They
/// come in pieces, of which the next may be made while one is written; `count` is how many there are in all.
///
/// # Errors
///
/// The place of the first that wasn't written, and why: those before it are there. That of a piece, and then none is there.
pub(super) fn write_new_files(
    directory: &Path,
    count: usize,
    pieces: impl Iterator<Item = Result<Files, (usize, Error)>>,
) -> Result<(), (usize, Error)> {
    // First all contents, and none under its name.
    let mut unnamed = Unnamed::of(directory);
    let mut paths = Vec::with_capacity(count);
    for piece in pieces {
        for (path, bytes) in piece? {
            if count < WORTHWHILE {
                write_new_file(&path, &bytes).map_err(|error| (paths.len(), error))?;
            } else {
                unnamed.add(&bytes).map_err(|source| (0, writing(directory)(source)))?;
            }
            paths.push(path);
        }
    }
    if count < WORTHWHILE {
        return Ok(());
    }
    let written = unnamed.flushed().map_err(|source| (0, writing(directory)(source)))?;
    // Then the names, which are flushed together too.
    for (place, (file, path)) in written.into_iter().zip(&paths).enumerate() {
        file.persist_noclobber(path).map_err(|error| (place, at(path)(error.error)))?;
    }
    sync(directory).map_err(|source| (count.saturating_sub(1), at(directory)(source)))
}

/// Replaces files in a directory, each whole, with one flush of the disk for many.
///
/// # Errors
///
/// Those of the file system: any of the files may be replaced by then, and each is the old or the new one.
pub(super) fn replace_files(directory: &Path, new: &[(PathBuf, Vec<u8>)]) -> Result<(), Error> {
    let mut unnamed = Unnamed::of(directory);
    new.iter().try_for_each(|(_, bytes)| unnamed.add(bytes)).map_err(writing(directory))?;
    for (file, (path, _)) in unnamed.flushed().map_err(writing(directory))?.into_iter().zip(new) {
        file.persist(path).map_err(|error| writing(path)(error.error))?;
    }
    sync(directory).map_err(at(directory))
}

/// The contents of files in a directory that don't have their names yet. What is dropped is deleted.
struct Unnamed<'a> {
    directory: &'a Path,
    open: Vec<tempfile::NamedTempFile>,
    closed: Vec<tempfile::TempPath>,
}

impl<'a> Unnamed<'a> {
    const fn of(directory: &'a Path) -> Self {
        Self { directory, open: Vec::new(), closed: Vec::new() }
    }

    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(self.directory)?;
        file.write_all(bytes)?;
        self.open.push(file);
        if self.open.len() < TOGETHER { Ok(()) } else { self.close() }
    }

    fn close(&mut self) -> io::Result<()> {
        if !WHOLE_FILE_SYSTEM {
            self.open.iter().try_for_each(|file| file.as_file().sync_all())?;
        }
        self.closed.extend(self.open.drain(..).map(tempfile::NamedTempFile::into_temp_path));
        Ok(())
    }

    /// All of them, once they have reached the disk.
    fn flushed(mut self) -> io::Result<Vec<tempfile::TempPath>> {
        self.close()?;
        sync_file_system(self.directory)?;
        Ok(self.closed)
    }
}

/// Whether the system can flush all that was written to a file system in one go, and tells of what failed in it (Linux
/// since 5.8).
const WHOLE_FILE_SYSTEM: bool = cfg!(target_os = "linux");

#[cfg(target_os = "linux")]
fn sync_file_system(directory: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(directory)?)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes a directory for its owner alone, and those above it that aren't there.
pub(super) fn make_directory(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).and_then(|()| sync(&parent(path))).map_err(writing(path))
}

/// Everything in a file, if it isn't larger than any that this program makes.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let file = open(path, Streams::Refused).map_err(at(path))?;
    contents(&file, path)
}

/// Everything in an open file, as [`read`].
pub(super) fn contents(file: &File, path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    let limit = MAX_FILE.saturating_add(1);
    let length = file.take(limit).read_to_end(&mut bytes).map_err(at(path))?;
    if u64::try_from(length).unwrap_or(u64::MAX) > MAX_FILE {
        return Err(Error::AgeFile { path: shown(path), reason: format!("is larger than {MAX_FILE} bytes") });
    }
    Ok(bytes)
}

pub(super) fn is_there(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(at(path))
}

pub(super) fn remove(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).and_then(|()| sync(&parent(path))).map_err(writing(path))
}

/// Removes what writers left behind that were killed. Only with the lock: else it would be a live one's.
pub(super) fn sweep(directory: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let entry = entry.map_err(at(directory))?;
        if entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes()) {
            fs::remove_file(entry.path()).map_err(at(&entry.path()))?;
        }
    }
    Ok(())
}

/// Whether files could be made in a directory, which need not be there yet.
pub(super) fn probe(directory: &Path) -> Result<(), Error> {
    let there = directory.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."));
    // Without a name where the system can do that, so that nothing shows.
    tempfile::tempfile_in(there).map(drop).map_err(writing(there))
}

/// The lock of a directory's writers, on a file beside the data: the data's own would be replaced under it.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "unlocked when it is closed")] File);

impl Lock {
    pub(super) fn of(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(".lock");
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(writing(directory))?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(source)) => return Err(at(&path)(source)),
            }
        }
        Err(Error::AgeFile { path: shown(&path), reason: "is locked by another process, for 10 s now".to_owned() })
    }
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Has the names in a directory reach the disk.
fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// The same of what was to be written.
fn writing(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| match unwritable(&source) {
        Some(reason) => Error::ReadOnly { path: shown(path), reason },
        None => at(path)(source),
    }
}

pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io { path: shown(path), source }
}

/// A path as messages show it.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

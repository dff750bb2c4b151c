//! Locks between processes of one user: whoever dies gives his back.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::PathBuf;

use super::Error;
use crate::vault::Id;

/// Files that locks are taken on, in a directory of the user's own. They stay: a file that is deleted while somebody
/// waits for its lock lets two in.
#[derive(Debug, Clone)]
pub struct Locks {
    directory: PathBuf,
}

/// A lock that is held.
#[derive(Debug)]
pub(super) struct Held(#[expect(dead_code, reason = "unlocked when it is closed")] File);

/// The sole use of a device.
#[derive(Debug)]
pub struct Alone(#[expect(dead_code, reason = "it is given back when this is dropped")] Lock<()>);

/// What became of taking a lock.
#[derive(Debug)]
pub(super) enum Lock<T> {
    /// It is held as long as this lives.
    Held(#[expect(dead_code, reason = "it is given back when this is dropped")] Held),
    /// What it was wanted for is there.
    Needless(T),
}

impl Locks {
    /// Locks in a directory, which is made when the first one is taken.
    #[must_use]
    pub const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Keeps other runs of this user on this machine from changing the same device, as long as what is returned lives.
    ///
    /// # Errors
    ///
    /// [`Error::Lock`].
    pub fn alone(&self, serial: &str, waiting: impl FnOnce()) -> Result<Alone, Error> {
        // One of 256: a file for each device that ever was would stay for ever.
        let stripe = Id::of(serial).to_string();
        let waiting = || {
            waiting();
            Ok(None::<()>)
        };
        self.take(&format!("device-{stripe:.2}"), waiting).map(Alone)
    }

    /// Takes a lock, after `waiting` where somebody else has it: which may find that it isn't needed any more.
    pub(super) fn take<T>(
        &self,
        name: &str,
        waiting: impl FnOnce() -> Result<Option<T>, Error>,
    ) -> Result<Lock<T>, Error> {
        let path = self.directory.join(format!("{name}.lock"));
        let failed = |source| Error::Lock { path: path.display().to_string(), source };
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        {
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        builder.create(&self.directory).map_err(failed)?;
        let file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                if let Some(found) = waiting()? {
                    return Ok(Lock::Needless(found));
                }
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        Ok(Lock::Held(Held(file)))
    }
}

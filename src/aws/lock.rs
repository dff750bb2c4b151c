//! Locks between processes of one user. A process that dies frees its own.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Seek as _, Write as _};
use std::path::PathBuf;

use super::holder::Holder;
use super::{Error, Interrupted};
use crate::vault::Id;

/// How long a lock is waited for where nobody says otherwise, in seconds: somebody who has it may wait for a code.
pub const LIMIT: u64 = 10 * 60;

/// The time between two looks at a lock that somebody has, in milliseconds.
const LOOK: u64 = 20;

/// Waits for this many milliseconds.
pub type Pause<'a> = &'a dyn Fn(u64) -> Result<(), Interrupted>;

/// Files that locks are taken on, in a directory of the user's own. They stay: a file that is deleted while somebody
/// waits for its lock lets two in. Who has a lock stands in its file.
#[derive(Debug, Clone)]
pub struct Locks {
    directory: PathBuf,
    /// How long one is waited for, in seconds.
    limit: u64,
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
    /// Locks in a directory, which is made when the first one is taken. A wait for one ends after `limit` seconds.
    #[must_use]
    pub const fn new(directory: PathBuf, limit: u64) -> Self {
        Self { directory, limit }
    }

    /// Keeps other runs of this user on this machine from changing the same device, as long as what is returned lives.
    /// `waiting` is called with the holder, `pause` waits for some milliseconds.
    ///
    /// # Errors
    ///
    /// [`Error::Lock`], [`Error::Locked`] and [`Error::Interrupted`].
    pub fn alone(&self, serial: &str, pause: Pause<'_>, waiting: impl FnOnce(Holder)) -> Result<Alone, Error> {
        // One of 256: a file for each device that ever was would stay for ever.
        let stripe = Id::of(serial).to_string();
        self.sole(&format!("device-{stripe:.2}"), pause, waiting)
    }

    /// Keeps other runs out of something that has this name, which is a file's too, as long as what is returned lives.
    ///
    /// # Errors
    ///
    /// As [`Self::alone`].
    pub fn sole(&self, name: &str, pause: Pause<'_>, waiting: impl FnOnce(Holder)) -> Result<Alone, Error> {
        let waiting = |holder| {
            waiting(holder);
            Ok(None::<()>)
        };
        self.take(name, pause, waiting).map(Alone)
    }

    /// Takes a lock, after `waiting` where somebody else has it: which may find that it isn't needed any more.
    pub(super) fn take<T>(
        &self,
        name: &str,
        pause: Pause<'_>,
        waiting: impl FnOnce(Holder) -> Result<Option<T>, Error>,
    ) -> Result<Lock<T>, Error> {
        let path = self.directory.join(format!("{name}.lock"));
        let failed = |source| Error::Lock { path: path.display().to_string(), source };
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        #[cfg(unix)]
        {
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        builder.create(&self.directory).map_err(failed)?;
        let mut file = options.open(&path).map_err(failed)?;
        let mut waiting = Some(waiting);
        let mut left = self.limit.saturating_mul(1000).div_euclid(LOOK);
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
            if let Some(waiting) = waiting.take()
                && let Some(found) = waiting(Holder::read(&mut file))?
            {
                return Ok(Lock::Needless(found));
            }
            if left == 0 {
                let holder = Holder::read(&mut file);
                return Err(Error::Locked { path: path.display().to_string(), holder, seconds: self.limit });
            }
            left = left.saturating_sub(1);
            pause(LOOK)?;
        }
        // The holder's number is for messages; the lock holds without it.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Lock::Held(Held(file)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn a_lock_is_waited_for_so_long_and_no_longer_and_its_holder_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let locks = Locks::new(directory.path().join("locks"), 7);
        let waited = AtomicU64::new(0);
        let pause = |milliseconds| {
            waited.fetch_add(milliseconds, Ordering::SeqCst);
            Ok(())
        };
        let held = locks.alone("arn", &pause, |_| panic!("somebody has it")).unwrap();
        let mut told = None;
        let failed = locks.alone("arn", &pause, |holder| told = Some(holder));
        let own = Holder(Some(std::process::id()));
        assert!(matches!(&failed, Err(Error::Locked { holder, seconds: 7, .. }) if *holder == own), "{failed:?}");
        assert_eq!((told, waited.load(Ordering::SeqCst)), (Some(own), 7_000));
        let interrupted = locks.alone("arn", &|_| Err(Interrupted { signal: 2 }), |_| {});
        assert!(matches!(interrupted, Err(Error::Interrupted(Interrupted { signal: 2 }))), "{interrupted:?}");
        drop(held);
        locks.alone("arn", &pause, |_| panic!("nobody has it any more")).unwrap();
    }
}

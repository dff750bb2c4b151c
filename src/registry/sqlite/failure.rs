//! What SQLite and the file system say, told apart by what helps.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR_LOCK, SQLITE_IOERR_SHMSIZE};

use super::files::beside;
use super::{Sqlite, locks};
use crate::file::unwritable;
use crate::registry::Error;

impl Sqlite {
    pub(super) fn failed(&self, error: &rusqlite::Error) -> Error {
        of_engine(&self.path, error)
    }
}

/// Which of the two SQLite doesn't tell.
pub(super) const READ_ONLY: &str = "it is on a read-only file system, or belongs to another user";

pub(super) fn of_engine(path: &Path, error: &rusqlite::Error) -> Error {
    let (place, reason) = (path.display().to_string(), error.to_string());
    match (error.sqlite_error_code(), error.sqlite_error().map(|error| error.extended_code)) {
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed), _) => {
            let holder = locks::holder(&beside(path, "-shm")).or_else(|| locks::holder(path));
            Error::Locked { place, holder }
        }
        (Some(ErrorCode::DiskFull), _) | (_, Some(SQLITE_IOERR_SHMSIZE)) => Error::Full { place },
        (Some(ErrorCode::ReadOnly), _) => Error::ReadOnly { place, reason: READ_ONLY.to_owned() },
        (Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase), _) => Error::NotIntact { place, reason },
        (_, Some(SQLITE_IOERR_LOCK)) => Error::NoLocks { place },
        _ => Error::Engine { place, reason },
    }
}

pub(super) fn of_io(path: &Path, error: &io::Error) -> Error {
    let (place, reason) = (path.display().to_string(), error.to_string());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full { place },
        io::ErrorKind::Unsupported => Error::NoLocks { place },
        _ => match unwritable(error) {
            Some(reason) => Error::ReadOnly { place, reason: reason.to_owned() },
            None => Error::Engine { place, reason },
        },
    }
}

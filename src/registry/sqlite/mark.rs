//! A mark outside of the registry, by which an older copy of it is noticed.
//!
//! It holds the registry's name and how much was handed out. A copy from a backup knows less than the mark says; codes
//! that were given since would be given again.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::file::create_private;
use crate::file::{Streams, open};
use crate::registry::Restored;

/// What a mark says, or a registry about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) id: String,
    pub(super) changes: u64,
    /// The end of the furthest step that was handed out, in Unix seconds.
    pub(super) furthest: u64,
}

impl Count {
    /// Why a registry that says `own` of itself isn't the one that this mark was written for.
    pub(super) fn objects_to(&self, own: &Self) -> Option<Restored> {
        if self.id != own.id {
            return Some(Restored::Another);
        }
        (self.changes > own.changes).then_some(Restored::Older)
    }
}

#[derive(Debug)]
pub(super) struct Mark {
    path: PathBuf,
}

impl Mark {
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// What was written last; none where there is no mark, or none that can be read.
    pub(super) fn read(&self) -> Option<Count> {
        let mut text = String::new();
        open(&self.path, Streams::Refused).ok()?.take(200).read_to_string(&mut text).ok()?;
        let mut fields = text.trim_end().strip_prefix("vmfa registry 1 ")?.split(' ');
        // A number that the registry, which has signed ones, can't have is no mark.
        let (id, mut number) = (fields.next()?.to_owned(), || u64::try_from(fields.next()?.parse::<i64>().ok()?).ok());
        Some(Count { id, changes: number()?, furthest: number()? })
    }

    /// Writes it after what it counts has reached the disk. One that can't be written notices less, and is no reason to
    /// hold a code back. Its length never changes, so that a write is whole or missing; a later count isn't undone.
    pub(super) fn write(&self, count: &Count) {
        if std::fs::metadata(&self.path).is_ok_and(|known| !known.is_file()) {
            return;
        }
        let text = format!("vmfa registry 1 {} {:020} {:020}\n", count.id, count.changes, count.furthest);
        let write = || {
            create_private(&self.path)?;
            let mut file = File::options().write(true).open(&self.path)?;
            // Another process may be about to write a later one. Where files have no locks, neither has the registry.
            let _ = file.lock();
            match self.read() {
                Some(known) if known.id == count.id && known.changes > count.changes => Ok(()),
                _ => file.write_all(text.as_bytes()),
            }
        };
        let _: std::io::Result<()> = write();
    }
}

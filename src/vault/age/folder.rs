//! A directory with a file for each item.

use std::fs;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::super::{Error, Kind};
use super::files::{self, Files, Lock, shown};
use super::shelf::{Change, MOST_THREADS, Pieces, Shelf};
use crate::threads;

/// The file that is there from the first replaced item to the last.
const CHANGING: &str = ".recipients-changing";

/// `items/KEY.age` in a directory, which is made when the first item is added.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    directory: PathBuf,
    items: PathBuf,
}

impl Folder {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { items: directory.join("items"), directory }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.items.join(format!("{key}.age"))
    }

    /// Keeps other writers out, and clears up what killed ones left.
    fn lock(&self) -> Result<Lock, Error> {
        files::make_directory(&self.items)?;
        let lock = Lock::of(&self.items)?;
        files::sweep(&self.items)?;
        Ok(lock)
    }
}

impl Shelf for Folder {
    fn kind(&self) -> Kind {
        Kind::Age
    }

    fn place(&self) -> String {
        format!("age files in {}", self.items.display())
    }

    fn place_of(&self, key: &str) -> String {
        shown(&self.path(key))
    }

    fn read(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        found(files::read(&self.path(key)))
    }

    fn holds(&self, key: &str) -> Result<bool, Error> {
        files::is_there(&self.path(key))
    }

    fn keys(&self) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        let Some(entries) = found(fs::read_dir(&self.items).map_err(files::at(&self.items)))? else { return Ok(keys) };
        for entry in entries {
            let name = entry.map_err(files::at(&self.items))?.file_name();
            keys.extend(name.to_str().and_then(|name| name.strip_suffix(".age")).map(str::to_owned));
        }
        keys.sort_unstable();
        Ok(keys)
    }

    fn add(&self, key: &str, item: &[u8]) -> Result<bool, Error> {
        let _lock = self.lock()?;
        match files::write_new_file(&self.path(key), item) {
            Err(error) if is_there_already(&error) => Ok(false),
            result => result.map(|()| true),
        }
    }

    fn add_all(&self, count: usize, pieces: Pieces<'_>) -> Result<(), (usize, Option<Error>)> {
        let mut pieces = pieces.peekable();
        // While other writers needn't wait: the first piece tells whether any can be made.
        let failed = pieces.peek().is_some_and(Result::is_err);
        let _lock = if failed { None } else { Some(self.lock().map_err(|error| (0, Some(error)))?) };
        let named = pieces.map(|piece| {
            piece.map(|items| items.into_iter().map(|(key, item)| (self.path(&key), item)).collect::<Files>())
        });
        files::write_new_files(&self.items, count, named)
            .map_err(|(place, error)| if is_there_already(&error) { (place, None) } else { (place, Some(error)) })
    }

    fn remove(&self, key: &str) -> Result<bool, Error> {
        let path = self.path(key);
        if !files::is_there(&path)? {
            return Ok(false);
        }
        let _lock = self.lock()?;
        Ok(found(files::remove(&path))?.is_some())
    }

    /// While nobody else writes.
    fn replace(&self, keys: &[String], change: Change<'_>) -> Result<Vec<Result<bool, Error>>, Error> {
        let _lock = self.lock()?;
        let changed =
            threads::map(keys, MOST_THREADS, |key| self.read(key)?.map(|item| change(key, &item)).transpose());
        let mut replaced = Files::new();
        let outcome = keys.iter().zip(changed).map(|(key, changed)| {
            let changed = changed?;
            let there = changed.is_some();
            replaced.extend(changed.map(|item| (self.path(key), item)));
            Ok(there)
        });
        let outcome = outcome.collect();
        files::replace_files(&self.items, &replaced)?;
        Ok(outcome)
    }

    fn is_changing(&self) -> Result<bool, Error> {
        files::is_there(&self.items.join(CHANGING))
    }

    fn set_changing(&self, changing: bool) -> Result<(), Error> {
        match (changing, self.is_changing()?) {
            (true, false) => files::write_new_file(&self.items.join(CHANGING), b""),
            (false, true) => files::remove(&self.items.join(CHANGING)),
            _ => Ok(()),
        }
    }

    fn probe(&self) -> Result<(), Error> {
        if files::is_there(&self.items)? && !self.items.is_dir() {
            return Err(Error::AgeFile { path: shown(&self.items), reason: "is not a directory".to_owned() });
        }
        files::probe(if self.items.is_dir() { &self.items } else { self.directory.as_path() })
    }
}

/// Nothing where there is no such file.
fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

fn is_there_already(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists)
}

//! Other recipients for the items that are there: each is read, encrypted again, and replaced whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use super::files::{self, Files, shown};
use super::{Age, Error, MOST_THREADS, identity, opened_item};
use crate::threads;

/// How many items are replaced together, while other writers wait.
const TOGETHER: usize = 64;

/// The file that is there from the first replaced item to the last.
const UNFINISHED: &str = ".recipients-changing";

/// What became of the items.
#[derive(Debug, Default)]
pub struct Rewrapped {
    /// How many are encrypted to the vault's recipients now.
    pub items: usize,
    /// Files that stay as they were, with what is wrong with them.
    pub left: Vec<(PathBuf, Error)>,
}

impl Age {
    /// The recipients of new items: those that were named, or those that belong to the identity.
    ///
    /// # Errors
    ///
    /// Those of reading the identity.
    pub fn named_recipients(&self) -> Result<Vec<String>, Error> {
        if self.recipients.is_empty() { identity::recipient_of(&self.identity) } else { Ok(self.recipients.clone()) }
    }

    /// The same vault with other recipients for new items.
    #[must_use]
    pub fn with_recipients(&self, recipients: Vec<String>) -> Self {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            directory: self.directory.clone(),
            recipients,
            identity: self.identity.clone(),
            plugins: self.plugins.clone(),
            keys: Mutex::new(keys),
        }
    }

    /// Stores the vault's own key for these recipients, as it was for others: fingerprints stay what they are.
    ///
    /// # Errors
    ///
    /// [`Error::AgeFile`] where there is another one, and those of storing.
    pub fn take_over_key(&self, key: &Zeroizing<String>) -> Result<(), Error> {
        let name = self.own_key_name()?;
        if self.write_item(&name, key)? || self.read_item(&name)?.as_ref() == Some(key) {
            return Ok(());
        }
        Err(Error::AgeFile { path: shown(&self.path(&name)), reason: "holds another key than the vault's".to_owned() })
    }

    /// Whether a change of the recipients was begun and didn't come to its end.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn is_changing(&self) -> Result<bool, Error> {
        files::is_there(&self.items().join(UNFINISHED))
    }

    /// Encrypts all items to this vault's recipients. `done` is told how many items there are, and how many were looked at.
    /// Given again, it finishes what was interrupted.
    ///
    /// # Errors
    ///
    /// [`Error::Identity`] where the identity doesn't open what is encrypted to them; then nothing was changed. Those of
    /// the file system.
    pub fn rewrap(&self, mut done: impl FnMut(usize, usize)) -> Result<Rewrapped, Error> {
        self.try_identity()?;
        let directory = self.items();
        let mut outcome = Rewrapped::default();
        if !directory.is_dir() {
            return Ok(outcome);
        }
        let mark = directory.join(UNFINISHED);
        if !files::is_there(&mark)? {
            files::write_new_file(&mark, b"")?;
        }
        let mut seen = BTreeSet::new();
        // Items that are added meanwhile, by processes that know the recipients of before, come in the next round.
        loop {
            let names: Vec<String> = self.item_names()?.into_iter().filter(|name| !seen.contains(name)).collect();
            if names.is_empty() {
                break;
            }
            let all = seen.len().saturating_add(names.len());
            for names in names.chunks(TOGETHER) {
                self.rewrap_some(names, &mut outcome)?;
                seen.extend(names.iter().cloned());
                done(seen.len(), all);
            }
        }
        if outcome.left.is_empty() {
            files::remove(&mark)?;
        }
        Ok(outcome)
    }

    /// The names of all items, those of the vault's own keys among them, in order.
    fn item_names(&self) -> Result<Vec<String>, Error> {
        let directory = self.items();
        let mut names = Vec::new();
        for entry in fs::read_dir(&directory).map_err(files::at(&directory))? {
            let name = entry.map_err(files::at(&directory))?.file_name();
            names.extend(name.to_str().and_then(|name| name.strip_suffix(".age")).map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Replaces some items while nobody else writes: one that is deleted meanwhile must not come back.
    fn rewrap_some(&self, names: &[String], outcome: &mut Rewrapped) -> Result<(), Error> {
        let directory = self.items();
        let recipients = self.recipients()?;
        let _lock = files::Lock::of(&directory)?;
        files::sweep(&directory)?;
        let rewrapped = threads::map(names, MOST_THREADS, |name| -> Result<Option<Vec<u8>>, Error> {
            let Some(text) = self.read_item(name)? else { return Ok(None) };
            let ciphertext = self.encrypt_item(&recipients, name, &text)?;
            // Nothing takes the place of a secret that can't be read.
            let path = self.path(name);
            if opened_item(&ciphertext, &*self.keys()?, name, &path)? != text {
                return Err(Error::AgeFile { path: shown(&path), reason: "was not encrypted right".to_owned() });
            }
            Ok(Some(ciphertext))
        });
        let mut replaced = Files::new();
        for (name, ciphertext) in names.iter().zip(rewrapped) {
            match ciphertext {
                Ok(Some(ciphertext)) => replaced.push((self.path(name), ciphertext)),
                Ok(None) => {}
                Err(error) => outcome.left.push((self.path(name), error)),
            }
        }
        files::replace_files(&directory, &replaced)?;
        outcome.items = outcome.items.saturating_add(replaced.len());
        Ok(())
    }
}

//! Other recipients for the items that are there: each is read, encrypted again, and replaced whole.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::{Age, Error, identity};

/// How many items are replaced together, while other writers wait.
const TOGETHER: usize = 64;

/// What became of the items.
#[derive(Debug, Default)]
pub struct Rewrapped {
    /// How many are encrypted to the vault's recipients now.
    pub items: usize,
    /// Items that stay as they were: where each is, and what is wrong with it.
    pub left: Vec<(String, Error)>,
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
            shelf: Arc::clone(&self.shelf),
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
        Err(Error::AgeFile {
            path: self.shelf.place_of(&name),
            reason: "holds another key than the vault's".to_owned(),
        })
    }

    /// Whether a change of the recipients was begun and didn't come to its end.
    ///
    /// # Errors
    ///
    /// Those of looking.
    pub fn is_changing(&self) -> Result<bool, Error> {
        self.shelf.is_changing()
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
        let mut outcome = Rewrapped::default();
        let mut seen = BTreeSet::new();
        // Items that are added meanwhile, by processes that know the recipients of before, come in the next round.
        loop {
            let keys: Vec<String> = self.shelf.keys()?.into_iter().filter(|key| !seen.contains(key)).collect();
            if keys.is_empty() {
                break;
            }
            self.shelf.set_changing(true)?;
            let all = seen.len().saturating_add(keys.len());
            for keys in keys.chunks(TOGETHER) {
                self.rewrap_some(keys, &mut outcome)?;
                seen.extend(keys.iter().cloned());
                done(seen.len(), all);
            }
        }
        if outcome.left.is_empty() {
            self.shelf.set_changing(false)?;
        }
        Ok(outcome)
    }

    fn rewrap_some(&self, keys: &[String], outcome: &mut Rewrapped) -> Result<(), Error> {
        let recipients = self.recipients()?;
        let replaced = self.shelf.replace(keys, &|key, item| {
            let text = self.open_item(item, key)?;
            let encrypted = self.encrypt_item(&recipients, key, &text)?;
            // Nothing takes the place of a secret that can't be read.
            if self.open_item(&encrypted, key)? != text {
                let path = self.shelf.place_of(key);
                return Err(Error::AgeFile { path, reason: "was not encrypted right".to_owned() });
            }
            Ok(encrypted)
        })?;
        for (key, replaced) in keys.iter().zip(replaced) {
            match replaced {
                Ok(true) => outcome.items = outcome.items.saturating_add(1),
                Ok(false) => {}
                Err(error) => outcome.left.push((self.shelf.place_of(key), error)),
            }
        }
        Ok(())
    }
}

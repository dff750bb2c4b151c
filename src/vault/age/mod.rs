//! Secrets encrypted by age, for machines without a keyring (age-encryption.org/v1).
//!
//! One item a device: a file `items/UUID.age`, or a row of a database. Its plaintext is the UUID on the first line, then the
//! URI: somebody who can write there can delete items, but can't pass one device's secret
//! off as another's. Storing needs recipients alone; the identity is read for the first secret
//! that is asked for.

mod envelope;
mod files;
mod folder;
mod header;
mod identity;
#[cfg(feature = "exchange")]
mod passphrase;
mod plugin;
mod recipients;
mod rewrap;
mod sealing;
mod shelf;

use std::fmt;
use std::io::Read as _;
use std::iter;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use age::DecryptError;
use zeroize::Zeroizing;

pub use envelope::{Openers, needs_passphrase, open_file, open_file_with, seal_file};
pub use files::{write_new_file, write_verified};
#[cfg(feature = "cli")]
pub(crate) use identity::{EMPTY, NO_IDENTITY};
pub use identity::{
    Fetch, Identity, Passphrase, encrypt_identity, generate, is_encrypted, plugins_of, read_identity, recipient_of,
    unlocked,
};
#[cfg(feature = "exchange")]
pub(crate) use passphrase::{Refusal, open_by_passphrase};
pub use plugin::{Person, Plugins, unanswered};
pub use recipients::check_recipient;
pub use rewrap::Rewrapped;
#[cfg(feature = "cli")]
pub(crate) use sealing::{FOR_ANOTHER, NOT_AGE};
pub use shelf::{Change, Items, Pieces, Shelf};

use folder::Folder;
use identity::Needs;
use recipients::Recipients;
use sealing::{encryptor, failure, reason, sealed};
use shelf::MOST_THREADS;

use super::{Error, Id, Item, Kind, Label, Vault};
use crate::threads;

/// How [`Vault::probe`] of an age vault ends whose identity needs a passphrase: nobody is asked for it there.
pub const PROTECTED: &str = ", its identity protected by a passphrase";

/// How it ends where plugins hold the identity: they aren't asked to open anything there.
pub const HELD_BY_PLUGIN: &str = ", its identity held by a plugin";

/// How many items are encrypted while as many others are written.
const TOGETHER: usize = 128;

/// Secrets encrypted by age, in a directory or on another [`Shelf`].
///
/// `Debug` shows where that is, and the recipients, which are public.
pub struct Age {
    shelf: Arc<dyn Shelf>,
    recipients: Vec<String>,
    identity: Identity,
    plugins: Plugins,
    keys: Mutex<Option<Arc<identity::Keys>>>,
}

impl fmt::Debug for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Age")
            .field("shelf", &self.shelf)
            .field("recipients", &self.recipients)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

impl Age {
    /// A vault in `directory`, which is made when the first item is stored.
    ///
    /// Items are encrypted to all `recipients`: `age1…`, `ssh-ed25519 …` or `ssh-rsa …`; where none are named, to
    /// those that belong to the identity. Nothing is read here. Plugins can ask nobody.
    #[must_use]
    pub fn new(directory: PathBuf, recipients: Vec<String>, identity: Identity) -> Self {
        Self::on(Arc::new(Folder::new(directory)), recipients, identity)
    }

    /// The same on another shelf. Where that is one that many share, their recipients may not all be named alike: the vault's key
    /// is one for all.
    #[must_use]
    pub fn on(shelf: Arc<dyn Shelf>, recipients: Vec<String>, identity: Identity) -> Self {
        Self { shelf, recipients, identity, plugins: Plugins::default(), keys: Mutex::default() }
    }

    /// The same, with the plugins of its identities and recipients.
    #[must_use]
    pub fn with_plugins(self, plugins: Plugins) -> Self {
        Self { plugins, ..self }
    }

    /// What opens its items.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The identity's keys, read once, so that you are asked for the passphrase once.
    fn keys(&self) -> Result<Arc<identity::Keys>, Error> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = &*keys {
            return Ok(Arc::clone(keys));
        }
        let read = Arc::new(self.identity.keys(&self.plugins)?);
        *keys = Some(Arc::clone(&read));
        Ok(read)
    }

    /// The recipients of items.
    fn recipients(&self) -> Result<Recipients, Error> {
        if self.recipients.is_empty() {
            return identity::recipients_of(&self.identity);
        }
        Ok(Recipients::of_texts(&self.recipients))
    }

    /// The name of the vault's key. In files it is one for all items of the same recipients, so that an identity that opens an
    /// item opens it. Those who share a vault may name different ones.
    fn own_key_name(&self) -> Result<String, Error> {
        match self.kind() {
            Kind::Shared => Ok("vault-key".to_owned()),
            _ => Ok(format!("vault-key-{}", self.recipients()?.digest())),
        }
    }

    fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        self.encrypt_to(&self.recipients()?, plaintext)
    }

    fn encrypt_to(&self, recipients: &Recipients, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let sealers = recipients.sealers(&self.plugins)?;
        let encryptor = encryptor(sealers.recipients(), "no recipients are named that an age file can have together")?;
        let ciphertext =
            sealed(encryptor, plaintext).map_err(|source| Error::Io { path: self.shelf.place(), source })?;
        // A secret that somebody typed may have been another one than the identity's: nobody could open the item.
        if sealers.asked() && !matches!(self.identity, Identity::None) {
            self.expect_opened(&ciphertext, plaintext)?;
        }
        Ok(ciphertext)
    }

    /// Makes sure that the identity opens what was encrypted.
    fn expect_opened(&self, ciphertext: &[u8], plaintext: &[u8]) -> Result<(), Error> {
        let misfit = || Error::Identity(format!("{} fits none of the recipients", self.identity));
        let opened = opened(ciphertext, &*self.keys()?).map_err(|error| failure(error, |_| misfit()))?;
        if *opened == plaintext { Ok(()) } else { Err(misfit()) }
    }
}

impl Age {
    /// Makes sure that the identity opens what is encrypted to the recipients; a passphrase is asked for, and plugins ask.
    ///
    /// # Errors
    ///
    /// [`Error::Identity`] where it doesn't, and those of reading it.
    pub fn try_identity(&self) -> Result<(), Error> {
        let probe = b"probe";
        self.expect_opened(&self.encrypt(probe)?, probe)
    }

    /// Items, encrypted by several threads.
    fn encrypted(&self, recipients: &Recipients, items: &[(Id, Item)]) -> Result<Items, (usize, Error)> {
        let encrypt = |(id, item): &(Id, Item)| {
            let key = id.to_string();
            let item = self.encrypt_item(recipients, &key, &item.secret)?;
            Ok((key, item))
        };
        let encrypted = threads::map(items, MOST_THREADS, encrypt);
        let placed = |(place, item): (usize, Result<_, Error>)| item.map_err(|error| (place, error));
        encrypted.into_iter().enumerate().map(placed).collect()
    }

    fn encrypt_item(&self, recipients: &Recipients, key: &str, text: &str) -> Result<Vec<u8>, Error> {
        // Room for all of it, so that no copy is left behind by growing.
        let room = key.len().saturating_add(text.len()).saturating_add(2);
        let mut plaintext = Zeroizing::new(String::with_capacity(room));
        for line in [key, text] {
            plaintext.push_str(line);
            plaintext.push('\n');
        }
        self.encrypt_to(recipients, plaintext.as_bytes())
    }

    /// Stores a text under a new key; false if the key exists.
    fn write_item(&self, key: &str, text: &str) -> Result<bool, Error> {
        self.shelf.add(key, &self.encrypt_item(&self.recipients()?, key, text)?)
    }

    /// What was stored under a key; `None` if nothing was.
    fn read_item(&self, key: &str) -> Result<Option<Zeroizing<String>>, Error> {
        let Some(item) = self.shelf.read(key)? else { return Ok(None) };
        self.open_item(&item, key).map(Some)
    }

    /// What is in an item that was stored under a key.
    fn open_item(&self, item: &[u8], key: &str) -> Result<Zeroizing<String>, Error> {
        let wrong = |reason: &str| Error::AgeFile { path: self.shelf.place_of(key), reason: reason.to_owned() };
        let plaintext = opened(item, &*self.keys()?).map_err(|error| failure(error, |error| wrong(reason(error))))?;
        let text = std::str::from_utf8(&plaintext).ok().filter(|text| text.is_ascii());
        let (holder, text) =
            text.and_then(|text| text.split_once('\n')).ok_or_else(|| wrong("is not a file of vmfa"))?;
        if holder != key {
            return Err(wrong("holds the secret of another device"));
        }
        Ok(Zeroizing::new(text.trim_end_matches('\n').to_owned()))
    }

    fn not_there(&self, id: Id) -> Error {
        Error::NotThere { kind: self.kind(), id }
    }
}

impl Vault for Age {
    fn kind(&self) -> Kind {
        self.shelf.kind()
    }

    fn put(&self, id: Id, item: &Item) -> Result<(), Error> {
        if self.write_item(&id.to_string(), &item.secret)? {
            Ok(())
        } else {
            Err(Error::Exists { kind: self.kind(), id })
        }
    }

    fn put_all(&self, items: &[(Id, Item)]) -> Result<(), (usize, Error)> {
        let recipients = self.recipients().map_err(|error| (0, error))?;
        // Plugins may ask a person, and no other writer is to wait for that.
        let together = if recipients.ask() { items.len().max(1) } else { TOGETHER };
        let (first, others) = items.split_at(items.len().min(together));
        // Before anything is there: a recipient that can't be encrypted to.
        let first = self.encrypted(&recipients, first)?;
        let encrypt = |(number, piece): (usize, &[(Id, Item)])| {
            let before = together.saturating_mul(number.saturating_add(1));
            self.encrypted(&recipients, piece).map_err(|(place, error)| (before.saturating_add(place), error))
        };
        let written = threads::ahead(others.chunks(together).enumerate(), encrypt, |others| {
            self.shelf.add_all(items.len(), &mut iter::once(Ok(first)).chain(others))
        });
        written.map_err(|(place, error)| match (error, items.get(place)) {
            (Some(error), _) => (place, error),
            (None, item) => {
                let id = item.map_or_else(Id::random, |(id, _)| *id);
                (place, Error::Exists { kind: self.kind(), id })
            }
        })
    }

    fn get(&self, id: Id) -> Result<Zeroizing<String>, Error> {
        self.read_item(&id.to_string())?.ok_or_else(|| self.not_there(id))
    }

    fn delete(&self, id: Id) -> Result<(), Error> {
        if self.shelf.remove(&id.to_string())? { Ok(()) } else { Err(self.not_there(id)) }
    }

    fn holds(&self, id: Id) -> Result<bool, Error> {
        self.shelf.holds(&id.to_string())
    }

    fn relabel(&self, id: Id, _label: Label<'_>) -> Result<(), Error> {
        self.holds(id)?.then_some(()).ok_or_else(|| self.not_there(id))
    }

    fn own_key(&self) -> Result<Zeroizing<String>, Error> {
        if let Some(key) = self.find_own_key()? {
            return Ok(key);
        }
        let name = self.own_key_name()?;
        let key = super::new_key();
        if self.write_item(&name, &key)? {
            return Ok(key);
        }
        // Somebody else was faster.
        self.read_item(&name)?.ok_or_else(|| Error::AgeFile {
            path: self.shelf.place_of(&name),
            reason: "was deleted meanwhile".to_owned(),
        })
    }

    fn find_own_key(&self) -> Result<Option<Zeroizing<String>>, Error> {
        self.read_item(&self.own_key_name()?)
    }

    fn own_key_place(&self) -> Result<String, Error> {
        Ok(format!("{} {}", self.kind(), self.own_key_name()?))
    }

    fn probe(&self) -> Result<String, Error> {
        self.shelf.probe()?;
        let protection = match self.identity.needs()? {
            Needs::Nothing => {
                self.try_identity()?;
                ""
            }
            Needs::Passphrase => {
                // Recipients that only a passphrase tells are not asked for.
                if !self.recipients.is_empty() {
                    self.encrypt(b"probe")?;
                }
                PROTECTED
            }
            Needs::Plugins(names) => {
                names.iter().try_for_each(|name| plugin::greet(&self.plugins, name))?;
                HELD_BY_PLUGIN
            }
        };
        Ok(format!("{}{protection}", self.shelf.place()))
    }
}

fn opened(ciphertext: &[u8], keys: &identity::Keys) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let decryptor = header::read(ciphertext)?;
    let mut plaintext = Zeroizing::new(Vec::with_capacity(ciphertext.len()));
    decryptor.decrypt(keys.iter().map(|key| &**key as _))?.read_to_end(&mut plaintext)?;
    Ok(plaintext)
}

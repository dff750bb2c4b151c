//! age files as a vault, for machines without a keyring (age-encryption.org/v1).
//!
//! One file a device, `items/UUID.age`. Its plaintext is the UUID on the first line, then the
//! URI: somebody who can write to the directory can delete files, but can't pass one device's secret
//! off as another's. Storing needs recipients alone; the identity is read for the first secret
//! that is asked for.

mod envelope;
mod files;
mod header;
mod identity;
#[cfg(feature = "exchange")]
mod passphrase;
mod plugin;
mod rewrap;
mod sealing;

use std::fmt;
use std::io::Read as _;
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use age::DecryptError;
use zeroize::Zeroizing;

pub use envelope::{Openers, needs_passphrase, open_file, open_file_with, seal_file};
pub use files::{write_new_file, write_verified};
#[cfg(feature = "cli")]
pub(crate) use identity::EMPTY;
pub use identity::{
    Fetch, Identity, Passphrase, check_recipient, encrypt_identity, generate, is_encrypted, plugins_of, read_identity,
    recipient_of, unlocked,
};
#[cfg(feature = "exchange")]
pub(crate) use passphrase::{Refusal, open_by_passphrase};
pub use plugin::{Person, Plugins, unanswered};
pub use rewrap::Rewrapped;
#[cfg(feature = "cli")]
pub(crate) use sealing::{FOR_ANOTHER, NOT_AGE};

use files::{Files, shown};
use identity::{Needs, Recipients};
use sealing::{encryptor, failure, reason, sealed};

use super::{Error, Id, Item, Kind, Label, Vault};
use crate::threads;

/// How [`Vault::probe`] of an age vault ends whose identity needs a passphrase: nobody is asked for it there.
pub const PROTECTED: &str = ", its identity protected by a passphrase";

/// How it ends where plugins hold the identity: they aren't asked to open anything there.
pub const HELD_BY_PLUGIN: &str = ", its identity held by a plugin";

/// The most threads that items are encrypted by.
const MOST_THREADS: usize = 8;

/// How many items are encrypted while as many others are written.
const TOGETHER: usize = 128;

/// A directory of age files.
///
/// `Debug` shows the directory and the recipients, which are public.
pub struct Age {
    directory: PathBuf,
    recipients: Vec<String>,
    identity: Identity,
    plugins: Plugins,
    keys: Mutex<Option<Arc<identity::Keys>>>,
}

impl fmt::Debug for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Age")
            .field("directory", &self.directory)
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
        Self { directory, recipients, identity, plugins: Plugins::default(), keys: Mutex::default() }
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

    fn items(&self) -> PathBuf {
        self.directory.join("items")
    }

    fn path(&self, key: &str) -> PathBuf {
        self.items().join(format!("{key}.age"))
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
            return Recipients::of_identity(&self.identity);
        }
        Ok(Recipients::of_texts(&self.recipients))
    }

    /// The name of the vault's key: one for all items of the same recipients, so that an identity that opens an item opens
    /// it.
    fn own_key_name(&self) -> Result<String, Error> {
        Ok(format!("vault-key-{}", self.recipients()?.digest()))
    }

    fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        self.encrypt_to(&self.recipients()?, plaintext)
    }

    fn encrypt_to(&self, recipients: &Recipients, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let sealers = recipients.sealers(&self.plugins)?;
        let encryptor = encryptor(sealers.recipients(), "no recipients are named that an age file can have together")?;
        let ciphertext = sealed(encryptor, plaintext)
            .map_err(|source| Error::Io { path: self.items().display().to_string(), source })?;
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

    /// The files of items, encrypted by several threads.
    fn encrypted(&self, recipients: &Recipients, items: &[(Id, Item)]) -> Result<Files, (usize, Error)> {
        let encrypt = |(id, item): &(Id, Item)| {
            let key = id.to_string();
            Ok((self.path(&key), self.encrypt_item(recipients, &key, &item.secret)?))
        };
        let encrypted = threads::map(items, MOST_THREADS, encrypt);
        let placed = |(place, file): (usize, Result<_, Error>)| file.map_err(|error| (place, error));
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
        let ciphertext = self.encrypt_item(&self.recipients()?, key, text)?;
        let items = self.items();
        files::make_directory(&items)?;
        let _lock = files::Lock::of(&items)?;
        files::sweep(&items)?;
        match files::write_new_file(&self.path(key), &ciphertext) {
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            result => result.map(|()| true),
        }
    }

    /// What was stored under a key; `None` if nothing was.
    fn read_item(&self, key: &str) -> Result<Option<Zeroizing<String>>, Error> {
        let path = self.path(key);
        let bytes = match files::read(&path) {
            Err(error) if missing(&error) => return Ok(None),
            result => result?,
        };
        opened_item(&bytes, &*self.keys()?, key, &path).map(Some)
    }
}

impl Vault for Age {
    fn kind(&self) -> Kind {
        Kind::Age
    }

    fn put(&self, id: Id, item: &Item) -> Result<(), Error> {
        if self.write_item(&id.to_string(), &item.secret)? {
            Ok(())
        } else {
            Err(Error::Exists { kind: Kind::Age, id })
        }
    }

    fn put_all(&self, items: &[(Id, Item)]) -> Result<(), (usize, Error)> {
        let recipients = self.recipients().map_err(|error| (0, error))?;
        // Plugins may ask a person, and no other writer is to wait for that.
        let together = if recipients.ask() { items.len().max(1) } else { TOGETHER };
        let (first, others) = items.split_at(items.len().min(together));
        // Before anything is there: a recipient that can't be encrypted to.
        let first = self.encrypted(&recipients, first)?;
        let directory = self.items();
        let lock = || {
            files::make_directory(&directory)?;
            let lock = files::Lock::of(&directory)?;
            files::sweep(&directory)?;
            Ok(lock)
        };
        let _lock = lock().map_err(|error| (0, error))?;
        let encrypt = |(number, piece): (usize, &[(Id, Item)])| {
            let before = together.saturating_mul(number.saturating_add(1));
            self.encrypted(&recipients, piece).map_err(|(place, error)| (before.saturating_add(place), error))
        };
        let written = threads::ahead(others.chunks(together).enumerate(), encrypt, |others| {
            files::write_new_files(&directory, items.len(), iter::once(Ok(first)).chain(others))
        });
        written.map_err(|(place, error)| match (error, items.get(place)) {
            (Error::Io { source, .. }, Some((id, _))) if source.kind() == std::io::ErrorKind::AlreadyExists => {
                (place, Error::Exists { kind: Kind::Age, id: *id })
            }
            (error, _) => (place, error),
        })
    }

    fn get(&self, id: Id) -> Result<Zeroizing<String>, Error> {
        self.read_item(&id.to_string())?.ok_or(Error::NotThere { kind: Kind::Age, id })
    }

    fn delete(&self, id: Id) -> Result<(), Error> {
        let path = self.path(&id.to_string());
        if !files::is_there(&path)? {
            return Err(Error::NotThere { kind: Kind::Age, id });
        }
        let items = self.items();
        let _lock = files::Lock::of(&items)?;
        files::sweep(&items)?;
        match files::remove(&path) {
            Err(error) if missing(&error) => Err(Error::NotThere { kind: Kind::Age, id }),
            result => result,
        }
    }

    fn holds(&self, id: Id) -> Result<bool, Error> {
        files::is_there(&self.path(&id.to_string()))
    }

    fn relabel(&self, id: Id, _label: Label<'_>) -> Result<(), Error> {
        self.holds(id)?.then_some(()).ok_or(Error::NotThere { kind: Kind::Age, id })
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
            path: shown(&self.path(&name)),
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
        let items = self.items();
        if files::is_there(&items)? && !items.is_dir() {
            return Err(Error::AgeFile { path: shown(&items), reason: "is not a directory".to_owned() });
        }
        files::probe(if items.is_dir() { &items } else { &self.directory })?;
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
        Ok(format!("age files in {}{protection}", self.items().display()))
    }
}

fn missing(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
}

/// What was stored under a key, from its file.
fn opened_item(bytes: &[u8], keys: &identity::Keys, key: &str, path: &Path) -> Result<Zeroizing<String>, Error> {
    let wrong = |reason: &str| Error::AgeFile { path: shown(path), reason: reason.to_owned() };
    let plaintext = opened(bytes, keys).map_err(|error| failure(error, |error| wrong(reason(error))))?;
    let text = std::str::from_utf8(&plaintext).ok().filter(|text| text.is_ascii());
    let (holder, text) = text.and_then(|text| text.split_once('\n')).ok_or_else(|| wrong("is not a file of vmfa"))?;
    if holder != key {
        return Err(wrong("holds the secret of another device"));
    }
    Ok(Zeroizing::new(text.trim_end_matches('\n').to_owned()))
}

fn opened(ciphertext: &[u8], keys: &identity::Keys) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let decryptor = header::read(ciphertext)?;
    let mut plaintext = Zeroizing::new(Vec::with_capacity(ciphertext.len()));
    decryptor.decrypt(keys.iter().map(|key| &**key as _))?.read_to_end(&mut plaintext)?;
    Ok(plaintext)
}

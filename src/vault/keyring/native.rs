//! The macOS Keychain, where an item shows as `vmfa` with the UUID as its account and has no other attributes; and
//! the Windows Credential Manager, with at most 2,560 bytes a secret, whose comment shows the device's name.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
use keyring::api::CredentialStoreApi;
#[cfg(target_os = "windows")]
use windows_native_keyring_store::Store;
use zeroize::Zeroizing;

use super::Error;
use super::items::PROGRAM;

#[cfg(target_os = "macos")]
const PLACE: &str = "the login keychain";
#[cfg(target_os = "windows")]
const PLACE: &str = "the Credential Manager";

/// Where an item is.
pub(super) type Item = keyring::Entry;

/// Neither has sessions.
#[derive(Debug, Default)]
pub(super) struct Session;

/// Nothing is kept between calls.
#[derive(Debug, Default)]
pub(super) struct Sessions;

impl Sessions {
    pub(super) fn warm_up(&self, _limit: Duration) {}

    /// Does `work` in another thread, which is left behind when the limit has passed: neither keyring's calls have a limit.
    pub(super) fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&Session) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, waiting) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(move || {
                // Nobody listens when the limit has passed.
                let _ = answer.send(work(&Session));
            })
            .map_err(|error| Error::Keyring(format!("no thread to reach it from: {error}")))?;
        match waiting.recv_timeout(limit) {
            Ok(result) => result,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Err(Error::TimedOut { seconds: limit.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX) })
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(Error::Keyring("its worker broke off".to_owned())),
        }
    }
}

impl Session {
    fn entry(&self, key: &str) -> Result<keyring::Entry, Error> {
        Store::new().and_then(|store| store.build(PROGRAM, key, None)).map_err(failure)
    }

    pub(super) fn find(&self, key: &str, _prompt: bool) -> Result<Option<keyring::Entry>, Error> {
        let item = self.entry(key)?;
        match item.get_credential() {
            Ok(_) => Ok(Some(item)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(failure(error)),
        }
    }

    pub(super) fn holds(&self, key: &str, prompt: bool) -> Result<bool, Error> {
        self.find(key, prompt).map(|item| item.is_some())
    }

    /// The system keeps one item per key, for all programs.
    pub(super) fn in_turn<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        work()
    }

    /// There is one item a key.
    pub(super) fn keep_first(&self, key: &str, prompt: bool) -> Result<Option<Item>, Error> {
        self.find(key, prompt)
    }

    pub(super) fn ready_to_store(&self, _prompt: bool) -> Result<&'static str, Error> {
        Store::new().map(|_| PLACE).map_err(failure)
    }

    pub(super) fn create(
        &self,
        _place: &&'static str,
        key: &str,
        label: &str,
        _attributes: &[(&'static str, String)],
        secret: &[u8],
        _prompt: bool,
    ) -> Result<(), Error> {
        let item = self.entry(key)?;
        item.set_secret(secret).map_err(failure)?;
        self.relabel(&item, label)
    }

    pub(super) fn read(&self, item: &keyring::Entry) -> Result<Zeroizing<Vec<u8>>, Error> {
        item.get_secret().map(Zeroizing::new).map_err(failure)
    }

    pub(super) fn remove(&self, _key: &str, item: &keyring::Entry, _prompt: bool) -> Result<(), Error> {
        item.delete_credential().map_err(failure)
    }

    #[cfg(target_os = "macos")]
    pub(super) fn relabel(&self, _item: &keyring::Entry, _label: &str) -> Result<(), Error> {
        Ok(())
    }

    #[cfg(target_os = "windows")]
    pub(super) fn relabel(&self, item: &keyring::Entry, label: &str) -> Result<(), Error> {
        let comment = std::collections::HashMap::from([("comment", label)]);
        item.update_attributes(&comment).map_err(failure)
    }
}

/// What a store said. Its own text for several items names the paths of all.
fn failure(error: keyring::Error) -> Error {
    Error::Keyring(match error {
        keyring::Error::Ambiguous(items) => format!("it holds {} items for one secret", items.len()),
        keyring::Error::PlatformFailure(inner) | keyring::Error::NoStorageAccess(inner) => inner.to_string(),
        other => other.to_string(),
    })
}

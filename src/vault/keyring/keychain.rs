//! The macOS Keychain: an item shows as `vmfa`, with the UUID as its account. It has no other attributes.

use std::sync::Arc;

use apple_native_keyring_store::keychain::Store;
use keyring::api::CredentialStoreApi;
use zeroize::Zeroizing;

use super::{Error, PROGRAM, failure};

/// The Keychain has no sessions.
#[derive(Debug, Default)]
pub(super) struct Session;

impl Session {
    pub(super) fn warm_up(self: &Arc<Self>) {}

    pub(super) fn abandon(&self) {}

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

    pub(super) fn ready_to_store(&self, _prompt: bool) -> Result<&'static str, Error> {
        Store::new().map(|_| "the login keychain").map_err(failure)
    }

    pub(super) fn create(
        &self,
        _place: &&'static str,
        key: &str,
        _label: &str,
        _attributes: &[(&'static str, String)],
        secret: &[u8],
        _prompt: bool,
    ) -> Result<(), Error> {
        self.entry(key)?.set_secret(secret).map_err(failure)
    }

    pub(super) fn read(&self, item: &keyring::Entry) -> Result<Zeroizing<Vec<u8>>, Error> {
        item.get_secret().map(Zeroizing::new).map_err(failure)
    }

    pub(super) fn remove(&self, item: &keyring::Entry, _prompt: bool) -> Result<(), Error> {
        item.delete_credential().map_err(failure)
    }

    pub(super) fn relabel(&self, _item: &keyring::Entry, _label: &str) -> Result<(), Error> {
        Ok(())
    }
}

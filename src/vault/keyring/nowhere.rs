//! Systems without a keyring that this program knows.

use std::time::Duration;

use zeroize::Zeroizing;

use super::Error;

/// Where an item would be.
pub(super) type Item = String;

/// Refuses everything.
#[derive(Debug, Default)]
pub(super) struct Session;

/// There are none.
#[derive(Debug, Default)]
pub(super) struct Sessions;

impl Sessions {
    pub(super) fn warm_up(&self, _limit: Duration) {}

    pub(super) fn within<T>(
        &self,
        _limit: Duration,
        work: impl FnOnce(&Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        work(&Session)
    }
}

impl Session {
    pub(super) fn find(&self, _key: &str, _prompt: bool) -> Result<Option<String>, Error> {
        Err(none())
    }

    pub(super) fn holds(&self, _key: &str, _prompt: bool) -> Result<bool, Error> {
        Err(none())
    }

    pub(super) fn in_turn<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        work()
    }

    pub(super) fn keep_first(&self, _key: &str, _prompt: bool) -> Result<Option<String>, Error> {
        Err(none())
    }

    pub(super) fn ready_to_store(&self, _prompt: bool) -> Result<String, Error> {
        Err(none())
    }

    pub(super) fn create(
        &self,
        _place: &str,
        _key: &str,
        _label: &str,
        _attributes: &[(&'static str, String)],
        _secret: &[u8],
        _prompt: bool,
    ) -> Result<(), Error> {
        Err(none())
    }

    pub(super) fn read(&self, _item: &String) -> Result<Zeroizing<Vec<u8>>, Error> {
        Err(none())
    }

    pub(super) fn remove(&self, _key: &str, _item: &str, _prompt: bool) -> Result<(), Error> {
        Err(none())
    }

    pub(super) fn relabel(&self, _item: &str, _label: &str) -> Result<(), Error> {
        Err(none())
    }
}

fn none() -> Error {
    Error::Keyring("this system has none that is known".to_owned())
}

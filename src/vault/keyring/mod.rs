//! The OS keyring as a vault: the Secret Service (freedesktop.org, API draft 0.2), the macOS Keychain, or the
//! Windows Credential Manager.
//!
//! One item a device, found by its UUID, labelled with the device's name for people who look with
//! their keyring's own program.

#[cfg(any(target_os = "linux", target_os = "macos", target_os = "windows"))]
mod items;
#[cfg(any(target_os = "macos", target_os = "windows"))]
mod native;
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
mod nowhere;
#[cfg(target_os = "linux")]
mod secret_service;
#[cfg(target_os = "linux")]
mod transfer;

#[cfg(any(target_os = "macos", target_os = "windows"))]
use native as platform;
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
use nowhere as platform;
#[cfg(target_os = "linux")]
use secret_service as platform;

use std::time::Duration;

use zeroize::Zeroizing;

use super::{Error, Id, Item, Kind, Label, Vault};

/// The keys of the two items that are no devices.
const IDENTITY: &str = "age-identity";
const OWN_KEY: &str = "vault-key";

/// How a keyring is to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The longest that a call may take, an answer to a prompt included.
    pub limit: Duration,
    /// Whether the keyring may ask a person to unlock it. Without, a locked one is an error at once.
    pub prompt: bool,
}

/// The OS keyring.
///
/// Making one costs nothing: the session with the keyring is opened by the first call, or ahead of it by
/// [`warm_up`](Self::warm_up). A session that failed is not used again.
#[derive(Debug)]
pub struct Keyring {
    options: Options,
    sessions: platform::Sessions,
}

impl Keyring {
    /// A keyring that hasn't been reached for yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, sessions: platform::Sessions::default() }
    }

    /// Starts opening the session, without waiting for the keyring, so that the first call finds it open.
    ///
    /// That call reports what goes wrong here.
    pub fn warm_up(&self) {
        self.sessions.warm_up(self.options.limit);
    }

    /// Keeps an age identity, the one of a vault of age files, as one item.
    ///
    /// # Errors
    ///
    /// [`Error::Identity`] if there is one already; else as for any item.
    pub fn put_identity(&self, identity: &Zeroizing<String>) -> Result<(), Error> {
        if self.create(IDENTITY, "vmfa: age identity".to_owned(), Vec::new(), identity.clone())? {
            return Ok(());
        }
        Err(Error::Identity("the keyring holds an age identity already".to_owned()))
    }

    /// The age identity that was kept.
    ///
    /// # Errors
    ///
    /// [`Error::NoIdentity`] if there is none; else as for any item.
    pub fn get_identity(&self) -> Result<Zeroizing<String>, Error> {
        self.read(IDENTITY)?.ok_or(Error::NoIdentity)
    }

    /// Forgets the age identity, and with it every secret that was encrypted to it alone.
    ///
    /// # Errors
    ///
    /// [`Error::NoIdentity`] if there is none; else as for any item.
    pub fn delete_identity(&self) -> Result<(), Error> {
        self.remove(IDENTITY)?.then_some(()).ok_or(Error::NoIdentity)
    }

    /// Stores a new item; false if there is one.
    fn create(
        &self,
        key: &str,
        label: String,
        attributes: Vec<(&'static str, String)>,
        secret: Zeroizing<String>,
    ) -> Result<bool, Error> {
        if !secret.is_ascii() {
            return Err(Error::Keyring("not every keyring keeps more than ASCII".to_owned()));
        }
        let (key, prompt) = (key.to_owned(), self.options.prompt);
        self.within_limit(move |session| {
            let place = session.ready_to_store(prompt)?;
            if session.find(&key, prompt)?.is_some() {
                return Ok(false);
            }
            session.create(&place, &key, &label, &attributes, secret.as_bytes(), prompt).map(|()| true)
        })
    }

    /// An item's secret; `None` if there is no such item.
    fn read(&self, key: &str) -> Result<Option<Zeroizing<String>>, Error> {
        let (key, prompt) = (key.to_owned(), self.options.prompt);
        self.within_limit(move |session| {
            let item = session.find(&key, prompt)?;
            item.map(|item| text(session, &item, &key)).transpose()
        })
    }

    /// Forgets an item; false if there is none.
    fn remove(&self, key: &str) -> Result<bool, Error> {
        let (key, prompt) = (key.to_owned(), self.options.prompt);
        self.within_limit(move |session| {
            let Some(item) = session.find(&key, prompt)? else { return Ok(false) };
            session.remove(&key, &item, prompt).map(|()| true)
        })
    }

    /// Does `work`, with no call to the keyring taking longer than the limit. It may be done by another thread.
    fn within_limit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&platform::Session) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.sessions.within(self.options.limit, work)
    }
}

impl Vault for Keyring {
    fn kind(&self) -> Kind {
        Kind::Keyring
    }

    fn put(&self, id: Id, item: &Item) -> Result<(), Error> {
        let key = id.to_string();
        let mut attributes = vec![("account", item.account.clone())];
        attributes.extend(item.issuer.clone().map(|issuer| ("issuer", issuer)));
        if self.create(&key, Label::Device(&item.name).to_string(), attributes, item.secret.clone())? {
            return Ok(());
        }
        Err(Error::Exists { kind: Kind::Keyring, id })
    }

    fn get(&self, id: Id) -> Result<Zeroizing<String>, Error> {
        self.read(&id.to_string())?.ok_or(Error::NotThere { kind: Kind::Keyring, id })
    }

    fn delete(&self, id: Id) -> Result<(), Error> {
        self.remove(&id.to_string())?.then_some(()).ok_or(Error::NotThere { kind: Kind::Keyring, id })
    }

    fn holds(&self, id: Id) -> Result<bool, Error> {
        let (key, prompt) = (id.to_string(), self.options.prompt);
        self.within_limit(move |session| session.holds(&key, prompt))
    }

    fn relabel(&self, id: Id, label: Label<'_>) -> Result<(), Error> {
        let (key, label, prompt) = (id.to_string(), label.to_string(), self.options.prompt);
        self.within_limit(move |session| {
            let item = session.find(&key, prompt)?.ok_or(Error::NotThere { kind: Kind::Keyring, id })?;
            session.relabel(&item, &label)
        })
    }

    fn own_key(&self) -> Result<Zeroizing<String>, Error> {
        let prompt = self.options.prompt;
        self.within_limit(move |session| {
            let mut item = session.keep_first(OWN_KEY, prompt)?;
            if item.is_none() {
                item = session.in_turn(|| {
                    if session.keep_first(OWN_KEY, prompt)?.is_none() {
                        let place = session.ready_to_store(prompt)?;
                        let label = "vmfa: key that tells which devices have one secret";
                        session.create(&place, OWN_KEY, label, &[], super::new_key().as_bytes(), prompt)?;
                    }
                    // Of several that were made at the same moment all take the first; the others are nobody's.
                    session.keep_first(OWN_KEY, prompt)
                })?;
            }
            text(session, &item.ok_or_else(|| Error::Keyring("it lost what was stored just now".to_owned()))?, OWN_KEY)
        })
    }

    fn find_own_key(&self) -> Result<Option<Zeroizing<String>>, Error> {
        let prompt = self.options.prompt;
        self.within_limit(move |session| {
            let item = session.keep_first(OWN_KEY, prompt)?;
            item.map(|item| text(session, &item, OWN_KEY)).transpose()
        })
    }

    fn probe(&self) -> Result<String, Error> {
        self.within_limit(|session| session.ready_to_store(false).map(|place| place.to_string()))
    }
}

/// What an item holds: ASCII, as all that this program stores.
fn text(session: &platform::Session, item: &platform::Item, key: &str) -> Result<Zeroizing<String>, Error> {
    let mut bytes = session.read(item)?;
    if !bytes.is_ascii() {
        return Err(Error::Keyring(format!("what it holds under {key} is no text of this program")));
    }
    // Moved, not copied; what is left behind is empty.
    Ok(Zeroizing::new(String::from_utf8(std::mem::take(&mut *bytes)).unwrap_or_default()))
}

//! Sessions that were had, kept in the vault beside the device's secret until they are over: never on disk in clear.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::contact::{Contact, Now};
use super::sts::Temporary;
use crate::registry::Device;
use crate::time::Timestamp;
use crate::vault::{self, Item, Vault};
use crate::wire::sigv4::Credentials;

/// The most sessions of one device that are kept; what is over goes first, then what ends first.
const MOST: usize = 8;

/// The most bytes that are kept of a device: eight of AWS's sessions have some 20,000. Vaults have limits.
const LARGEST: usize = 40_000;

/// What deactivating and deleting a device may take, in seconds.
const A_MINUTE: u64 = 60;

/// What a session has to have left unless somebody says otherwise, in seconds; a tenth of its time where that is less.
const LEAST: u64 = 5 * 60;

/// The keys of one session, and what it was asked for with.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    /// What it was asked for with; who asks for the same gets the same.
    key: String,
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
    session_token: Option<Zeroizing<String>>,
    /// When it began and ends, by the service's clock.
    issued: Timestamp,
    expiration: Timestamp,
    /// When the service was last known to take it.
    #[serde(default)]
    contact: Option<Contact>,
}

/// What the vault holds.
#[derive(Default, Serialize, Deserialize)]
struct Stored {
    /// The newest last.
    sessions: Vec<Kept>,
    /// Endpoints of IAM where the device was seen enabled, by runs that were about to change that.
    enabled_at: Vec<String>,
    /// Those of them where it was deleted since.
    #[serde(default)]
    disabled_at: Vec<String>,
}

/// What is written down about an endpoint of IAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The device is enabled there.
    Enabled,
    /// It was, and is deleted now: its sessions are good for nothing.
    Disabled,
}

/// What was read at once, so that it is written without being read again.
#[derive(Default)]
pub(super) struct Contents {
    stored: Stored,
    /// Whether there is an item, understood or not.
    there: bool,
}

/// The sessions of one device.
pub(super) struct Cache<'a> {
    vault: &'a dyn Vault,
    device: &'a Device,
}

impl<'a> Cache<'a> {
    pub(super) const fn of(vault: &'a dyn Vault, device: &'a Device) -> Self {
        Self { vault, device }
    }

    /// Writes down what became of the device at an endpoint. The caller holds the device's lock.
    pub(super) fn mark(&self, endpoint: &str, mark: Mark) -> Result<(), vault::Error> {
        let mut contents = self.read()?;
        let (known, disabled) = (contents.is_marked(endpoint), mark == Mark::Disabled);
        let Stored { sessions, enabled_at, disabled_at } = &mut contents.stored;
        let was_disabled = disabled_at.iter().any(|known| known == endpoint);
        if known && was_disabled == disabled && (!disabled || sessions.is_empty()) {
            return Ok(());
        }
        if !known {
            enabled_at.push(endpoint.to_owned());
        }
        disabled_at.retain(|known| known != endpoint);
        if disabled {
            sessions.clear();
            disabled_at.push(endpoint.to_owned());
        }
        self.write(contents)
    }

    /// Keeps a session beside others; `endpoint` is IAM's where it was got. The caller has held the device's lock since these were read.
    pub(super) fn keep(
        &self,
        mut others: Contents,
        endpoint: &str,
        key: &str,
        session: &Temporary,
        now: Now,
    ) -> Result<(), vault::Error> {
        // A session there means that the device is enabled there.
        others.stored.disabled_at.retain(|known| known != endpoint);
        let all = &mut others.stored.sessions;
        // It has just been asked for, so the service's time is known, unless its answers have none.
        let issued = now.service.unwrap_or(now.system);
        all.retain(|kept| kept.key != key && kept.expiration > issued);
        all.drain(..all.len().saturating_sub(MOST.saturating_sub(1)));
        all.push(Kept {
            key: key.to_owned(),
            access_key_id: session.credentials.access_key_id.clone(),
            secret_access_key: session.credentials.secret_access_key.clone(),
            session_token: session.credentials.session_token.clone(),
            issued,
            expiration: session.expiration,
            contact: Contact::of(now),
        });
        self.write(others)
    }

    /// Writes down that the service took the session of a key just now. The caller has held the device's lock since
    /// these were read.
    pub(super) fn confirm(&self, mut contents: Contents, key: &str, now: Now) -> Result<(), vault::Error> {
        let Some(kept) = contents.stored.sessions.iter_mut().find(|kept| kept.key == key) else { return Ok(()) };
        kept.contact = Contact::of(now);
        self.write(contents)
    }

    /// Writes as much of it as a vault takes.
    fn write(&self, contents: Contents) -> Result<(), vault::Error> {
        let Contents { mut stored, there } = contents;
        // Room for all of it, so that growing leaves no copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(8 * LARGEST));
        loop {
            text.clear();
            // Texts and numbers, which is all there is, are never refused.
            let _ = serde_json::to_writer(&mut *text, &stored);
            if text.len() <= LARGEST || stored.sessions.is_empty() {
                break;
            }
            stored.sessions.remove(0);
        }
        if there {
            self.forget()?;
        }
        let secret = Zeroizing::new(String::from_utf8(std::mem::take(&mut *text)).unwrap_or_default());
        let name = format!("{} (AWS sessions)", self.device.name).parse().unwrap_or_else(|_| self.device.name.clone());
        let (issuer, account) = (self.device.issuer.clone(), self.device.account.clone());
        self.vault.put(self.device.id.companion(), &Item { name, issuer, account, secret })
    }

    /// Forgets all sessions of the device.
    pub(super) fn forget(&self) -> Result<(), vault::Error> {
        match self.vault.delete(self.device.id.companion()) {
            Err(vault::Error::NotThere { .. }) => Ok(()),
            result => result,
        }
    }

    /// What can't be understood is as good as nothing: it is replaced by the next session.
    pub(super) fn read(&self) -> Result<Contents, vault::Error> {
        let stored = match self.vault.get(self.device.id.companion()) {
            Ok(text) => serde_json::from_str(&text).unwrap_or_default(),
            Err(vault::Error::NotThere { .. }) => return Ok(Contents::default()),
            Err(vault::Error::AgeFile { .. } | vault::Error::Io { .. }) => Stored::default(),
            Err(error) => return Err(error),
        };
        Ok(Contents { stored, there: true })
    }
}

impl Contents {
    /// The session of a key, over or not.
    pub(super) fn find(&self, key: &str) -> Option<&Kept> {
        self.stored.sessions.iter().find(|kept| kept.key == key)
    }

    /// The newest session whose key begins so, if it certainly lasts another minute.
    pub(super) fn newest(&self, prefix: &str, now: &Now) -> Option<Temporary> {
        let lasts = |kept: &&Kept| kept.key.starts_with(prefix) && kept.left(now).is_some_and(|left| left > A_MINUTE);
        self.stored.sessions.iter().rev().find(lasts).map(Kept::temporary)
    }

    /// Whether there is one whose key begins so, over or not.
    pub(super) fn has(&self, prefix: &str) -> bool {
        self.stored.sessions.iter().any(|kept| kept.key.starts_with(prefix))
    }

    /// Where the device was deleted, and not enabled since.
    pub(super) fn disabled_at(self) -> Vec<String> {
        self.stored.disabled_at
    }

    /// Whether the device was seen enabled at an endpoint.
    pub(super) fn is_marked(&self, endpoint: &str) -> bool {
        self.stored.enabled_at.iter().any(|known| known == endpoint)
    }
}

impl Kept {
    /// How many seconds are left, at least; none where the service's time isn't certain.
    pub(super) fn left(&self, now: &Now) -> Option<u64> {
        let time = now.service.or_else(|| self.contact.as_ref()?.service_time(now))?;
        Some(self.left_at(time))
    }

    /// The same at a time.
    pub(super) const fn left_at(&self, time: Timestamp) -> u64 {
        self.expiration.as_unix().saturating_sub(time.as_unix())
    }

    /// What has to be left for it to be handed out, in seconds, where nobody says.
    pub(super) fn least(&self) -> u64 {
        let whole = self.expiration.as_unix().saturating_sub(self.issued.as_unix());
        LEAST.min(whole.div_euclid(10))
    }

    pub(super) fn temporary(&self) -> Temporary {
        Temporary {
            credentials: Credentials {
                access_key_id: self.access_key_id.clone(),
                secret_access_key: self.secret_access_key.clone(),
                session_token: self.session_token.clone(),
            },
            expiration: self.expiration,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Devices;
    use crate::provision::{Limits, read};
    use crate::wire::sigv4::Credentials;
    use crate::{registry, vault};

    #[test]
    fn a_session_at_one_endpoint_says_nothing_of_another() {
        let (vault, registry) = (vault::memory::Memory::default(), registry::memory::Memory::default());
        let now = Timestamp::from_unix(1_800_000_000);
        let found = read(b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", &Limits::default()).unwrap();
        let new = [("mfauser".parse().unwrap(), found.enrolments.into_iter().next().unwrap())];
        let devices = Devices { vault: &vault, registry: &registry }.add(&new, false, now).unwrap();
        let cache = Cache::of(&vault, &devices[0]);
        for endpoint in ["http://one", "http://two"] {
            cache.mark(endpoint, Mark::Disabled).unwrap();
        }
        let session = Temporary {
            credentials: Credentials::new("ASIAEXAMPLE", "secret", Some("token")),
            expiration: now.plus(3_600).unwrap(),
        };
        let clocks = Now { system: now, boot: None, service: Some(now) };
        cache.keep(cache.read().unwrap(), "http://two", "key", &session, clocks).unwrap();
        assert_eq!(cache.read().unwrap().disabled_at(), ["http://one"]);
    }
}

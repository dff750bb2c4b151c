//! The Secret Service of Linux desktops: GNOME Keyring, KWallet, KeePassXC.
//!
//! Spoken to directly: everything is looked at before it is touched, so that nobody is prompted without
//! leave, and "no bus", "no provider", "no collection", "locked" and "not there" are different errors.
//! An agreement on a key is proposed before anything is known of the item, and answered while that is looked up.

mod answer;
mod kwallet;
mod prompt;
mod session;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;
use zvariant::{OwnedObjectPath, OwnedValue, Value};

use super::super::Provider;
use super::Error;
use super::items::PROGRAM;
use answer::Answer;
pub(super) use session::Session;
use session::{PROPERTIES, SERVICE, SERVICE_PATH, failed, unexpected};

const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";

/// How many words, with the empty one in front, the path of a collection has: `/org/freedesktop/secrets/collection/NAME`.
const COLLECTION_DEPTH: usize = 6;

/// A secret on the bus: session, initialization vector, ciphertext, content type.
type Sealed = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// Where an item is.
pub(super) type Item = OwnedObjectPath;

/// Sessions that nobody uses at the moment: each serves one thread.
#[derive(Default)]
pub(super) struct Sessions {
    idle: Mutex<Vec<Session>>,
}

impl Sessions {
    /// Opens a session for the first who needs one, and waits for nothing.
    pub(super) fn warm_up(&self, limit: Duration) {
        if self.idle().is_empty() {
            let session = Session::new(limit);
            session.warm_up();
            self.idle().push(session);
        }
    }

    /// Does `work` in a session, with no call taking longer than until the limit has passed since it began. Sessions aren't
    /// used again when one failed.
    pub(super) fn within<T>(
        &self,
        limit: Duration,
        work: impl FnOnce(&Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = self.idle().pop();
        let session = idle.unwrap_or_else(|| Session::new(limit));
        session.begin();
        let result = work(&session);
        let failed =
            matches!(result, Err(Error::TimedOut { .. } | Error::NoBus { .. } | Error::NoProvider | Error::Keyring(_)));
        if failed {
            // The others go the same way.
            self.idle().clear();
        } else {
            self.idle().push(session);
        }
        result
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sessions(idle: {})", self.idle().len())
    }
}

/// A collection, and whose it is.
pub(super) struct Place {
    collection: OwnedObjectPath,
    provider: Provider,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, collection `{}`", self.provider, self.collection.rsplit('/').next().unwrap_or_default())
    }
}

impl Session {
    /// The item for `key`, unlocked when this returns.
    pub(super) fn find(&self, key: &str, prompt: bool) -> Result<Option<OwnedObjectPath>, Error> {
        let mut found = self.find_all(key, prompt)?;
        match found.len() {
            0 | 1 => Ok(found.pop()),
            several => Err(Error::Keyring(format!("it holds {several} items under {key}"))),
        }
    }

    /// The item of several that all who look agree on: two processes may have stored one at the same moment. Providers
    /// that number their items give a later one a longer or greater path.
    /// The others are deleted.
    pub(super) fn keep_first(&self, key: &str, prompt: bool) -> Result<Option<OwnedObjectPath>, Error> {
        let mut found = self.find_all(key, prompt)?;
        found.sort_by(|a, b| (a.len(), a.as_str()).cmp(&(b.len(), b.as_str())));
        let others = found.split_off(found.len().min(1));
        for other in others {
            // Somebody else may delete it at the same moment.
            let _ = self.remove(key, &other, prompt);
        }
        Ok(found.pop())
    }

    /// Whether there is an item for `key`, locked or not.
    pub(super) fn holds(&self, key: &str, prompt: bool) -> Result<bool, Error> {
        let (found, locked) = self.search(key)?;
        // Not every provider searches what is locked.
        Ok(!found.is_empty() || !locked.is_empty() || self.find(key, prompt)?.is_some())
    }

    /// The items with this key: those that are unlocked, and those that are locked.
    fn search(&self, key: &str) -> Result<(Vec<OwnedObjectPath>, Vec<OwnedObjectPath>), Error> {
        let attributes = HashMap::from([("application", PROGRAM), ("vmfa-id", key)]);
        self.call(SERVICE_PATH, SERVICE, "SearchItems", &(attributes,))
    }

    /// The items with this key, unlocked.
    fn find_all(&self, key: &str, prompt: bool) -> Result<Vec<OwnedObjectPath>, Error> {
        let mut unlocked = false;
        loop {
            let (mut found, locked) = self.search(key)?;
            if !locked.is_empty() {
                self.unlock(&locked, prompt)?;
                found.extend(locked);
            }
            if !found.is_empty() {
                return Ok(found);
            }
            // Not every provider searches what is locked.
            let (collection, locked) = self.default_collection()?;
            if !locked {
                return Ok(found);
            }
            if unlocked {
                return Err(Error::Locked(self.provider()));
            }
            self.unlock(&[collection], prompt)?;
            unlocked = true;
        }
    }

    /// Makes sure of a default collection that is unlocked.
    pub(super) fn ready_to_store(&self, prompt: bool) -> Result<Place, Error> {
        let (collection, locked) = self.default_collection()?;
        if locked {
            self.unlock(std::slice::from_ref(&collection), prompt)?;
        }
        Ok(Place { collection, provider: self.provider() })
    }

    /// The default collection, and whether it is locked.
    fn default_collection(&self) -> Result<(OwnedObjectPath, bool), Error> {
        let collection: OwnedObjectPath = self.call(SERVICE_PATH, SERVICE, "ReadAlias", &("default",))?;
        if collection.as_str() == "/" {
            return Err(Error::NoCollection(self.provider()));
        }
        let locked: OwnedValue = match self.call(collection.as_str(), PROPERTIES, "Get", &(COLLECTION, "Locked")) {
            // An alias of a collection that isn't there.
            Err(Error::Keyring(text)) if text.contains("UnknownMethod") || text.contains("UnknownObject") => {
                return Err(Error::NoCollection(self.provider()));
            }
            result => result?,
        };
        Ok((collection, bool::try_from(locked).map_err(unexpected)?))
    }

    /// Unlocks what needs nobody, or asks where that is allowed. A wallet that was opened at login is locked until it is
    /// asked for.
    fn unlock(&self, objects: &[OwnedObjectPath], prompt: bool) -> Result<(), Error> {
        if !prompt && self.needs_person.get() {
            return Err(Error::Locked(self.provider()));
        }
        let (_, question): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            self.call(SERVICE_PATH, SERVICE, "Unlock", &(objects,))?;
        let answer = self.answered(&question, prompt);
        // KWallet forgets all prompts when one of them has opened the wallet.
        if matches!(answer, Ok(Answer::NotNeeded | Answer::Completed)) || !self.is_locked(objects)? {
            return Ok(());
        }
        self.needs_person.set(true);
        Err(answer.err().unwrap_or_else(|| Error::Locked(self.provider())))
    }

    /// Whether any of these collections or items is locked.
    fn is_locked(&self, objects: &[OwnedObjectPath]) -> Result<bool, Error> {
        for object in objects {
            // An item's path is its collection's and one word more.
            let interface = if object.as_str().split('/').count() > COLLECTION_DEPTH { ITEM } else { COLLECTION };
            let locked: OwnedValue = self.call(object.as_str(), PROPERTIES, "Get", &(interface, "Locked"))?;
            if bool::try_from(locked).map_err(unexpected)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stores an item with all its attributes in one call, which the provider does whole or not at all.
    pub(super) fn create(
        &self,
        place: &Place,
        key: &str,
        label: &str,
        attributes: &[(&'static str, String)],
        secret: &[u8],
        prompt: bool,
    ) -> Result<(), Error> {
        // The last two are what other programs of the keyring project and of Python find an item by.
        let mut all =
            HashMap::from([("application", PROGRAM), ("vmfa-id", key), ("service", PROGRAM), ("username", key)]);
        all.extend(attributes.iter().map(|(name, value)| (*name, value.as_str())));
        let properties = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", Value::from(self.label(label))),
            ("org.freedesktop.Secret.Item.Attributes", Value::from(all)),
        ]);
        let agreement = self.agreement()?;
        let (vector, sealed) = agreement.key.seal(secret).map_err(failed)?;
        let secret = (&agreement.session, vector.as_slice(), sealed, "text/plain");
        let (_, question): (OwnedObjectPath, OwnedObjectPath) =
            self.call(place.collection.as_str(), COLLECTION, "CreateItem", &(properties, secret, false))?;
        let answer = self.answered(&question, prompt);
        if !matches!(answer, Ok(Answer::NotNeeded)) {
            // The prompt's result doesn't matter: what counts is whether the item is there.
            let (found, locked) = self.search(key)?;
            if found.is_empty() && locked.is_empty() {
                return Err(answer.err().unwrap_or_else(|| Error::Unconfirmed(self.provider())));
            }
        }
        self.settle(&place.collection);
        Ok(())
    }

    pub(super) fn read(&self, item: &OwnedObjectPath) -> Result<Zeroizing<Vec<u8>>, Error> {
        let agreement = self.agreement()?;
        let ((_, vector, sealed, _),): (Sealed,) =
            self.call(item.as_str(), ITEM, "GetSecret", &(&agreement.session,))?;
        agreement.key.open(&vector, &sealed).map_err(failed)
    }

    pub(super) fn remove(&self, key: &str, item: &OwnedObjectPath, prompt: bool) -> Result<(), Error> {
        let question: OwnedObjectPath = self.call(item.as_str(), ITEM, "Delete", &())?;
        let answer = self.answered(&question, prompt);
        if !matches!(answer, Ok(Answer::NotNeeded)) {
            let (found, locked) = self.search(key)?;
            if found.contains(item) || locked.contains(item) {
                return Err(answer.err().unwrap_or_else(|| Error::Unconfirmed(self.provider())));
            }
        }
        self.settle_for(item);
        Ok(())
    }

    pub(super) fn relabel(&self, item: &OwnedObjectPath, label: &str) -> Result<(), Error> {
        let label = Value::from(self.label(label));
        let _: () = self.call(item.as_str(), PROPERTIES, "Set", &(ITEM, "Label", label))?;
        self.settle_for(item);
        Ok(())
    }

    /// Has a change of an item reach the disk; its collection is what stands before its last slash.
    fn settle_for(&self, item: &OwnedObjectPath) {
        let collection = item.as_str().rsplit_once('/').and_then(|(collection, _)| collection.try_into().ok());
        if let Some(collection) = collection {
            self.settle(&collection);
        }
    }
}

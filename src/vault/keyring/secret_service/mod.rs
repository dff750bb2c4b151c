//! The Secret Service of Linux desktops: GNOME Keyring, KWallet, KeePassXC.
//!
//! Spoken to directly: everything is looked at before it is touched, so that nobody is prompted without
//! leave, and "no bus", "no provider", "no collection", "locked" and "not there" are different errors.
//! The key agreement runs beside the search for the item; only the secret itself waits for both.

mod answer;
mod kwallet;
mod prompt;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use zbus::Connection;
use zbus::connection::Builder;
use zbus::zvariant::{DynamicDeserialize, DynamicType, OwnedObjectPath, OwnedValue, Value};
use zeroize::Zeroizing;

use super::super::Provider;
use super::Error;
use super::items::PROGRAM;
use super::transfer::{ALGORITHM, Key, Private};
use answer::Answer;

const PROVIDER: &str = "org.freedesktop.secrets";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";
const SESSION: &str = "org.freedesktop.Secret.Session";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// How many words, with the empty one in front, the path of a collection has: `/org/freedesktop/secrets/collection/NAME`.
const COLLECTION_DEPTH: usize = 6;

/// How often a provider is asked that isn't ready, and how long it is left alone in between.
const TRIES: u8 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// The bus itself.
const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";

/// The bus name that a process owns while it creates an item that must be the only one; and how often it is tried for, with
/// the pause between: five seconds.
const TURN: &str = "vmfa.keyring.Turn";
const TURNS: u16 = 1000;
const DO_NOT_QUEUE: u32 = 4;
const HAVE_IT: u32 = 1;

/// How often another session is opened where both sides may make different keys.
const AGREEMENTS: u8 = 8;

/// A secret on the bus: session, initialization vector, ciphertext, content type.
type Sealed = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// A connection to the bus, and an agreement with the provider on how secrets travel over it.
#[derive(Default)]
pub(super) struct Session {
    started: OnceLock<()>,
    bus: OnceLock<Result<Connection, String>>,
    agreement: OnceLock<Result<Agreement, String>>,
    provider: OnceLock<Provider>,
    /// Whether a prompt to unlock waited for a person, where nobody may be asked: it isn't shown a second time.
    needs_person: AtomicBool,
}

struct Agreement {
    session: OwnedObjectPath,
    key: Key,
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

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session(open: {})", self.agreement.get().is_some())
    }
}

impl Session {
    /// Connects and agrees in the background.
    pub(super) fn warm_up(self: &Arc<Self>) {
        self.started.get_or_init(|| {
            let session = Arc::clone(self);
            // Where no thread can be had, the first call does it.
            let _ = thread::Builder::new().name("keyring-agreement".to_owned()).spawn(move || {
                // What went wrong is kept for the call that needs it.
                let _ = session.agreement();
            });
        });
    }

    /// Ends what still waits: a prompt is taken back when the connection that asked for it is gone.
    pub(super) fn abandon(&self) {
        if let Some(Ok(bus)) = self.bus.get() {
            let _ = zbus::block_on(bus.clone().close());
        }
    }

    fn bus(&self) -> Result<&Connection, Error> {
        let connected = self.bus.get_or_init(|| match zbus::Address::session() {
            // The threads that wait for answers do the bus's work too: another thread would only add wake-ups.
            Ok(address) => Builder::session()
                .and_then(|builder| zbus::block_on(builder.internal_executor(false).build()))
                .map_err(|error| format!("tried {address}: {error}")),
            Err(error) => Err(error.to_string()),
        });
        connected.as_ref().map_err(|tried| Error::NoBus { tried: tried.clone() })
    }

    fn agreement(&self) -> Result<&Agreement, Error> {
        let agreed = self.agreement.get_or_init(|| {
            self.agree().map_err(|error| match error {
                Error::Keyring(text) => text,
                other => other.to_string(),
            })
        });
        agreed.as_ref().map_err(|text| Error::Keyring(text.clone()))
    }

    fn agree(&self) -> Result<Agreement, Error> {
        let mut again = AGREEMENTS;
        loop {
            again = again.saturating_sub(1);
            let private = Private::random().map_err(failed)?;
            let public = private.public();
            // KWallet takes a number whose first bit is set for a negative one, and loses its first byte where all of that
            // byte's are set.
            if public.first() == Some(&0xff) && again > 0 {
                continue;
            }
            let input = Value::from(public.to_vec());
            let (output, session): (OwnedValue, OwnedObjectPath) =
                self.call(SERVICE_PATH, SERVICE, "OpenSession", &(ALGORITHM, input))?;
            match private.agree(&Vec::<u8>::try_from(output).map_err(said)?) {
                Ok(key) => return Ok(Agreement { session, key }),
                // One in 256: both choose another number.
                Err(super::transfer::Error::LeadingZero) if again > 0 => {
                    let _ = self.call::<()>(session.as_str(), SESSION, "Close", &());
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }

    fn call<R>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        arguments: &(impl serde::Serialize + DynamicType),
    ) -> Result<R, Error>
    where
        R: for<'d> DynamicDeserialize<'d>,
    {
        let bus = self.bus()?;
        let mut again = TRIES;
        loop {
            again = again.saturating_sub(1);
            let answer = bus.call_method(Some(PROVIDER), path, Some(interface), method, arguments);
            match wait(bus, answer) {
                Ok(answer) => return answer.body().deserialize().map_err(said),
                Err(error) if again > 0 && path == SERVICE_PATH && is_not_ready(&error) => thread::sleep(PAUSE),
                Err(error) => return Err(self.blamed(said(error))),
            }
        }
    }

    /// An error with the provider's name.
    fn blamed(&self, error: Error) -> Error {
        match error {
            Error::Locked(_) => Error::Locked(self.provider()),
            error => error,
        }
    }

    fn call_bus<R>(&self, method: &str, arguments: &(impl serde::Serialize + DynamicType)) -> Result<R, Error>
    where
        R: for<'d> DynamicDeserialize<'d>,
    {
        let bus = self.bus()?;
        let answer = wait(bus, bus.call_method(Some(BUS), BUS_PATH, Some(BUS), method, arguments)).map_err(said)?;
        answer.body().deserialize().map_err(said)
    }

    /// Who has the name of the Secret Service, once somebody has it.
    fn provider(&self) -> Provider {
        if let Some(known) = self.provider.get() {
            return known.clone();
        }
        let process: Result<u32, Error> = self.call_bus("GetConnectionUnixProcessID", &(PROVIDER,));
        let Ok(process) = process else { return Provider::Unknown };
        // Everybody may read it, even of another user's process.
        let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        self.provider.get_or_init(|| Provider::of_process(name.trim_end())).clone()
    }

    /// Does what no two may do at once. The bus is what all who use a keyring have in common, and it takes a name away
    /// from a process that ends.
    pub(super) fn in_turn<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let mut have = false;
        for _ in 0..TURNS {
            match self.call_bus("RequestName", &(TURN, DO_NOT_QUEUE)) {
                Ok(HAVE_IT) => {
                    have = true;
                    break;
                }
                Ok::<u32, _>(_) => thread::sleep(PAUSE),
                // A bus that gives no names, as in some sandboxes: what comes of two at once is cleared up.
                Err(_) => break,
            }
        }
        let result = work();
        if have {
            let _ = self.call_bus::<u32>("ReleaseName", &(TURN,));
        }
        result
    }

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
        Ok((collection, bool::try_from(locked).map_err(said)?))
    }

    /// Unlocks what needs nobody, or asks where that is allowed. A wallet that was opened at login is locked until it is
    /// asked for.
    fn unlock(&self, objects: &[OwnedObjectPath], prompt: bool) -> Result<(), Error> {
        if !prompt && self.needs_person.load(Ordering::Relaxed) {
            return Err(Error::Locked(self.provider()));
        }
        let (_, question): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            self.call(SERVICE_PATH, SERVICE, "Unlock", &(objects,))?;
        let answer = self.answered(&question, prompt);
        // KWallet forgets all prompts when one of them has opened the wallet.
        if matches!(answer, Ok(Answer::NotNeeded | Answer::Completed)) || !self.is_locked(objects)? {
            return Ok(());
        }
        self.needs_person.store(true, Ordering::Relaxed);
        Err(answer.err().unwrap_or_else(|| Error::Locked(self.provider())))
    }

    /// Whether any of these collections or items is locked.
    fn is_locked(&self, objects: &[OwnedObjectPath]) -> Result<bool, Error> {
        for object in objects {
            // An item's path is its collection's and one word more.
            let interface = if object.as_str().split('/').count() > COLLECTION_DEPTH { ITEM } else { COLLECTION };
            let locked: OwnedValue = self.call(object.as_str(), PROPERTIES, "Get", &(interface, "Locked"))?;
            if bool::try_from(locked).map_err(said)? {
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

/// GNOME Keyring gets to know a new connection while it handles its first calls, which are to the service itself, and
/// says of one that comes too early that it has no such method. It has done nothing then.
fn is_not_ready(error: &zbus::Error) -> bool {
    matches!(error, zbus::Error::MethodError(name, ..) if name.as_str() == "org.freedesktop.DBus.Error.UnknownMethod")
}

/// Where an item is.
pub(super) type Item = OwnedObjectPath;

/// Waits for an answer, and does the bus's work meanwhile.
fn wait<T>(bus: &Connection, answer: impl Future<Output = T>) -> T {
    let work = async {
        loop {
            bus.executor().tick().await;
        }
    };
    zbus::block_on(futures_lite::future::or(answer, work))
}

fn failed(error: super::transfer::Error) -> Error {
    Error::Keyring(error.to_string())
}

/// What the bus or the provider said.
fn said(error: impl Into<zbus::Error>) -> Error {
    let error = error.into();
    if let zbus::Error::MethodError(name, ..) = &error {
        // Somebody locked it between two calls.
        if name.as_str() == "org.freedesktop.Secret.Error.IsLocked" {
            return Error::Locked(Provider::Unknown);
        }
        // Nobody has the name, and nobody could be started to have it.
        let nobody = ["org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner"];
        if nobody.contains(&name.as_str()) || name.starts_with("org.freedesktop.DBus.Error.Spawn.") {
            return Error::NoProvider;
        }
    }
    Error::Keyring(error.to_string())
}

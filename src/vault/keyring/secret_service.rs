//! The Secret Service of Linux desktops: GNOME Keyring, KWallet, KeePassXC.
//!
//! Spoken to directly: everything is looked at before it is touched, so that nobody is prompted without
//! leave, and "no bus", "no provider", "no collection", "locked" and "not there" are told apart.
//! The key agreement runs beside the search for the item; only the secret itself waits for both.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use futures_lite::StreamExt;
use zbus::connection::Builder;
use zbus::zvariant::{DynamicDeserialize, DynamicType, OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, Proxy};
use zeroize::Zeroizing;

use super::transfer::{ALGORITHM, Key, Private};
use super::{Error, PROGRAM};

const PROVIDER: &str = "org.freedesktop.secrets";
const SERVICE_PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// How often a provider is asked that isn't ready, and how long it is left alone in between.
const TRIES: u8 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// A secret on the bus: session, initialization vector, ciphertext, content type.
type Sealed = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// A connection to the bus, and an agreement with the provider on how secrets travel over it.
#[derive(Default)]
pub(super) struct Session {
    started: OnceLock<()>,
    bus: OnceLock<Result<Connection, String>>,
    agreement: OnceLock<Result<Agreement, String>>,
}

struct Agreement {
    session: OwnedObjectPath,
    key: Key,
}

/// A collection.
pub(super) struct Place(OwnedObjectPath);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Secret Service, collection `{}`", self.0.rsplit('/').next().unwrap_or_default())
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
            // The threads that wait for answers do the bus's work too: one of its own would only add wake-ups.
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
        let private = Private::random().map_err(failed)?;
        let input = Value::from(private.public().to_vec());
        let (output, session): (OwnedValue, OwnedObjectPath) =
            self.call(SERVICE_PATH, SERVICE, "OpenSession", &(ALGORITHM, input))?;
        let key = private.agree(&Vec::<u8>::try_from(output).map_err(said)?).map_err(failed)?;
        Ok(Agreement { session, key })
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
                Err(error) => return Err(said(error)),
            }
        }
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
            let _ = self.remove(&other, prompt);
        }
        Ok(found.pop())
    }

    /// The items with this key, unlocked.
    fn find_all(&self, key: &str, prompt: bool) -> Result<Vec<OwnedObjectPath>, Error> {
        loop {
            let attributes = HashMap::from([("application", PROGRAM), ("vmfa-id", key)]);
            let (mut found, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
                self.call(SERVICE_PATH, SERVICE, "SearchItems", &(attributes,))?;
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
            self.unlock(&[collection], prompt)?;
        }
    }

    /// Makes sure of a default collection that is unlocked.
    pub(super) fn ready_to_store(&self, prompt: bool) -> Result<Place, Error> {
        let (collection, locked) = self.default_collection()?;
        if locked {
            self.unlock(std::slice::from_ref(&collection), prompt)?;
        }
        Ok(Place(collection))
    }

    /// The default collection, and whether it is locked.
    fn default_collection(&self) -> Result<(OwnedObjectPath, bool), Error> {
        let collection: OwnedObjectPath = self.call(SERVICE_PATH, SERVICE, "ReadAlias", &("default",))?;
        if collection.as_str() == "/" {
            return Err(Error::NoCollection);
        }
        let locked: OwnedValue = match self.call(collection.as_str(), PROPERTIES, "Get", &(COLLECTION, "Locked")) {
            // An alias of a collection that isn't there.
            Err(Error::Keyring(text)) if text.contains("UnknownMethod") || text.contains("UnknownObject") => {
                return Err(Error::NoCollection);
            }
            result => result?,
        };
        Ok((collection, bool::try_from(locked).map_err(said)?))
    }

    fn unlock(&self, objects: &[OwnedObjectPath], prompt: bool) -> Result<(), Error> {
        if !prompt {
            return Err(Error::Locked);
        }
        let (_, question): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            self.call(SERVICE_PATH, SERVICE, "Unlock", &(objects,))?;
        self.answered(&question, prompt)
    }

    /// Has a person answer the provider's question, if there is one ("/" is none) and asking is allowed.
    fn answered(&self, question: &OwnedObjectPath, prompt: bool) -> Result<(), Error> {
        if question.as_str() == "/" {
            return Ok(());
        }
        let bus = self.bus()?;
        let asked = async {
            let proxy = Proxy::new(bus, PROVIDER, question.as_str(), PROMPT).await?;
            if !prompt {
                proxy.call_method("Dismiss", &()).await?;
                return Ok(None);
            }
            let mut completed = proxy.receive_signal("Completed").await?;
            proxy.call_method("Prompt", &("",)).await?;
            // None comes when the connection was closed.
            Ok(completed.next().await)
        };
        let Some(signal) = wait(bus, asked).map_err(|error: zbus::Error| said(error))? else {
            return Err(Error::Locked);
        };
        let (dismissed, _): (bool, OwnedValue) = signal.body().deserialize().map_err(said)?;
        if dismissed { Err(Error::Locked) } else { Ok(()) }
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
            ("org.freedesktop.Secret.Item.Label", Value::from(label)),
            ("org.freedesktop.Secret.Item.Attributes", Value::from(all)),
        ]);
        let agreement = self.agreement()?;
        let (vector, sealed) = agreement.key.seal(secret).map_err(failed)?;
        let secret = (&agreement.session, vector.as_slice(), sealed, "text/plain");
        let (_, question): (OwnedObjectPath, OwnedObjectPath) =
            self.call(place.0.as_str(), COLLECTION, "CreateItem", &(properties, secret, false))?;
        self.answered(&question, prompt)
    }

    pub(super) fn read(&self, item: &OwnedObjectPath) -> Result<Zeroizing<Vec<u8>>, Error> {
        let agreement = self.agreement()?;
        let ((_, vector, sealed, _),): (Sealed,) =
            self.call(item.as_str(), ITEM, "GetSecret", &(&agreement.session,))?;
        agreement.key.open(&vector, &sealed).map_err(failed)
    }

    pub(super) fn remove(&self, item: &OwnedObjectPath, prompt: bool) -> Result<(), Error> {
        let question: OwnedObjectPath = self.call(item.as_str(), ITEM, "Delete", &())?;
        self.answered(&question, prompt)
    }

    pub(super) fn relabel(&self, item: &OwnedObjectPath, label: &str) -> Result<(), Error> {
        self.call(item.as_str(), PROPERTIES, "Set", &(ITEM, "Label", Value::from(label)))
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
            return Error::Locked;
        }
        // Nobody has the name, and nobody could be started to have it.
        let nobody = ["org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner"];
        if nobody.contains(&name.as_str()) || name.starts_with("org.freedesktop.DBus.Error.Spawn.") {
            return Error::NoProvider;
        }
    }
    Error::Keyring(error.to_string())
}

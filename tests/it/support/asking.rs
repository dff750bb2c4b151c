//! A keyring that asks a person before it stores or deletes anything, where nobody is: no keyring of today asks before
//! it stores.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use super::desktop::Desktop;

const COLLECTION: &str = "/org/freedesktop/secrets/collection/asking";
const PROMPT: &str = "/org/freedesktop/secrets/prompt/p1";

/// What it was asked for, and what it holds: the `vmfa-id`s of its items.
#[derive(Default)]
struct Held {
    asks: bool,
    items: Vec<String>,
    prompts: u32,
}

type Shared = Arc<Mutex<Held>>;

/// On the bus of a desktop while it lives.
pub struct AskingKeyring {
    held: Shared,
    connection: Connection,
}

struct Service(Shared);
struct Collection(Shared);
struct Item(Shared);
struct Prompt(Shared);

fn path(text: &str) -> OwnedObjectPath {
    text.try_into().unwrap()
}

fn item_path(number: usize) -> OwnedObjectPath {
    path(&format!("{COLLECTION}/{number}"))
}

#[zbus::interface(name = "org.freedesktop.Secret.Service")]
impl Service {
    /// Eight is two to the power of three, a public key that anybody may have.
    fn open_session(&self, _algorithm: &str, _input: Value<'_>) -> (OwnedValue, OwnedObjectPath) {
        let mut public = vec![0x5a_u8; 128];
        public[0] = 1;
        (Value::from(public).try_into().unwrap(), path("/org/freedesktop/secrets/session/s1"))
    }

    fn search_items(&self, attributes: HashMap<String, String>) -> (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) {
        let held = self.0.lock().unwrap();
        let found = held.items.iter().enumerate().filter(|(_, id)| Some(*id) == attributes.get("vmfa-id"));
        (found.map(|(number, _)| item_path(number)).collect(), Vec::new())
    }

    fn read_alias(&self, _name: &str) -> OwnedObjectPath {
        path(COLLECTION)
    }
}

#[zbus::interface(name = "org.freedesktop.Secret.Collection")]
impl Collection {
    #[zbus(property)]
    fn locked(&self) -> bool {
        false
    }

    async fn create_item(
        &self,
        properties: HashMap<String, OwnedValue>,
        _secret: (OwnedObjectPath, Vec<u8>, Vec<u8>, String),
        _replace: bool,
        #[zbus(object_server)] server: &zbus::ObjectServer,
    ) -> (OwnedObjectPath, OwnedObjectPath) {
        let attributes = properties["org.freedesktop.Secret.Item.Attributes"].try_clone().unwrap();
        let attributes: HashMap<String, String> = attributes.try_into().unwrap();
        let number = {
            let mut held = self.0.lock().unwrap();
            if held.asks {
                return (path("/"), path(PROMPT));
            }
            held.items.push(attributes["vmfa-id"].clone());
            held.items.len() - 1
        };
        server.at(item_path(number), Item(Arc::clone(&self.0))).await.unwrap();
        (item_path(number), path("/"))
    }
}

#[zbus::interface(name = "org.freedesktop.Secret.Item")]
impl Item {
    fn delete(&self) -> OwnedObjectPath {
        let mut held = self.0.lock().unwrap();
        if held.asks {
            return path(PROMPT);
        }
        held.items.clear();
        path("/")
    }
}

#[zbus::interface(name = "org.freedesktop.Secret.Prompt")]
impl Prompt {
    /// Nobody answers.
    fn prompt(&self, _window: &str) {
        self.0.lock().unwrap().prompts += 1;
    }

    async fn dismiss(&self, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) {
        emitter.completed(true, Value::from("")).await.unwrap();
    }

    #[zbus(signal)]
    async fn completed(emitter: &SignalEmitter<'_>, dismissed: bool, result: Value<'_>) -> zbus::Result<()>;
}

impl AskingKeyring {
    /// One that stores and deletes without asking yet.
    pub fn on(desktop: &Desktop) -> Self {
        let held = Shared::default();
        let builder = Builder::address(desktop.address()).unwrap();
        let builder = builder.serve_at("/org/freedesktop/secrets", Service(Arc::clone(&held))).unwrap();
        let builder = builder.serve_at(COLLECTION, Collection(Arc::clone(&held))).unwrap();
        let builder = builder.serve_at(PROMPT, Prompt(Arc::clone(&held))).unwrap();
        let connection = builder.name("org.freedesktop.secrets").unwrap().build().unwrap();
        Self { held, connection }
    }

    /// From now on it asks.
    pub fn ask(&self) {
        self.held.lock().unwrap().asks = true;
    }

    /// How often it asked.
    pub fn prompts(&self) -> u32 {
        self.held.lock().unwrap().prompts
    }

    /// How many items it holds.
    pub fn items(&self) -> usize {
        self.held.lock().unwrap().items.len()
    }
}

impl Drop for AskingKeyring {
    fn drop(&mut self) {
        let _ = self.connection.clone().close();
    }
}

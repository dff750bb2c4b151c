//! The secrets that a server has read, kept in its memory: a vault is asked once for each.
//!
//! A secret is written once, so one that was read stays right. What belongs to devices that are gone is forgotten.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use zeroize::Zeroizing;

use crate::cli::error::Result;
use crate::cli::open::{Place, Vaults};
use crate::registry::Device;
use crate::vault::{Error, Id, Item, Kind, Label, Vault};

/// Those of all vaults.
pub(super) struct Secrets {
    place: Place,
    vaults: Mutex<HashMap<Kind, Arc<Remembered>>>,
}

/// A vault, and what was read from it.
struct Remembered {
    vault: Arc<dyn Vault>,
    read: Mutex<HashMap<Id, Zeroizing<String>>>,
    own_key: OnceLock<Zeroizing<String>>,
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").field("vault", &self.vault).finish_non_exhaustive()
    }
}

impl Secrets {
    pub(super) fn of(place: Place) -> Self {
        Self { place, vaults: Mutex::default() }
    }

    fn vaults(&self) -> MutexGuard<'_, HashMap<Kind, Arc<Remembered>>> {
        self.vaults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets all but those of these devices.
    pub(super) fn keep(&self, devices: &HashSet<Id>) {
        let vaults: Vec<_> = self.vaults().values().cloned().collect();
        vaults.iter().for_each(|vault| vault.read().retain(|id, _| devices.contains(id)));
    }

    /// Opens the vaults again: a keyring may have been restarted.
    pub(super) fn reopen(&self) {
        self.vaults().retain(|kind, _| *kind != Kind::Keyring);
    }
}

impl Vaults for Secrets {
    fn vault_of(&self, device: &Device) -> Result<Arc<dyn Vault>> {
        if let Some(known) = self.vaults().get(&device.vault) {
            return Ok(Arc::clone(known) as Arc<dyn Vault>);
        }
        let opened = Arc::new(Remembered::of(self.place.afresh().vault_of(device)?));
        Ok(Arc::clone(self.vaults().entry(device.vault).or_insert(opened)) as Arc<dyn Vault>)
    }
}

impl Remembered {
    fn of(vault: Arc<dyn Vault>) -> Self {
        Self { vault, read: Mutex::default(), own_key: OnceLock::new() }
    }

    fn read(&self) -> MutexGuard<'_, HashMap<Id, Zeroizing<String>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vault for Remembered {
    fn kind(&self) -> Kind {
        self.vault.kind()
    }

    fn put(&self, id: Id, item: &Item) -> std::result::Result<(), Error> {
        self.vault.put(id, item)
    }

    fn get(&self, id: Id) -> std::result::Result<Zeroizing<String>, Error> {
        if let Some(known) = self.read().get(&id) {
            return Ok(known.clone());
        }
        let secret = self.vault.get(id)?;
        self.read().insert(id, secret.clone());
        Ok(secret)
    }

    fn delete(&self, id: Id) -> std::result::Result<(), Error> {
        self.read().remove(&id);
        self.vault.delete(id)
    }

    fn holds(&self, id: Id) -> std::result::Result<bool, Error> {
        self.vault.holds(id)
    }

    fn relabel(&self, id: Id, label: Label<'_>) -> std::result::Result<(), Error> {
        self.vault.relabel(id, label)
    }

    fn own_key(&self) -> std::result::Result<Zeroizing<String>, Error> {
        self.vault.own_key()
    }

    fn find_own_key(&self) -> std::result::Result<Option<Zeroizing<String>>, Error> {
        if let Some(known) = self.own_key.get() {
            return Ok(Some(known.clone()));
        }
        let found = self.vault.find_own_key()?;
        Ok(found.map(|key| self.own_key.get_or_init(|| key).clone()))
    }

    fn own_key_place(&self) -> std::result::Result<String, Error> {
        self.vault.own_key_place()
    }

    fn probe(&self) -> std::result::Result<String, Error> {
        self.vault.probe()
    }
}

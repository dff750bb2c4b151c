//! A vault in this process's memory, for tests and for looking at a source without storing it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use zeroize::Zeroizing;

use super::{Error, Id, Item, Kind, Label, Vault};

/// Forgets everything when dropped.
#[derive(Default)]
pub struct Memory {
    items: Mutex<HashMap<Id, Zeroizing<String>>>,
    key: OnceLock<Zeroizing<String>>,
}

impl Memory {
    fn items(&self) -> MutexGuard<'_, HashMap<Id, Zeroizing<String>>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} items)", self.items().len())
    }
}

impl Vault for Memory {
    fn kind(&self) -> Kind {
        Kind::Memory
    }

    fn put(&self, id: Id, item: &Item) -> Result<(), Error> {
        let mut items = self.items();
        if items.contains_key(&id) {
            return Err(Error::Exists { kind: Kind::Memory, id });
        }
        items.insert(id, item.secret.clone());
        Ok(())
    }

    fn get(&self, id: Id) -> Result<Zeroizing<String>, Error> {
        self.items().get(&id).cloned().ok_or(Error::NotThere { kind: Kind::Memory, id })
    }

    fn delete(&self, id: Id) -> Result<(), Error> {
        self.items().remove(&id).map(|_| ()).ok_or(Error::NotThere { kind: Kind::Memory, id })
    }

    fn holds(&self, id: Id) -> Result<bool, Error> {
        Ok(self.items().contains_key(&id))
    }

    fn relabel(&self, id: Id, _label: Label<'_>) -> Result<(), Error> {
        self.get(id).map(|_| ())
    }

    fn own_key(&self) -> Result<Zeroizing<String>, Error> {
        Ok(self.key.get_or_init(super::new_key).clone())
    }

    fn find_own_key(&self) -> Result<Option<Zeroizing<String>>, Error> {
        Ok(self.key.get().cloned())
    }

    fn probe(&self) -> Result<String, Error> {
        Ok("this process's memory".to_owned())
    }
}

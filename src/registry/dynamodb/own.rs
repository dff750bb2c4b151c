//! What the registry says of itself, and whether this program knows its version.

use super::DynamoDb;
use super::table;
use super::value::{Item, number_in, text_in};
use crate::registry::Error;

/// What a registry's own item says.
#[derive(Debug, Clone)]
pub(super) struct Own {
    pub(super) id: String,
    /// Until when all codes count as handed out, in Unix seconds; 0 where the registry was never restored.
    pub(super) accepted: i64,
}

impl DynamoDb {
    /// The registry's own item as it is now.
    pub(super) fn registry(&self) -> Result<Own, Error> {
        let item = self.client.get(&table::key())?;
        self.registry_in(item.as_ref())
    }

    /// Makes sure, once, that the table has a registry that this program knows.
    pub(super) fn ready(&self) -> Result<(), Error> {
        if self.known.get().is_none() {
            self.registry()?;
        }
        Ok(())
    }

    pub(super) fn registry_in(&self, item: Option<&Item>) -> Result<Own, Error> {
        let place = || self.client.place.clone();
        let item = item.ok_or_else(|| Error::NoRegistry { place: place() })?;
        let damaged = |field| self.damaged("registry", "registry", field);
        match number_in::<i64>(item, "version").ok_or_else(|| damaged("version"))? {
            table::KNOWN => {}
            found if found > table::KNOWN => return Err(Error::TooNew { path: place(), found, known: table::KNOWN }),
            found => return Err(Error::Outdated { place: place(), found, known: table::KNOWN }),
        }
        let id = text_in(item, "id").ok_or_else(|| damaged("id"))?.to_owned();
        let accepted = number_in(item, "accepted").ok_or_else(|| damaged("accepted"))?;
        let _ = self.known.set(());
        Ok(Own { id, accepted })
    }
}

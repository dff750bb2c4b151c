//! Devices: an item each, all in one partition, so that a list is read page by page and other items aren't read for it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::DynamoDb;
use super::action::{Key, Look};
use super::names;
use super::value::{Item, number, number_in, text, text_in};
use crate::name::Name;
use crate::registry::record::Record;
use crate::registry::{Device, Error, State};
use crate::vault::Id;

/// The partition of all devices.
const PARTITION: &str = "device";

/// How often a device is looked for again that is renamed meanwhile.
const ATTEMPTS: u8 = 10;

/// A device as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) device: Device,
    /// The ledger that it had under another key of its vault.
    pub(super) former: Option<Id>,
}

pub(super) fn key(id: Id) -> Key {
    Key::new(PARTITION, id.to_string())
}

impl DynamoDb {
    /// A device's attributes, but for the ledger: what it is, as one text, and its revision.
    pub(super) fn attributes(&self, device: &Device) -> Result<Vec<(&'static str, Value)>, Error> {
        let record = serde_json::to_string(&Record::from(&Device { ledger: None, revision: 0, ..device.clone() }))
            .map_err(|error| Error::Engine { place: self.client.place.clone(), reason: error.to_string() })?;
        Ok(vec![("record", text(record)), ("revision", number(device.revision))])
    }

    pub(super) fn device_in(&self, item: &Item) -> Result<Stored, Error> {
        let id = text_in(item, "sk").unwrap_or("?");
        let damaged = |field| self.damaged("device", id, field);
        let record = text_in(item, "record").and_then(|text| serde_json::from_str::<Record<'_>>(text).ok());
        let device = record.ok_or_else(|| damaged("record"))?.device().map_err(damaged)?;
        if device.id.to_string() != id {
            return Err(damaged("id"));
        }
        let ledger = |field| text_in(item, field).map(str::parse).transpose().map_err(|_| damaged(field));
        let revision = number_in(item, "revision").ok_or_else(|| damaged("revision"))?;
        Ok(Stored { device: Device { ledger: ledger("ledger")?, revision, ..device }, former: ledger("former")? })
    }

    /// Those of these devices that are there.
    pub(super) fn devices_of(&self, ids: &[Id]) -> Result<BTreeMap<Id, Stored>, Error> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let keys: Vec<Key> = ids.iter().map(|id| key(*id)).collect();
        let items = self.client.get_all(&keys)?;
        let stored = items.iter().flatten().map(|item| self.device_in(item));
        stored.map(|stored| stored.map(|stored| (stored.device.id, stored))).collect()
    }

    pub(super) fn device_named(&self, name: &Name) -> Result<Option<Device>, Error> {
        self.ready()?;
        for _ in 0..ATTEMPTS {
            let item = self.client.get(&names::key(name))?;
            let Some(id) = self.holders_in(name, item.as_ref())?.holders.active else { return Ok(None) };
            let stored = self.client.get(&key(id))?.map(|item| self.device_in(&item)).transpose()?;
            // It may have been renamed or removed between the two.
            let is_it = |device: &Device| device.name == *name && device.state == State::Active;
            if let Some(stored) = stored.filter(|stored| is_it(&stored.device)) {
                return Ok(Some(stored.device));
            }
        }
        Err(self.damaged("name", name.as_str(), "active"))
    }

    /// All devices as they are stored, by name.
    pub(super) fn stored_devices(&self) -> Result<Vec<Stored>, Error> {
        self.ready()?;
        let items = self.client.look(&Look::at(PARTITION))?;
        let mut devices = items.iter().map(|item| self.device_in(item)).collect::<Result<Vec<_>, _>>()?;
        devices.sort_by(|a, b| (&a.device.name, a.device.id).cmp(&(&b.device.name, b.device.id)));
        Ok(devices)
    }

    pub(super) fn all_devices(&self) -> Result<Vec<Device>, Error> {
        Ok(self.stored_devices()?.into_iter().map(|stored| stored.device).collect())
    }

    pub(super) fn sharers_of(&self, ledger: Id) -> Result<Vec<Device>, Error> {
        let mut devices = self.all_devices()?;
        devices.retain(|device| device.ledger == Some(ledger) && device.state == State::Active);
        Ok(devices)
    }
}

//! Names: an item for each says which devices hold it, so that a device is found by two reads and no two get one name.

use super::DynamoDb;
use super::action::{Key, Write};
use super::value::{Item, text, text_in};
use crate::name::Name;
use crate::registry::{Device, Error, State};
use crate::vault::Id;

/// Which devices hold a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Holders {
    pub(super) active: Option<Id>,
    pub(super) pending: Option<Id>,
}

/// The same as it is stored, with what tells it from every other state of the item.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    pub(super) holders: Holders,
    tag: Option<String>,
}

/// Each name has a partition of its own: those who look for devices don't share one's capacity.
pub(super) fn key(name: &Name) -> Key {
    Key::new(format!("name:{name}"), "name")
}

impl Holders {
    /// Those of a name among devices.
    pub(super) fn among<'a>(name: &Name, devices: impl Iterator<Item = &'a Device>) -> Self {
        let mut holders = Self::default();
        for device in devices.filter(|device| device.name == *name) {
            match device.state {
                State::Active => holders.active = Some(device.id),
                State::Pending { .. } => holders.pending = Some(device.id),
                State::Trashed { .. } | State::Retired { .. } => {}
            }
        }
        holders
    }

    /// The devices.
    pub(super) fn ids(&self) -> impl Iterator<Item = Id> {
        self.active.into_iter().chain(self.pending)
    }
}

impl Stored {
    /// Has these devices hold the name, if nobody changed that since it was read.
    pub(super) fn replaced_by(&self, name: &Name, holders: &Holders) -> Write {
        let write = if *holders == Holders::default() {
            Write::delete(key(name))
        } else {
            let mut attributes = vec![("tag", text(Id::random()))];
            attributes.extend(holders.active.map(|id| ("active", text(id))));
            attributes.extend(holders.pending.map(|id| ("pending", text(id))));
            Write::put(&key(name), attributes)
        };
        match &self.tag {
            Some(tag) => write.only_if("#tag = :tag", vec![(":tag", text(tag))]),
            None => write.if_new(),
        }
    }
}

impl DynamoDb {
    /// Who holds a name.
    pub(super) fn holders_in(&self, name: &Name, item: Option<&Item>) -> Result<Stored, Error> {
        let Some(item) = item else { return Ok(Stored::default()) };
        let id = |field: &'static str| {
            let parsed = text_in(item, field).map(str::parse).transpose();
            parsed.map_err(|_| self.damaged("name", name.as_str(), field))
        };
        let holders = Holders { active: id("active")?, pending: id("pending")? };
        let tag = text_in(item, "tag").ok_or_else(|| self.damaged("name", name.as_str(), "tag"))?;
        Ok(Stored { holders, tag: Some(tag.to_owned()) })
    }
}

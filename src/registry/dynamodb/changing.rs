//! Changes of devices: one transaction for up to [`TOGETHER`] of them, with the names that they take and leave.
//!
//! A change is planned over what is read, and made only if that is still so: each device has a revision, each name a tag.
//! Else somebody was faster, and it is planned again. More devices than fit into one transaction are changed in several; where one of
//! those fails, the ones before it are undone.

use std::collections::{BTreeMap, BTreeSet};

use super::DynamoDb;
use super::action::{Key, Write};
use super::ask::MOST_ACTIONS;
use super::change::Change;
use super::client::{Pauses, Refusal};
use super::devices::{Stored, key};
use super::names::{self, Holders};
use super::value::number;
use crate::name::Name;
use crate::registry::{Device, Error, State, clash, names_clash};
use crate::vault::Id;

/// How many devices one transaction changes: each may leave a name and take another.
const TOGETHER: usize = MOST_ACTIONS / 3;

/// What is to be written, and the devices as they were.
struct Plan {
    writes: Vec<Write>,
    before: BTreeMap<Id, Stored>,
}

impl DynamoDb {
    /// Makes changes, in this order, all or none.
    pub(super) fn change_devices(&self, changes: &[Change]) -> Result<(), Error> {
        self.ready()?;
        let mut undo = Vec::new();
        if changes.len() > TOGETHER {
            // Most of what can go wrong is seen before anything is written.
            self.plan(changes)?;
        }
        for some in changes.chunks(TOGETHER) {
            match self.change_together(some) {
                Ok(before) => undo.extend(some.iter().filter_map(|change| undone(change, &before))),
                Err(error) => {
                    if let Error::Unknown { .. } = error {
                        // What was to be added may be there.
                        let added = some.iter().filter(|change| matches!(change, Change::Insert(_)));
                        undo.extend(added.filter_map(|change| undone(change, &BTreeMap::new())));
                    }
                    undo.reverse();
                    for some in undo.chunks(TOGETHER) {
                        if self.change_together(some).is_err() {
                            break;
                        }
                    }
                    return Err(error);
                }
            }
        }
        if !changes.is_empty() {
            self.tick("devices");
        }
        Ok(())
    }

    fn change_together(&self, changes: &[Change]) -> Result<BTreeMap<Id, Stored>, Error> {
        let mut pauses = Pauses::new(&self.client);
        loop {
            let plan = self.plan(changes)?;
            if plan.writes.is_empty() {
                return Ok(plan.before);
            }
            match self.client.transact(&plan.writes) {
                Ok(()) => return Ok(plan.before),
                Err(Refusal::Cancelled(_)) => {}
                Err(refusal) => return Err(refusal.into_error(&self.client.place)),
            }
            let place = self.client.place.clone();
            let busy = Error::Engine { place, reason: "others change the same devices".to_owned() };
            if !pauses.pause(&busy) {
                return Err(busy);
            }
        }
    }

    /// What becomes of devices and names.
    fn plan(&self, changes: &[Change]) -> Result<Plan, Error> {
        let ids: Vec<Id> = changes.iter().map(Change::id).collect();
        let before = self.devices_of(&ids)?;
        let old = before.values().map(|stored| &stored.device);
        let names: BTreeSet<&Name> = old
            .chain(changes.iter().filter_map(Change::device))
            .filter(|device| holds(device))
            .map(|d| &d.name)
            .collect();
        let keys: Vec<Key> = names.iter().map(|name| names::key(name)).collect();
        let items = if keys.is_empty() { Vec::new() } else { self.client.get_all(&keys)? };
        let holders = names.iter().zip(&items).map(|(name, item)| self.holders_in(name, item.as_ref()));
        let holders = holders.collect::<Result<Vec<_>, _>>()?;
        let others: Vec<Id> =
            holders.iter().flat_map(|stored| stored.holders.ids()).filter(|id| !before.contains_key(id)).collect();
        let others = self.devices_of(&others)?;
        let all = before.iter().chain(&others);
        let mut known: BTreeMap<Id, Device> = all.map(|(id, stored)| (*id, stored.device.clone())).collect();
        for change in changes {
            apply(change, &mut known)?;
        }
        let mut writes = Vec::new();
        let distinct: BTreeSet<Id> = ids.into_iter().collect();
        for id in distinct {
            writes.extend(self.write_of(id, before.get(&id), known.get(&id))?);
        }
        for (name, stored) in names.iter().zip(&holders) {
            let after = Holders::among(name, known.values());
            if after != stored.holders {
                writes.push(stored.replaced_by(name, &after));
            }
        }
        Ok(Plan { writes, before })
    }

    fn write_of(&self, id: Id, before: Option<&Stored>, after: Option<&Device>) -> Result<Option<Write>, Error> {
        let as_read = |write: Write, stored: &Stored| {
            write.only_if("#revision = :before", vec![(":before", number(stored.device.revision))])
        };
        Ok(match (before, after) {
            (None, None) => None,
            (None, Some(device)) => Some(Write::put(&key(id), self.attributes(device)?).if_new()),
            (Some(stored), None) => Some(as_read(Write::delete(key(id)), stored)),
            (Some(stored), Some(device)) => {
                // The ledger is left alone.
                let values = self.attributes(device)?.into_iter();
                let values =
                    values.map(|(name, value)| (if name == "record" { ":record" } else { ":revision" }, value));
                let update = Write::update(key(id), "SET #record = :record, #revision = :revision", values.collect());
                Some(as_read(update, stored))
            }
        })
    }
}

/// Makes a change among devices, by the rules that all registries have.
fn apply(change: &Change, known: &mut BTreeMap<Id, Device>) -> Result<(), Error> {
    let Some(device) = change.device() else {
        known.remove(&change.id());
        return Ok(());
    };
    if let Some(old) = known.values().find(|old| names_clash(device, old)) {
        return Err(clash(old));
    }
    let conflict = || Error::Conflict(device.name.clone());
    let new = match (change, known.get(&device.id)) {
        (Change::Insert(_), None) => Device { ledger: None, ..device.clone() },
        (Change::Update(_), Some(old)) if old.revision == device.revision => {
            Device { ledger: old.ledger, revision: old.revision.saturating_add(1), ..device.clone() }
        }
        _ => return Err(conflict()),
    };
    known.insert(device.id, new);
    Ok(())
}

/// What undoes a change; nothing for a removal, which is never undone.
fn undone(change: &Change, before: &BTreeMap<Id, Stored>) -> Option<Change> {
    match change {
        Change::Insert(device) => Some(Change::Remove(device.id)),
        Change::Update(device) => before.get(&device.id).map(|stored| {
            Change::Update(Device { revision: device.revision.saturating_add(1), ..stored.device.clone() })
        }),
        Change::Remove(_) => None,
    }
}

/// Whether a device holds its name.
const fn holds(device: &Device) -> bool {
    matches!(device.state, State::Active | State::Pending { .. })
}

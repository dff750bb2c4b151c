//! Bringing a backup into a home.
//!
//! First everything is looked up and nothing changed. Then what was handed out is united with what is known here, before
//! any device can give a code. Then the devices come in, as by [`Devices::add`].

use std::collections::{BTreeMap, BTreeSet};

use super::{Backup, Kept};
use crate::device::ledger::fingerprint;
use crate::device::trash::KEPT;
use crate::device::{Devices, Error, lease};
use crate::name::Name;
use crate::oath::{MovingFactor, Parameters};
use crate::provision::Enrolment;
use crate::registry::{self, Device, State};
use crate::time::Timestamp;
use crate::vault::Id;

/// What becomes of a device of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It comes in, or back into the trash.
    Restored,
    /// It is here already.
    Here,
    /// It was in the trash, and its time there is over.
    Expired,
}

/// A device of a backup, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its name in the backup.
    pub old_name: Name,
    /// Its name here: another one, where a different device has it.
    pub name: Name,
    /// Since when it is in the trash.
    pub removed: Option<Timestamp>,
    /// What becomes of it.
    pub fate: Fate,
    /// The one that is here.
    here: Option<Device>,
}

/// The names of a home, and what has them.
struct Names<'a> {
    devices: BTreeMap<&'a Name, Vec<&'a Device>>,
    /// Those that devices in use have, or will have.
    taken: BTreeSet<Name>,
    /// Those that somebody is adding.
    pending: BTreeMap<&'a Name, Timestamp>,
}

impl Devices<'_> {
    /// Finds out what becomes of each device of a backup, in its order. Nothing is changed.
    ///
    /// A device that is here, with the same name, secret and parameters, stays as it is. Where another device has the name,
    /// the backup's becomes `restored/NAME`.
    ///
    /// # Errors
    ///
    /// [`registry::Error::NameTaken`] where that name is taken, too, or too long; [`registry::Error::Busy`] where another
    /// process is adding a name, or was interrupted; and those of vault and registry.
    pub fn plan(&self, backup: &Backup, now: Timestamp) -> Result<Vec<Planned>, Error> {
        let all = self.registry.list()?;
        let mut names = Names { devices: BTreeMap::new(), taken: BTreeSet::new(), pending: BTreeMap::new() };
        for device in &all {
            names.devices.entry(&device.name).or_default().push(device);
            match device.state {
                State::Active => drop(names.taken.insert(device.name.clone())),
                State::Pending { until, .. } => drop(names.pending.insert(&device.name, until)),
                State::Trashed { .. } | State::Retired { .. } => {}
            }
        }
        backup.devices.iter().map(|kept| self.planned(kept, &mut names, now)).collect()
    }

    fn planned(&self, kept: &Kept, names: &mut Names<'_>, now: Timestamp) -> Result<Planned, Error> {
        let enrolment = kept.enrolment()?;
        let removed = kept.removed.map(Timestamp::from_unix);
        let plan =
            |name: &Name, fate, here| Planned { old_name: kept.name.clone(), name: name.clone(), removed, fate, here };
        let same = |name: &Name| self.same(&enrolment, removed.is_some(), names.devices.get(name));
        if let Some(here) = same(&kept.name)? {
            return Ok(plan(&kept.name, Fate::Here, Some(here)));
        }
        if removed.is_some_and(|since| since.plus(KEPT).is_none_or(|until| until < now)) {
            return Ok(plan(&kept.name, Fate::Expired, None));
        }
        if let Some(until) = names.pending.get(&kept.name) {
            return Err(registry::Error::Busy { name: kept.name.clone(), until: *until }.into());
        }
        // In the trash, names are nobody's.
        if removed.is_some() || !names.taken.contains(&kept.name) {
            names.taken.extend(removed.is_none().then(|| kept.name.clone()));
            return Ok(plan(&kept.name, Fate::Restored, None));
        }
        let other = format!("restored/{}", kept.name).parse();
        let other: Name = other.map_err(|_| registry::Error::NameTaken(kept.name.clone()))?;
        if let Some(here) = same(&other)? {
            return Ok(plan(&other, Fate::Here, Some(here)));
        }
        if !names.taken.insert(other.clone()) {
            return Err(registry::Error::NameTaken(other).into());
        }
        Ok(plan(&other, Fate::Restored, None))
    }

    /// The one of some devices that makes the same codes; its counter may be another. One in the trash counts only where
    /// `trashed`.
    fn same(
        &self,
        enrolment: &Enrolment,
        trashed: bool,
        devices: Option<&Vec<&Device>>,
    ) -> Result<Option<Device>, Error> {
        for device in devices.into_iter().flatten().filter(|device| device.vault == self.vault.kind()) {
            match device.state {
                State::Active => {}
                State::Trashed { .. } if trashed => {}
                _ => continue,
            }
            let known = self.enrolment(device)?;
            if known.secret == enrolment.secret && alike(known.parameters, enrolment.parameters) {
                return Ok(Some((*device).clone()));
            }
        }
        Ok(None)
    }

    /// Brings in what was planned: all or none of those in use. What the backup says was handed out counts as handed out
    /// here before any device gives a code, and stays so if this fails.
    ///
    /// # Errors
    ///
    /// As for [`Devices::add`]: nothing is left behind, or what is left is cleared by the next change.
    pub fn bring_back(&self, backup: &Backup, planned: &[Planned], now: Timestamp) -> Result<(), Error> {
        let (batch, until) = (Id::random(), lease(now));
        let (mut incoming, mut enrolments) = (Vec::new(), Vec::new());
        let mut since: BTreeMap<Id, Timestamp> = BTreeMap::new();
        let mut ledgers: Vec<(Id, Option<Id>, Enrolment, &str)> = Vec::new();
        for (kept, plan) in backup.devices.iter().zip(planned) {
            let enrolment = kept.enrolment()?;
            let (id, ledger) = match (plan.fate, &plan.here) {
                (Fate::Here, Some(here)) => (here.id, here.ledger),
                (Fate::Restored, _) => {
                    // Should this be interrupted, what was in the trash is taken back.
                    let state = match plan.removed {
                        Some(_) => State::Retired { until },
                        None => State::Pending { batch, replaces: None, until },
                    };
                    let device = self.record_of(kept, &enrolment, (&plan.name, state));
                    let id = device.id;
                    since.extend(plan.removed.map(|since| (id, since)));
                    enrolments.push((plan.name.clone(), enrolment.clone()));
                    incoming.push(device);
                    (id, None)
                }
                _ => continue,
            };
            ledgers.extend(kept.ledger.as_deref().map(|key| (id, ledger, enrolment, key)));
        }
        self.registry.insert(&incoming)?;
        if let Err(error) = self.unite(backup, &ledgers) {
            let _ = self.forget(&incoming);
            return Err(error);
        }
        self.store(&incoming, &enrolments)?;
        let (mut trashed, used): (Vec<Device>, Vec<Device>) =
            incoming.into_iter().partition(|device| since.contains_key(&device.id));
        self.activate(&used, &[], now)?;
        for device in &mut trashed {
            if let Some(since) = since.get(&device.id) {
                device.state = State::Trashed { since: *since };
            }
        }
        self.registry.update(&trashed)?;
        self.label_trashed(&trashed);
        Ok(())
    }

    fn record_of(&self, kept: &Kept, enrolment: &Enrolment, (name, state): (&Name, State)) -> Device {
        Device {
            id: Id::random(),
            name: name.clone(),
            issuer: enrolment.issuer.clone(),
            account: enrolment.account.clone(),
            parameters: enrolment.parameters,
            serial: kept.serial_number.clone(),
            note: kept.note.clone(),
            vault: self.vault.kind(),
            created: Timestamp::from_unix(kept.created),
            state,
            drift: kept.drift(),
            ledger: None,
            revision: 0,
        }
    }

    /// Has the ledgers of devices know what those of the backup do.
    fn unite(&self, backup: &Backup, ledgers: &[(Id, Option<Id>, Enrolment, &str)]) -> Result<(), Error> {
        if ledgers.is_empty() {
            return Ok(());
        }
        let own_key = self.own_key()?;
        let mut done = BTreeSet::new();
        for (device, ledger, enrolment, key) in ledgers {
            let Some(kept) = backup.ledgers.get(*key) else { continue };
            let ledger = match ledger {
                Some(ledger) => *ledger,
                None => self.registry.join(*device, &fingerprint(own_key.as_bytes(), enrolment))?,
            };
            if done.insert((ledger, key)) {
                self.registry.unite(ledger, &kept.history()?)?;
            }
        }
        Ok(())
    }
}

/// Whether two make the same codes of one secret.
fn alike(one: Parameters, other: Parameters) -> bool {
    let factor = match (one.factor, other.factor) {
        (MovingFactor::Time { period: one }, MovingFactor::Time { period: other }) => one == other,
        (MovingFactor::Counter { .. }, MovingFactor::Counter { .. }) => true,
        _ => false,
    };
    factor && (one.algorithm, one.digits) == (other.algorithm, other.digits)
}

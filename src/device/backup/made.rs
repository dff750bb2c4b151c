//! Making a backup.

use std::collections::BTreeMap;

use super::{Backup, Kept, KeptLedger};
use crate::device::ledger::FAR;
use crate::device::{Devices, Error, trash};
use crate::provision::uri;
use crate::registry::{Device, Registry};
use crate::time::Step;
use crate::vault::Id;

impl Devices<'_> {
    /// Adds devices whose secrets are all in this vault to a backup. [`Backup::add_ledgers`] follows, once all are in it.
    ///
    /// # Errors
    ///
    /// Those of vault and registry; the secret of every device has to be there.
    pub fn back_up(&self, devices: &[&Device], backup: &mut Backup) -> Result<(), Error> {
        for (device, enrolment) in devices.iter().zip(self.enrolments(devices)) {
            let enrolment = enrolment?;
            let drift = device.drift;
            backup.devices.push(Kept {
                name: device.name.clone(),
                uri: uri::format(&enrolment),
                serial_number: device.serial.clone(),
                note: device.note.clone(),
                created: device.created.as_unix(),
                removed: trash::removed(device).map(|since| since.as_unix()),
                drift: (drift != crate::time::Drift::default()).then_some((drift.seconds, drift.ppm, drift.since)),
                ledger: None,
            });
        }
        Ok(())
    }
}

impl Backup {
    /// Adds what was handed out for its devices, which are `devices` in order; after all secrets were read, so that nothing
    /// that was given by then is missing.
    ///
    /// # Errors
    ///
    /// Those of the registry.
    pub fn add_ledgers(&mut self, registry: &dyn Registry, devices: &[&Device]) -> Result<(), Error> {
        // Codes may have been the first ones meanwhile.
        let known: BTreeMap<Id, Option<Id>> =
            registry.list()?.into_iter().map(|device| (device.id, device.ledger)).collect();
        let last_uses = registry.last_uses()?;
        for (kept, device) in self.devices.iter_mut().zip(devices) {
            let Some(id) = known.get(&device.id).copied().flatten() else { continue };
            let key = id.to_string();
            kept.ledger = Some(key.clone());
            if self.ledgers.contains_key(&key) {
                continue;
            }
            let ledger = registry.ledger(id)?;
            let taken = registry.claimed(id, Step::new(0), FAR)?;
            let kept = KeptLedger {
                taken: taken.into_iter().map(Step::value).collect(),
                runs: ledger.forgotten.to_string(),
                last_pair: ledger.last_pair.map(|pair| pair.second.value()),
                counter: ledger.counter,
                verified: ledger.relying_party,
                changed: last_uses.get(&id).map_or(ledger.changed, |last| ledger.changed.max(*last)).as_unix(),
            };
            self.ledgers.insert(key, kept);
        }
        Ok(())
    }
}

//! What interrupted changes left: finished or undone; and what has been in the trash for long enough.

use super::{Devices, Error, LEASE, trash};
use crate::registry::{Device, State};
use crate::time::Timestamp;
use crate::vault::Id;

impl Devices<'_> {
    /// Finishes what interrupted changes left: an `add` whose secrets are all stored is completed, any
    /// other is undone; a removal is completed. What has been in the trash for its time is deleted. Only what has
    /// overrun its time is touched, and only what lies in this vault. Secrets are not read.
    ///
    /// # Errors
    ///
    /// The first of vault and registry; what it doesn't concern is finished all the same.
    pub fn recover(&self, now: Timestamp) -> Result<(), Error> {
        let mut outcome = self.registry.sweep(now).map_err(Error::from);
        let devices = self.registry.list()?;
        let overdue: Vec<&Device> =
            devices.iter().filter(|device| device.vault == self.vault.kind() && is_overdue(device, now)).collect();
        let mut batches: Vec<Id> = Vec::new();
        for device in &overdue {
            match device.state {
                State::Pending { batch, .. } if !batches.contains(&batch) => batches.push(batch),
                State::Retired { .. } => outcome = outcome.and(self.drop_secrets(std::slice::from_ref(device))),
                State::Trashed { .. } => outcome = outcome.and(self.delete(device, now)),
                State::Pending { .. } | State::Active => {}
            }
        }
        for batch in batches {
            let of_batch = |device: &&&Device| matches!(device.state, State::Pending { batch: b, .. } if b == batch);
            let pending: Vec<Device> = overdue.iter().filter(of_batch).map(|device| (*device).clone()).collect();
            outcome = outcome.and(self.finish(&pending, &devices, now));
        }
        outcome
    }

    /// Finishes or undoes at once what [`Self::add_as`] left of a batch. The caller knows that the process that added it has ended:
    /// all who use the batch do so under one lock.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn settle(&self, batch: Id, now: Timestamp) -> Result<(), Error> {
        let devices = self.registry.list()?;
        let of_batch = |device: &&Device| matches!(device.state, State::Pending { batch: b, .. } if b == batch);
        let pending: Vec<Device> = devices.iter().filter(of_batch).cloned().collect();
        if let Some(elsewhere) = pending.iter().find(|device| device.vault != self.vault.kind()) {
            return Err(self.other_vault(elsewhere));
        }
        if pending.is_empty() { Ok(()) } else { self.finish(&pending, &devices, now) }
    }

    /// Completes or undoes one interrupted `add`.
    fn finish(&self, pending: &[Device], all: &[Device], now: Timestamp) -> Result<(), Error> {
        for device in pending {
            if !self.vault.holds(device.id)? {
                return self.drop_secrets(pending);
            }
        }
        let replaced = |old: &&Device| old.state == State::Active && pending.iter().any(|new| replaces(new, old));
        let replaced: Vec<Device> = all.iter().filter(replaced).cloned().collect();
        self.activate(pending, &replaced, now)?;
        self.label_trashed(&replaced);
        Ok(())
    }
}

fn replaces(new: &Device, old: &Device) -> bool {
    matches!(new.state, State::Pending { replaces: Some(id), .. } if id == old.id)
}

/// Whether the time to change a device is over, or that to keep it in the trash. A time far ahead was written by a clock
/// that was wrong; one that was set back a little is no reason to disturb anybody. In the trash, it keeps the secret.
fn is_overdue(device: &Device, now: Timestamp) -> bool {
    match device.state {
        State::Active => false,
        State::Trashed { .. } => trash::kept_until(device).is_some_and(|until| until < now),
        State::Pending { until, .. } | State::Retired { until } => {
            until < now || now.shifted(LEASE.saturating_mul(10)).is_some_and(|far| until > far)
        }
    }
}

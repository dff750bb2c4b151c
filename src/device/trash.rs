//! The trash: devices that were removed, whose secrets are kept for a while.
//!
//! A device in the trash has its record, its ledger and its secret, and gives no codes. Its name is free. Only the record
//! changes on the way in and out, so that an interruption leaves the device on one side or the other.

use super::{Devices, Error};
use crate::name::{self, Name};
use crate::registry::{Device, Registry, State};
use crate::time::Timestamp;
use crate::vault::{self, Label};

/// How many seconds a secret is kept: 30 days.
pub const KEPT: u64 = 30 * 24 * 60 * 60;

/// The fewest characters of an id that stand for it.
const LEAST_OF_ID: usize = 8;

/// What is in the trash, the last removed first.
///
/// # Errors
///
/// Those of the registry.
pub fn list(registry: &dyn Registry) -> Result<Vec<Device>, Error> {
    let mut devices = registry.list()?;
    devices.retain(|device| removed(device).is_some());
    devices.sort_by_key(|device| std::cmp::Reverse(removed(device)));
    Ok(devices)
}

/// When a device in the trash was removed.
#[must_use]
pub const fn removed(device: &Device) -> Option<Timestamp> {
    match device.state {
        State::Trashed { since } => Some(since),
        State::Pending { .. } | State::Active | State::Retired { .. } => None,
    }
}

/// Until when a device in the trash is kept. The next change after that deletes it.
#[must_use]
pub fn kept_until(device: &Device) -> Option<Timestamp> {
    removed(device).map(|since| since.plus(KEPT).unwrap_or(since))
}

/// The devices in the trash of a name, the last removed first; or the one of an id, of which eight characters are enough.
///
/// # Errors
///
/// [`Error::NotTrashed`] where there is none, with a name that is near where there is one.
pub fn find(registry: &dyn Registry, wanted: &str) -> Result<Vec<Device>, Error> {
    let devices = list(registry)?;
    let by_name = |device: &&Device| device.name.as_str() == wanted;
    let by_id = |device: &&Device| wanted.len() >= LEAST_OF_ID && device.id.to_string().starts_with(wanted);
    let named: Vec<Device> = devices.iter().filter(by_name).cloned().collect();
    let found = if named.is_empty() { devices.iter().filter(by_id).cloned().collect() } else { named };
    if !found.is_empty() {
        return Ok(found);
    }
    let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    let nearest = name::meant(wanted, &names).map(str::to_owned);
    Err(Error::NotTrashed { name: wanted.to_owned(), nearest, any: !devices.is_empty() })
}

impl Devices<'_> {
    /// Moves an active device to the trash. What can be had again, such as sessions, is deleted.
    ///
    /// # Errors
    ///
    /// [`Error::OtherVault`], and those of the registry.
    pub fn trash(&self, device: &Device, now: Timestamp) -> Result<Device, Error> {
        if device.vault != self.vault.kind() {
            return Err(self.other_vault(device));
        }
        let mut trashed = device.clone();
        trashed.state = State::Trashed { since: now };
        self.registry.update(std::slice::from_ref(&trashed))?;
        trashed.revision = device.revision.saturating_add(1);
        self.label_trashed(std::slice::from_ref(&trashed));
        let _ = self.recover(now);
        Ok(trashed)
    }

    /// Takes a device out of the trash, under a name. The second result tells whether the label that people see in their
    /// keyring's own program followed.
    ///
    /// # Errors
    ///
    /// [`vault::Error::NotThere`] where the vault hasn't got its secret any more;
    /// [`registry::Error::NameTaken`](crate::registry::Error::NameTaken); and those of vault and registry.
    pub fn restore(&self, device: &Device, name: &Name) -> Result<(Device, Result<(), vault::Error>), Error> {
        if device.vault != self.vault.kind() {
            return Err(self.other_vault(device));
        }
        if !self.vault.holds(device.id)? {
            return Err(vault::Error::NotThere { kind: device.vault, id: device.id }.into());
        }
        let mut restored = device.clone();
        restored.state = State::Active;
        restored.name = name.clone();
        self.registry.update(std::slice::from_ref(&restored))?;
        restored.revision = device.revision.saturating_add(1);
        let label = self.vault.relabel(device.id, Label::Device(name));
        Ok((restored, label))
    }

    /// What goes with being in the trash, and is no reason to fail: a label that says so, and nothing kept that can be had
    /// again.
    pub(super) fn label_trashed(&self, devices: &[Device]) {
        for device in devices {
            self.delete_companion(device);
            let _ = self.vault.relabel(device.id, Label::Trashed(&device.name));
        }
    }
}

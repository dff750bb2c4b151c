//! The lifecycle of devices over one vault and one registry.
//!
//! Secret and record live in two places, so every change has an order in which an interruption, by
//! kill -9 or a power cut, loses nothing and leaves nothing half done: a device is written down as
//! pending, its secret is stored, it becomes active; it is retired, its secret is deleted, it is
//! forgotten. Between the two it may lie in the trash, where only its record changes. What an interruption leaves is finished or undone by the next change
//! ([`Devices::recover`]).

pub mod accept;
pub mod backup;
mod clock;
pub mod drift;
mod edit;
mod error;
pub mod fleet;
pub mod issue;
mod lease;
mod ledger;
pub mod pair;
mod recovery;
pub mod trash;

use crate::name::{self, Name};
use crate::oath::{MovingFactor, Parameters};
use crate::provision::{self, Enrolment, uri};
use crate::registry::{self, Device, Registry, State};
use crate::threads;
use crate::time::{Drift, Timestamp};
use crate::vault::{self, Id, Item, Label, Vault};
pub use error::Error;

/// How many seconds adding or removing may take, prompts included, before other processes may clear up.
pub const LEASE: i64 = 120;

/// The most threads that secrets are read by.
const MOST_THREADS: usize = 8;

/// Devices, their secrets in one vault.
#[derive(Debug, Clone, Copy)]
pub struct Devices<'a> {
    /// Where secrets live.
    pub vault: &'a dyn Vault,
    /// Where everything else lives.
    pub registry: &'a dyn Registry,
}

/// The active device of this very name.
///
/// # Errors
///
/// [`Error::NoSuchDevice`], with a name that is near where there is one; it says whether the device is in the trash.
pub fn find(registry: &dyn Registry, wanted: &str) -> Result<Device, Error> {
    let found = match wanted.parse() {
        Ok(name) => registry.find(&name)?,
        Err(_) => None,
    };
    if let Some(device) = found {
        return Ok(device);
    }
    let all = registry.list()?;
    let in_trash = |device: &Device| device.name.as_str() == wanted && matches!(device.state, State::Trashed { .. });
    let in_trash = all.iter().any(in_trash);
    find_among(only_active(all), wanted).map_err(|error| match error {
        Error::NoSuchDevice { name, nearest, any, .. } => Error::NoSuchDevice { name, nearest, any, trashed: in_trash },
        error => error,
    })
}

/// The same among some devices, as if there were no others.
pub(crate) fn find_among(devices: Vec<Device>, wanted: &str) -> Result<Device, Error> {
    if let Some(device) = devices.iter().find(|device| device.name.as_str() == wanted) {
        return Ok(device.clone());
    }
    let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    let by_serial =
        devices.iter().find(|device| device.serial.as_deref() == Some(wanted)).map(|device| device.name.as_str());
    // `arn:aws:iam::123456789012:user/alice`: by its last part.
    let last = wanted.starts_with("arn:").then(|| wanted.rsplit('/').next()).flatten();
    let by_name = || name::meant(wanted, &names).or_else(|| name::meant(last?, &names));
    let nearest = by_serial.or_else(by_name).map(str::to_owned);
    Err(Error::NoSuchDevice { name: wanted.to_owned(), nearest, any: !devices.is_empty(), trashed: false })
}

/// All active devices, by name.
///
/// # Errors
///
/// Those of the registry.
pub fn active(registry: &dyn Registry) -> Result<Vec<Device>, Error> {
    Ok(only_active(registry.list()?))
}

fn only_active(mut devices: Vec<Device>) -> Vec<Device> {
    devices.retain(|device| device.state == State::Active);
    devices
}

impl Devices<'_> {
    /// Adds devices: all or none. With `replace`, a device takes the place of an active one of its
    /// name, which goes to the trash once the new one is safe.
    ///
    /// # Errors
    ///
    /// [`registry::Error::NameTaken`] without `replace`, [`registry::Error::Busy`] where another
    /// process is adding the name, and those of vault and registry. Nothing is left behind, or what
    /// is left is cleared by the next change.
    pub fn add(&self, new: &[(Name, Enrolment)], replace: bool, now: Timestamp) -> Result<Vec<Device>, Error> {
        self.add_as(Id::random(), new, replace, now)
    }

    /// The same under a batch that the caller names and finds again by [`Self::settle`].
    ///
    /// # Errors
    ///
    /// As for [`Self::add`].
    pub fn add_as(
        &self,
        batch: Id,
        new: &[(Name, Enrolment)],
        replace: bool,
        now: Timestamp,
    ) -> Result<Vec<Device>, Error> {
        // What can't be cleared up now stands in nobody's way but its own name's, which `insert` tells.
        let _ = self.recover(now);
        let until = lease(now);
        let mut devices = Vec::with_capacity(new.len());
        let mut replaced = Vec::new();
        for (name, enrolment) in new {
            let old = if replace { self.registry.find(name)? } else { None };
            devices.push(Device {
                id: Id::random(),
                name: name.clone(),
                issuer: enrolment.issuer.clone(),
                account: enrolment.account.clone(),
                parameters: enrolment.parameters,
                serial: enrolment.serial.clone(),
                note: None,
                vault: self.vault.kind(),
                created: now,
                state: State::Pending { batch, replaces: old.as_ref().map(|old| old.id), until },
                drift: Drift::default(),
                ledger: None,
                revision: 0,
            });
            replaced.extend(old);
        }
        if let Some(old) = replaced.iter().find(|old| old.vault != self.vault.kind()) {
            return Err(self.other_vault(old));
        }
        self.take_in(devices, new, &replaced, now)
    }

    /// Takes in pending devices with what they were enrolled with, all or none, in place of others.
    fn take_in(
        &self,
        mut devices: Vec<Device>,
        new: &[(Name, Enrolment)],
        replaced: &[Device],
        now: Timestamp,
    ) -> Result<Vec<Device>, Error> {
        self.registry.insert(&devices)?;
        self.store(&devices, new)?;
        self.activate(&devices, replaced, now)?;
        self.label_trashed(replaced);
        for device in &mut devices {
            device.state = State::Active;
            device.revision = 1;
        }
        Ok(devices)
    }

    /// What the vault holds of a device: the enrolment, its issuer, account, counter and serial number as the registry
    /// has them.
    ///
    /// # Errors
    ///
    /// [`Error::OtherVault`], [`Error::Stored`], and those of the vault.
    pub fn enrolment(&self, device: &Device) -> Result<Enrolment, Error> {
        let mut enrolment = self.stored(device)?;
        enrolment.issuer.clone_from(&device.issuer);
        enrolment.account.clone_from(&device.account);
        if let MovingFactor::Counter { .. } = device.parameters.factor {
            enrolment.parameters.factor = device.parameters.factor;
        }
        Ok(enrolment)
    }

    /// The same of many devices, in order. What has to be decrypted is by several threads; a keyring is asked for one after
    /// the other.
    pub fn enrolments(&self, devices: &[&Device]) -> Vec<Result<Enrolment, Error>> {
        let threads = if self.vault.kind().has_recipients() { MOST_THREADS } else { 1 };
        // The first one alone: it may be what a passphrase is asked for.
        let (first, rest) = devices.split_at(devices.len().min(1));
        let mut enrolments: Vec<_> = first.iter().map(|device| self.enrolment(device)).collect();
        enrolments.extend(threads::map(rest, threads, |device| self.enrolment(device)));
        enrolments
    }

    /// The same with the counter as it was when the device was added.
    ///
    /// # Errors
    ///
    /// As for [`Self::enrolment`].
    pub fn stored(&self, device: &Device) -> Result<Enrolment, Error> {
        if device.vault != self.vault.kind() {
            return Err(self.other_vault(device));
        }
        let unreadable = |source| Error::Stored { name: device.name.clone(), vault: self.vault.kind(), source };
        let uri = self.vault.get(device.id)?;
        let found = uri::parse(&uri).map_err(unreadable)?;
        let mut enrolment = found.enrolments.into_iter().next().ok_or_else(|| unreadable(provision::Error::Empty))?;
        let expected = match enrolment.parameters.factor {
            MovingFactor::Counter { .. } if matches!(device.parameters.factor, MovingFactor::Counter { .. }) => {
                Parameters { factor: enrolment.parameters.factor, ..device.parameters }
            }
            _ => device.parameters,
        };
        if enrolment.parameters != expected {
            return Err(Error::Changed { name: device.name.clone(), vault: self.vault.kind() });
        }
        enrolment.serial.clone_from(&device.serial);
        Ok(enrolment)
    }

    /// Gives a device a new name. The secret is not touched. The second result tells whether the name
    /// that people see in their keyring's own program followed.
    ///
    /// # Errors
    ///
    /// [`registry::Error::NameTaken`], and those of the registry.
    pub fn rename(&self, device: &Device, name: &Name) -> Result<(Device, Result<(), vault::Error>), Error> {
        if device.vault != self.vault.kind() {
            return Err(self.other_vault(device));
        }
        let mut renamed = device.clone();
        renamed.name = name.clone();
        self.registry.update(std::slice::from_ref(&renamed))?;
        renamed.revision = device.revision.saturating_add(1);
        let label = self.vault.relabel(device.id, Label::Device(name));
        Ok((renamed, label))
    }

    /// Removes a device, active or in the trash, and deletes its secret. Where the vault keeps the secret, the device
    /// stays as it was. [`Self::trash`] keeps the secret for a while.
    ///
    /// # Errors
    ///
    /// [`Error::OtherVault`]; [`Error::NotDeletedYet`] where the vault didn't tell what became of the secret: the
    /// deletion is finished by a later change; and those of vault and registry.
    pub fn remove(&self, device: &Device, now: Timestamp) -> Result<(), Error> {
        self.delete(device, now)?;
        let _ = self.recover(now);
        Ok(())
    }

    fn delete(&self, device: &Device, now: Timestamp) -> Result<(), Error> {
        if device.vault != self.vault.kind() {
            return Err(self.other_vault(device));
        }
        let mut retired = device.clone();
        retired.state = State::Retired { until: lease(now) };
        self.registry.update(std::slice::from_ref(&retired))?;
        retired.revision = device.revision.saturating_add(1);
        self.delete_companion(device);
        if let Err(error) = self.vault.delete(device.id)
            && !matches!(error, vault::Error::NotThere { .. })
        {
            let kept = if error.changed_nothing() { Ok(true) } else { self.vault.holds(device.id) };
            return match kept {
                Ok(true) => {
                    retired.state = device.state;
                    self.registry.update(std::slice::from_ref(&retired))?;
                    Err(error.into())
                }
                Ok(false) => self.forget(&[retired]),
                Err(_) => Err(Error::NotDeletedYet { name: device.name.clone(), source: error }),
            };
        }
        self.forget(&[retired])
    }

    /// Stores the secrets of pending devices; where one fails, takes back what was stored. What can't be
    /// taken back now is left to [`Self::recover`].
    fn store(&self, devices: &[Device], new: &[(Name, Enrolment)]) -> Result<(), Error> {
        let item = |device: &Device, enrolment: &Enrolment| Item {
            name: device.name.clone(),
            issuer: device.issuer.clone(),
            account: device.account.clone(),
            secret: uri::format(enrolment),
        };
        let items: Vec<_> =
            devices.iter().zip(new).map(|(device, (_, enrolment))| (device.id, item(device, enrolment))).collect();
        if let Err((stored, error)) = self.vault.put_all(&items) {
            let perhaps_stored = stored.saturating_add(usize::from(!error.changed_nothing()));
            let taken_back = self.delete_secrets(devices.get(..perhaps_stored).unwrap_or(devices));
            if taken_back.is_ok() {
                let _ = self.forget(devices);
            }
            return Err(error.into());
        }
        Ok(())
    }

    /// Activates pending devices and moves those that they replace to the trash, in one step. An `add` that took longer
    /// than its time may have been finished or undone by others meanwhile: then that is the outcome. One that
    /// fails is taken back, so that it doesn't come true later.
    fn activate(&self, devices: &[Device], replaced: &[Device], now: Timestamp) -> Result<(), Error> {
        let mut replaced = replaced.to_vec();
        let mut attempts = 10_u8;
        loop {
            attempts = attempts.saturating_sub(1);
            let trashed = replaced.iter().cloned().map(|mut old| {
                old.state = State::Trashed { since: now };
                old
            });
            let active = devices.iter().cloned().map(|mut device| {
                device.state = State::Active;
                device
            });
            let changes: Vec<Device> = trashed.chain(active).collect();
            let Err(error) = self.registry.update(&changes) else { return Ok(()) };
            let stored = self.registry.list()?;
            let same = |known: &Device| stored.iter().find(|device| device.id == known.id);
            let states: Vec<Option<State>> = devices.iter().map(|device| same(device).map(|d| d.state)).collect();
            if states.iter().all(|state| *state == Some(State::Active)) {
                return Ok(());
            }
            let others_undid_it = states.contains(&None);
            if attempts == 0 || others_undid_it || !matches!(error, registry::Error::Conflict(_)) {
                self.drop_secrets(devices)?;
                return Err(error.into());
            }
            // The replaced device was changed: its counter moved, or somebody renamed or removed it.
            replaced = replaced.iter().filter_map(same).filter(|old| old.state == State::Active).cloned().collect();
        }
    }

    /// Deletes secrets, then forgets the devices; secrets that are gone already are no error.
    fn drop_secrets(&self, devices: &[Device]) -> Result<(), Error> {
        self.delete_secrets(devices)?;
        self.forget(devices)
    }

    fn delete_secrets(&self, devices: &[Device]) -> Result<(), Error> {
        for device in devices {
            self.delete_companion(device);
            match self.vault.delete(device.id) {
                Ok(()) | Err(vault::Error::NotThere { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// What can be had again is no reason to keep a secret that is to go.
    fn delete_companion(&self, device: &Device) {
        let _ = self.vault.delete(device.id.companion());
    }

    fn forget(&self, devices: &[Device]) -> Result<(), Error> {
        let ids: Vec<Id> = devices.iter().map(|device| device.id).collect();
        Ok(self.registry.remove(&ids)?)
    }

    fn other_vault(&self, device: &Device) -> Error {
        Error::OtherVault { name: device.name.clone(), its: device.vault, chosen: self.vault.kind() }
    }
}

fn lease(now: Timestamp) -> Timestamp {
    now.shifted(LEASE).unwrap_or(now)
}

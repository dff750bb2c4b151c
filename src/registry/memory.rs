//! A registry in this process's memory, for tests.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Device, Error, Registry, State, clash, names_clash};
use crate::name::Name;
use crate::vault::Id;

/// Forgets everything when dropped.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Vec<Device>>);

impl Memory {
    fn devices(&self) -> MutexGuard<'_, Vec<Device>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_names(devices: &[Device]) -> Result<(), Error> {
    for (index, new) in devices.iter().enumerate() {
        let others = devices.get(..index).unwrap_or_default();
        if let Some(old) = others.iter().find(|old| names_clash(new, old)) {
            return Err(clash(old));
        }
    }
    Ok(())
}

impl Registry for Memory {
    fn insert(&self, devices: &[Device]) -> Result<(), Error> {
        let mut stored = self.devices();
        let mut next = stored.clone();
        next.extend_from_slice(devices);
        check_names(&next)?;
        *stored = next;
        Ok(())
    }

    fn find(&self, name: &Name) -> Result<Option<Device>, Error> {
        Ok(self.devices().iter().find(|device| device.state == State::Active && device.name == *name).cloned())
    }

    fn list(&self) -> Result<Vec<Device>, Error> {
        let mut devices = self.devices().clone();
        devices.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(devices)
    }

    fn update(&self, devices: &[Device]) -> Result<(), Error> {
        let mut stored = self.devices();
        let mut next = stored.clone();
        for device in devices {
            let place = next.iter_mut().find(|old| old.id == device.id && old.revision == device.revision);
            let place = place.ok_or_else(|| Error::Conflict(device.name.clone()))?;
            *place = device.clone();
            place.revision = device.revision.saturating_add(1);
        }
        check_names(&next)?;
        *stored = next;
        Ok(())
    }

    fn remove(&self, ids: &[Id]) -> Result<(), Error> {
        self.devices().retain(|device| !ids.contains(&device.id));
        Ok(())
    }

    fn probe(&self) -> Result<String, Error> {
        Ok(format!("this process's memory, {} devices", self.devices().len()))
    }
}

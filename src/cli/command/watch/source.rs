//! Where `vmfa watch` has devices and codes from: the registry, and vaults for codes that are to be seen.

use std::fs::Metadata;
use std::sync::Arc;

use crate::cli::Global;
use crate::cli::error::{Error, Result};
use crate::cli::open::Place;
use crate::cli::pattern::Wanted;
use crate::device::issue::{Issued, Moment};
use crate::device::{self, Devices};
use crate::registry::{Device, Kept};
use crate::time::{Step, Timestamp};
use crate::vault::{Id, Kind, Vault};

pub(super) struct Source {
    global: Global,
    /// It keeps what opened the age vault, so that a passphrase is asked for once.
    place: Place,
    registry: Arc<dyn Kept>,
    wanted: Vec<Wanted>,
    /// Which state of which file was read last.
    seen: Option<(u64, Option<u64>)>,
}

impl Source {
    pub(super) fn open(global: &Global, wanted: Vec<Wanted>) -> Result<Self> {
        let place = Place::find(global)?;
        let registry = place.registry()?;
        Ok(Self { global: global.clone(), place, registry, wanted, seen: None })
    }

    /// The devices that were asked for, by name.
    pub(super) fn devices(&self) -> Result<Vec<Device>> {
        let mut devices = device::active(&*self.registry)?;
        if let Some(kind) = self.place.explicit() {
            devices.retain(|device| device.vault == kind);
        }
        if !self.wanted.is_empty() {
            devices.retain(|device| self.wanted.iter().any(|wanted| wanted.has(device)));
        }
        Ok(devices)
    }

    /// Whether there are devices at all.
    pub(super) fn has_any(&self) -> Result<bool> {
        Ok(!device::active(&*self.registry)?.is_empty())
    }

    /// Whether another process changed the registry since this was asked last, or put another file in its place.
    pub(super) fn has_changed(&mut self) -> Result<bool> {
        let file = self.place.home.registry.metadata().ok().and_then(|metadata| number(&metadata));
        if self.seen.is_some_and(|(_, before)| before != file) {
            self.registry = self.place.registry()?;
        }
        let seen = Some((self.registry.changes()?, file));
        let changed = self.seen != seen;
        self.seen = seen;
        Ok(changed)
    }

    /// Hands out the current codes of devices, and as many later ones as are wanted. Without `asks`, nobody is asked for anything: a vault
    /// that was locked meanwhile is an error.
    pub(super) fn issue(
        &self,
        wanted: &[(Device, u16)],
        moment: impl Fn() -> Moment,
        asks: bool,
    ) -> Vec<(Id, Result<Vec<Issued>>)> {
        let mut answers = Vec::new();
        for kind in [Kind::Age, Kind::Shared, Kind::Keyring, Kind::Memory] {
            let group: Vec<_> = wanted.iter().filter(|(device, _)| device.vault == kind).collect();
            let Some((first, _)) = group.first() else { continue };
            let vault = self.registry.expect_writable().map_err(Error::from).and_then(|()| self.vault_of(first, asks));
            let vault = match vault {
                Ok(vault) => vault,
                Err(error) => {
                    // The same for all of them.
                    let error = error.message().to_owned();
                    let failed = |(device, _): &&(Device, u16)| (device.id, Err(Error::input("vault", error.clone())));
                    answers.extend(group.iter().map(failed));
                    continue;
                }
            };
            let devices = Devices { vault: vault.as_ref(), registry: &*self.registry };
            let members: Vec<&Device> = group.iter().map(|(device, _)| device).collect();
            let enrolments = devices.enrolments(&members);
            // Reading takes time, and a person may have had to be asked: all codes are of the moment after it.
            let moment = moment();
            for ((device, count), enrolment) in group.into_iter().zip(enrolments) {
                let issued = enrolment.and_then(|enrolment| devices.codes(device, &enrolment, moment, 0, *count));
                answers.push((device.id, issued.map_err(Error::from)));
            }
        }
        answers
    }

    /// Hands out the next code of a counter device.
    pub(super) fn next_of_counter(&self, device: &Device, now: Timestamp) -> Result<Vec<Issued>> {
        self.registry.expect_writable()?;
        let vault = self.vault_of(device, true)?;
        let devices = Devices { vault: vault.as_ref(), registry: &*self.registry };
        let enrolment = devices.enrolment(device)?;
        Ok(devices.next_codes(device, &enrolment, 1, now)?)
    }

    /// Whether the code of a step was handed out.
    pub(super) fn is_used(&self, device: &Device, step: Step) -> Result<bool> {
        let Some(ledger) = device.ledger else { return Ok(false) };
        let claimed = !self.registry.claimed(ledger, step, step)?.is_empty();
        Ok(claimed || self.registry.ledger(ledger)?.forgotten.contains(step))
    }

    /// Connects to a keyring each time: it may have been locked or restarted.
    fn vault_of(&self, device: &Device, asks: bool) -> Result<Arc<dyn Vault>> {
        match self.place.explicit().unwrap_or(device.vault) {
            Kind::Age | Kind::Shared | Kind::Memory => self.place.vault_of(device),
            Kind::Keyring if asks => Place::find(&self.global)?.vault_of(device),
            Kind::Keyring => Place::find_quietly(&self.global)?.vault_of(device),
        }
    }
}

/// What tells a file from another one of its name.
fn number(metadata: &Metadata) -> Option<u64> {
    #[cfg(unix)]
    return Some(std::os::unix::fs::MetadataExt::ino(metadata));
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}

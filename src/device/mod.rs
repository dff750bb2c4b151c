//! The lifecycle of devices over one vault and one registry.
//!
//! Secret and record live in two places, so every change has an order in which an interruption, by
//! kill -9 or a power cut, loses nothing and leaves nothing half done: a device is written down as
//! pending, its secret is stored, it becomes active; it is retired, its secret is deleted, it is
//! forgotten. What an interruption leaves is finished or undone by the next change
//! ([`Devices::recover`]).

pub mod accept;
mod clock;
pub mod drift;
pub mod issue;
mod lease;
mod ledger;
pub mod pair;

use crate::name::{self, Name};
use crate::oath::{MovingFactor, Parameters};
use crate::provision::{self, Enrolment, uri};
use crate::registry::{self, Device, Registry, State};
use crate::time::{Drift, Timestamp, words};
use crate::vault::{self, Id, Item, Kind, Vault};

/// Whoever adds or removes has so many seconds, prompts included, before others may clear up after it.
pub const LEASE: i64 = 120;

/// Devices, their secrets in one vault.
#[derive(Debug, Clone, Copy)]
pub struct Devices<'a> {
    /// Where secrets live.
    pub vault: &'a dyn Vault,
    /// Where everything else lives.
    pub registry: &'a dyn Registry,
}

/// Why something could not be done with a device.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing by that name.
    #[error("no device is named `{name}`")]
    NoSuchDevice {
        /// What was asked for.
        name: String,
        /// A name that is near.
        nearest: Option<String>,
        /// Whether there are devices at all.
        any: bool,
    },
    /// Its secret is in another vault than the one opened.
    #[error("the secret of `{name}` is in the {its} vault, not in the {chosen} vault")]
    OtherVault {
        /// Which device.
        name: Name,
        /// Where its secret is.
        its: Kind,
        /// Which vault was chosen.
        chosen: Kind,
    },
    /// What the vault holds under its id is no otpauth URI.
    #[error("what the {vault} vault holds for `{name}` can't be read: {source}")]
    Stored {
        /// Which device.
        name: Name,
        /// Which vault.
        vault: Kind,
        /// What is wrong.
        source: provision::Error,
    },
    /// What the vault holds under its id makes other codes than what was added.
    #[error(
        "what the {vault} vault holds for `{name}` is not what was added: another type, algorithm, length or period"
    )]
    Changed {
        /// Which device.
        name: Name,
        /// Which vault.
        vault: Kind,
    },
    /// Removed, but for the secret.
    #[error("`{name}` is removed, but its secret could not be deleted yet: {source}")]
    NotDeletedYet {
        /// Which device.
        name: Name,
        /// What stood in the way.
        source: vault::Error,
    },
    /// The counter has come to its end.
    #[error("the counter of `{0}` has no next value")]
    CounterExhausted(Name),
    /// All that may be had within the time given is taken.
    #[error("{}; the next is at {free}, in {}", used(name, *validity), words(*wait))]
    NoFreeStep {
        /// Which device.
        name: String,
        /// For how many seconds its code was to be good.
        validity: u64,
        /// When the next step is ready.
        free: Timestamp,
        /// In how many seconds that is.
        wait: u64,
    },
    /// No code is ever valid for so long.
    #[error("{validity} s is too long: a code is valid for at most {longest} s")]
    TooLong {
        /// For how many seconds it should be.
        validity: u64,
        /// For how many it can be.
        longest: u64,
    },
    /// What was handed out is too recent.
    #[error("all pairs of `{name}` up to now are used; the next is at {ready}, in {}", words(*wait))]
    NoPairYet {
        /// Which device.
        name: String,
        /// When the next pair is ready.
        ready: Timestamp,
        /// In how many seconds that is.
        wait: u64,
    },
    /// A step before T0 or past 64 bits.
    #[error("that step lies before 1970 or past what 64 bits count")]
    NoSuchStep,
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// The parameters.
    #[error(transparent)]
    Oath(#[from] crate::oath::Error),
}

/// What stands in the way of a code.
fn used(name: &str, validity: u64) -> String {
    if validity == 0 {
        return format!("all codes of `{name}` up to now are used");
    }
    format!("no unused code of `{name}` is good for {} now", words(validity))
}

/// The active device of this very name.
///
/// # Errors
///
/// [`Error::NoSuchDevice`], with a name that is near where there is one.
pub fn find(registry: &dyn Registry, wanted: &str) -> Result<Device, Error> {
    let found = match wanted.parse() {
        Ok(name) => registry.find(&name)?,
        Err(_) => None,
    };
    if let Some(device) = found {
        return Ok(device);
    }
    let devices = active(registry)?;
    let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    let by_serial =
        devices.iter().find(|device| device.serial.as_deref() == Some(wanted)).map(|device| device.name.as_str());
    // `arn:aws:iam::123456789012:user/alice`: by its last part.
    let last = wanted.starts_with("arn:").then(|| wanted.rsplit('/').next()).flatten();
    let by_name = || name::meant(wanted, &names).or_else(|| name::meant(last?, &names));
    let nearest = by_serial.or_else(by_name).map(str::to_owned);
    Err(Error::NoSuchDevice { name: wanted.to_owned(), nearest, any: !devices.is_empty() })
}

/// All active devices, by name.
///
/// # Errors
///
/// Those of the registry.
pub fn active(registry: &dyn Registry) -> Result<Vec<Device>, Error> {
    let mut devices = registry.list()?;
    devices.retain(|device| device.state == State::Active);
    Ok(devices)
}

impl Devices<'_> {
    /// Adds devices: all or none. With `replace`, a device takes the place of an active one of its
    /// name, whose secret is deleted once the new one is safe.
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
        self.registry.insert(&devices)?;
        self.store(&devices, new)?;
        self.activate(&devices, &replaced, now)?;
        // The new devices stand; a failure to delete the old secrets is made good by a later change.
        let _ = self.drop_secrets(&replaced);
        for device in &mut devices {
            device.state = State::Active;
            device.revision = 1;
        }
        Ok(devices)
    }

    /// What the vault holds of a device: the enrolment, its counter and serial number as the registry
    /// has them.
    ///
    /// # Errors
    ///
    /// [`Error::OtherVault`], [`Error::Stored`], and those of the vault.
    pub fn enrolment(&self, device: &Device) -> Result<Enrolment, Error> {
        let mut enrolment = self.stored(device)?;
        if let MovingFactor::Counter { .. } = device.parameters.factor {
            enrolment.parameters.factor = device.parameters.factor;
        }
        Ok(enrolment)
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
        let label = self.vault.relabel(device.id, name);
        Ok((renamed, label))
    }

    /// Removes a device and deletes its secret. Where the vault keeps the secret, the device stays as it was.
    ///
    /// # Errors
    ///
    /// [`Error::OtherVault`]; [`Error::NotDeletedYet`] where the vault didn't tell what became of the secret: the
    /// deletion is finished by a later change; and those of vault and registry.
    pub fn remove(&self, device: &Device, now: Timestamp) -> Result<(), Error> {
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
                    retired.state = State::Active;
                    self.registry.update(std::slice::from_ref(&retired))?;
                    Err(error.into())
                }
                Ok(false) => self.forget(&[retired]),
                Err(_) => Err(Error::NotDeletedYet { name: device.name.clone(), source: error }),
            };
        }
        self.forget(&[retired])
    }

    /// Finishes what interrupted changes left: an `add` whose secrets are all stored is completed, any
    /// other is undone; a removal is completed. Only what has overrun its time is touched, and only
    /// what lies in this vault. Secrets are not read.
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

    /// Finishes or undoes at once what [`Self::add_as`] left of a batch. The caller knows that whoever added it is gone:
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
        self.drop_secrets(&replaced)
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

    /// Activates pending devices and retires those that they replace, in one step. An `add` that took longer
    /// than its time may have been finished or undone by others meanwhile: then that is the outcome. One that
    /// fails is taken back, so that it doesn't come true later.
    fn activate(&self, devices: &[Device], replaced: &[Device], now: Timestamp) -> Result<(), Error> {
        let mut replaced = replaced.to_vec();
        let mut attempts = 10_u8;
        loop {
            attempts = attempts.saturating_sub(1);
            let retired = replaced.iter().cloned().map(|mut old| {
                old.state = State::Retired { until: lease(now) };
                old
            });
            let active = devices.iter().cloned().map(|mut device| {
                device.state = State::Active;
                device
            });
            let changes: Vec<Device> = retired.chain(active).collect();
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

fn replaces(new: &Device, old: &Device) -> bool {
    matches!(new.state, State::Pending { replaces: Some(id), .. } if id == old.id)
}

/// Whether whoever changes a device has had the time for it. A time far ahead was written by a clock that
/// was wrong; one that was set back a little is no reason to disturb anybody.
fn is_overdue(device: &Device, now: Timestamp) -> bool {
    match device.state {
        State::Active => false,
        State::Pending { until, .. } | State::Retired { until } => {
            until < now || now.shifted(LEASE.saturating_mul(10)).is_some_and(|far| until > far)
        }
    }
}

fn lease(now: Timestamp) -> Timestamp {
    now.shifted(LEASE).unwrap_or(now)
}

//! Changing what is not the secret.

use super::{Devices, Error, lease};
use crate::oath::MovingFactor;
use crate::provision::{self, Enrolment, uri};
use crate::registry::{Device, State};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::vault::Id;

impl Devices<'_> {
    /// Gives a device the issuer, account, serial number, note and parameters of `wanted`, which began as a copy of it.
    ///
    /// A secret is written once, together with how its codes are made. So where other codes come of it (another
    /// algorithm, length or period), a new device takes the place of this one, which goes to the trash.
    ///
    /// # Errors
    ///
    /// [`Error::Misnamed`] where the URI of what is wanted would be read as something else; [`Error::CounterUsed`] for a
    /// counter that was passed; [`Error::OtherVault`]; and those of vault and registry.
    pub fn edit(&self, device: &Device, wanted: Device, now: Timestamp) -> Result<Device, Error> {
        if device.vault != self.vault.kind() {
            return Err(self.other_vault(device));
        }
        reads_back(&wanted).map_err(|source| Error::Misnamed { name: device.name.clone(), source })?;
        let (old, new) = (device.parameters, wanted.parameters);
        if (old.algorithm, old.digits, period(old.factor)) != (new.algorithm, new.digits, period(new.factor)) {
            return self.replace_by(device, wanted, now);
        }
        let mut edited = wanted;
        if let MovingFactor::Counter { next } = new.factor
            && old.factor != new.factor
        {
            self.move_counter(device, next, now)?;
        }
        self.registry.update(std::slice::from_ref(&edited))?;
        edited.revision = device.revision.saturating_add(1);
        Ok(edited)
    }

    /// Stores the secret once more, with other parameters.
    fn replace_by(&self, device: &Device, wanted: Device, now: Timestamp) -> Result<Device, Error> {
        let mut enrolment = self.enrolment(device)?;
        enrolment.parameters = wanted.parameters;
        enrolment.issuer.clone_from(&wanted.issuer);
        enrolment.account.clone_from(&wanted.account);
        let state = State::Pending { batch: Id::random(), replaces: Some(device.id), until: lease(now) };
        let new = Device { id: Id::random(), state, ledger: None, revision: 0, ..wanted };
        let name = new.name.clone();
        let taken = self.take_in(vec![new], &[(name, enrolment)], std::slice::from_ref(device), now)?;
        taken.into_iter().next().ok_or_else(|| crate::registry::Error::Gone.into())
    }

    /// Has the ledger go on at a counter that nobody was given.
    fn move_counter(&self, device: &Device, next: u64, now: Timestamp) -> Result<(), Error> {
        let ledger = self.ledger(device, &self.enrolment(device)?)?;
        self.change_ledger(ledger, now, |ledger| match ledger.counter {
            Some(known) if next < known => Err(Error::CounterUsed { name: device.name.clone(), next: known }),
            // A ledger that hands nothing out begins where its devices say.
            None => Ok(()),
            Some(_) => {
                ledger.counter = Some(next);
                Ok(())
            }
        })
    }
}

/// That the URI of such a device has its codes, whatever its secret is.
fn reads_back(device: &Device) -> Result<(), provision::Error> {
    uri::reads_back(&Enrolment {
        issuer: device.issuer.clone(),
        account: device.account.clone(),
        secret: Secret::new(vec![0; 20])?,
        parameters: device.parameters,
        serial: None,
    })
}

const fn period(factor: MovingFactor) -> Option<u64> {
    match factor {
        MovingFactor::Time { period } => Some(period.seconds()),
        MovingFactor::Counter { .. } => None,
    }
}

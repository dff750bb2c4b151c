//! A device as a server knows it.

use std::sync::OnceLock;

use crate::registry::Device;
use crate::time::Period;
use crate::vault::Id;

/// A device, and what is known of it beside.
#[derive(Debug)]
pub(super) struct Member {
    device: Device,
    /// What the registry said after the device was read.
    ledger: OnceLock<Id>,
}

impl Member {
    pub(super) const fn of(device: Device) -> Self {
        Self { device, ledger: OnceLock::new() }
    }

    /// The device with its ledger, where that is known.
    pub(super) fn device(&self) -> Device {
        let ledger = self.device.ledger.or_else(|| self.ledger.get().copied());
        Device { ledger, ..self.device.clone() }
    }

    /// As it was read.
    pub(super) const fn as_read(&self) -> &Device {
        &self.device
    }

    /// Whether this is the device as it is known, with the ledger that it got meanwhile.
    pub(super) fn is(&self, device: &Device) -> bool {
        let same = Device { ledger: self.device.ledger, ..device.clone() } == self.device;
        same && (device.ledger == self.device.ledger || device.ledger == self.ledger.get().copied())
    }

    pub(super) fn name(&self) -> &str {
        self.device.name.as_str()
    }

    pub(super) fn learn(&self, ledger: Id) {
        let _ = self.ledger.set(ledger);
    }

    /// The length of its time steps, in seconds; none of a counter.
    pub(super) fn period(&self) -> Option<u64> {
        self.device.parameters.period().ok().map(Period::seconds)
    }
}

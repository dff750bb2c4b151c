//! A device on virtual time: each code once, and nobody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Clock, Error};
use crate::device::issue::{LONGEST_WAIT, Moment, Terms};
use crate::device::{Devices, pair};
use crate::name::Name;
use crate::oath::resync::Window;
use crate::oath::{Code, MovingFactor};
use crate::provision::{self, Enrolment, Limits};
use crate::registry::memory::Memory as Registry;
use crate::registry::{self};
use crate::time::Timestamp;
use crate::vault::memory::Memory as Vault;

/// How often a code is taken again because another thread moved the clock past it.
const ATTEMPTS: u8 = 50;

/// A device in memory, on a virtual clock. It gives each code once, whichever thread asks.
///
/// ```
/// use vmfa::testing::{Clock, Device};
/// use vmfa::time::Timestamp;
///
/// let clock = Clock::standing_at(Timestamp::from_unix(59));
/// let device = Device::from_source(b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", &clock)?;
/// assert_eq!(device.code()?.to_string(), "287082");
/// device.code()?;
/// assert_eq!(clock.now(), Timestamp::from_unix(60), "the first code was used: the time moved on");
/// # Ok::<(), vmfa::testing::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Device {
    shelf: Arc<Shelf>,
    record: registry::Device,
}

/// Where devices are that share a clock.
#[derive(Debug)]
pub(super) struct Shelf {
    vault: Vault,
    registry: Registry,
    clock: Clock,
    /// How many names were made up.
    named: AtomicU64,
}

impl Device {
    pub(super) fn new(shelf: &Arc<Shelf>, record: registry::Device) -> Self {
        Self { shelf: Arc::clone(shelf), record }
    }

    /// A device of what a service shows: the bytes of an image with a QR code (with the feature `qr`), an otpauth URI, or
    /// a secret key in base32.
    ///
    /// # Errors
    ///
    /// [`Error::Source`]; [`Error::SeveralAccounts`].
    pub fn from_source(source: &[u8], clock: &Clock) -> Result<Self, Error> {
        Arc::new(Shelf::new(clock.clone())).add(source, None)
    }

    /// Its serial number (ARN), where it is one of AWS.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`] where it has none.
    pub fn serial_number(&self) -> Result<&str, Error> {
        let none = || crate::aws::Error::NoSerial(self.record.name.clone());
        Ok(self.record.serial.as_deref().ok_or_else(none)?)
    }

    /// A code that it never gave: the current one, else the next, to which the clock is moved. A counter device (HOTP)
    /// gives its next code.
    ///
    /// # Errors
    ///
    /// [`Error::Device`]; [`Error::Time`] where the clock can't be moved.
    pub fn code(&self) -> Result<Code, Error> {
        let (devices, enrolment) = (self.shelf.devices(), self.enrolment()?);
        if let MovingFactor::Counter { .. } = self.record.parameters.factor {
            let codes = devices.next_codes(&self.record, &enrolment, 1, self.shelf.clock.now())?;
            return Ok(codes.first().ok_or(crate::device::Error::NoSuchStep)?.code);
        }
        let terms = Terms { window: Window { behind: 0, ahead: 0 }, validity: 0, rounding: 0, patience: LONGEST_WAIT };
        for _ in 0..ATTEMPTS {
            let leased = devices.lease(&self.record, &enrolment, self.shelf.moment(), &terms)?;
            self.shelf.reach(leased.ready);
            if devices.keep_or_give_back(&self.record, &enrolment, &leased, self.shelf.clock.now(), &terms)? {
                return Ok(leased.issued.code);
            }
        }
        Err(Error::TooBusy(self.record.name.to_string()))
    }

    /// Two consecutive codes, for enabling and resynchronizing a device; the clock is moved to where both can be used. No
    /// pair is given twice.
    ///
    /// # Errors
    ///
    /// As [`code`](Self::code); counter devices have no pairs.
    pub fn pair(&self) -> Result<[Code; 2], Error> {
        let (devices, enrolment) = (self.shelf.devices(), self.enrolment()?);
        let terms = pair::Terms { live: false, consumes: true, patience: LONGEST_WAIT };
        let pair = devices.pair(&self.record, &enrolment, self.shelf.moment(), terms)?;
        self.shelf.reach(pair.codes[1].ready);
        devices.show_pair(&self.record, &enrolment, &pair, self.shelf.clock.now())?;
        Ok(pair.codes.map(|leased| leased.issued.code))
    }

    /// What it was made of, with its secret.
    ///
    /// # Errors
    ///
    /// [`Error::Device`].
    pub fn enrolment(&self) -> Result<Enrolment, Error> {
        Ok(self.shelf.devices().enrolment(&self.record)?)
    }

    pub(super) const fn record(&self) -> &registry::Device {
        &self.record
    }
}

impl Shelf {
    pub(super) fn new(clock: Clock) -> Self {
        Self { vault: Vault::default(), registry: Registry::default(), clock, named: AtomicU64::new(0) }
    }

    pub(super) fn devices(&self) -> Devices<'_> {
        Devices { vault: &self.vault, registry: &self.registry }
    }

    fn moment(&self) -> Moment {
        let now = self.clock.now();
        Moment { time: now, now }
    }

    /// Moves the clock to a time, where it isn't there yet.
    pub(super) fn reach(&self, time: Timestamp) {
        // Refused where it is past that already.
        let _ = self.clock.set(time, false);
    }

    /// A name that fits and is free: what services call things need be neither.
    pub(super) fn name(&self, wanted: &str) -> Name {
        let mut wanted = wanted.to_owned();
        loop {
            let free = |name: &Name| matches!(registry::Registry::find(&self.registry, name), Ok(None));
            if let Some(name) = wanted.parse().ok().filter(free) {
                return name;
            }
            wanted = format!("device-{}", self.named.fetch_add(1, Ordering::SeqCst));
        }
    }

    pub(super) fn add(self: &Arc<Self>, source: &[u8], serial: Option<&str>) -> Result<Device, Error> {
        let mut found = provision::read(source, &Limits::default())?.enrolments;
        let count = found.len();
        let (Some(mut enrolment), 1) = (found.pop(), count) else { return Err(Error::SeveralAccounts(count)) };
        if let Some(serial) = serial {
            let known = crate::device::active(&self.registry)?;
            if let Some(record) = known.into_iter().find(|device| device.serial.as_deref() == Some(serial)) {
                return Ok(Device::new(self, record));
            }
            enrolment.serial = Some(serial.to_owned());
        }
        let name = self.name("device");
        let added = self.devices().add(&[(name, enrolment)], false, self.clock.now())?;
        let record = added.into_iter().next().ok_or(crate::device::Error::NoSuchStep)?;
        Ok(Device::new(self, record))
    }
}

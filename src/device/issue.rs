//! Codes of a device, with what they were made of.

use super::{Devices, Error};
use crate::oath::{Code, MovingFactor, Parameters, hotp, totp};
use crate::provision::Enrolment;
use crate::registry::{self, Device, Registry, State};
use crate::secret::Secret;
use crate::time::{Step, Timestamp};

/// The most codes given at once.
pub const MOST: u16 = 10_000;

/// How often a counter is tried to be moved against other processes doing the same.
const ATTEMPTS: u8 = 50;

/// A code and the step or counter it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// The code.
    pub code: Code,
    /// The step of a TOTP code, the counter of an HOTP code.
    pub moving_factor: u64,
    /// The first second of a TOTP code, and the first one after it.
    pub valid: Option<(Timestamp, Timestamp)>,
}

/// Consecutive codes from the step `offset` steps from the one that holds `time`.
///
/// # Errors
///
/// [`Error::NoSuchStep`] where a step lies before the epoch or past 64 bits, and
/// [`crate::oath::Error::CounterBased`] for HOTP.
pub fn at_time(enrolment: &Enrolment, time: Timestamp, offset: i64, count: u16) -> Result<Vec<Issued>, Error> {
    let period = enrolment.parameters.period()?;
    let first = enrolment.parameters.step_at(time)?.shifted(offset).ok_or(Error::NoSuchStep)?;
    (0..count)
        .map(|index| {
            let step = first.shifted(index.into()).ok_or(Error::NoSuchStep)?;
            let start = |step: Step| period.start_of(step, totp::EPOCH).ok_or(Error::NoSuchStep);
            let end = start(step)?.plus(period.seconds()).ok_or(Error::NoSuchStep)?;
            Ok(issued(&enrolment.secret, step.value(), &enrolment.parameters, Some((start(step)?, end))))
        })
        .collect()
}

/// Consecutive codes of a counter device from `next` on, without moving any counter.
///
/// # Errors
///
/// [`Error::NoSuchStep`] where a counter leaves 64 bits.
pub fn at_counter(enrolment: &Enrolment, next: u64, count: u16) -> Result<Vec<Issued>, Error> {
    (0..count)
        .map(|index| {
            let counter = next.checked_add(index.into()).ok_or(Error::NoSuchStep)?;
            Ok(issued(&enrolment.secret, counter, &enrolment.parameters, None))
        })
        .collect()
}

impl Devices<'_> {
    /// The next codes of a counter device. The counter is moved and written down before a code is
    /// made: one that was given is never given again, whatever happens next.
    ///
    /// # Errors
    ///
    /// [`Error::CounterExhausted`], and those of vault and registry.
    pub fn next_codes(&self, device: &Device, count: u16) -> Result<Vec<Issued>, Error> {
        self.next_codes_of(device, &self.enrolment(device)?, count)
    }

    /// The same where what the vault holds is at hand.
    ///
    /// # Errors
    ///
    /// [`Error::CounterExhausted`], and those of the registry.
    pub fn next_codes_of(&self, device: &Device, enrolment: &Enrolment, count: u16) -> Result<Vec<Issued>, Error> {
        at_counter(enrolment, take_counters(self.registry, device, count)?, count)
    }
}

/// Moves the counter by `count` and tells where it was.
fn take_counters(registry: &dyn Registry, device: &Device, count: u16) -> Result<u64, Error> {
    let mut current = device.clone();
    for _ in 0..ATTEMPTS {
        let MovingFactor::Counter { next } = current.parameters.factor else {
            return Err(Error::NoSuchStep);
        };
        let moved = next.checked_add(count.into()).ok_or_else(|| Error::CounterExhausted(current.name.clone()))?;
        current.parameters.factor = MovingFactor::Counter { next: moved };
        match registry.update(std::slice::from_ref(&current)) {
            Ok(()) => return Ok(next),
            Err(registry::Error::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let same = |stored: &Device| stored.id == device.id && stored.state == State::Active;
        current = registry
            .list()?
            .into_iter()
            .find(same)
            .ok_or_else(|| Error::NoSuchDevice { name: device.name.to_string(), nearest: None })?;
    }
    Err(registry::Error::Conflict(device.name.clone()).into())
}

fn issued(
    secret: &Secret,
    moving_factor: u64,
    parameters: &Parameters,
    valid: Option<(Timestamp, Timestamp)>,
) -> Issued {
    Issued { code: hotp::code(secret, moving_factor, parameters), moving_factor, valid }
}

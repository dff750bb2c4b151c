//! Resynchronizing: two consecutive codes, from which AWS learns how far the device's clock is off.

use super::Error;
use super::explain::Cause;
use super::flow::Flow;
use super::iam::Codes;
use crate::oath::relying_party::Rules;
use crate::registry::Device;
use crate::time::Timestamp;

/// What AWS knows now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resynced {
    /// The device's clock minus the service's, in seconds: what AWS counts with from now on.
    pub drift: i64,
    /// The same in steps.
    pub steps: i64,
    /// When, by the service's clock.
    pub at: Timestamp,
}

impl Flow<'_> {
    /// Sends a pair for a user's device.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn resync(&self, device: &Device, user: &str) -> Result<Resynced, Error> {
        let serial = Self::serial(device)?;
        let enrolment = self.devices.enrolment(device)?;
        let mut attempt = 1_u8;
        loop {
            let pair = self.pair(device, &enrolment, false)?;
            let codes = Codes { first: &pair.first, second: &pair.second };
            match self.caller.resync_mfa_device(user, serial, codes) {
                Ok(()) => return self.resynced(device),
                Err(Error::Refused(refusal)) if refusal.code == "InvalidAuthenticationCode" => {
                    let off = self.resynced(device)?;
                    if off.steps.unsigned_abs() >= Rules::AWS.pair.behind {
                        let cause = Box::new(Cause::Clock { seconds: off.drift });
                        return Err(Error::Explained { cause, refusal });
                    }
                    return Err(Error::OtherSecret { name: device.name.clone(), serial: serial.to_owned() });
                }
                // Whether it was taken can't be seen; a newer pair is right either way.
                Err(error) if error.is_unclear() && attempt < self.caller.client.attempts() => {
                    self.caller.client.pause_after(attempt)?;
                    attempt = attempt.saturating_add(1);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn resynced(&self, device: &Device) -> Result<Resynced, Error> {
        let (at, shown) = (self.caller.client.time(), self.moment().time);
        let shown = device.drift.apply(shown).unwrap_or(shown);
        let period = device.parameters.period().map_err(crate::device::Error::from)?;
        let step = |time| period.step_at(time, crate::oath::totp::EPOCH).map_or(0, |(step, _)| step.value());
        let difference =
            |one: u64, two: u64| i64::try_from(i128::from(one).saturating_sub(two.into())).unwrap_or(i64::MAX);
        Ok(Resynced { drift: difference(shown.as_unix(), at.as_unix()), steps: difference(step(shown), step(at)), at })
    }
}

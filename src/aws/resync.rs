//! Resynchronizing: two consecutive codes, from which AWS learns how far the device's clock is off.

use super::Error;
use super::flow::{Flow, Off};
use super::iam::Codes;
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
        let (mut attempt, mut again) = (1_u8, self.retry);
        loop {
            let pair = self.pair(device, &enrolment, false)?;
            let codes = Codes { first: &pair.first, second: &pair.second };
            let error = match self.caller.resync_mfa_device(user, serial, codes) {
                Ok(()) => {
                    let Off { seconds, steps, at } = self.drift_of(device)?;
                    return Ok(Resynced { drift: seconds, steps, at });
                }
                Err(error) => error,
            };
            self.take_back(device, &enrolment, &pair, &error);
            match error {
                // One that somebody else's was newer than.
                Error::Refused(refusal) if refusal.code == "InvalidAuthenticationCode" => {
                    let error = self.refused_pair(device, &enrolment, &pair, refusal)?;
                    if !again || matches!(error, Error::Explained { .. }) {
                        return Err(error);
                    }
                    again = false;
                }
                // Whether it was taken can't be seen; a newer pair is right either way.
                error if error.is_unclear() && attempt < self.caller.client.attempts() => {
                    self.caller.client.pause_after(attempt)?;
                    attempt = attempt.saturating_add(1);
                }
                error => return Err(error),
            }
        }
    }
}

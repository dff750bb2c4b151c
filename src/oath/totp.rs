//! TOTP: HOTP whose counter is the time (RFC 6238, section 4).

use super::{Code, Error, Parameters, hotp};
use crate::secret::Secret;
use crate::time::{Step, Timestamp};

/// T0 of nearly every service: the Unix epoch.
pub const EPOCH: Timestamp = Timestamp::from_unix(0);

/// The code of the step that holds `time`, counted from `t0`.
///
/// # Errors
///
/// [`Error::BeforeT0`] and, for a counter device, [`Error::CounterBased`].
pub fn code(secret: &Secret, time: Timestamp, t0: Timestamp, parameters: &Parameters) -> Result<Code, Error> {
    let (step, _) = parameters.period()?.step_at(time, t0).ok_or(Error::BeforeT0)?;
    Ok(hotp::code(secret, step.value(), parameters))
}

impl Parameters {
    /// The step that holds `time`, counted from the epoch.
    ///
    /// # Errors
    ///
    /// [`Error::CounterBased`] for HOTP.
    pub fn step_at(&self, time: Timestamp) -> Result<Step, Error> {
        self.period()?.step_at(time, EPOCH).map(|(step, _)| step).ok_or(Error::BeforeT0)
    }
}

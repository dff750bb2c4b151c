//! Verifying a device's codes as a relying party would, and remembering what was accepted.

use super::{Devices, Error};
use crate::oath::relying_party::{Refusal, Rules, State, Verdict, accept};
use crate::oath::resync::{Solution, Window, solve};
use crate::oath::{Code, MovingFactor};
use crate::provision::Enrolment;
use crate::registry::{Device, Ledger};
use crate::time::Timestamp;

use super::lease::Moment;

/// How far around the expected moving factor refused codes are looked for, to tell where they would be right: as far as
/// AWS looks for a pair; where there are several, a day of the default period.
const ELSEWHERE: Window = Window::even(1_000);
const ELSEWHERE_SEVERAL: Window = Window::even(2_880);

/// The issuer in the QR codes of AWS.
const AWS_ISSUER: &str = "Amazon Web Services";

/// By which rules the service accepts codes that gave the device its secret, as far as the device tells: AWS's for one
/// with AWS's issuer or a serial number (ARN), else the RFC's.
#[must_use]
pub fn rules_of(device: &Device) -> &'static Rules {
    rules_for(device.issuer.as_deref(), device.serial.as_deref())
}

/// The same for a source that isn't stored.
#[must_use]
pub fn rules_for(issuer: Option<&str>, serial: Option<&str>) -> &'static Rules {
    let of_aws = issuer.is_some_and(|issuer| issuer.trim().eq_ignore_ascii_case(AWS_ISSUER))
        || serial.is_some_and(|serial| serial.starts_with("arn:aws"));
    if of_aws { &Rules::AWS } else { &Rules::RFC_6238 }
}

/// A relying party that knows nothing yet of an enrolment.
#[must_use]
pub fn fresh_state(enrolment: &Enrolment) -> State {
    match enrolment.parameters.factor {
        MovingFactor::Counter { next } => State::counter(next),
        MovingFactor::Time { .. } => State::default(),
    }
}

/// Where codes that were refused as wrong would be right, as far as a wider window tells. `None` for other refusals.
///
/// # Errors
///
/// [`crate::oath::Error::BeforeT0`].
pub fn elsewhere(
    enrolment: &Enrolment,
    refusal: &Refusal,
    time: Timestamp,
    state: &State,
    codes: &[Code],
) -> Result<Option<Solution>, Error> {
    if *refusal != Refusal::NoMatch {
        return Ok(None);
    }
    let centre = match enrolment.parameters.factor {
        MovingFactor::Counter { .. } => state.next(),
        MovingFactor::Time { .. } => {
            enrolment.parameters.step_at(time)?.value().saturating_add_signed(state.adjustment())
        }
    };
    let window = if codes.len() > 1 { ELSEWHERE_SEVERAL } else { ELSEWHERE };
    Ok(Some(solve(&enrolment.secret, &enrolment.parameters, codes, centre, window)))
}

impl Devices<'_> {
    /// Verifies one code, or consecutive ones in order, and remembers the outcome for all devices of the secret:
    /// what was accepted is never accepted again, in any process. `stored` as [`Devices::stored`] gives it. The
    /// state before it is returned too.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn verify(
        &self,
        device: &Device,
        stored: &Enrolment,
        rules: &Rules,
        moment: Moment,
        codes: &[Code],
    ) -> Result<(State, Verdict), Error> {
        let ledger = self.ledger(device, stored)?;
        self.change_ledger(ledger, moment.now, |ledger| {
            let before = state_of(ledger, stored);
            let (after, verdict) = accept(rules, &stored.secret, &stored.parameters, &before, moment.time, codes);
            ledger.relying_party = Some(after);
            Ok((before, verdict))
        })
    }

    /// Forgets what [`Self::verify`] remembers of a device, as a service does when it enrols the device again.
    ///
    /// # Errors
    ///
    /// Those of the registry.
    pub fn forget_verifications(&self, device: &Device, now: Timestamp) -> Result<(), Error> {
        // A device without a ledger may share another's, or have lost sight of it.
        let ledger = match device.ledger {
            None => self.known_ledger(device, &self.stored(device)?)?,
            known => known,
        };
        let Some(ledger) = ledger else { return Ok(()) };
        self.change_ledger(ledger, now, |ledger| {
            ledger.relying_party = None;
            Ok(())
        })
    }

    /// What [`Self::verify`] remembers of a device. Nothing is written.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn relying_party(&self, device: &Device, stored: &Enrolment) -> Result<State, Error> {
        match self.known_ledger(device, stored)? {
            Some(ledger) => Ok(state_of(&self.registry.ledger(ledger)?, stored)),
            None => Ok(fresh_state(stored)),
        }
    }
}

/// What is remembered. Of a registry that was restored nobody knows what was accepted since: all of that time counts.
fn state_of(ledger: &Ledger, stored: &Enrolment) -> State {
    let state = ledger.relying_party.clone().unwrap_or_else(|| fresh_state(stored));
    match ledger.restored {
        Some(last) => state.having_used_all(last),
        None => state,
    }
}

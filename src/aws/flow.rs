//! What the flows have in common: who calls, which devices are here, and whose clock counts.

use std::fmt;

use zeroize::Zeroizing;

use super::cause::Cause;
use super::client::{Caller, apart};
use super::{Alone, Error, Locks, Refusal, World};
use crate::device::issue::{Leased, Moment, Terms};
use crate::device::pair::{self, Pair, Which};
use crate::device::{self, Devices};
use crate::oath::relying_party::Rules;
use crate::oath::{distance, totp};
use crate::provision::{Enrolment, aws};
use crate::registry::{self, Device, Token};
use crate::time::{Drift, Timestamp};
use crate::wire::sigv4::Credentials;

/// The longest wait for a code or a pair that nobody has had yet, in seconds.
const PATIENCE: u64 = 300;

/// The most turns of a flow. Four or five are enough where nothing fails.
const TURNS: u8 = 14;

/// How far a clock may be from where it has to be after a wait, in seconds: dates are only so exact.
const INEXACT: u64 = 5;

/// How often a code is waited for that is over by then.
const LAPS: u8 = 5;

/// A run of the client over the devices that are here.
#[derive(Clone, Copy)]
pub struct Flow<'a> {
    /// Who calls.
    pub caller: Caller<'a>,
    /// What is here.
    pub devices: Devices<'a>,
    /// What keeps runs apart.
    pub locks: &'a Locks,
    /// The time of the clock that devices run on, where somebody named one. Else it is the service's.
    pub clock: Option<&'a (dyn Fn() -> Timestamp + Sync)>,
    /// Whether to wait and try once more where that is the cure.
    pub retry: bool,
}

/// The two codes of a pair, as they are sent.
pub(super) struct Sent {
    /// Whose they are.
    token: Token,
    pub(super) first: Zeroizing<String>,
    pub(super) second: Zeroizing<String>,
}

/// How far a device's clock is from the service's: device minus service.
pub(super) struct Off {
    pub(super) seconds: i64,
    pub(super) steps: i64,
    /// By the service's.
    pub(super) at: Timestamp,
}

impl fmt::Debug for Flow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow").field("caller", &self.caller).field("devices", &self.devices).finish_non_exhaustive()
    }
}

/// Whether it may be otherwise in a moment.
fn is_passing(error: &Error) -> bool {
    let later = |code: &str| code == "EntityTemporarilyUnmodifiable";
    error.is_unclear() || error.refusal().is_some_and(|refusal| refusal.is_throttling() || later(&refusal.code))
}

impl<'a> Flow<'a> {
    pub(super) fn world(&self) -> &'a dyn World {
        self.caller.client.world()
    }

    /// The same with other keys.
    #[must_use]
    pub const fn signed_by(self, credentials: &'a Credentials) -> Self {
        Self { caller: Caller { client: self.caller.client, credentials }, ..self }
    }

    /// The service's time. One that is virtual is asked for: it stands while the system's goes on.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        let client = self.caller.client;
        let told = self.world().difference().and_then(|difference| {
            client.learn(difference);
            client.told()
        });
        told.unwrap_or_else(|| client.time())
    }

    /// The time for codes: by the clock that was named, else by the service's.
    pub(super) fn moment(&self) -> Moment {
        let time = self.clock.map_or_else(|| self.caller.client.time(), |clock| clock());
        Moment { time, now: self.world().now() }
    }

    /// The device that is here under a serial number.
    ///
    /// # Errors
    ///
    /// Those of the registry.
    pub fn held(&self, serial: &str) -> Result<Option<Device>, Error> {
        let devices = device::active(self.devices.registry)?;
        Ok(devices.into_iter().find(|device| device.serial.as_deref() == Some(serial)))
    }

    /// The same, or else the one that was added from the picture of this device: it has no number yet.
    ///
    /// # Errors
    ///
    /// Those of the registry.
    pub fn held_or_pictured(&self, serial: &str) -> Result<Option<Device>, Error> {
        if let Some(held) = self.held(serial)? {
            return Ok(Some(held));
        }
        let of_aws = |device: &Device| device.issuer.as_deref().map(str::trim) == Some(aws::ISSUER);
        let mut fitting = device::active(self.devices.registry)?;
        fitting.retain(|device| device.serial.is_none() && of_aws(device) && aws::is_named(serial, &device.account));
        match <[Device; 1]>::try_from(fitting) {
            Ok([device]) => Ok(Some(Device { serial: Some(serial.to_owned()), ..device })),
            Err(_) => Ok(None),
        }
    }

    /// The same device with a serial number. Where it has none, as when it was added from a picture of AWS, it is that of
    /// the user's device that has its name and account, if no other device here has it. Nothing is written down: a code
    /// that is accepted proves it ([`Self::remember_number`]).
    ///
    /// # Errors
    ///
    /// [`Error::NoSerial`] where there is none, and those of IAM and the registry.
    pub fn numbered(&self, device: Device) -> Result<Device, Error> {
        if device.serial.is_some() {
            return Ok(device);
        }
        if device.issuer.as_deref().map(str::trim) != Some(aws::ISSUER) {
            return Err(Error::NoSerial(device.name));
        }
        let listed = self.caller.list_mfa_devices(None)?;
        let fits = |serial: &str| aws::is_named(serial, &device.account);
        let mut fitting = listed.into_iter().map(|listed| listed.serial).filter(|serial| fits(serial));
        let (Some(serial), None) = (fitting.next(), fitting.next()) else { return Err(Error::NoSerial(device.name)) };
        if self.held(&serial)?.is_some() {
            return Err(Error::NoSerial(device.name));
        }
        self.world().tell(&format!("{} is taken for {serial}", device.name));
        Ok(Device { serial: Some(serial), ..device })
    }

    /// Writes down a number that [`Self::numbered`] found, once AWS accepted a code by it.
    ///
    /// # Errors
    ///
    /// Those of the registry.
    pub fn remember_number(&self, device: &Device) -> Result<(), Error> {
        for _ in 0..LAPS {
            let known = device::active(self.devices.registry)?.into_iter().find(|known| known.id == device.id);
            let Some(known) = known.filter(|known| known.serial.is_none()) else { return Ok(()) };
            let numbered = Device { serial: device.serial.clone(), ..known };
            match self.devices.registry.update(std::slice::from_ref(&numbered)) {
                // Somebody else was faster, perhaps with the same.
                Err(registry::Error::Conflict(_)) => {}
                result => return Ok(result?),
            }
        }
        Ok(())
    }

    /// Keeps other runs on this machine from changing the same device at AWS, as long as what is returned lives.
    ///
    /// # Errors
    ///
    /// [`Error::Lock`] and [`Error::Locked`].
    pub fn alone(&self, serial: &str) -> Result<Alone, Error> {
        let waiting = |holder| self.world().tell(&format!("waiting for {holder}, which works on {serial}"));
        self.locks.alone(serial, &|time| self.world().pause(time), waiting)
    }

    /// The device's serial number.
    pub(super) fn serial(device: &Device) -> Result<&str, Error> {
        device.serial.as_deref().ok_or_else(|| Error::NoSerial(device.name.clone()))
    }

    /// A code that nobody has had, once it can be used.
    pub(super) fn code(&self, device: &Device, enrolment: &Enrolment) -> Result<Leased, Error> {
        let terms = Terms { window: Rules::AWS.single, validity: 0, rounding: 0, patience: PATIENCE };
        for _ in 0..LAPS {
            let leased = self.devices.lease(device, enrolment, self.moment(), &terms)?;
            let what = format!("an unused code of {}", device.name);
            if let Err(error) = self.wait_until(leased.ready, leased.wait, &what) {
                let _ = self.devices.give_lease_back(device, enrolment, &leased);
                return Err(error);
            }
            // A code that is over, because a person or a sleeping machine took too long, is given back.
            if self.devices.keep_or_give_back(device, enrolment, &leased, self.moment().time, &terms)? {
                return Ok(leased);
            }
        }
        Err(Error::NoEnd { what: format!("waiting for a code of {}", device.name) })
    }

    /// A pair that IAM hasn't seen, once it can be used. The last one is taken again where IAM shows that it didn't take
    /// it: `again`.
    pub(super) fn pair(&self, device: &Device, enrolment: &Enrolment, again: bool) -> Result<Sent, Error> {
        let terms = pair::Terms { live: false, consumes: Rules::AWS.pair_uses_steps, patience: 0 };
        let now = match self.devices.pair(device, enrolment, self.moment(), terms) {
            Err(device::Error::NoPairYet { .. }) if again => {
                self.devices.release_pair(device, enrolment, Which::Newest, self.moment())?;
                self.devices.pair(device, enrolment, self.moment(), terms)
            }
            result => result,
        };
        let pair = match now {
            Err(device::Error::NoPairYet { .. }) => {
                let terms = pair::Terms { patience: PATIENCE, ..terms };
                let pair = self.devices.pair(device, enrolment, self.moment(), terms)?;
                let Pair { codes: [_, second], token } = &pair;
                let what = format!("a new pair of codes of {}", device.name);
                if let Err(error) = self.wait_until(second.ready, second.wait, &what) {
                    let _ = self.devices.release_pair(device, enrolment, Which::Own(*token), self.moment());
                    return Err(error);
                }
                self.devices.show_pair(device, enrolment, &pair, self.moment().now)?;
                pair
            }
            result => result?,
        };
        let text = |code: &Leased| Zeroizing::new(code.issued.code.to_string());
        let [first, second] = &pair.codes;
        Ok(Sent { token: pair.token, first: text(first), second: text(second) })
    }

    /// Gives a pair back that never left.
    pub(super) fn take_back(&self, device: &Device, enrolment: &Enrolment, pair: &Sent, error: &Error) {
        if let Error::Unreachable { perhaps_done: false, .. } = error {
            let _ = self.devices.release_pair(device, enrolment, Which::Own(pair.token), self.moment());
        }
    }

    /// Why IAM took none of a device's pairs: by the clock, or because its secret is another one.
    ///
    /// A pair that was further away than AWS looks was looked at by nobody: it doesn't stand in the way of nearer ones.
    pub(super) fn refused_pair(
        &self,
        device: &Device,
        enrolment: &Enrolment,
        pair: &Sent,
        refusal: Box<Refusal>,
    ) -> Result<Error, Error> {
        let off = self.drift_of(device)?;
        if off.steps.unsigned_abs() >= Rules::AWS.pair.behind {
            self.devices.release_pair(device, enrolment, Which::Own(pair.token), self.moment())?;
            let seconds = off.seconds;
            let cause = if device.drift == Drift::default() {
                Cause::Clock { seconds }
            } else {
                Cause::Drift { name: device.name.to_string(), seconds }
            };
            return Ok(Error::Explained { cause: Box::new(cause), refusal });
        }
        Ok(Error::OtherSecret { name: device.name.clone(), serial: Self::serial(device)?.to_owned() })
    }

    /// How far a device's clock is from the service's.
    pub(super) fn drift_of(&self, device: &Device) -> Result<Off, Error> {
        let (by_service, time) = (self.caller.client.time(), self.moment().time);
        let seconds = apart(time, by_service);
        let at = if seconds == 0 { time } else { by_service };
        let shown = device.drift.apply(time).unwrap_or(time);
        let period = device.parameters.period().map_err(device::Error::from)?;
        let step = |time| period.step_at(time, totp::EPOCH).map_or(0, |(step, _)| step.value());
        let seconds = seconds.saturating_add(distance(shown.as_unix(), time.as_unix()));
        Ok(Off { seconds, steps: distance(step(shown), step(at)), at })
    }

    /// Takes turns until one comes to an end: each looks first, so one whose answer was lost, or who was one too many, is
    /// simply followed by another.
    pub(super) fn turns<T>(&self, what: &str, mut turn: impl FnMut() -> Result<Option<T>, Error>) -> Result<T, Error> {
        let (mut failures, mut quiet) = (0_u8, 0_u8);
        for _ in 0..TURNS {
            match turn() {
                Ok(Some(end)) => return Ok(end),
                Ok(None) => {
                    quiet = quiet.saturating_add(1);
                    // More than there is to do: what was done doesn't show yet.
                    if quiet > 3 {
                        self.caller.client.pause_after(quiet.saturating_sub(2).min(5))?;
                    }
                }
                Err(error) if is_passing(&error) && failures < self.caller.client.attempts() => {
                    failures = failures.saturating_add(1);
                    self.caller.client.pause_after(failures)?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::NoEnd { what: what.to_owned() })
    }

    /// The same error; a denial with what denies. The flow is signed by the keys that the call was signed by.
    #[must_use]
    pub fn explained(&self, error: Error) -> Error {
        let Error::Refused(refusal) = error else { return error };
        match self.explain_denied(&refusal) {
            Some(denied) => Error::Denied { denied: Box::new(denied), refusal },
            None => Error::Refused(refusal),
        }
    }

    /// Waits for a code, by the clock that it is made by: one that you named may stand still while the service's runs.
    fn wait_until(&self, ready: Timestamp, seconds: u64, what: &str) -> Result<(), Error> {
        self.wait(seconds, what)?;
        let shown = self.moment().time;
        if self.clock.is_some() && shown.plus(INEXACT).is_some_and(|shown| shown < ready) {
            let endpoint = "the clock that --clock or VMFA_CLOCK names".to_owned();
            return Err(Error::StandsStill { endpoint, seconds, until: ready, what: what.to_owned() });
        }
        Ok(())
    }

    pub(super) fn wait(&self, seconds: u64, what: &str) -> Result<(), Error> {
        if seconds == 0 {
            return Ok(());
        }
        self.world().wait(seconds, what)?;
        if let Some(difference) = self.world().difference() {
            self.caller.client.learn(difference);
        }
        Ok(())
    }
}

//! How far a device's clock is off: measured from its codes, set on purpose, in words and numbers.

use super::{Error, find};
use crate::oath::resync::{Solution, Window, solve};
use crate::oath::{Code, MovingFactor, distance};
use crate::provision::Enrolment;
use crate::registry::{self, Device, Registry};
use crate::time::{Drift, Timestamp, words};

/// How far a counter is looked for: behind, in case it was set back, and ahead. Two codes of six digits make sure.
const COUNTERS: Window = Window { behind: 1_000, ahead: 4_000 };

/// A drift in seconds, from steps.
#[must_use]
pub fn seconds(steps: i64, period: u64) -> i64 {
    steps.saturating_mul(i64::try_from(period).unwrap_or(i64::MAX))
}

/// The same for people.
#[must_use]
pub fn describe(steps: i64, period: u64) -> String {
    let off = words(seconds(steps, period).unsigned_abs());
    let plural = if steps.unsigned_abs() == 1 { "" } else { "s" };
    match steps {
        0 => "the device's clock is right".to_owned(),
        _ if steps < 0 => format!("the device is {off} behind ({} step{plural})", steps.unsigned_abs()),
        _ => format!("the device is {off} ahead ({steps} step{plural})"),
    }
}

/// Where consecutive codes read off a device, the oldest first, say that it stands: every answer within `seconds`
/// either side of `time`, and the step or counter they are counted from. For a counter device `seconds` has no
/// meaning.
///
/// # Errors
///
/// [`crate::oath::Error::BeforeT0`].
pub fn measure(enrolment: &Enrolment, time: Timestamp, codes: &[Code], seconds: u64) -> Result<(Solution, u64), Error> {
    let (centre, window) = match enrolment.parameters.factor {
        MovingFactor::Time { period } => {
            (enrolment.parameters.step_at(time)?.value(), Window::even(seconds.div_ceil(period.seconds())))
        }
        MovingFactor::Counter { next } => (next, COUNTERS),
    };
    Ok((solve(&enrolment.secret, &enrolment.parameters, codes, centre, window), centre))
}

/// A drift that is set to some seconds, and grows by some parts per million from `time` on. Where only the rate
/// changes, what the clock gained so far stays.
///
/// # Errors
///
/// [`Error::NoSuchStep`] where that clock would stand before 1970.
pub fn changed(drift: Drift, set: Option<i64>, rate: Option<i64>, time: Timestamp) -> Result<Drift, Error> {
    let shown = drift.apply(time).ok_or(Error::NoSuchStep)?;
    let so_far = distance(shown.as_unix(), time.as_unix());
    let ppm = rate.unwrap_or(drift.ppm);
    let seconds = set.unwrap_or(if rate.is_some() { so_far } else { drift.seconds });
    let since = match (ppm, set.or(rate)) {
        (0, _) => 0,
        (_, Some(_)) => time.as_unix(),
        (_, None) => drift.since,
    };
    let changed = Drift { seconds, ppm, since };
    changed.apply(time).map(|_| changed).ok_or(Error::NoSuchStep)
}

/// Makes a device's clock wrong on purpose, or right again.
///
/// # Errors
///
/// Those of `change` and of the registry.
pub fn change_drift(
    registry: &dyn Registry,
    wanted: &str,
    change: impl Fn(Drift) -> Result<Drift, Error>,
) -> Result<Device, Error> {
    let mut attempts = super::ledger::ATTEMPTS;
    loop {
        attempts = attempts.saturating_sub(1);
        let mut device = find(registry, wanted)?;
        device.drift = change(device.drift)?;
        match registry.update(std::slice::from_ref(&device)) {
            Ok(()) => return Ok(device),
            Err(registry::Error::Conflict(_)) if attempts > 0 => {}
            Err(error) => return Err(error.into()),
        }
    }
}

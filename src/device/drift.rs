//! How far a device's clock is off: measured from its codes, in words and numbers.

use super::Error;
use crate::oath::resync::{Solution, Window, solve};
use crate::oath::{Code, MovingFactor};
use crate::provision::Enrolment;
use crate::time::Timestamp;

/// How far a counter is looked for: behind, in case it was set back, and ahead. Two codes of six digits make sure.
const COUNTERS: Window = Window { behind: 1_000, ahead: 4_000 };

/// Device minus reference.
#[must_use]
pub fn between(device: u64, reference: u64) -> i64 {
    let difference = i128::from(device).saturating_sub(i128::from(reference));
    i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
}

/// A drift of so many steps in seconds.
#[must_use]
pub fn seconds(steps: i64, period: u64) -> i64 {
    steps.saturating_mul(i64::try_from(period).unwrap_or(i64::MAX))
}

/// The same for people.
#[must_use]
pub fn describe(steps: i64, period: u64) -> String {
    let seconds = seconds(steps, period).unsigned_abs();
    let plural = if steps.unsigned_abs() == 1 { "" } else { "s" };
    match steps {
        0 => "the device's clock is right".to_owned(),
        _ if steps < 0 => format!("the device is {seconds} s behind ({} step{plural})", steps.unsigned_abs()),
        _ => format!("the device is {seconds} s ahead ({steps} step{plural})"),
    }
}

/// Where consecutive codes read off a device, the oldest first, say that it stands: every answer within `seconds` either
/// side of `time`, and the step or counter they are counted from. For a counter device `seconds` has no meaning.
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

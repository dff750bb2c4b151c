//! Why codes are refused, or a call.

use crate::oath::relying_party::Rules;
use crate::time::{Timestamp, signed_words, words};

/// Why codes are refused, or a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The ARN of something else.
    #[error("{serial} is no virtual MFA device: its ARN would have `:mfa/`")]
    NoDevice {
        /// What was taken for a serial number.
        serial: String,
    },
    /// IAM has it, and it is nobody's.
    #[error("{serial} is not enabled for anybody")]
    Unassigned {
        /// Which device.
        serial: String,
    },
    /// IAM has it, and it is somebody else's.
    #[error("{serial} belongs to {owner}, not to the user who asks")]
    OfAnother {
        /// Which device.
        serial: String,
        /// The other user.
        owner: String,
    },
    /// IAM doesn't have it.
    #[error("there is no device {serial}")]
    NotThere {
        /// Which device.
        serial: String,
    },
    /// The user doesn't have it; who else does, can't be seen.
    #[error("{serial} is not among the user's devices")]
    NotOfUser {
        /// Which device.
        serial: String,
    },
    /// STS learns of it some seconds after IAM.
    #[error("{serial} was enabled at {enabled}, and STS doesn't know it yet")]
    NotYet {
        /// Which device.
        serial: String,
        /// When it was enabled.
        enabled: Timestamp,
        /// When STS should know it.
        from: Timestamp,
    },
    /// By exclusion of all else.
    #[error("AWS accepts {most} codes of {serial} in three minutes: the next at {until}", most = MOST)]
    Budget {
        /// Which device.
        serial: String,
        /// When they will be.
        until: Timestamp,
    },
    /// What the codes are made by is wrong.
    #[error("the clock is {} {}", words(.seconds.unsigned_abs()), if *.seconds < 0 { "slow" } else { "fast" })]
    Clock {
        /// The clock minus the service's.
        seconds: i64,
    },
    /// The device's clock is set wrong on purpose.
    #[error("the clock of `{name}` is offset by {} (set with `vmfa drift`)", signed_words(*.seconds))]
    Drift {
        /// Its name here.
        name: String,
        /// Its clock minus the true one.
        seconds: i64,
    },
    /// Perhaps used already by somebody else who has the secret; or AWS allows for a drift that the device no longer has.
    #[error("the code was refused: it may be used already, or AWS allows for a drift that is gone")]
    Used,
    /// AWS's device has another secret.
    #[error("{serial} was enabled again at {enabled}, after the secret of `{name}` was stored")]
    Anew {
        /// Which device.
        serial: String,
        /// Its name here.
        name: String,
        /// When.
        enabled: Timestamp,
    },
    /// Two different codes were refused, and the clock is right.
    #[error("AWS refuses the codes of `{name}`: it is out of sync")]
    OutOfSync {
        /// Its name here.
        name: String,
    },
    /// The lists that would tell can't be seen.
    #[error("AWS doesn't look at the codes of {serial}, and why can't be found out: {reason}")]
    Unknown {
        /// Which device.
        serial: String,
        /// What stood in the way.
        reason: String,
    },
}

/// How many codes AWS looks at in a window.
const MOST: u32 = match Rules::AWS.budget {
    Some(budget) => budget.attempts,
    None => 0,
};

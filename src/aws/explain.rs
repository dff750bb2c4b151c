//! What a refusal means: found out by asking, not by guessing.
//!
//! STS has one message for four causes, and one for three. Which it is, IAM's lists, the service's clock and the
//! registry tell.

use super::Refusal;
use super::flow::Flow;
use super::session::is_about_code;
use crate::device::issue::Moment;
use crate::oath::relying_party::{PROPAGATION, Rules};
use crate::registry::Device;
use crate::time::{Timestamp, signed_words, words};

/// A clock that is wrong by more makes wrong codes, in seconds: two steps.
const TOO_WRONG: u64 = 60;

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
    /// The device is made to be wrong.
    #[error("the clock of `{name}` is offset by {} (set with `vmfa drift`)", signed_words(*.seconds))]
    Drift {
        /// Its name here.
        name: String,
        /// Its clock minus the true one.
        seconds: i64,
    },
    /// Perhaps used already by somebody else who has the secret.
    #[error("the code was refused: somebody else may have used it")]
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

impl Flow<'_> {
    /// Why STS refused a code that was made at a time; and, where waiting is the cure, for how many seconds. `again` where
    /// a second code was refused as well. None for refusals that aren't about codes.
    pub(super) fn explain_code(
        &self,
        device: &Device,
        refusal: &Refusal,
        used: Moment,
        again: bool,
    ) -> Option<(Cause, Option<u64>)> {
        if !is_about_code(refusal) {
            return None;
        }
        let serial = device.serial.clone().unwrap_or_default();
        if refusal.message.contains("unable to validate") {
            return Some(self.explain_unseen(serial));
        }
        Some(self.explain_wrong(device, serial, used, again))
    }

    /// "Unable to validate": the code wasn't looked at.
    fn explain_unseen(&self, serial: String) -> (Cause, Option<u64>) {
        if serial.split(':').nth(5).is_none_or(|resource| !resource.starts_with("mfa/")) {
            return (Cause::NoDevice { serial }, None);
        }
        let time = self.time();
        let own = match self.caller.list_mfa_devices(None) {
            Ok(own) => own,
            Err(error) => return (Cause::Unknown { serial, reason: error.to_string() }, None),
        };
        if let Some(listed) = own.iter().find(|listed| listed.serial == serial) {
            // Whatever the list says, it wasn't later than now.
            let enabled = listed.enabled.unwrap_or(time).min(time);
            let from = enabled.plus(PROPAGATION.most.as_secs()).unwrap_or(enabled);
            if time < from {
                let wait = from.as_unix().saturating_sub(time.as_unix());
                return (Cause::NotYet { serial, enabled, from }, Some(wait));
            }
            let seconds = Rules::AWS.budget.map_or(1, |budget| budget.seconds.get());
            let windows = time.as_unix().checked_div(seconds).unwrap_or(0).saturating_add(1);
            let until = Timestamp::from_unix(windows.saturating_mul(seconds));
            let wait = until.as_unix().saturating_sub(time.as_unix());
            return (Cause::Budget { serial, until }, Some(wait));
        }
        let cause = match self.caller.list_virtual_mfa_devices() {
            Err(_) => Cause::NotOfUser { serial },
            Ok(all) => match all.into_iter().find(|listed| listed.serial == serial) {
                None => Cause::NotThere { serial },
                Some(listed) => match (listed.user, listed.enabled) {
                    (Some(owner), _) => Cause::OfAnother { serial, owner: format!("user {owner}") },
                    (None, Some(_)) => Cause::OfAnother { serial, owner: "the root user".to_owned() },
                    (None, None) => Cause::Unassigned { serial },
                },
            },
        };
        (cause, None)
    }

    /// "Invalid one time pass code": it was looked at.
    fn explain_wrong(&self, device: &Device, serial: String, used: Moment, again: bool) -> (Cause, Option<u64>) {
        // When the code was made, not now: an answer may have been long in coming.
        let true_time = used.now.shifted(self.caller.client.ahead()).unwrap_or(used.now);
        let used = used.time;
        let name = device.name.to_string();
        let off = |time: Timestamp| {
            i64::try_from(i128::from(time.as_unix()).saturating_sub(true_time.as_unix().into())).unwrap_or(i64::MAX)
        };
        let seconds = off(used);
        if seconds.unsigned_abs() > TOO_WRONG {
            // By the service's clock it will do, unless another one was named.
            return (Cause::Clock { seconds }, self.clock.is_none().then_some(0));
        }
        let shown = device.drift.apply(used).map_or(0, off);
        if shown.unsigned_abs() > TOO_WRONG {
            return (Cause::Drift { name, seconds: shown }, None);
        }
        if !again {
            return (Cause::Used, Some(0));
        }
        let listed = self.caller.list_mfa_devices(None).unwrap_or_default();
        let enabled = listed.into_iter().find(|listed| listed.serial == serial).and_then(|listed| listed.enabled);
        match enabled {
            // A secret of a moment before is its own.
            Some(enabled) if enabled.as_unix() > device.created.as_unix().saturating_add(24 * 60 * 60) => {
                (Cause::Anew { serial, name, enabled }, None)
            }
            _ => (Cause::OutOfSync { name }, None),
        }
    }
}

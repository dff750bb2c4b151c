//! What a refusal means: found out by asking, not by guessing.
//!
//! STS has one message for four causes, and one for three. Which it is, IAM's lists, the service's clock and the
//! registry tell.

use super::Refusal;
pub use super::cause::Cause;
use super::client::apart;
use super::flow::Flow;
use crate::device::issue::Moment;
use crate::oath::distance;
use crate::oath::relying_party::{PROPAGATION, Rules};
use crate::registry::Device;
use crate::time::Timestamp;

/// A clock that is wrong by more makes wrong codes, in seconds: two steps.
const TOO_WRONG: u64 = 60;

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
        if !refusal.is_about_code() {
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
            // Even if the list says otherwise, it wasn't later than now.
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
        let seconds = apart(used, true_time);
        if seconds.unsigned_abs() > TOO_WRONG {
            // By the service's clock it will do, unless another one was named.
            return (Cause::Clock { seconds }, self.clock.is_none().then_some(0));
        }
        // What was set is known to the second.
        let shown = device
            .drift
            .apply(used)
            .map_or(0, |shown| distance(shown.as_unix(), used.as_unix()).saturating_add(seconds));
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

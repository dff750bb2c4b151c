//! When the service was last heard of, by its clock and by this machine's, and what its time is now, as far as that is
//! certain without asking it again.
//!
//! A clock that people, NTP or another operating system set says nothing about the time that has passed. What does is a
//! clock that nobody sets and that goes on while the machine sleeps; but it stands while a virtual machine is stopped,
//! and restarts at zero with each boot. So a contact counts only if both clocks agree on how long ago it was.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How far two clocks may differ about the time that passed: their seconds are whole, and one of them may be slewed, by
/// NTP at most one part in two thousand.
const ROUNDING: u64 = 2;
const SLEW: u64 = 1_000;

/// How long this boot of the machine has lasted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// Which boot: no two have the same.
    pub id: String,
    /// Seconds since it began, those included in which the machine slept.
    pub seconds: u64,
}

/// What the clocks of this machine show, and the service's where it answered in this very run.
#[derive(Debug, Clone)]
pub(super) struct Now {
    pub(super) system: Timestamp,
    pub(super) boot: Option<Boot>,
    pub(super) service: Option<Timestamp>,
}

/// The same when the service was last heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Contact {
    service: Timestamp,
    system: Timestamp,
    boot: Boot,
}

impl Contact {
    /// What is to be remembered; none where that would prove nothing later.
    pub(super) fn of(now: Now) -> Option<Self> {
        Some(Self { service: now.service?, system: now.system, boot: now.boot? })
    }

    /// The service's time, not earlier than it is; none where this machine's clocks don't agree on how long ago the
    /// contact was.
    pub(super) fn service_time(&self, now: &Now) -> Option<Timestamp> {
        let boot = now.boot.as_ref().filter(|boot| boot.id == self.boot.id)?;
        let by_boot = boot.seconds.checked_sub(self.boot.seconds)?;
        let by_system = now.system.as_unix().checked_sub(self.system.as_unix())?;
        let tolerance = ROUNDING.saturating_add(by_boot.div_euclid(SLEW));
        let agree = by_boot.abs_diff(by_system) <= tolerance;
        if agree { self.service.plus(by_boot.max(by_system).saturating_add(ROUNDING)) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTACT: u64 = 1_700_000_000;

    /// Contact while the system's clock was `off` seconds ahead; then each clock moved on by this many seconds.
    fn service_time(off: u64, system: i64, boot: i64, id: &str) -> Option<u64> {
        let at = |system: u64, boot: u64, id: &str| Now {
            system: Timestamp::from_unix(system),
            boot: Some(Boot { id: id.to_owned(), seconds: boot }),
            service: None,
        };
        let began = CONTACT.saturating_add(off);
        let contact = Now { service: Some(Timestamp::from_unix(CONTACT)), ..at(began, 5_000, "one") };
        let now = at(began.checked_add_signed(system).unwrap(), 5_000_u64.checked_add_signed(boot).unwrap(), id);
        Contact::of(contact).unwrap().service_time(&now).map(|time| time.as_unix().saturating_sub(CONTACT))
    }

    #[test]
    fn a_clock_that_is_wrong_and_stays_so_is_no_obstacle() {
        for off in [0, 7_200, 40_000_000] {
            assert_eq!(service_time(off, 1_200, 1_200, "one"), Some(1_202));
            // Rounded, and slewed for half a day.
            assert_eq!(service_time(off, 43_220, 43_200, "one"), Some(43_222));
            assert_eq!(service_time(off, 43_180, 43_200, "one"), Some(43_202));
        }
    }

    #[test]
    fn a_clock_that_was_set_a_machine_that_stood_and_another_boot_prove_nothing() {
        for (what, system, boot, id) in [
            ("set back by two hours", 1_200 - 7_200, 1_200, "one"),
            ("set ahead", 1_200 + 7_200, 1_200, "one"),
            ("set by a few seconds", 1_205, 1_200, "one"),
            ("a virtual machine that was stopped", 36_000, 60, "one"),
            ("another boot", 1_200, 1_200, "two"),
            ("another boot, earlier in it", 1_200, -4_000, "two"),
            ("a clock that can't be", 1_200, -4_000, "one"),
        ] {
            assert_eq!(service_time(7_200, system, boot, id), None, "{what}");
        }
    }

    #[test]
    fn without_the_services_time_or_a_clock_that_nobody_sets_nothing_is_remembered() {
        let system = Timestamp::from_unix(CONTACT);
        let boot = Some(Boot { id: "one".to_owned(), seconds: 1 });
        assert_eq!(Contact::of(Now { system, boot, service: None }), None);
        assert_eq!(Contact::of(Now { system, boot: None, service: Some(system) }), None);
    }
}

//! Forgetting the pasts of authenticators that matter no longer.

use super::Account;
use crate::serve::time::Instant;

/// How many pasts are looked at whenever a device is made or deleted. One is made at most: sweeps get ahead of that.
const SWEPT: usize = 16;

impl Account {
    /// Forgets the pasts of some numbers, in turn, that have no device any more and no past that matters.
    pub(in crate::serve) fn sweep_authenticators(&mut self, now: Instant) {
        let mut ahead = self.authenticators.from(&self.swept_to).map(|(serial, _)| serial.clone());
        let looked_at: Vec<String> = ahead.by_ref().take(SWEPT).collect();
        let next = ahead.next().unwrap_or_default();
        drop(ahead);
        self.swept_to = next;
        for serial in looked_at {
            let over = self.authenticators.get(&serial).is_some_and(|authenticator| !authenticator.matters(now));
            if over && !self.devices.contains(&serial) {
                self.authenticators.remove(&serial);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::authenticator::tests::{at, past};
    use super::super::{Device, Tags};
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn sweeps_come_by_every_number_and_leave_devices_and_what_matters() {
        let mut account = Account::new("123456789012");
        for number in 0..100 {
            account.authenticators.insert(format!("{number:03}"), past(Some(15)));
        }
        let seed = Secret::new(vec![7; 20]).unwrap();
        let serial = "050".to_owned();
        let device =
            Device { serial: serial.clone(), name: String::new(), seed, tags: Tags::default(), assigned: None };
        account.devices.insert(serial, device);
        account.sweep_authenticators(at(194));
        assert_eq!(account.authenticators.len(), 100);
        account.sweep_authenticators(at(195));
        assert_eq!(account.authenticators.len(), 100 - SWEPT, "a bounded number at a time");
        for _ in 0..100 / SWEPT + 1 {
            account.sweep_authenticators(at(195));
        }
        assert_eq!(account.authenticators.iter().map(|(serial, _)| serial.as_str()).collect::<Vec<_>>(), ["050"]);
    }
}

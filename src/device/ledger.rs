//! What was handed out for a secret, whatever its devices are called.
//!
//! Devices of one secret share a ledger. They find each other by a fingerprint: HMAC-SHA-256 of the secret under the
//! vault's own key. The registry that holds fingerprints doesn't hold the key, and whoever holds the key can read the
//! secrets anyway.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{Devices, Error};
use crate::oath::MovingFactor;
use crate::provision::Enrolment;
use crate::registry::{self, Claim, Device, Fingerprint, Forget, Ledger};
use crate::time::{Period, Step, Timestamp};
use crate::vault::Id;

/// Steps are remembered for so many periods after they passed and were handed out. AWS, the most generous of what was
/// measured, takes a pair 1,000 steps away from where it believes the device to be; four times that leaves room for a
/// device that is resynchronized again and again.
pub const REMEMBERED: u64 = 4_000;

/// The shortest time for which anything is remembered, in seconds.
const AT_LEAST: u64 = 24 * 60 * 60;

/// How often a change is tried against other processes making theirs.
pub(super) const ATTEMPTS: u8 = 50;

impl Devices<'_> {
    /// The ledger of a device, found or begun where nothing was handed out yet.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn ledger(&self, device: &Device, enrolment: &Enrolment) -> Result<Id, Error> {
        if let Some(known) = device.ledger {
            return Ok(known);
        }
        let key = self.vault.own_key()?;
        Ok(self.registry.join(device.id, &fingerprint(key.as_bytes(), enrolment))?)
    }

    /// Takes steps: the first `most` of the candidates that were never handed out.
    pub(super) fn claim(
        &self,
        ledger: Id,
        period: Period,
        candidates: &[Step],
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Step>, Error> {
        let forget = forget(period, now);
        Ok(self.registry.claim(&Claim { ledger, candidates, most, now, forget })?)
    }

    /// Changes a ledger, again and again while others change it too. `None` from `change` leaves it.
    pub(super) fn change_ledger<T>(
        &self,
        id: Id,
        now: Timestamp,
        mut change: impl FnMut(&mut Ledger) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        for _ in 0..ATTEMPTS {
            let mut ledger = self.registry.ledger(id)?;
            let Some(outcome) = change(&mut ledger)? else { return Ok(None) };
            ledger.changed = now;
            match self.registry.update_ledger(&ledger) {
                Ok(()) => return Ok(Some(outcome)),
                Err(registry::Error::LedgerConflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(registry::Error::LedgerConflict.into())
    }
}

/// Devices without a name forget what was handed out as late as any could matter: after [`REMEMBERED`] of the default
/// period.
pub(super) fn forgotten_ledgers(now: Timestamp) -> Timestamp {
    Timestamp::from_unix(now.as_unix().saturating_sub(remembered(Period::DEFAULT)))
}

fn forget(period: Period, now: Timestamp) -> Forget {
    let before = Timestamp::from_unix(now.as_unix().saturating_sub(remembered(period)));
    let below = period.step_at(before, crate::oath::totp::EPOCH).map_or(Step::new(0), |(step, _)| step);
    Forget { below, before }
}

fn remembered(period: Period) -> u64 {
    period.seconds().saturating_mul(REMEMBERED).max(AT_LEAST)
}

/// Of the secret and of what makes two devices' steps or counters the same thing. Not of the number of digits: six
/// digits are the end of eight.
fn fingerprint(key: &[u8], enrolment: &Enrolment) -> Fingerprint {
    #[expect(clippy::expect_used, reason = "RFC 2104 takes keys of any length; the crate's error is for other MACs")]
    let mut mac = <Hmac<Sha256>>::new_from_slice(key).expect("HMAC takes any key");
    let period = match enrolment.parameters.factor {
        MovingFactor::Time { period } => period.seconds(),
        MovingFactor::Counter { .. } => 0,
    };
    mac.update(b"vmfa ledger 1\n");
    mac.update(enrolment.parameters.algorithm.as_str().as_bytes());
    mac.update(b"\n");
    mac.update(&period.to_be_bytes());
    mac.update(enrolment.secret.expose());
    mac.finalize().into_bytes().into()
}

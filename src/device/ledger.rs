//! What was handed out for a secret, under all names of its devices.
//!
//! Devices of one secret in one kind of vault share a ledger. They find each other by a fingerprint: HMAC-SHA-256 of
//! the secret under the vault's own key. The registry that holds fingerprints doesn't hold the key, and somebody who has
//! the key can read the secrets anyway.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

use super::clock::Clock;
use super::{Devices, Error};
use crate::oath::{Algorithm, MovingFactor};
use crate::provision::Enrolment;
use crate::registry::{self, Claim, Device, Fingerprint, Forget, Ledger, REMEMBERED, REMEMBERED_AT_LEAST, Token};
use crate::time::{Period, Step, Timestamp};
use crate::vault::Id;

/// A step that no clock reaches.
pub(super) const FAR: Step = Step::new(i64::MAX.unsigned_abs());

/// Steps that were taken, and by which claim.
#[derive(Debug, Clone)]
pub(super) struct Claimed {
    pub(super) ledger: Id,
    pub(super) token: Token,
    pub(super) steps: Vec<Step>,
}

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
        let key = self.own_key()?;
        Ok(self.registry.join(device.id, &fingerprint(key.as_bytes(), enrolment))?)
    }

    /// The ledgers of several devices of which nothing was handed out yet, by their devices: as [`ledger`](Self::ledger) begins
    /// them one by one, but with one write.
    ///
    /// # Errors
    ///
    /// Those of the vault's own key; for each device, those of vault and registry.
    pub fn begin_ledgers(&self, devices: &[&Device]) -> Result<BTreeMap<Id, Result<Id, Error>>, Error> {
        let (mut ledgers, mut read) = (BTreeMap::new(), Vec::with_capacity(devices.len()));
        for (device, enrolment) in devices.iter().zip(self.enrolments(devices)) {
            match enrolment {
                Ok(enrolment) => read.push((device.id, enrolment)),
                Err(error) => drop(ledgers.insert(device.id, Err(error))),
            }
        }
        // Where no secret can be read, no key is made.
        if !read.is_empty() {
            let key = self.own_key()?;
            let join = |(device, enrolment): &(Id, Enrolment)| (*device, fingerprint(key.as_bytes(), enrolment));
            let joins: Vec<(Id, Fingerprint)> = read.iter().map(join).collect();
            let joined = self.registry.join_all(&joins).into_iter().map(|ledger| ledger.map_err(Error::from));
            ledgers.extend(joins.iter().map(|(device, _)| *device).zip(joined));
        }
        Ok(ledgers)
    }

    /// The same where there is one; nothing is written.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn known_ledger(&self, device: &Device, enrolment: &Enrolment) -> Result<Option<Id>, Error> {
        if device.ledger.is_some() {
            return Ok(device.ledger);
        }
        match self.vault.find_own_key()? {
            Some(key) => Ok(self.registry.ledger_of(&fingerprint(key.as_bytes(), enrolment))?),
            None => Ok(None),
        }
    }

    /// The vault's own key, made where there was none yet.
    ///
    /// # Errors
    ///
    /// [`registry::Error::OtherKey`] where there was one; and those of vault and registry.
    pub(crate) fn own_key(&self) -> Result<Zeroizing<String>, Error> {
        let place = self.vault.own_key_place()?;
        // In this order: a key is in the vault before the registry knows it.
        let known = self.registry.knows_key(&place)?;
        let key = match self.vault.find_own_key()? {
            Some(key) => key,
            None => {
                if known {
                    self.registry.expect_no_key(&place)?;
                }
                self.vault.own_key()?
            }
        };
        let mut mac = mac(key.as_bytes());
        mac.update(b"vmfa key 1\n");
        self.registry.see_key(&place, &mac.finalize().into_bytes().into())?;
        Ok(key)
    }

    /// Takes steps: the first `most` of the candidates that were never handed out. Those after `ready` are waited for.
    pub(super) fn claim(
        &self,
        ledger: Id,
        clock: &Clock,
        candidates: &[Step],
        (most, ready): (usize, Step),
        now: Timestamp,
    ) -> Result<Claimed, Error> {
        self.take(&Claim {
            ledger,
            token: Token::random(),
            candidates,
            most,
            ready,
            now,
            again: false,
            forget: forget(clock.period, now),
        })
    }

    /// Takes steps that are given whether they were handed out before or not; the result are those that weren't.
    pub(super) fn claim_all(
        &self,
        ledger: Id,
        clock: &Clock,
        steps: &[Step],
        now: Timestamp,
    ) -> Result<Claimed, Error> {
        self.take(&Claim {
            ledger,
            token: Token::random(),
            candidates: steps,
            most: steps.len(),
            ready: FAR,
            now,
            again: true,
            forget: forget(clock.period, now),
        })
    }

    fn take(&self, claim: &Claim<'_>) -> Result<Claimed, Error> {
        Ok(Claimed { ledger: claim.ledger, token: claim.token, steps: self.registry.claim(claim)? })
    }

    /// Gives steps back that were taken in vain; those that somebody handed out again meanwhile stay taken.
    pub(super) fn give_back(&self, claimed: &Claimed) -> Result<(), Error> {
        for step in &claimed.steps {
            self.registry.release(claimed.ledger, *step, claimed.token)?;
        }
        Ok(())
    }

    /// Changes a ledger, again and again while others change it too.
    pub(super) fn change_ledger<T>(
        &self,
        id: Id,
        now: Timestamp,
        mut change: impl FnMut(&mut Ledger) -> Result<T, Error>,
    ) -> Result<T, Error> {
        for _ in 0..ATTEMPTS {
            let before = self.registry.ledger(id)?;
            let mut ledger = before.clone();
            let outcome = change(&mut ledger)?;
            if ledger == before {
                return Ok(outcome);
            }
            ledger.changed = now;
            match self.registry.update_ledger(&ledger) {
                Ok(()) => return Ok(outcome),
                Err(registry::Error::LedgerConflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(registry::Error::LedgerConflict.into())
    }
}

/// What no relying party could accept any more.
fn forget(period: Period, now: Timestamp) -> Forget {
    let remembered = period.seconds().saturating_mul(REMEMBERED).max(REMEMBERED_AT_LEAST);
    let before = Timestamp::from_unix(now.as_unix().saturating_sub(remembered));
    let below = period.step_at(before, crate::oath::totp::EPOCH).map_or(Step::new(0), |(step, _)| step);
    Forget { below, before }
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "RFC 2104 takes keys of any length; the crate's error is for other MACs")]
    Hmac::new_from_slice(key).expect("HMAC takes any key")
}

/// Of the secret and of what makes two devices' steps or counters the same thing. Not of the number of digits: six
/// digits are the end of eight.
pub(super) fn fingerprint(key: &[u8], enrolment: &Enrolment) -> Fingerprint {
    let mut mac = mac(key);
    let period = match enrolment.parameters.factor {
        MovingFactor::Time { period } => period.seconds(),
        MovingFactor::Counter { .. } => 0,
    };
    mac.update(b"vmfa ledger 1\n");
    mac.update(enrolment.parameters.algorithm.as_str().as_bytes());
    mac.update(b"\n");
    mac.update(&period.to_be_bytes());
    mac.update(&key_of(enrolment));
    mac.finalize().into_bytes().into()
}

/// The secret as HMAC takes it (RFC 2104): hashed where it is longer than a block, zeros at its end left out. Secrets
/// that differ only so give the same codes.
fn key_of(enrolment: &Enrolment) -> Zeroizing<Vec<u8>> {
    let secret = enrolment.secret.expose();
    let mut key = Zeroizing::new(match enrolment.parameters.algorithm {
        Algorithm::Sha1 if secret.len() > 64 => Sha1::digest(secret).to_vec(),
        Algorithm::Sha256 if secret.len() > 64 => Sha256::digest(secret).to_vec(),
        Algorithm::Sha512 if secret.len() > 128 => Sha512::digest(secret).to_vec(),
        Algorithm::Sha1 | Algorithm::Sha256 | Algorithm::Sha512 => secret.to_vec(),
    });
    while key.last() == Some(&0) {
        key.pop();
    }
    key
}

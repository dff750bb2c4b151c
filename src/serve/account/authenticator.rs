//! What stands behind a serial number: how its codes were used, and what STS knows of whose it is.
//!
//! It outlives the device of that number: clock adjustment and pair history survive a deactivation, and the budget of
//! verifications even a new seed. When none of that matters any more, it is [swept](Account::sweep_authenticators) away.

use serde::{Deserialize, Serialize};

use super::Account;
use super::entities::seed;
use crate::oath::relying_party::{self, Match, Refusal, Rules, State, Verdict, accept};
use crate::oath::{Code, Parameters};
use crate::secret::Secret;
use crate::time::Timestamp;

/// How long a binding takes to reach STS, in seconds.
pub(in crate::serve) const PROPAGATION: u64 = relying_party::PROPAGATION.model;

/// How many pasts are looked at whenever a device is made or deleted. One is made at most: sweeps get ahead of that.
const SWEPT: usize = 16;

/// A serial number's past.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::serve) struct Authenticator {
    state: State,
    /// The bindings that STS knows, or will know [`PROPAGATION`] after they were made; the oldest first.
    bindings: Vec<Binding>,
    /// When a code was last presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    tried: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Binding {
    made: Timestamp,
    /// `None` from a deactivation on.
    bound: Option<Bound>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Bound {
    /// The user's id.
    user: String,
    #[serde(with = "seed")]
    seed: Secret,
    /// Steps that the device is taken to be ahead.
    adjustment: i64,
}

/// Why STS doesn't accept a code. AWS tells all but the last with the same words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::serve) enum Unverified {
    /// Nobody's, as far as STS knows, and nothing is on its way.
    Unbound,
    /// Somebody else's.
    Foreign,
    /// The binding is made and gets here then.
    NotPropagated(Timestamp),
    /// No verification before then.
    Budget(Timestamp),
    /// The code isn't right, or isn't any longer.
    Code(Refusal),
}

impl Authenticator {
    /// What a new seed under this number begins with.
    ///
    /// Nothing at STS: the used steps go with the old seed, so a binding that outlived it, for a deactivation takes
    /// [`PROPAGATION`] to arrive, would accept its used codes once more, and use up their steps for the new seed.
    pub(in crate::serve) fn reseed(&mut self) {
        self.state = self.state.reseeded();
        self.bindings.clear();
    }

    /// How many steps the device is taken to be ahead.
    pub(in crate::serve) const fn adjustment(&self) -> i64 {
        self.state.adjustment()
    }

    /// Decides about a pair, as IAM does for enabling and resynchronizing.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(in crate::serve) fn pair(&mut self, seed: &Secret, codes: [Code; 2], now: Timestamp) -> Result<Match, Refusal> {
        let (state, verdict) = accept(&Rules::AWS, seed, &Parameters::DEFAULT, &self.state, now, &codes);
        self.state = state;
        match verdict {
            Verdict::Accepted(found) => Ok(found),
            Verdict::Refused(refusal) => Err(refusal),
        }
    }

    /// Whose it is from now on, for STS to learn in time.
    pub(in crate::serve) fn bind(&mut self, user: Option<&str>, seed: &Secret, now: Timestamp) {
        // Of what has arrived only the newest counts.
        let arrived = self.bindings.iter().rposition(|binding| binding.arrives() <= now);
        self.bindings.drain(..arrived.unwrap_or(0));
        let adjustment = self.state.adjustment();
        let bound = user.map(|user| Bound { user: user.to_owned(), seed: seed.clone(), adjustment });
        self.bindings.push(Binding { made: now, bound });
    }

    /// Decides about a single code for a user, as STS does.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(in crate::serve) fn verify(&mut self, user: &str, code: Code, now: Timestamp) -> Result<Match, Unverified> {
        let bound = self.bound(user, now)?.clone();
        self.tried = Some(now);
        let known = self.state.with_adjustment(bound.adjustment);
        let (state, verdict) = accept(&Rules::AWS, &bound.seed, &Parameters::DEFAULT, &known, now, &[code]);
        self.state = state.with_adjustment(self.state.adjustment());
        match verdict {
            Verdict::Accepted(found) => Ok(found),
            Verdict::Refused(Refusal::TooManyAttempts { until }) => Err(Unverified::Budget(until)),
            Verdict::Refused(refusal) => Err(Unverified::Code(refusal)),
        }
    }

    /// Whether a number without a device has a past that matters: attempts of a window that isn't over, or word to STS
    /// that is on its way or that it is somebody's.
    fn matters(&self, now: Timestamp) -> bool {
        let window = Rules::AWS.budget.map_or(0, |budget| budget.seconds.get());
        // However early in its window the attempt was, the window is over by then.
        let tried = self.tried.is_some_and(|tried| tried.plus(window).is_none_or(|over| over > now));
        tried || self.bindings.last().is_some_and(|last| last.bound.is_some() || last.arrives() > now)
    }

    /// What STS knows by now of a user's hold on it.
    fn bound(&self, user: &str, now: Timestamp) -> Result<&Bound, Unverified> {
        let known = self.bindings.iter().rfind(|binding| binding.arrives() <= now);
        let coming = self
            .bindings
            .iter()
            .find(|binding| binding.arrives() > now && binding.bound.as_ref().is_some_and(|bound| bound.user == user));
        match (known.and_then(|binding| binding.bound.as_ref()), coming) {
            (Some(bound), _) if bound.user == user => Ok(bound),
            (_, Some(coming)) => Err(Unverified::NotPropagated(coming.arrives())),
            (Some(_), None) => Err(Unverified::Foreign),
            (None, None) => Err(Unverified::Unbound),
        }
    }
}

impl Account {
    /// Forgets the pasts of some numbers, in turn, that have no device any more and no past that matters.
    pub(in crate::serve) fn sweep_authenticators(&mut self, now: Timestamp) {
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

impl Binding {
    fn arrives(&self) -> Timestamp {
        self.made.plus(PROPAGATION).unwrap_or(self.made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_790_000_100);

    fn at(seconds: u64) -> Timestamp {
        NOW.plus(seconds).unwrap()
    }

    /// After a seed that a user had until now, and that was tried `tried` seconds from now.
    fn past(tried: Option<u64>) -> Authenticator {
        let seed = Secret::new(vec![7; 20]).unwrap();
        let mut authenticator = Authenticator::default();
        authenticator.bind(Some("AIDA"), &seed, NOW);
        assert!(authenticator.matters(at(1_000)), "it is somebody's");
        if let Some(seconds) = tried {
            let _ = authenticator.verify("AIDA", "000000".parse().unwrap(), at(seconds));
        }
        authenticator.bind(None, &seed, at(20));
        authenticator
    }

    #[test]
    fn a_past_matters_until_its_last_word_has_arrived_and_its_window_is_over() {
        assert!(past(None).matters(at(29)) && !past(None).matters(at(30)));
        assert!(past(Some(15)).matters(at(194)) && !past(Some(15)).matters(at(195)));
        assert!(!Authenticator::default().matters(NOW));
    }

    #[test]
    fn sweeps_come_by_every_number_and_leave_devices_and_what_matters() {
        let mut account = Account::new("123456789012");
        for number in 0..100 {
            account.authenticators.insert(format!("{number:03}"), past(Some(15)));
        }
        let seed = Secret::new(vec![7; 20]).unwrap();
        let serial = "050".to_owned();
        let device = super::super::Device {
            serial: serial.clone(),
            name: String::new(),
            seed,
            tags: super::super::Tags::default(),
            assigned: None,
        };
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

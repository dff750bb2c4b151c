//! What stands behind a serial number: how its codes were used, and what STS knows of whose it is.
//!
//! It outlives the device of that number: clock adjustment and pair history survive a deactivation, and the budget of
//! verifications even a new seed. When none of that matters any more, it is [swept](Account::sweep_authenticators) away.

use serde::{Deserialize, Serialize};

use super::entities::seed;
use crate::oath::relying_party::{Match, PROPAGATION, Refusal, Rules, State, Verdict, accept};
use crate::oath::{Code, Parameters};
use crate::secret::Secret;
use crate::serve::time::Instant;
use crate::time::Timestamp;

/// A serial number's past.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::serve) struct Authenticator {
    /// Of the seed that the number has now, and of the number: the attempts are the number's.
    state: State,
    /// How many seeds the number had before.
    #[serde(skip_serializing_if = "is_zero")]
    generation: u64,
    /// The seeds before that a binding is of: STS goes by one until it learns of the next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Earlier>,
    /// The bindings that STS knows or will know, in the order in which it learns of them.
    bindings: Vec<Binding>,
    /// When a code was last presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    tried: Option<Timestamp>,
}

/// How the codes of an earlier seed were used.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Earlier {
    generation: u64,
    state: State,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Binding {
    arrival: Arrival,
    /// `None` from a deactivation on.
    bound: Option<Bound>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Bound {
    /// The user's id.
    user: String,
    #[serde(with = "seed")]
    seed: Secret,
    generation: u64,
    /// Steps that the device is taken to be ahead.
    adjustment: i64,
}

/// When STS learns of something that IAM did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::serve) struct Arrival {
    /// From here to `known`, STS uses up the codes of what is coming, and refuses them.
    changing: Instant,
    known: Instant,
}

/// Why STS doesn't accept a code. AWS tells all but the last with the same words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::serve) enum Unverified {
    /// Nobody's, as far as STS knows, and nothing is on its way.
    Unbound,
    /// Somebody else's.
    Foreign,
    /// The binding is made and gets here then.
    NotPropagated(Instant),
    /// The binding is just getting here: the attempt counted, and its code is used up if it was right.
    Changing(Instant),
    /// No verification before then.
    Budget(Timestamp),
    /// The code isn't right, or isn't any longer.
    Code(Refusal),
}

impl Arrival {
    /// Of a device that is enabled now.
    pub(in crate::serve) fn of_enabling(now: Instant) -> Self {
        Self { changing: now.plus(PROPAGATION.changing), known: now.plus(PROPAGATION.enabled) }
    }

    /// Of a resync or a deactivation now.
    pub(in crate::serve) fn of_change(now: Instant) -> Self {
        Self::at(now.plus(PROPAGATION.changed))
    }

    /// At a time, and without a moment in between.
    pub(in crate::serve) const fn at(known: Instant) -> Self {
        Self { changing: known, known }
    }

    /// From when on STS knows.
    pub(in crate::serve) const fn known(self) -> Instant {
        self.known
    }
}

/// How far ahead a device is taken to be, in words: `on time`, `1 step behind`, `900 steps ahead`.
pub(in crate::serve) fn ahead(steps: i64) -> String {
    let plural = if steps.unsigned_abs() == 1 { "" } else { "s" };
    match steps {
        0 => "on time".to_owned(),
        _ if steps < 0 => format!("{} step{plural} behind", steps.unsigned_abs()),
        _ => format!("{steps} step{plural} ahead"),
    }
}

impl Authenticator {
    /// What a new seed under this number begins with: nothing but the attempts that were made. What STS knows of the old
    /// one it knows until word of the new one arrives.
    pub(in crate::serve) fn reseed(&mut self) {
        let fresh = self.state.reseeded();
        let state = std::mem::replace(&mut self.state, fresh);
        self.earlier.push(Earlier { generation: self.generation, state });
        self.generation = self.generation.saturating_add(1);
        self.forget_earlier();
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
    pub(in crate::serve) fn bind(&mut self, user: Option<&str>, seed: &Secret, arrival: Arrival, now: Instant) {
        // What arrives no sooner than what was done after it never counts.
        self.bindings.retain(|binding| binding.arrival.known < arrival.known);
        // Of what has arrived only the newest counts.
        let arrived = self.bindings.iter().rposition(|binding| binding.arrival.known <= now);
        self.bindings.drain(..arrived.unwrap_or(0));
        let (generation, adjustment) = (self.generation, self.state.adjustment());
        let bound = user.map(|user| Bound { user: user.to_owned(), seed: seed.clone(), generation, adjustment });
        self.bindings.push(Binding { arrival, bound });
        self.forget_earlier();
    }

    /// Decides about a single code for a user, as STS does.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(in crate::serve) fn verify(&mut self, user: &str, code: Code, now: Instant) -> Result<Match, Unverified> {
        let Binding { arrival, bound: Some(bound) } = self.bound(user, now)?.clone() else {
            return Err(Unverified::Unbound);
        };
        let time = now.timestamp();
        self.tried = Some(time);
        let past = self.past(bound.generation).clone();
        let known = past.with_adjustment(bound.adjustment).with_attempts_of(&self.state);
        let (state, verdict) = accept(&Rules::AWS, &bound.seed, &Parameters::DEFAULT, &known, time, &[code]);
        self.state = self.state.with_attempts_of(&state);
        *self.past(bound.generation) = state.with_adjustment(past.adjustment());
        match verdict {
            _ if arrival.known > now => Err(Unverified::Changing(arrival.known)),
            Verdict::Accepted(found) => Ok(found),
            Verdict::Refused(Refusal::TooManyAttempts { until }) => Err(Unverified::Budget(until)),
            Verdict::Refused(refusal) => Err(Unverified::Code(refusal)),
        }
    }

    /// When STS learns next of something that it doesn't know yet.
    pub(in crate::serve) fn next_arrival(&self, now: Instant) -> Option<Instant> {
        self.bindings.iter().map(|binding| binding.arrival.known).find(|known| *known > now)
    }

    /// Whether a number without a device has a past that matters: attempts of a window that isn't over, or word to STS
    /// that is on its way or that it is somebody's.
    pub(super) fn matters(&self, now: Instant) -> bool {
        let window = Rules::AWS.budget.map_or(0, |budget| budget.seconds.get());
        // However early in its window the attempt was, the window is over by then.
        let tried = self.tried.is_some_and(|tried| tried.plus(window).is_none_or(|over| over > now.timestamp()));
        tried || self.bindings.last().is_some_and(|last| last.bound.is_some() || last.arrival.known > now)
    }

    /// By which binding STS decides about a user's code now: one that it knows, or one that is just arriving.
    fn bound(&self, user: &str, now: Instant) -> Result<&Binding, Unverified> {
        let of_user = |binding: &&Binding| binding.bound.as_ref().is_some_and(|bound| bound.user == user);
        let mut coming = self.bindings.iter().filter(|binding| binding.arrival.known > now);
        if let Some(arriving) = coming.clone().find(|binding| binding.arrival.changing <= now).filter(of_user) {
            return Ok(arriving);
        }
        let known = self.bindings.iter().rfind(|binding| binding.arrival.known <= now);
        let known = known.filter(|binding| binding.bound.is_some());
        match (known, coming.find(of_user)) {
            (Some(binding), _) if of_user(&binding) => Ok(binding),
            (_, Some(coming)) => Err(Unverified::NotPropagated(coming.arrival.known)),
            (Some(_), None) => Err(Unverified::Foreign),
            (None, None) => Err(Unverified::Unbound),
        }
    }

    /// How the codes of a seed were used.
    pub(in super::super) fn past(&mut self, generation: u64) -> &mut State {
        let earlier = self.earlier.iter_mut().find(|earlier| earlier.generation == generation);
        earlier.map_or(&mut self.state, |earlier| &mut earlier.state)
    }

    /// Forgets the seeds that no binding is of any more.
    fn forget_earlier(&mut self) {
        let bound: Vec<u64> =
            self.bindings.iter().filter_map(|binding| Some(binding.bound.as_ref()?.generation)).collect();
        self.earlier.retain(|earlier| bound.contains(&earlier.generation));
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const NOW: Instant = Instant::from_unix_millis(1_790_000_100_000);

    pub(in super::super) fn at(seconds: u64) -> Instant {
        NOW.plus(std::time::Duration::from_secs(seconds))
    }

    /// After a seed that a user had until now, and that was tried `tried` seconds from now.
    pub(in super::super) fn past(tried: Option<u64>) -> Authenticator {
        let seed = Secret::new(vec![7; 20]).unwrap();
        let mut authenticator = Authenticator::default();
        authenticator.bind(Some("AIDA"), &seed, Arrival::of_enabling(NOW), NOW);
        assert!(authenticator.matters(at(1_000)), "it is somebody's");
        if let Some(seconds) = tried {
            let _ = authenticator.verify("AIDA", "000000".parse().unwrap(), at(seconds));
        }
        authenticator.bind(None, &seed, Arrival::of_change(at(20)), at(20));
        authenticator
    }

    #[test]
    fn a_past_matters_until_its_last_word_has_arrived_and_its_window_is_over() {
        assert!(past(None).matters(at(29)) && !past(None).matters(at(30)));
        assert!(past(Some(15)).matters(at(194)) && !past(Some(15)).matters(at(195)));
        assert!(!Authenticator::default().matters(NOW));
    }
}

//! What stands behind a serial number: how its codes were used, and what STS knows of whose it is.
//!
//! It outlives the device of that number: clock adjustment and pair history survive a deactivation, and the budget of
//! verifications even a new seed.

use serde::{Deserialize, Serialize};

use super::entities::seed;
use crate::oath::relying_party::{Match, Refusal, Rules, State, Verdict, accept};
use crate::oath::{Code, Parameters};
use crate::secret::Secret;
use crate::time::Timestamp;

/// How long a binding takes to reach STS, in seconds. Measured at AWS in September 2026: 8 to 14; modelled as 10.
pub(in crate::serve) const PROPAGATION: u64 = 10;

/// A serial number's past.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::serve) struct Authenticator {
    state: State,
    /// The bindings that STS knows, or will know [`PROPAGATION`] after they were made; the oldest first.
    bindings: Vec<Binding>,
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
        let known = self.state.with_adjustment(bound.adjustment);
        let (state, verdict) = accept(&Rules::AWS, &bound.seed, &Parameters::DEFAULT, &known, now, &[code]);
        self.state = state.with_adjustment(self.state.adjustment());
        match verdict {
            Verdict::Accepted(found) => Ok(found),
            Verdict::Refused(Refusal::TooManyAttempts { until }) => Err(Unverified::Budget(until)),
            Verdict::Refused(refusal) => Err(Unverified::Code(refusal)),
        }
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

impl Binding {
    fn arrives(&self) -> Timestamp {
        self.made.plus(PROPAGATION).unwrap_or(self.made)
    }
}

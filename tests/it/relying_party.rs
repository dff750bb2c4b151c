//! The acceptor and the search for a drift: against the RFCs' tables, against what AWS was measured to do, against
//! properties, and against the rules restated.

use vmfa::oath::relying_party::{Match, Refusal, Rules, State, Verdict, accept};
use vmfa::oath::{Code, MovingFactor, Parameters, hotp};
use vmfa::secret::Secret;
use vmfa::time::Timestamp;

mod aws;
mod counters;
mod model;
mod properties;
mod table;

const PERIOD: u64 = 30;

pub fn counter_parameters() -> Parameters {
    Parameters { factor: MovingFactor::Counter { next: 0 }, ..Parameters::DEFAULT }
}

pub fn seed() -> Secret {
    Secret::new((0..40).collect()).unwrap()
}

/// The first second of a step.
pub fn at(step: u64) -> Timestamp {
    Timestamp::from_unix(step * PERIOD)
}

pub fn codes(secret: &Secret, parameters: &Parameters, factors: &[u64]) -> Vec<Code> {
    factors.iter().map(|factor| hotp::code(secret, *factor, parameters)).collect()
}

/// One device and one relying party.
pub struct Party {
    pub rules: Rules,
    pub parameters: Parameters,
    pub secret: Secret,
    pub state: State,
}

impl Party {
    pub fn new(rules: Rules) -> Self {
        Self { rules, parameters: Parameters::DEFAULT, secret: seed(), state: State::default() }
    }

    /// Presents the codes of these steps or counters.
    pub fn presented(&mut self, now: Timestamp, factors: &[u64]) -> Result<Match, Refusal> {
        self.given(now, &codes(&self.secret, &self.parameters, factors))
    }

    /// Presents codes; what a refusal may not change is looked at each time.
    pub fn given(&mut self, now: Timestamp, codes: &[Code]) -> Result<Match, Refusal> {
        let (state, verdict) = accept(&self.rules, &self.secret, &self.parameters, &self.state, now, codes);
        let before = std::mem::replace(&mut self.state, state);
        match verdict {
            Verdict::Accepted(found) => Ok(found),
            Verdict::Refused(refusal) => {
                assert_eq!(without_attempts(&before), without_attempts(&self.state), "{refusal}");
                Err(refusal)
            }
        }
    }
}

pub fn without_attempts(state: &State) -> serde_json::Value {
    let mut value = serde_json::to_value(state).unwrap();
    value.as_object_mut().unwrap().remove("attempts");
    value
}

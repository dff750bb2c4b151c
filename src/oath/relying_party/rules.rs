//! By which rules codes are accepted: what AWS was measured to do, and what the RFCs recommend.
//!
//! Every number that a service could change stands here, once, under a name.

use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use crate::oath::resync::Window;

/// Steps of a single code around the adjusted time. Measured at AWS (STS, September 2026): ±2.
const AWS_SINGLE: Window = Window { behind: 2, ahead: 2 };

/// Steps of a pair's second code around the adjusted time. Measured at AWS (IAM, September 2026): −998 to +1000;
/// −999 and +1001 were refused.
const AWS_PAIR: Window = Window { behind: 998, ahead: 1_000 };

/// Single codes that AWS verifies in one of its windows, successes and failures alike. Measured (STS, September 2026).
const AWS_ATTEMPTS: u32 = 9;

/// How long such a window is. Measured at AWS (STS, September 2026): …:00, …:03, …, so aligned to Unix time.
const AWS_ATTEMPTS_SECONDS: NonZeroU64 = NonZeroU64::new(180).unwrap();

/// How long what IAM did to a device takes to reach STS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Propagation {
    /// After a device was enabled, until STS begins to change: from here to `enabled` a code of the device is used up and
    /// counts as an attempt, and is refused all the same.
    pub changing: Duration,
    /// After a device was enabled, until STS accepts its codes.
    pub enabled: Duration,
    /// After a device was resynchronized or deactivated, until STS goes by it.
    pub changed: Duration,
    /// At most, whatever was done.
    pub most: Duration,
}

/// Measured at AWS (IAM and STS, September 2026), with polls around each change. After enabling, codes were refused and
/// used up at 7.07 s and 7.49 s, but not at 5.81 s, and the first was accepted at 7.55 s. Of other changes nothing showed
/// within 3 s, and everything after 13 s; some took 14.
pub const PROPAGATION: Propagation = Propagation {
    changing: Duration::from_millis(7_000),
    enabled: Duration::from_millis(7_500),
    changed: Duration::from_secs(10),
    most: Duration::from_secs(14),
};

/// Steps of a single code around the adjusted time: RFC 6238, section 5.2, recommends at most one step of delay,
/// and section 6 has the same ahead for a clock that is fast.
const RFC_SINGLE: Window = Window::even(1);

/// Steps of a pair's second code around the adjusted time. RFC 6238, section 6, gives no number: this one is near
/// AWS's.
const RFC_PAIR: Window = Window::even(1_000);

/// How far past the expected counter a single code may be: s of RFC 4226, section 7.4, which gives no number
/// and asks for a low one. Ten is what people press by accident.
const LOOK_AHEAD: u64 = 10;

/// How far past the expected counter the last of two or more codes may be. RFC 4226, section 7.4, has the larger window
/// without a number: this one is near AWS's for time.
const COUNTER_RESYNCHRONIZATION: u64 = 1_000;

/// By which rules codes are accepted. Start from [`Rules::AWS`] or [`Rules::RFC_6238`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    name: &'static str,
    /// Where the step of a single code lies, around the adjusted time.
    pub single: Window,
    /// Where the step of the last of two or more codes lies, around the adjusted time.
    pub pair: Window,
    /// Whether the steps of two or more codes have to be unused, and are used from then on.
    pub pair_uses_steps: bool,
    /// Whether the steps of two or more codes have to be newer than the last one of the run accepted before.
    pub pair_is_newer: bool,
    /// Whether a single code that is accepted moves the adjustment, as two or more do.
    pub single_adjusts: bool,
    /// How many single codes are verified in which time; `None` sets no bounds.
    pub budget: Option<Budget>,
    /// Where the counter of a single code lies: from the expected one to this many past it.
    pub look_ahead: u64,
    /// The same for the last of two or more codes.
    pub counter_resynchronization: u64,
}

/// How many single codes are verified in a window of time. RFC 4226, section 7.3, asks for some bound; pairs
/// don't count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How many, successes and failures alike. What isn't verified, for it has another length than the device's
    /// codes, doesn't count: the API of AWS refuses it at the door.
    pub attempts: u32,
    /// The window's length; windows begin at whole multiples of it since the Unix epoch.
    pub seconds: NonZeroU64,
}

impl Rules {
    /// What AWS was measured to do: IAM with pairs, STS with single codes. Observations, not promises of AWS.
    ///
    /// AWS takes no counters; the windows of those are as in [`Rules::RFC_6238`].
    pub const AWS: Self = Self {
        name: "aws",
        single: AWS_SINGLE,
        pair: AWS_PAIR,
        pair_uses_steps: false,
        pair_is_newer: true,
        single_adjusts: false,
        budget: Some(Budget { attempts: AWS_ATTEMPTS, seconds: AWS_ATTEMPTS_SECONDS }),
        look_ahead: LOOK_AHEAD,
        counter_resynchronization: COUNTER_RESYNCHRONIZATION,
    };

    /// What RFC 6238, sections 5.2 and 6, and RFC 4226, section 7, recommend: no step twice however it comes, and each
    /// accepted code records the drift.
    pub const RFC_6238: Self = Self {
        name: "rfc",
        single: RFC_SINGLE,
        pair: RFC_PAIR,
        pair_uses_steps: true,
        pair_is_newer: false,
        single_adjusts: true,
        budget: None,
        look_ahead: LOOK_AHEAD,
        counter_resynchronization: COUNTER_RESYNCHRONIZATION,
    };

    /// The word that they are chosen by.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// Why there are no such rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither `aws` nor `rfc`.
    #[error("rules `{0}` aren't one of aws, rfc")]
    Rules(String),
}

impl FromStr for Rules {
    type Err = Error;

    /// `aws` or `rfc`.
    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::AWS, Self::RFC_6238]
            .into_iter()
            .find(|rules| rules.name == text)
            .ok_or_else(|| Error::Rules(crate::oath::shown(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_chosen_by_their_names() {
        for rules in [Rules::AWS, Rules::RFC_6238] {
            assert_eq!(rules.name().parse(), Ok(rules));
        }
        for text in ["", "AWS", "rfc6238", "gcp"] {
            assert_eq!(text.parse::<Rules>(), Err(Error::Rules(text.to_owned())));
        }
    }
}

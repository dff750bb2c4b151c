//! Times to the millisecond.

use std::fmt;
use std::time::Duration;

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;
use serde::{Deserialize, Serialize};

use crate::time::{Error, Timestamp};

/// A time to the millisecond. Codes and dates go by whole seconds; how long IAM's word takes to STS doesn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(u64);

impl Instant {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_millis(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_unix_millis(self) -> u64 {
        self.0
    }

    /// The second that it lies in.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        Timestamp::from_unix(self.0 / 1_000)
    }

    /// So much later, at most the end of the range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Reads what [`Timestamp::parse`] does; RFC 3339 with its fraction of a second. What is said in relation to `now`
    /// keeps the fraction of that.
    ///
    /// # Errors
    ///
    /// As [`Timestamp::parse`].
    pub fn parse(text: &str, now: Self) -> Result<Self, Error> {
        let second = Timestamp::parse(text, now.timestamp())?;
        let text = text.trim();
        let fraction = if text == "now" || text.starts_with(['+', '-']) {
            now.fraction()
        } else {
            OffsetDateTime::parse(text, &Rfc3339).map_or(0, |date| date.millisecond().into())
        };
        Ok(Self(Self::from(second).0.saturating_add(fraction)))
    }

    /// Milliseconds since the second began.
    const fn fraction(self) -> u64 {
        self.0 % 1_000
    }
}

impl From<Timestamp> for Instant {
    fn from(second: Timestamp) -> Self {
        Self(second.as_unix().saturating_mul(1_000))
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 in UTC, with a fraction where it isn't a whole second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.timestamp().to_rfc3339();
        match (self.fraction(), second.strip_suffix('Z')) {
            (0, _) | (_, None) => f.write_str(&second),
            (fraction, Some(second)) => write!(f, "{second}.{fraction:03}Z"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_of_a_second_is_read_kept_and_shown() {
        let now = Instant::from_unix_millis(1_000_000_250);
        for (text, milliseconds, shown) in [
            ("2005-03-18T01:58:29.75Z", 1_111_111_109_750, "2005-03-18T01:58:29.750Z"),
            ("2005-03-18T03:58:29.0079+02:00", 1_111_111_109_007, "2005-03-18T01:58:29.007Z"),
            ("@1111111109", 1_111_111_109_000, "2005-03-18T01:58:29Z"),
            ("now", 1_000_000_250, "1970-01-12T13:46:40.250Z"),
            ("+10s", 1_000_010_250, "1970-01-12T13:46:50.250Z"),
        ] {
            let read = Instant::parse(text, now).unwrap();
            assert_eq!((read.as_unix_millis(), read.to_string()), (milliseconds, shown.to_owned()), "{text}");
        }
        assert!(Instant::parse("7.5", now).is_err());
    }

    #[test]
    fn a_duration_is_added_to_the_millisecond() {
        let start = Instant::from(Timestamp::from_unix(10));
        assert_eq!(start.plus(Duration::from_millis(7_500)).as_unix_millis(), 17_500);
        assert_eq!(start.plus(Duration::from_millis(7_500)).timestamp(), Timestamp::from_unix(17));
        assert_eq!(start.plus(Duration::MAX).as_unix_millis(), u64::MAX);
    }
}

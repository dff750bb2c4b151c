//! Time as RFC 6238 counts it: seconds since the Unix epoch, periods, and steps.
//!
//! Nothing here reads a clock, but what measures how long something takes.

#[cfg(all(target_os = "linux", any(feature = "keyring", feature = "desktop")))]
mod deadline;
pub mod difference;
mod words;

use std::fmt;
use std::num::NonZeroU64;

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;

#[cfg(all(target_os = "linux", any(feature = "keyring", feature = "desktop")))]
pub(crate) use deadline::Deadline;
pub use words::{signed_words, words};

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds; 64 bits, so that no year is too far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

/// The time-step size X of RFC 6238, section 4.1, in seconds; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period(NonZeroU64);

/// T of RFC 6238, section 4.2: how many whole periods lie between T0 and a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(u64);

/// How wrong an emulated device clock is: by an offset, and by a rate since a moment. Zero is a right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drift {
    /// The device's clock minus the reference clock at `since`, in seconds.
    pub seconds: i64,
    /// How much faster the device's clock runs, in parts per million.
    pub ppm: i64,
    /// From when on the rate counts; Unix seconds of the reference clock.
    pub since: u64,
}

impl Drift {
    /// What the device's clock shows at a time of the reference clock; `None` where that leaves the range. Before
    /// `since` the rate counts backwards.
    #[must_use]
    pub fn apply(self, time: Timestamp) -> Option<Timestamp> {
        let gone = i128::from(time.0).saturating_sub(self.since.into());
        let gained = gone.saturating_mul(self.ppm.into()).div_euclid(1_000_000);
        let shown = i128::from(time.0).saturating_add(self.seconds.into()).saturating_add(gained);
        u64::try_from(shown).ok().map(Timestamp)
    }
}

/// Why a text isn't a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// None of the accepted forms.
    #[error(
        "`{text}` isn't a time: RFC 3339 (2026-11-21T12:00:00Z), Unix seconds (1111111109 or @1111111109), \
         `now`, or an offset from now (+30s, -5m, +2h, -1d)"
    )]
    Unreadable {
        /// What was given.
        text: String,
    },
    /// Before the epoch, or past what 64 bits count.
    #[error("`{text}` lies before 1970 or after the year 9999")]
    OutOfRange {
        /// What was given.
        text: String,
    },
    /// A number that is a time of today in milliseconds, or finer.
    #[error("`{text}` as Unix seconds lies after the year 9999; in {unit} it would be {seconds}")]
    Finer {
        /// What was given.
        text: String,
        /// What it would be counted in.
        unit: &'static str,
        /// The same in seconds.
        seconds: u64,
    },
}

impl Timestamp {
    /// The last second of the year 9999. RFC 3339 can't name a later one, and nobody means one.
    pub const LATEST: Self = Self(253_402_300_799);

    /// From seconds since the epoch.
    #[must_use]
    pub const fn from_unix(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn as_unix(self) -> u64 {
        self.0
    }

    /// Moved by `seconds`, or `None` where that leaves the range.
    #[must_use]
    pub const fn shifted(self, seconds: i64) -> Option<Self> {
        match self.0.checked_add_signed(seconds) {
            Some(moved) => Some(Self(moved)),
            None => None,
        }
    }

    /// This many seconds later, or `None` if that leaves the range.
    #[must_use]
    pub const fn plus(self, seconds: u64) -> Option<Self> {
        match self.0.checked_add(seconds) {
            Some(moved) => Some(Self(moved)),
            None => None,
        }
    }

    /// Reads RFC 3339, Unix seconds with or without `@`, `now`, or an offset from `now`.
    ///
    /// # Errors
    ///
    /// When the text has none of these forms, or names a time before 1970 or after [`Self::LATEST`].
    pub fn parse(text: &str, now: Self) -> Result<Self, Error> {
        let text = text.trim();
        let unreadable = || Error::Unreadable { text: text.to_owned() };
        let out_of_range = || Error::OutOfRange { text: text.to_owned() };
        if text == "now" {
            return Ok(now);
        }
        let digits = text.strip_prefix('@').unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            return match digits.parse() {
                Ok(seconds) if seconds <= Self::LATEST.0 => Ok(Self(seconds)),
                Ok(number) => Err(finer(text, number).unwrap_or_else(out_of_range)),
                Err(_) => Err(out_of_range()),
            };
        }
        if let Some(rest) = text.strip_prefix(['+', '-']) {
            let seconds = duration(rest).ok_or_else(unreadable)?;
            let moved = if text.starts_with('-') { now.0.checked_sub(seconds) } else { now.0.checked_add(seconds) };
            return moved.map(Self).filter(|time| *time <= Self::LATEST).ok_or_else(out_of_range);
        }
        let parsed = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| unreadable())?;
        u64::try_from(parsed.unix_timestamp()).map(Self).map_err(|_| out_of_range())
    }

    /// RFC 3339 in UTC; past the year 9999, which that format can't say, `@SECONDS`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let text = self.rfc3339();
        text.and_then(|text| str::from_utf8(&text).map(str::to_owned).ok()).unwrap_or_else(|| format!("@{}", self.0))
    }

    /// The characters of RFC 3339 in UTC; `None` past the year 9999.
    pub(crate) fn rfc3339(self) -> Option<[u8; 20]> {
        let date = OffsetDateTime::from_unix_timestamp(i64::try_from(self.0).ok()?).ok()?;
        let two = |number: u8| [(number / 10).saturating_add(b'0'), (number % 10).saturating_add(b'0')];
        let year = u16::try_from(date.year()).ok()?;
        let [[a, b], [c, d]] = [year / 100, year % 100].map(|number| u8::try_from(number).map_or([0; 2], two));
        let ([e, f], [g, h]) = (two(date.month().into()), two(date.day()));
        let ([i, j], [k, l], [m, n]) = (two(date.hour()), two(date.minute()), two(date.second()));
        Some([a, b, c, d, b'-', e, f, b'-', g, h, b'T', i, j, b':', k, l, b':', m, n, b'Z'])
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl Period {
    /// The 30 seconds that RFC 6238, section 5.2, recommends.
    pub const DEFAULT: Self = Self(NonZeroU64::new(30).unwrap());

    /// From seconds; `None` for zero.
    #[must_use]
    pub const fn new(seconds: u64) -> Option<Self> {
        match NonZeroU64::new(seconds) {
            Some(seconds) => Some(Self(seconds)),
            None => None,
        }
    }

    /// In seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0.get()
    }

    /// The step that holds `time`, and how many seconds of it are left (1 to the period).
    ///
    /// `None` before `t0`: RFC 6238 counts from T0 upwards only.
    #[must_use]
    pub fn step_at(self, time: Timestamp, t0: Timestamp) -> Option<(Step, u64)> {
        let since = time.0.checked_sub(t0.0)?;
        let gone = since % self.0;
        Some((Step(since / self.0), self.seconds().saturating_sub(gone)))
    }

    /// The first second of a step; `None` where it leaves 64 bits.
    #[must_use]
    pub fn start_of(self, step: Step, t0: Timestamp) -> Option<Timestamp> {
        step.0.checked_mul(self.seconds())?.checked_add(t0.0).map(Timestamp)
    }
}

impl Step {
    /// From its number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// `by` steps away, or `None` where that leaves the range.
    #[must_use]
    pub const fn shifted(self, by: i64) -> Option<Self> {
        match self.0.checked_add_signed(by) {
            Some(moved) => Some(Self(moved)),
            None => None,
        }
    }
}

/// What a number too large for seconds may be counted in: a finer unit, in which it is a time since 2001.
fn finer(text: &str, number: u64) -> Option<Error> {
    const UNITS: [(&str, u64); 3] =
        [("milliseconds", 1_000), ("microseconds", 1_000_000), ("nanoseconds", 1_000_000_000)];
    const SINCE: u64 = 1_000_000_000;
    let found = UNITS.into_iter().find_map(|(unit, parts)| {
        let seconds = number.checked_div(parts)?;
        (SINCE..SINCE.saturating_mul(10)).contains(&seconds).then_some((unit, seconds))
    });
    found.map(|(unit, seconds)| Error::Finer { text: text.to_owned(), unit, seconds })
}

/// The same with a sign in front, or none.
#[must_use]
pub fn signed_duration(text: &str) -> Option<i64> {
    let seconds = i64::try_from(duration(text.strip_prefix(['+', '-']).unwrap_or(text))?).ok()?;
    Some(if text.starts_with('-') { seconds.saturating_neg() } else { seconds })
}

/// Seconds from `30s`, `5m`, `2h`, `1d`, or a bare number of seconds; `None` for anything else.
#[must_use]
pub fn duration(text: &str) -> Option<u64> {
    let (digits, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(digits) if text.ends_with('m') => (digits, 60),
        Some(digits) if text.ends_with('h') => (digits, 3_600),
        Some(digits) if text.ends_with('d') => (digits, 86_400),
        Some(digits) => (digits, 1),
        None => (text, 1),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_000_000);

    #[test]
    fn every_documented_form_of_a_time_is_read() {
        for (text, unix) in [
            ("now", 1_000_000),
            ("59", 59),
            ("@1111111109", 1_111_111_109),
            ("+30s", 1_000_030),
            ("-30", 999_970),
            ("+5m", 1_000_300),
            ("-2h", 992_800),
            ("+1d", 1_086_400),
            ("2005-03-18T01:58:29Z", 1_111_111_109),
            ("2005-03-18T03:58:29.75+02:00", 1_111_111_109),
            ("2603-10-11T11:33:20Z", 20_000_000_000),
        ] {
            assert_eq!(Timestamp::parse(text, NOW), Ok(Timestamp::from_unix(unix)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "@", "+", "-", "+s", "+-3s", "yesterday", "2005-03-18", "12:00", "1e9", "+3x"] {
            assert!(matches!(Timestamp::parse(text, NOW), Err(Error::Unreadable { .. })), "{text}");
        }
        for text in [
            "1969-12-31T23:59:59Z",
            "-1000001s",
            "99999999999999999999",
            "+18446744073709551615s",
            "253402300800",
            "+10000000d",
            "10000000000000000000",
        ] {
            assert!(matches!(Timestamp::parse(text, NOW), Err(Error::OutOfRange { .. })), "{text}");
        }
        assert_eq!(Timestamp::parse("9999-12-31T23:59:59Z", NOW), Ok(Timestamp::LATEST));
    }

    #[test]
    fn a_time_in_a_finer_unit_than_seconds_is_refused_and_told() {
        for (text, expected) in [
            ("1700000000000", "milliseconds"),
            ("@1700000000123", "milliseconds"),
            ("1700000000000000", "microseconds"),
            ("1700000000000000000", "nanoseconds"),
        ] {
            match Timestamp::parse(text, NOW) {
                Err(Error::Finer { unit, seconds: 1_700_000_000, .. }) if unit == expected => {}
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_step_begins_where_the_one_before_ends() {
        let epoch = Timestamp::from_unix(0);
        let at = |seconds| Period::DEFAULT.step_at(Timestamp::from_unix(seconds), epoch).unwrap();
        assert_eq!(at(0), (Step(0), 30));
        assert_eq!(at(29), (Step(0), 1));
        assert_eq!(at(30), (Step(1), 30));
        assert_eq!(at(u64::MAX).0, Step(u64::MAX / 30));
        assert_eq!(Period::DEFAULT.start_of(Step(1), epoch), Some(Timestamp(30)));
        assert_eq!(Period::DEFAULT.start_of(Step(u64::MAX), epoch), None);
    }

    #[test]
    fn a_drift_is_an_offset_and_a_rate_since_a_moment() {
        let slow = Drift { seconds: -95, ppm: 0, since: 0 };
        assert_eq!(slow.apply(NOW), Some(Timestamp(999_905)));
        assert_eq!(slow.apply(Timestamp(94)), None);
        let fast = Drift { seconds: 10, ppm: 100, since: 1_000_000 };
        assert_eq!(fast.apply(NOW), Some(Timestamp(1_000_010)));
        assert_eq!(fast.apply(Timestamp(1_100_000)), Some(Timestamp(1_100_020)));
        assert_eq!(fast.apply(Timestamp(900_000)), Some(Timestamp(900_000)));
        assert_eq!(Drift { ppm: -100, ..fast }.apply(Timestamp(1_000_001)), Some(Timestamp(1_000_010)));
        assert_eq!(Drift { ppm: i64::MAX, ..fast }.apply(Timestamp(u64::MAX)), None);
        assert_eq!(Drift::default().apply(Timestamp(u64::MAX)), Some(Timestamp(u64::MAX)));
    }

    #[test]
    fn there_is_no_step_before_t0() {
        assert_eq!(Period::DEFAULT.step_at(Timestamp(99), Timestamp(100)), None);
    }

    #[test]
    fn far_years_are_written_as_seconds() {
        assert_eq!(Timestamp(20_000_000_000).to_rfc3339(), "2603-10-11T11:33:20Z");
        assert_eq!(Timestamp::LATEST.to_rfc3339(), "9999-12-31T23:59:59Z");
        assert_eq!(Timestamp(Timestamp::LATEST.0 + 1).to_rfc3339(), "@253402300800");
        assert_eq!(Timestamp(u64::MAX).to_rfc3339(), "@18446744073709551615");
    }
}

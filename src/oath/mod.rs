//! One-time passwords: HOTP (RFC 4226) and TOTP (RFC 6238).

#![deny(clippy::arithmetic_side_effects)]

pub mod hotp;
mod keyed;
pub mod relying_party;
pub mod resync;
pub mod totp;
mod truncation;

use std::fmt;
use std::str::FromStr;

use subtle::{Choice, ConstantTimeEq};

use crate::time::Period;

/// The hash under HMAC: RFC 4226 has SHA-1 only, RFC 6238, section 1.2, adds the other two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// HMAC-SHA-1, the default of the key URI format and all that AWS takes.
    #[default]
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

/// How many digits a code has: 6 to 8, and the 9 or 10 that some apps use.
///
/// A truncated HMAC has 31 bits, so ten digits are the most that say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digits(u8);

/// What moves from one code to the next: RFC 4226 calls it the moving factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MovingFactor {
    /// TOTP: the time, in periods since the epoch.
    Time {
        /// X of RFC 6238.
        period: Period,
    },
    /// HOTP: a counter.
    Counter {
        /// C of RFC 4226: the counter that the next code is made of.
        next: u64,
    },
}

/// Everything that makes codes out of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Parameters {
    /// The hash under HMAC.
    pub algorithm: Algorithm,
    /// The length of a code.
    pub digits: Digits,
    /// Time or counter.
    pub factor: MovingFactor,
}

/// A one-time password: a number and how many digits it is written with.
///
/// `Display` writes it, zeros in front; `Debug` hides it. To accept a code, compare it
/// with [`ConstantTimeEq`]; `==` is for anything else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code {
    value: u32,
    digits: Digits,
}

/// Why parameters are not taken, or no code can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not SHA1, SHA256 or SHA512.
    #[error("algorithm `{0}` isn't one of SHA1, SHA256, SHA512")]
    Algorithm(String),
    /// Not 6 to 10.
    #[error("a code can't have {0} digits: 6 to 10 are possible")]
    Digits(String),
    /// No one-time password; the text isn't repeated, for it may be one with a digit too many.
    #[error("a code has 6 to 10 digits, and is at most {max}", max = Code::MAX)]
    Code,
    /// The device counts, it doesn't tell the time.
    #[error("a counter device (HOTP) has no codes at a time")]
    CounterBased,
    /// RFC 6238 counts from T0 upwards.
    #[error("there are no codes before T0")]
    BeforeT0,
}

impl Algorithm {
    /// The name that the key URI format uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    /// `SHA1` as the key URI format has it, and how apps write the same: `sha1`, `SHA-256`, `HmacSHA512`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let plain: String = text.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_uppercase()).collect();
        match plain.strip_prefix("HMAC").unwrap_or(&plain) {
            "SHA1" => Ok(Self::Sha1),
            "SHA256" => Ok(Self::Sha256),
            "SHA512" => Ok(Self::Sha512),
            _ => Err(Error::Algorithm(shown(text))),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Digits {
    /// Six: the default of the key URI format.
    pub const SIX: Self = Self(6);

    /// From a number; `None` unless it is 6 to 10.
    #[must_use]
    pub const fn new(count: u8) -> Option<Self> {
        if matches!(count, 6..=10) { Some(Self(count)) } else { None }
    }

    /// How many.
    #[must_use]
    pub const fn count(self) -> u8 {
        self.0
    }
}

impl FromStr for Digits {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let count = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        count.and_then(Self::new).ok_or_else(|| Error::Digits(shown(text)))
    }
}

/// A short plain word as it is; anything else isn't repeated.
fn shown(text: &str) -> String {
    let plain =
        text.len() <= 12 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.' | ' '));
    if plain { text.to_owned() } else { "…".to_owned() }
}

impl Parameters {
    /// What AWS uses and the key URI format takes where a URI says nothing: SHA-1, 6 digits, 30 s.
    pub const DEFAULT: Self = Self {
        algorithm: Algorithm::Sha1,
        digits: Digits::SIX,
        factor: MovingFactor::Time { period: Period::DEFAULT },
    };

    /// The period of a TOTP device.
    ///
    /// # Errors
    ///
    /// [`Error::CounterBased`] for HOTP.
    pub const fn period(&self) -> Result<Period, Error> {
        match self.factor {
            MovingFactor::Time { period } => Ok(period),
            MovingFactor::Counter { .. } => Err(Error::CounterBased),
        }
    }
}

impl Code {
    /// The largest number that 31 bits hold (RFC 4226, section 5.3): a larger one can't be a code.
    const MAX: u32 = 0x7fff_ffff;

    /// How many digits it is written with.
    #[must_use]
    pub const fn digits(&self) -> Digits {
        self.digits
    }
}

impl FromStr for Code {
    type Err = Error;

    /// `287082`, and what apps and people write for it: `287 082`, `287-082`. Its length is its [`Digits`].
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.starts_with('-') || text.ends_with('-') {
            return Err(Error::Code);
        }
        let (mut value, mut count) = (0_u32, 0_u8);
        for character in text.chars().filter(|character| !matches!(character, ' ' | '-')) {
            let digit = character.to_digit(10).ok_or(Error::Code)?;
            count = count.saturating_add(1);
            value = value.checked_mul(10).and_then(|tens| tens.checked_add(digit)).ok_or(Error::Code)?;
        }
        let digits = Digits::new(count).ok_or(Error::Code)?;
        if value > Self::MAX { Err(Error::Code) } else { Ok(Self { value, digits }) }
    }
}

impl ConstantTimeEq for Code {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.value.ct_eq(&other.value) & self.digits.0.ct_eq(&other.digits.0)
    }
}

/// Device minus reference, of steps, counters or seconds; the range of the result ends it on both sides.
#[must_use]
pub fn distance(device: u64, reference: u64) -> i64 {
    let difference = i128::from(device).saturating_sub(i128::from(reference));
    i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.value, width = usize::from(self.digits.0))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({} digits)", self.digits.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_read_as_apps_write_them() {
        for (text, algorithm) in [
            ("SHA1", Algorithm::Sha1),
            ("sha1", Algorithm::Sha1),
            ("SHA-256", Algorithm::Sha256),
            ("HmacSHA1", Algorithm::Sha1),
            ("hmac-sha-512", Algorithm::Sha512),
            ("HMAC_SHA256", Algorithm::Sha256),
        ] {
            assert_eq!(text.parse(), Ok(algorithm), "{text}");
        }
        for text in ["", "SHA", "MD5", "SHA224", "SHA384", "SHA3-256", "sha1 "] {
            assert_eq!(text.parse::<Algorithm>(), Err(Error::Algorithm(text.to_owned())));
        }
    }

    #[test]
    fn digits_are_six_to_ten() {
        for text in ["6", "7", "8", "9", "10", "06"] {
            assert!(text.parse::<Digits>().is_ok(), "{text}");
        }
        for text in ["", "0", "5", "11", "256", "-6", "+6", "six", "6.0"] {
            assert!(text.parse::<Digits>().is_err(), "{text}");
        }
    }

    #[test]
    fn codes_are_read_as_apps_and_people_write_them() {
        for (text, value, digits) in [
            ("287082", 287_082, 6),
            ("000042", 42, 6),
            ("000000", 0, 6),
            ("287 082", 287_082, 6),
            ("287-082", 287_082, 6),
            (" 9428 7082\n", 94_287_082, 8),
            ("094287082", 94_287_082, 9),
            ("2147483647", 2_147_483_647, 10),
        ] {
            let code: Code = text.parse().unwrap();
            assert_eq!((code.value, code.digits.count()), (value, digits), "{text}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused_and_not_repeated() {
        let long = "1".repeat(300);
        for text in [
            "",
            " ",
            "-",
            "12345",
            "12345678901",
            "-123456",
            "123456-",
            "+123456",
            "12345a",
            "123.456",
            "123–456",
            "123\u{a0}456",
            "123\t456",
            "١٢٣٤٥٦",
            "2147483648",
            "4294967296",
            "9999999999",
            &long,
        ] {
            assert_eq!(text.parse::<Code>(), Err(Error::Code), "{text}");
        }
        assert!(!Error::Code.to_string().contains("2147483648"));
    }

    #[test]
    fn codes_are_equal_in_constant_time_when_number_and_length_are() {
        let code = |text: &str| text.parse::<Code>().unwrap();
        assert!(bool::from(code("000042").ct_eq(&code("000042"))));
        assert!(!bool::from(code("000042").ct_eq(&code("000043"))));
        assert!(!bool::from(code("000042").ct_eq(&code("0000042"))));
    }

    #[test]
    fn a_code_keeps_its_leading_zeros_and_its_debug_is_silent() {
        let code = Code { value: 42, digits: Digits::SIX };
        assert_eq!(code.to_string(), "000042");
        assert_eq!(format!("{code:?}"), "Code(6 digits)");
    }
}

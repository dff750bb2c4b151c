//! One-time passwords: HOTP (RFC 4226) and TOTP (RFC 6238).

#![deny(clippy::arithmetic_side_effects)]

mod backend;
mod chaining;
mod code;
mod error;
mod fleet;
pub mod hotp;
mod keyed;
mod lanes;
pub mod relying_party;
pub mod resync;
pub mod totp;
mod truncation;

use std::fmt;
use std::str::FromStr;

pub use self::code::{Code, Digits};
pub use self::error::Error;
use self::error::shown;
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
    /// The length of a code, and what it is written with.
    pub digits: Digits,
    /// Time or counter.
    pub factor: MovingFactor,
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

impl Parameters {
    /// What AWS uses and the key URI format takes where a URI says nothing: SHA-1, 6 digits, 30 s.
    pub const DEFAULT: Self = Self {
        algorithm: Algorithm::Sha1,
        digits: Digits::SIX,
        factor: MovingFactor::Time { period: Period::DEFAULT },
    };

    /// What Steam Guard uses: SHA-1, five characters, 30 s.
    pub const STEAM: Self = Self { digits: Digits::STEAM, ..Self::DEFAULT };

    /// The type in an otpauth URI: `totp`, `hotp` or `steam`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.factor {
            _ if self.digits.is_steam() => "steam",
            MovingFactor::Time { .. } => "totp",
            MovingFactor::Counter { .. } => "hotp",
        }
    }

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

/// Device minus reference, of steps, counters or seconds; the range of the result ends it on both sides.
#[must_use]
pub fn distance(device: u64, reference: u64) -> i64 {
    let difference = i128::from(device).saturating_sub(i128::from(reference));
    i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
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
}

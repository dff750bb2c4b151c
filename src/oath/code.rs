//! A code, and what it is written with: digits (RFC 4226, section 5.3), or the characters of Steam Guard.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use subtle::{Choice, ConstantTimeEq};

use super::error::{Error, shown};

/// How many digits a code has: 6 to 8, and the 9 or 10 that some apps use. Or the five characters of Steam Guard.
///
/// A truncated HMAC has 31 bits, so ten digits are the most that say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digits(u8);

/// A one-time password: a number and how many digits it is written with.
///
/// `Display` writes it, zeros in front, or in the alphabet of Steam Guard, the lowest place first; `Debug` hides it. To accept a code, compare it
/// with [`ConstantTimeEq`]; `==` is for anything else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code {
    pub(super) value: u32,
    pub(super) digits: Digits,
}

impl Digits {
    /// Six: the default of the key URI format.
    pub const SIX: Self = Self(6);

    /// Five characters of an alphabet of 26, as Steam Guard shows codes.
    ///
    /// No RFC has them. The HMAC and its truncation are those of TOTP; then comes, five times, the remainder by 26 as a
    /// character of `23456789BCDFGHJKMNPQRTVWXY`, the lowest first.
    pub const STEAM: Self = Self(5);

    /// From a number of digits; `None` unless it is 6 to 10.
    #[must_use]
    pub const fn new(count: u8) -> Option<Self> {
        if matches!(count, 6..=10) { Some(Self(count)) } else { None }
    }

    /// How many, of digits or of Steam's characters.
    #[must_use]
    pub const fn count(self) -> u8 {
        self.0
    }

    /// Whether codes are written as Steam Guard writes them.
    #[must_use]
    pub const fn is_steam(self) -> bool {
        self.0 == Self::STEAM.0
    }

    /// How many different codes there are; of ten digits only the 31 bits of a truncated HMAC count.
    pub(super) const fn codes(self) -> u32 {
        match self.0 {
            5 => STEAM_CODES,
            6 => 1_000_000,
            7 => 10_000_000,
            8 => 100_000_000,
            9 => 1_000_000_000,
            _ => 1 << 31,
        }
    }
}

impl fmt::Display for Digits {
    /// `6 digits`, or `5 characters`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, if self.is_steam() { "characters" } else { "digits" })
    }
}

impl FromStr for Digits {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let count = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        count.and_then(Self::new).ok_or_else(|| Error::Digits(shown(text)))
    }
}

/// The largest number that 31 bits hold (RFC 4226, section 5.3): a larger one can't be a code.
const MAX: u32 = 0x7fff_ffff;

/// What Steam Guard writes codes in: nothing that looks like something else.
const STEAM_ALPHABET: &[u8; 26] = b"23456789BCDFGHJKMNPQRTVWXY";

/// 26⁵.
pub(super) const STEAM_CODES: u32 = 11_881_376;

impl Code {
    /// Five characters of Steam Guard's alphabet, in either case.
    fn of_steam(text: &str) -> Option<Self> {
        let place = |character: char| {
            let byte = u8::try_from(character.to_ascii_uppercase()).ok()?;
            STEAM_ALPHABET.iter().zip(0_u32..).find_map(|(known, place)| (*known == byte).then_some(place))
        };
        let mut value = 0_u32;
        let mut count = 0_u8;
        for character in text.chars().rev() {
            value = value.checked_mul(26)?.checked_add(place(character)?)?;
            count = count.checked_add(1)?;
        }
        (count == Digits::STEAM.0).then_some(Self { value, digits: Digits::STEAM })
    }

    /// How many digits it is written with.
    #[must_use]
    pub const fn digits(&self) -> Digits {
        self.digits
    }
}

impl FromStr for Code {
    type Err = Error;

    /// `287082`, and what apps and people write for it: `287 082`, `287-082`. Its length is its [`Digits`]. Five
    /// characters of Steam Guard, such as `PV9M4`, in either case.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if let Some(code) = Self::of_steam(text) {
            return Ok(code);
        }
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
        if value > MAX { Err(Error::Code) } else { Ok(Self { value, digits }) }
    }
}

impl ConstantTimeEq for Code {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.value.ct_eq(&other.value) & self.digits.0.ct_eq(&other.digits.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.digits.is_steam() {
            return write!(f, "{:0width$}", self.value, width = usize::from(self.digits.0));
        }
        let mut rest = self.value;
        (0..self.digits.0).try_for_each(|_| {
            let place = usize::try_from(rest % 26).unwrap_or_default();
            rest /= 26;
            f.write_char(STEAM_ALPHABET.get(place).copied().map_or('?', char::from))
        })
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "1234S",
            "PV9M",
            "PV9M44",
            "PV-9M4",
            "PV9MÉ",
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

    #[test]
    fn a_code_of_steam_is_read_in_either_case_and_written_in_capitals() {
        for (text, written) in [("PV9M4", "PV9M4"), ("pv9m4", "PV9M4"), (" 22222\n", "22222"), ("YYYYY", "YYYYY")] {
            let code: Code = text.parse().unwrap();
            assert_eq!((code.to_string().as_str(), code.digits()), (written, Digits::STEAM), "{text}");
        }
        let code = |text: &str| text.parse::<Code>().unwrap();
        assert!(bool::from(code("PV9M4").ct_eq(&code("pv9m4"))));
        assert!(!bool::from(code("PV9M4").ct_eq(&code("PV9M5"))));
        assert!(!bool::from(Code { value: 0, digits: Digits::SIX }.ct_eq(&code("22222"))));
        assert_eq!(format!("{:?}", code("PV9M4")), "Code(5 characters)");
        assert_eq!(code("YYYYY").value, STEAM_CODES - 1);
        assert_eq!(Digits::new(5), None, "five digits are no code");
    }
}

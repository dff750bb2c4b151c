//! Values that conditions compare: numbers, dates, networks.

use std::cmp::Ordering;
use std::net::IpAddr;

use ::time::format_description::well_known::Rfc3339;
use ::time::{Date, Month, OffsetDateTime, Time};

/// A decimal number, exactly; any number of digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// Without leading zeros.
    whole: String,
    /// Without trailing zeros.
    fraction: String,
}

impl Decimal {
    /// `-12.5`, `+3`, `.5`; no exponent.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: text.starts_with('-') && !zero, whole, fraction })
    }

    fn magnitude(&self) -> (usize, &str, &str) {
        (self.whole.len(), &self.whole, &self.fraction)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude().cmp(&other.magnitude()),
            (true, true) => other.magnitude().cmp(&self.magnitude()),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

/// A moment in nanoseconds since the epoch, from one of the W3C's forms of ISO 8601 or from Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i128);

impl Moment {
    /// `2026`, `2026-11`, `2026-11-22`, `2026-11-22T04:00Z`, with seconds and their parts, any offset; or `1795320000`:
    /// four digits are a year.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if digits && text.len() != 4 {
            return i128::from(text.parse::<u64>().ok()?).checked_mul(1_000_000_000).map(Self);
        }
        let moment = match text.split_once('T') {
            None => midnight(text)?,
            // Without seconds: RFC 3339 has none such
            Some((day, time)) if time.get(5..6) != Some(":") || time.len() == 10 => {
                let (minutes, zone) = time.split_at_checked(5)?;
                OffsetDateTime::parse(&format!("{day}T{minutes}:00{zone}"), &Rfc3339).ok()?
            }
            Some(_) => OffsetDateTime::parse(text, &Rfc3339).ok()?,
        };
        Some(Self(moment.unix_timestamp_nanos()))
    }
}

/// The beginning of a year, a month or a day, in UTC.
fn midnight(text: &str) -> Option<OffsetDateTime> {
    let mut parts = text.split('-');
    let mut number = |length: usize| match parts.next() {
        Some(part) if part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()) => {
            part.parse::<u16>().ok().map(Some)
        }
        Some(_) => None,
        None => Some(None),
    };
    let (year, month, day) = (number(4)??, number(2)?.unwrap_or(1), number(2)?.unwrap_or(1));
    if parts.next().is_some() {
        return None;
    }
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok()?;
    Some(date.with_time(Time::MIDNIGHT).assume_utc())
}

/// An address or a range of them: CIDR, RFC 4632 and RFC 4291, section 2.3. Without a length it is one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    length: u8,
}

impl Network {
    /// `203.0.113.0/24`, `2001:db8::/32`, `203.0.113.7`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) => {
                (address, Some(length.parse::<u8>().ok()?))
            }
            Some(_) => return None,
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(most);
        (length <= most).then_some(Self { address, length })
    }

    /// Whether an address, alone and without a length, is of this range.
    pub(super) fn contains(self, address: &str) -> bool {
        match (self.address, address.parse::<IpAddr>().map(|address| address.to_canonical())) {
            (IpAddr::V4(network), Ok(IpAddr::V4(address))) => {
                let bits = (u32::from(network) ^ u32::from(address)).leading_zeros();
                bits >= self.length.into()
            }
            (IpAddr::V6(network), Ok(IpAddr::V6(address))) => {
                let bits = (u128::from(network) ^ u128::from(address)).leading_zeros();
                bits >= self.length.into()
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_exactly() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        let ascending = [
            "-10",
            "-9.5",
            "-9.25",
            "-.5",
            "0",
            "0.049",
            "0.05",
            "0.5",
            "1",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
        ];
        for pair in ascending.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
        for (one, other) in [("0", "-0.0"), ("1", "+01.00"), (".5", "0.50"), ("5.", "5")] {
            assert_eq!(number(one), number(other), "{one} {other}");
        }
        for text in ["", ".", "-", "1e3", "0x1", "1,5", "١", " 1", "NaN", "inf", "--1", "1.2.3"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_read_in_all_their_forms() {
        let seconds = |text: &str| Moment::parse(text).unwrap().0 / 1_000_000_000;
        for (text, unix) in [
            ("1970", 0),
            ("1970-01", 0),
            ("1970-01-02", 86_400),
            ("1970-01-01T00:01Z", 60),
            ("1970-01-01T01:01+01:00", 60),
            ("1970-01-01T00:00:01Z", 1),
            ("1970-01-01T00:00:01.5Z", 1),
            ("1969-12-31T23:59:59Z", -1),
            ("1795320000", 1_795_320_000),
            ("0", 0),
            ("18446744073709551615", u64::MAX.into()),
        ] {
            assert_eq!(seconds(text), unix, "{text}");
        }
        assert!(Moment::parse("1970-01-01T00:00:00.5Z") < Moment::parse("1970-01-01T00:00:00.75Z"));
        for text in [
            "",
            "-1",
            "18446744073709551616",
            "1970-1-1",
            "1970-13",
            "1970-02-30",
            "1970-01-01-01",
            "1970-01-01T00:00",
            "1970-01-01T",
            "1970-01-01T00Z",
            "1970-01-01Tä0:00Z",
            "now",
            "1970-01-01 00:00:00",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn networks_hold_their_addresses() {
        let holds = |network: &str, address: &str| Network::parse(network).unwrap().contains(address);
        for (network, address) in [
            ("203.0.113.0/24", "203.0.113.255"),
            ("203.0.113.9/24", "203.0.113.1"),
            ("203.0.113.7", "203.0.113.7"),
            ("0.0.0.0/0", "255.1.2.3"),
            ("2001:DB8:1234:5678::/64", "2001:db8:1234:5678:ffff::1"),
            ("::/0", "::1"),
            ("::1", "0:0:0:0:0:0:0:1"),
            ("203.0.113.0/24", "::ffff:203.0.113.1"),
        ] {
            assert!(holds(network, address), "{network} {address}");
        }
        for (network, address) in [
            ("203.0.113.0/24", "203.0.114.0"),
            ("203.0.113.7", "203.0.113.6"),
            ("0.0.0.0/0", "::1"),
            ("::/0", "1.2.3.4"),
            ("2001:db8::/33", "2001:db8:8000::"),
            ("203.0.113.0/24", "203.0.113.0/25"),
            ("203.0.113.0/24", ""),
        ] {
            assert!(!holds(network, address), "{network} {address}");
        }
        for text in ["", "1.2.3", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/+8", "::/129", "1.2.3.*", "a/8", "01.2.3.4"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}

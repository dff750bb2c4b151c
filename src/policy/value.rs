//! Values that conditions compare: numbers, dates, networks.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ::time::format_description::well_known::Rfc3339;
use ::time::{Date, Month, OffsetDateTime, Time};

/// A decimal number, exactly; any number of digits.
///
/// A number other than 0 is `0.DIGITS` times ten to the power of `point`, so that an exponent takes up no room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    sign: Sign,
    /// Without zeros at either end; none for 0.
    digits: String,
    point: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    Negative,
    Zero,
    Positive,
}

impl Decimal {
    /// `-12.5`, `+3`, `.5`, `1e-3`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, i64::from(exponent.parse::<i32>().ok()?)),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let from_first = all.trim_start_matches('0');
        let zeros = all.len().saturating_sub(from_first.len());
        let digits = from_first.trim_end_matches('0').to_owned();
        let place = |count: usize| i64::try_from(count).ok();
        let (sign, point) = match (digits.is_empty(), text.starts_with('-')) {
            (true, _) => (Sign::Zero, 0),
            (false, negative) => {
                let point = exponent.checked_add(place(whole.len())?)?.checked_sub(place(zeros)?)?;
                (if negative { Sign::Negative } else { Sign::Positive }, point)
            }
        };
        Some(Self { sign, digits, point })
    }

    fn magnitude(&self) -> (i64, &str) {
        (self.point, &self.digits)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sign.cmp(&other.sign).then_with(|| match self.sign {
            Sign::Negative => other.magnitude().cmp(&self.magnitude()),
            Sign::Zero => Ordering::Equal,
            Sign::Positive => self.magnitude().cmp(&other.magnitude()),
        })
    }
}

/// A moment in milliseconds since the epoch, as exactly as IAM compares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i128);

impl Moment {
    /// One of the W3C's forms of ISO 8601 or Unix seconds: `2026`, `2026-11`, `2026-11-22`, `2026-11-22T04:00Z`, with
    /// seconds and their parts, any offset; or `1795320000`: four digits are a year.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if digits && text.len() != 4 {
            return i128::from(text.parse::<u64>().ok()?).checked_mul(1_000).map(Self);
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
        Some(Self(moment.unix_timestamp_nanos().div_euclid(1_000_000)))
    }

    /// A value of a request: also without a zone (UTC), without minutes, and seconds with a sign and parts.
    pub(super) fn of_request(text: &str) -> Option<Self> {
        let zoned = || text.contains('T').then(|| Self::parse(&format!("{text}Z"))).flatten();
        let on_the_hour = || (text.len() == 13).then(|| Self::parse(&format!("{text}:00Z"))).flatten();
        Self::parse(text).or_else(zoned).or_else(on_the_hour).or_else(|| Self::seconds(text))
    }

    /// `-1.5`.
    fn seconds(text: &str) -> Option<Self> {
        let (unsigned, negative) = text.strip_prefix('-').map_or((text, false), |unsigned| (unsigned, true));
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let nanoseconds = fraction.bytes().chain(std::iter::repeat(b'0')).take(9).map(char::from).collect::<String>();
        let whole = i128::from(whole.parse::<u64>().ok()?).checked_mul(1_000_000_000)?;
        let nanoseconds = whole.checked_add(nanoseconds.parse().ok()?)?;
        let nanoseconds = if negative { nanoseconds.checked_neg()? } else { nanoseconds };
        Some(Self(nanoseconds.div_euclid(1_000_000)))
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
    /// `203.0.113.0/24`, `2001:db8::/32`, `203.0.113.7`. As IAM has it, what is outside the length of an IPv4 network doesn't
    /// matter and of an IPv6 network is refused, and so is IPv4 within IPv6.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (text, length) = match text.split_once('/') {
            Some((text, length)) => (text, Some(length.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address = address(text)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(most);
        if length > most {
            return None;
        }
        if let IpAddr::V6(six) = address {
            let host = u128::MAX.checked_shr(length.into()).unwrap_or(0);
            if text.contains('.') || u128::from(six) & host != 0 {
                return None;
            }
        }
        Some(Self { address, length })
    }

    /// Whether an address is of this range.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let bits = (u32::from(network) ^ u32::from(address)).leading_zeros();
                bits >= self.length.into()
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let bits = (u128::from(network) ^ u128::from(address)).leading_zeros();
                bits >= self.length.into()
            }
            _ => false,
        }
    }
}

/// The address of a request, alone and without a length; one of IPv4 within IPv6 is of IPv4.
pub(super) fn address_of_request(text: &str) -> Option<IpAddr> {
    address(text).map(|address| address.to_canonical())
}

/// An address as IAM was observed to read it: with zeros in front of decimal numbers, a colon too many at the end or beside
/// `::`, and nothing in front of the first colon.
fn address(text: &str) -> Option<IpAddr> {
    if !text.contains(':') {
        let mut octets = text.split('.').map(|octet| {
            let digits = octet.bytes().all(|byte| byte.is_ascii_digit());
            octet.parse::<u8>().ok().filter(|_| digits)
        });
        let mut octet = || octets.next().flatten();
        let found = Ipv4Addr::new(octet()?, octet()?, octet()?, octet()?);
        return octets.next().is_none().then_some(IpAddr::V4(found));
    }
    let leading = text.starts_with(':') && !text.starts_with("::");
    let text = if leading { format!("0{text}") } else { text.to_owned() };
    let text = match text.split_once("::") {
        Some((left, right)) => format!("{left}::{}", right.trim_matches(':')),
        None => text.strip_suffix(':').unwrap_or(&text).to_owned(),
    };
    let found = text.parse::<Ipv6Addr>().ok()?;
    (!text.contains('.') || found.to_ipv4_mapped().is_some()).then_some(IpAddr::V6(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_exactly() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        let ascending = [
            "-1e1000000",
            "-10",
            "-9.5",
            "-9.25",
            "-.5",
            "-1e-1000000",
            "0",
            "1e-2000000000",
            "0.049",
            "0.05",
            "0.5",
            "1",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "1e2000000000",
        ];
        for pair in ascending.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
        for (one, other) in [
            ("0", "-0.0"),
            ("0", "0e9"),
            ("1", "+01.00"),
            (".5", "0.50"),
            ("5.", "5"),
            ("1", "1e0"),
            ("10", "1E+1"),
            ("0.1", "1e-1"),
            ("120", "1.2e2"),
        ] {
            assert_eq!(number(one), number(other), "{one} {other}");
        }
        for text in [
            "",
            ".",
            "-",
            "1e",
            "e3",
            "1e+",
            "1e99999999999",
            "1e1.0",
            "0x1",
            "1,5",
            "١",
            " 1",
            "NaN",
            "inf",
            "--1",
            "1.2.3",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_read_in_all_their_forms() {
        let seconds = |text: &str| Moment::parse(text).unwrap().0 / 1_000;
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
        assert_eq!(Moment::parse("1970-01-01T00:00:00.0005Z"), Moment::parse("1970"));
        for (text, milliseconds) in [
            ("1970-01-01T00:00:01", 1_000),
            ("1970-01-01T00:01", 60_000),
            ("1970-01-01T01", 3_600_000),
            ("1.5", 1_500),
            ("-0.5", -500),
            ("1.0019", 1_001),
        ] {
            assert_eq!(Moment::of_request(text), Some(Moment(milliseconds)), "{text}");
            assert_eq!(Moment::parse(text), None, "{text}");
        }
        for text in ["", "-", ".5", "1.5.5", "T", "1970-01-01T", "soon", "1970-01-01T00:00:00+", "+1"] {
            assert_eq!(Moment::of_request(text), None, "{text}");
        }
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
        let holds = |network: &str, address: &str| {
            address_of_request(address).is_some_and(|address| Network::parse(network).unwrap().contains(address))
        };
        for (network, address) in [
            ("203.0.113.0/24", "203.0.113.255"),
            ("203.0.113.9/24", "203.0.113.1"),
            ("203.0.113.7", "203.0.113.7"),
            ("0.0.0.0/0", "255.1.2.3"),
            ("2001:DB8:1234:5678::/64", "2001:db8:1234:5678:ffff::1"),
            ("::/0", "::1"),
            ("::1", "0:0:0:0:0:0:0:1"),
            ("203.0.113.0/24", "::ffff:203.0.113.1"),
            ("203.000.113.0/024", "203.0.113.1"),
            ("203.0.113.0/+24", "203.0.0113.01"),
            ("2001:db8::4/127", "2001:db8::5"),
            ("2001:db8::1", "2001:db8::1:"),
            ("2001:db8::1", "2001:db8:::1"),
            ("0:2001:db8::1", ":2001:db8::1"),
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
            ("0.0.0.0/0", "203.0.113"),
            ("0.0.0.0/0", "203.0.113.0.1"),
            ("0.0.0.0/0", "203.0.113.+1"),
            ("::ffff:0:0/96", "203.0.113.1"),
            ("::/0", "::1.2.3.4"),
            ("::/0", "2001::db8::1"),
            ("::/0", "fe80::1%1"),
        ] {
            assert!(!holds(network, address), "{network} {address}");
        }
        for text in [
            "",
            "1.2.3",
            "1.2.3.4/",
            "1.2.3.4/33",
            "1.2.3.4/-8",
            "::/129",
            "1.2.3.*",
            "a/8",
            "2001:db8::5/64",
            "::ffff:1.2.3.4",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}

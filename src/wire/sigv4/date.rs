//! Dates of requests: ISO 8601 basic, what AWS was measured to take besides, and what `Date` has by RFC 9110.

use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use crate::time::Timestamp;

/// `YYYYMMDDTHHMMSSZ`; past the year 9999, which has none, as [`Timestamp::to_rfc3339`].
pub(super) fn basic(time: Timestamp) -> String {
    let Some([a, b, c, d, _, e, f, _, g, h, t, i, j, _, k, l, _, m, n, z]) = time.rfc3339() else {
        return time.to_rfc3339();
    };
    str::from_utf8(&[a, b, c, d, e, f, g, h, t, i, j, k, l, m, n, z]).unwrap_or_default().to_owned()
}

/// `YYYYMMDD`.
pub(super) fn day(time: Timestamp) -> String {
    let mut text = basic(time);
    text.truncate(text.find('T').unwrap_or(text.len()));
    text
}

/// ISO 8601, basic or extended, or the IMF-fixdate of a `Date` header.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let parsed = match *text.as_bytes() {
        [a, b, c, d, e, f, g, h, b'T', i, j, k, l, m, n, b'Z'] => {
            let digits = [a, b, c, d, b'-', e, f, b'-', g, h, b'T', i, j, b':', k, l, b':', m, n, b'Z'];
            OffsetDateTime::parse(str::from_utf8(&digits).ok()?, &Rfc3339)
        }
        [first, ..] if first.is_ascii_digit() => OffsetDateTime::parse(text, &Rfc3339),
        _ => OffsetDateTime::parse(text, &Rfc2822),
    };
    u64::try_from(parsed.ok()?.unix_timestamp()).ok().map(Timestamp::from_unix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_date_is_read() {
        for text in
            ["20150830T123600Z", "2015-08-30T12:36:00Z", "2015-08-30T14:36:00+02:00", "Sun, 30 Aug 2015 12:36:00 GMT"]
        {
            let time = parse(text);
            assert_eq!(time, Some(Timestamp::from_unix(1_440_938_160)), "{text}");
            assert_eq!(basic(time.unwrap()), "20150830T123600Z");
            assert_eq!(day(time.unwrap()), "20150830");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in
            ["", "20150830", "20151330T123600Z", "20150830T123600", "2015083éT12360Z", "19690830T123600Z", "now"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

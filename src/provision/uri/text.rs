//! Texts inside a URI: decoded, bounded, and as messages show them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::provision::{Error, base32, tidy};

/// The longest issuer or account taken, in characters.
pub const MAX_TEXT: usize = 256;

pub(super) fn short_text(text: &str, place: &'static str) -> Result<String, Error> {
    if text.chars().count() > MAX_TEXT {
        return Err(Error::TextTooLong { place, limit: MAX_TEXT });
    }
    // Control characters of a label could steer the terminal that shows it.
    if text.chars().any(char::is_control) {
        return Err(Error::ControlCharacter { place });
    }
    Ok(text.to_owned())
}

/// Percent-decoded UTF-8; a `%` without two hexadecimal digits is `None`, not a literal `%`.
pub(super) fn decode(text: &str) -> Option<Cow<'_, str>> {
    let whole = text.split('%').skip(1).all(|after| {
        after.as_bytes().first_chunk::<2>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    whole.then(|| percent_decode_str(text).decode_utf8().ok()).flatten()
}

pub(super) fn whole_number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A name from a URI for a message: short, and nothing that a terminal would act on.
pub(super) fn harmless(name: &str) -> String {
    // A secret in the wrong place is not repeated.
    let long = |word: &str| word.len() >= 16 && base32::parse(word).is_ok();
    if name.split([':', '=', '&', '?', '/']).any(long) {
        return "…".to_owned();
    }
    name.chars().take(64).map(|c| if c.is_control() || tidy::is_invisible(c) { '\u{fffd}' } else { c }).collect()
}

//! RFC 3986, section 2.1, as AWS has it: everything but the unreserved characters is encoded, in upper case.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// A path keeps its slashes.
const PATH_ENCODED: &AsciiSet = &ENCODED.remove(b'/');

/// What is wrong with an escape; the words are those that AWS was measured to answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The text ends within an escape.
    #[error("Incomplete trailing escape % sequence")]
    Incomplete,
    /// Not two hexadecimal digits.
    #[error("Illegal hex character in escape % pattern: %{}{}", .0.escape_ascii(), .1.escape_ascii())]
    Digits(u8, u8),
}

pub(super) fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, ENCODED).to_string()
}

pub(super) fn encode_path(bytes: &[u8]) -> String {
    percent_encode(bytes, PATH_ENCODED).to_string()
}

/// Undoes the escapes; a broken one is an error, never text.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Malformed> {
    decode_with(text, b'+')
}

/// The same where `+` is a space, as in forms and query strings.
pub(super) fn decode_form(text: &str) -> Result<Vec<u8>, Malformed> {
    decode_with(text, b' ')
}

/// Decodes into one buffer that never grows, as the text may be secret.
fn decode_with(text: &str, plus: u8) -> Result<Vec<u8>, Malformed> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut bytes = text.bytes().map(|byte| if byte == b'+' { plus } else { byte });
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else { return Err(Malformed::Incomplete) };
        let digits = (char::from(high).to_digit(16), char::from(low).to_digit(16));
        let (Some(first), Some(second)) = digits else { return Err(Malformed::Digits(high, low)) };
        let value = first.saturating_mul(16).saturating_add(second);
        decoded.push(u8::try_from(value).unwrap_or_default());
    }
    Ok(std::mem::take(&mut *decoded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), Ok(all.clone()));
        assert_eq!(decode_form(&encode(&all)), Ok(all.clone()));
        assert_eq!(decode(&encode_path(&all)), Ok(all));
        assert_eq!(encode(b"a b/c~%"), "a%20b%2Fc~%25");
        assert_eq!(encode_path(b"/a b~"), "/a%20b~");
    }

    #[test]
    fn a_broken_escape_is_an_error() {
        assert_eq!(decode("a%4"), Err(Malformed::Incomplete));
        assert_eq!(decode("%"), Err(Malformed::Incomplete));
        assert_eq!(decode("%zz"), Err(Malformed::Digits(b'z', b'z')));
        assert_eq!(decode("%+1"), Err(Malformed::Digits(b'+', b'1')));
        assert_eq!(Malformed::Digits(b'y', b'\n').to_string(), r"Illegal hex character in escape % pattern: %y\n");
    }
}

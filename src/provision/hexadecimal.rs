//! Secrets as hexadecimal text (RFC 4648, section 8), where somebody says that they are.

use zeroize::{Zeroize as _, Zeroizing};

use super::base32::is_dash;
use super::{Error, tidy};
use crate::secret::Secret;

/// Reads a secret: upper or lower case; spaces, line breaks, dashes and colons anywhere; `0x` in front or not.
///
/// # Errors
///
/// The character that isn't hexadecimal and its place in the text as given; an odd number of them; an empty or
/// overlong secret.
pub(super) fn parse(text: &str) -> Result<Secret, Error> {
    let text = tidy::unquoted(text.trim()).unwrap_or(text);
    let start = text.len().saturating_sub(text.trim_start().len());
    let prefixed = text.trim_start().get(..2).is_some_and(|head| head.eq_ignore_ascii_case("0x"));
    let skipped = text.get(..start).unwrap_or_default().chars().count().saturating_add(if prefixed { 2 } else { 0 });
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    let mut half: Option<u8> = None;
    let mut characters = 0_usize;
    for (place, character) in text.chars().enumerate().skip(skipped) {
        if character.is_whitespace() || is_dash(character) || character == ':' {
            continue;
        }
        let Some(digit) = character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()) else {
            return Err(Error::HexCharacter { character, position: place.saturating_add(1) });
        };
        characters = characters.saturating_add(1);
        half = match half {
            None => Some(digit),
            Some(high) => {
                bytes.push(high << 4 | digit);
                None
            }
        };
    }
    if half.is_some() {
        half.zeroize();
        return Err(Error::HexLength { characters });
    }
    Ok(Secret::new(std::mem::take(&mut *bytes))?)
}

/// Whether a text is a secret in hexadecimal, and none in base32: of as many digits as a hash has, at least.
pub(super) fn is_likely(text: &str) -> bool {
    const FEWEST: usize = 32;
    let dense = || text.chars().filter(|c| !c.is_whitespace() && !is_dash(*c) && *c != ':');
    let count = dense().count();
    count >= FEWEST && count.is_multiple_of(2) && dense().all(|character| character.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_read_and_slips_are_told_with_their_place() {
        let bytes = |text: &str| parse(text).map(|secret| secret.expose().to_vec());
        for text in ["00ff7a", "00FF7A", " 00 ff 7a\n", "00:FF:7A", "0x00ff7a", "00-ff-7a", "\"00ff7a\""] {
            assert_eq!(bytes(text), Ok(vec![0, 0xff, 0x7a]), "{text}");
        }
        assert_eq!(bytes("00fg"), Err(Error::HexCharacter { character: 'g', position: 4 }));
        assert_eq!(bytes("0x0g"), Err(Error::HexCharacter { character: 'g', position: 4 }));
        assert_eq!(bytes("00f"), Err(Error::HexLength { characters: 3 }));
        assert!(bytes("").is_err() && bytes("0x").is_err());
    }

    #[test]
    fn what_is_likely_hexadecimal_is_long_and_nothing_else() {
        assert!(is_likely(&"0a".repeat(20)));
        assert!(!is_likely(&"0a".repeat(8)));
        assert!(!is_likely(&"0g".repeat(20)));
        assert!(!is_likely(&"0ab".repeat(11)));
    }
}

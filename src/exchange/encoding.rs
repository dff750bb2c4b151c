//! Base64 and hex of untrusted files, into bytes that are wiped.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// With padding or without, and left-over bits as they come.
const GENEROUS: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, GENEROUS);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, GENEROUS);

/// RFC 4648, section 4 or, where `-` or `_` is in it, section 5; spaces and line breaks anywhere.
pub(super) fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let plain = without_spaces(text);
    let engine = if plain.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    engine.decode(plain.as_bytes()).ok().map(Zeroizing::new)
}

/// RFC 4648, section 8, in either case; spaces and line breaks anywhere.
pub(super) fn hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let plain = without_spaces(text);
    let (pairs, rest) = plain.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok());
    let byte = |[high, low]: &[u8; 2]| Some((nibble(*high)? << 4) | nibble(*low)?);
    pairs.iter().map(byte).collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}

fn without_spaces(text: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    plain.extend(text.chars().filter(|character| !character.is_ascii_whitespace()));
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_in_both_alphabets_with_padding_or_without() {
        for text in ["+/8=", "-_8", "-_8=", "+/8", " +/\n8= "] {
            assert_eq!(base64(text).unwrap().as_slice(), [0xfb, 0xff], "{text}");
        }
        assert!(base64("+/8!").is_none());
        assert!(base64("a").is_none());
    }

    #[test]
    fn hex_is_read_in_either_case() {
        assert_eq!(hex("00fF 10").unwrap().as_slice(), [0, 255, 16]);
        assert!(hex("0").is_none());
        assert!(hex("0g").is_none());
        assert!(hex("+1").is_none());
    }
}

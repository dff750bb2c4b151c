//! Secrets as base32 text (RFC 4648, section 6), in the shapes in which people paste them.

use zeroize::Zeroizing;

use super::Error;
use crate::secret::Secret;

/// Reads a secret: upper or lower case; spaces, line breaks and dashes anywhere; padding (`=` or
/// `%3D`) or none.
///
/// Nothing is guessed: `0`, `1`, `8` and `9` are errors even where `O`, `I` or `B` seems meant.
/// Left-over bits of the last character are dropped, set or not: many services draw random
/// characters rather than bytes.
///
/// # Errors
///
/// The character that isn't base32 and its place in the text as given; a length that no bytes
/// encode to; an empty or overlong secret.
pub fn parse(text: &str) -> Result<Secret, Error> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut padded = false;
    let mut rest = text.char_indices();
    let mut position = 0_usize;
    while let Some((index, character)) = rest.next() {
        position = position.saturating_add(1);
        let escaped_padding = character == '%'
            && text.get(index..index.saturating_add(3)).is_some_and(|escape| escape.eq_ignore_ascii_case("%3d"));
        if escaped_padding {
            rest.nth(1);
            position = position.saturating_add(2);
        }
        match character {
            '=' | '%' if character == '=' || escaped_padding => padded = true,
            c if c.is_whitespace() || is_dash(c) => {}
            c @ ('A'..='Z' | '2'..='7') if !padded => plain.push(c),
            c @ 'a'..='z' if !padded => plain.push(c.to_ascii_uppercase()),
            // Something after the padding: the padding is in the wrong place.
            'A'..='Z' | '2'..='7' | 'a'..='z' => {
                return Err(Error::SecretCharacter { character: '=', position: position.saturating_sub(1) });
            }
            character => return Err(Error::SecretCharacter { character, position }),
        }
    }
    let characters = plain.len();
    if matches!(characters % 8, 1 | 3 | 6) {
        return Err(Error::SecretLength { characters });
    }
    let bytes = base32::decode(base32::Alphabet::Rfc4648 { padding: false }, &plain)
        .ok_or(Error::SecretLength { characters })?;
    Ok(Secret::new(bytes)?)
}

/// The dashes that keyboards and word processors put between groups.
pub(super) fn is_dash(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2015}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret;

    fn bytes(text: &str) -> Result<Vec<u8>, Error> {
        parse(text).map(|secret| secret.expose().to_vec())
    }

    #[test]
    fn every_shape_of_one_secret_is_read() {
        for text in [
            "JBSWY3DPEHPK3PXP",
            "jbswy3dpehpk3pxp",
            "JBSW Y3DP EHPK 3PXP",
            " jbsw-y3dp-ehpk-3pxp \n",
            "JBSWY3DP\r\nEHPK3PXP\r\n",
            "JBSWY3DPEHPK3PXP======",
            "JBSWY3DPEHPK3PXP%3D%3d",
            "JBSW\u{a0}Y3DP\u{2013}EHPK 3PXP",
        ] {
            assert_eq!(bytes(text).unwrap(), b"Hello!\xde\xad\xbe\xef", "{text:?}");
        }
    }

    #[test]
    fn the_vectors_of_rfc_4648_are_read() {
        for (text, plain) in [
            ("MY======", "f"),
            ("MZXQ====", "fo"),
            ("MZXW6===", "foo"),
            ("MZXW6YQ=", "foob"),
            ("MZXW6YTB", "fooba"),
            ("MZXW6YTBOI======", "foobar"),
        ] {
            assert_eq!(bytes(text).unwrap(), plain.as_bytes(), "{text}");
        }
    }

    #[test]
    fn the_wrong_character_is_named_with_its_place() {
        for (text, character, position) in [
            ("JBSWY3DPEHPK3PX0", '0', 16),
            ("JBSW 1", '1', 6),
            ("8BSW", '8', 1),
            ("JB\u{1f600}SW", '\u{1f600}', 3),
            ("JBSW%2B", '%', 5),
            ("JB=SW", '=', 3),
            ("JB%3DS", '=', 5),
            ("JB\0SW", '\0', 3),
        ] {
            assert_eq!(bytes(text), Err(Error::SecretCharacter { character, position }), "{text:?}");
        }
    }

    #[test]
    fn a_lost_character_is_noticed_and_left_over_bits_are_not() {
        assert_eq!(bytes("JBSWY3DPEHPK3PXPA"), Err(Error::SecretLength { characters: 17 }));
        assert_eq!(bytes("MZ").unwrap(), b"f");
    }

    #[test]
    fn lengths_are_one_byte_to_a_kibibyte() {
        assert_eq!(bytes(""), Err(Error::Secret(secret::Error::Empty)));
        assert_eq!(bytes("===="), Err(Error::Secret(secret::Error::Empty)));
        for length in 1..=Secret::MAX_BYTES {
            let secret = Secret::new(vec![0xa5; length]).unwrap();
            assert_eq!(parse(&secret.to_base32()).unwrap(), secret);
        }
        let text = base32::encode(base32::Alphabet::Rfc4648 { padding: true }, &[1; 1025]);
        assert_eq!(bytes(&text), Err(Error::Secret(secret::Error::TooLong { bytes: 1025 })));
    }
}

//! A `java.util.HashMap` of texts, as the Java Object Serialization Specification, section 6.4, has it. Nothing else is read.

use std::collections::HashSet;

use zeroize::Zeroizing;

use crate::exchange::bytes::Bytes;
use crate::exchange::{Error, MOST_ENTRIES};

const MAGIC: [u8; 4] = [0xac, 0xed, 0, 5];
const OBJECT: u8 = 0x73;
const CLASS: u8 = 0x72;
const END: u8 = 0x78;
const NULL: u8 = 0x70;
const BLOCK: u8 = 0x77;
const TEXT: u8 = 0x74;
const LONG_TEXT: u8 = 0x7c;
const CLASS_NAME: &[u8] = b"java.util.HashMap";

/// Keys and values, in the order of the file.
pub(super) struct Map(Vec<(Zeroizing<String>, Zeroizing<String>)>);

impl Map {
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// Whether a file begins as such a map does.
pub(super) fn is_map(bytes: &[u8]) -> bool {
    let mut rest = Bytes::new(bytes);
    rest.take(MAGIC.len()) == Some(&MAGIC)
        && rest.u8() == Some(OBJECT)
        && rest.u8() == Some(CLASS)
        && rest.u16_be().and_then(|length| rest.take(usize::from(length))) == Some(CLASS_NAME)
}

/// Reads all of it.
pub(super) fn read(bytes: &[u8]) -> Result<Map, Error> {
    let broken = || Error::damaged("its serialized map is broken");
    let mut rest = Bytes::new(bytes);
    let count = header(&mut rest).ok_or_else(broken)?;
    // Two for each token, and the master key.
    if count > MOST_ENTRIES.saturating_mul(2).saturating_add(16) {
        return Err(Error::TooMany { limit: MOST_ENTRIES });
    }
    let pairs = (0..count).map(|_| Some((text(&mut rest)?, text(&mut rest)?)));
    let pairs = pairs.collect::<Option<Vec<_>>>().ok_or_else(broken)?;
    // Each key is there once, as in any map: else one value could be read for very many.
    let keys: HashSet<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
    if rest.u8() != Some(END) || keys.len() != pairs.len() {
        return Err(broken());
    }
    Ok(Map(pairs))
}

/// What is before the first key; gives how many pairs there are.
fn header(rest: &mut Bytes<'_>) -> Option<usize> {
    rest.take(MAGIC.len())?;
    rest.take(2)?;
    let name = rest.u16_be()?;
    rest.take(usize::from(name))?;
    let (_serial, _flags, fields) = (rest.take(8)?, rest.u8()?, rest.u16_be()?);
    // `loadFactor` and `threshold`, of four bytes each.
    for _ in 0..fields {
        let _kind = rest.u8()?;
        let name = rest.u16_be()?;
        rest.take(usize::from(name))?;
    }
    if fields != 2 || rest.take(2)? != [END, NULL] {
        return None;
    }
    rest.take(8)?;
    // A block of eight bytes: how many buckets there are, and how many pairs.
    if rest.take(2)? != [BLOCK, 8] {
        return None;
    }
    rest.take(4)?;
    usize::try_from(rest.u32_be()?).ok()
}

fn text(rest: &mut Bytes<'_>) -> Option<Zeroizing<String>> {
    let length = match rest.u8()? {
        TEXT => usize::from(rest.u16_be()?),
        LONG_TEXT => {
            let (high, low) = (rest.u32_be()?, rest.u32_be()?);
            usize::try_from(low).ok().filter(|_| high == 0)?
        }
        _ => return None,
    };
    modified_utf8(rest.take(length)?)
}

/// Java's UTF-8 writes characters beyond the basic plane as two surrogates of three bytes, and NUL as two bytes.
fn modified_utf8(bytes: &[u8]) -> Option<Zeroizing<String>> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(Zeroizing::new(text.to_owned()));
    }
    let mut units = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes.iter().map(|byte| u16::from(*byte));
    let next = |from: &mut dyn Iterator<Item = u16>| from.next().filter(|byte| byte & 0xc0 == 0x80).map(|b| b & 0x3f);
    while let Some(first) = rest.next() {
        units.push(match first {
            0..0x80 => first,
            0xc0..0xe0 => ((first & 0x1f) << 6) | next(&mut rest)?,
            0xe0..0xf0 => ((first & 0x0f) << 12) | (next(&mut rest)? << 6) | next(&mut rest)?,
            _ => return None,
        });
    }
    String::from_utf16(&units).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> Result<Map, Error> {
        let mut file =
            [&MAGIC[..], b"\x73\x72\0\x11", CLASS_NAME, &[0; 8], b"\x03\0\x02F\0\x01aI\0\x01b\x78\x70"].concat();
        file.extend(b"\0\0\0\0\0\0\0\0\x77\x08\0\0\0\x10");
        file.extend(u32::try_from(pairs.len()).unwrap().to_be_bytes());
        for text in pairs.iter().flat_map(|(key, value)| [key, value]) {
            file.push(TEXT);
            file.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
            file.extend(text.as_bytes());
        }
        file.push(END);
        read(&file)
    }

    #[test]
    fn a_key_is_there_once() {
        assert_eq!(map(&[("1", "a"), ("2", "b")]).unwrap().get("2"), Some("b"));
        assert!(matches!(map(&[("1", "a"), ("2", "b"), ("1", "a")]), Err(Error::Damaged { .. })));
    }
}

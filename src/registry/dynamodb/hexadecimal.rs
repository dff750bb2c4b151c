//! Fingerprints as text.

use std::fmt::Write as _;

use crate::registry::Fingerprint;

/// Two digits a byte.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What was written so.
pub(super) fn fingerprint(text: &str) -> Option<Fingerprint> {
    let mut print = Fingerprint::default();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in print.iter_mut().enumerate() {
        let start = index.checked_mul(2)?;
        *byte = u8::from_str_radix(text.get(start..start.checked_add(2)?)?, 16).ok()?;
    }
    Some(print)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_comes_back() {
        let print: Fingerprint = std::array::from_fn(|index| u8::try_from(index * 8).unwrap());
        assert_eq!(fingerprint(&hexadecimal(&print)), Some(print));
        for text in ["", "00", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(fingerprint(text), None);
        }
    }
}

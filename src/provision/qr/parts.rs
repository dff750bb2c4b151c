//! Structured append (ISO/IEC 18004, section 8): one text, split over up to sixteen codes.
//!
//! A part alone is never a text. The first part of a URI often looks like a whole one, with a secret that is cut.

use zeroize::Zeroizing;

use super::find::{Find, Part};
use crate::provision::Error;

/// The parts of one text that were found, each once, by their place in it.
struct Whole {
    parts: Vec<Part>,
    /// The first of them that was found: the text is where its code is.
    first: Find,
}

/// Puts the parts of texts together; codes that are whole are left as they are.
///
/// # Errors
///
/// [`Error::QrPart`] where some are missing, [`Error::QrPartsDisagree`] where they aren't of one text.
pub(super) fn assembled(found: Vec<Find>) -> Result<Vec<Find>, Error> {
    let (mut whole, mut split): (Vec<Find>, Vec<Whole>) = (Vec::new(), Vec::new());
    for find in found {
        let Some(part) = find.part.clone() else {
            whole.push(find);
            continue;
        };
        let same = |text: &&mut Whole| {
            text.parts.first().is_some_and(|first| (first.count, first.parity) == (part.count, part.parity))
        };
        match split.iter_mut().find(same) {
            None => split.push(Whole { parts: vec![part], first: find }),
            Some(text) if text.parts.contains(&part) => {}
            Some(text) => text.parts.push(part),
        }
    }
    for text in split {
        whole.push(text.joined()?);
    }
    Ok(whole)
}

impl Whole {
    fn joined(mut self) -> Result<Find, Error> {
        self.parts.sort_by_key(|part| part.index);
        let indices = self.parts.iter().map(|part| part.index);
        let (Some(part), Some(count)) = (indices.clone().next(), self.parts.first().map(|part| part.count)) else {
            return Ok(self.first);
        };
        if self.parts.windows(2).any(|pair| matches!(pair, [a, b] if a.index == b.index)) {
            return Err(Error::QrPartsDisagree);
        }
        if let Some(missing) = (0..count).find(|index| !indices.clone().any(|found| found == *index)) {
            return Err(Error::QrPart { part: part.saturating_add(1), of: count, missing: missing.saturating_add(1) });
        }
        if self.parts.len() != usize::from(count) {
            return Err(Error::QrPartsDisagree);
        }
        // The room is made beforehand: growing leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.parts.iter().map(|part| part.bytes.len()).sum()));
        self.parts.iter().for_each(|part| bytes.extend_from_slice(&part.bytes));
        if bytes.iter().fold(0, |parity, byte| parity ^ byte) != self.parts.first().map_or(0, |part| part.parity) {
            return Err(Error::QrPartsDisagree);
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::QrPartsDisagree)?;
        Ok(Find { text: Zeroizing::new(text.to_owned()), part: None, ..self.first })
    }
}

#[cfg(test)]
mod tests {
    use super::super::find::Place;
    use super::*;

    fn find(index: u8, count: u8, parity: u8, text: &str) -> Find {
        let part = Part { index, count, parity, bytes: Zeroizing::new(text.as_bytes().to_vec()) };
        let place = Place { x: 0.0, y: 0.0, width: 0.1, height: 0.1 };
        Find { text: Zeroizing::new(text.to_owned()), place, part: Some(part) }
    }

    fn parity(text: &str) -> u8 {
        text.bytes().fold(0, |parity, byte| parity ^ byte)
    }

    fn texts(found: Vec<Find>) -> Result<Vec<String>, Error> {
        Ok(assembled(found)?.iter().map(|find| find.text.to_string()).collect())
    }

    #[test]
    fn parts_are_joined_in_their_order_however_often_they_were_found() {
        let (ab, xyz) = (parity("áb"), parity("xyz"));
        let mut found = vec![find(1, 2, ab, "b"), find(0, 3, xyz, "x"), find(0, 2, ab, "á")];
        found.extend([find(2, 3, xyz, "z"), find(1, 2, ab, "b"), find(1, 3, xyz, "y")]);
        assert_eq!(texts(found).unwrap(), ["áb", "xyz"]);
    }

    #[test]
    fn a_part_that_is_missing_is_named() {
        let lone = texts(vec![find(0, 2, 7, "otpauth://totp/a?secret=AAAA")]);
        assert_eq!(lone, Err(Error::QrPart { part: 1, of: 2, missing: 2 }));
        let two = texts(vec![find(2, 3, 7, "c"), find(1, 3, 7, "b")]);
        assert_eq!(two, Err(Error::QrPart { part: 2, of: 3, missing: 1 }));
    }

    #[test]
    fn parts_of_different_texts_are_never_joined() {
        let twice = vec![find(0, 2, 3, "a"), find(0, 2, 3, "b"), find(1, 2, 3, "c")];
        assert_eq!(texts(twice), Err(Error::QrPartsDisagree));
        assert_eq!(texts(vec![find(0, 2, 9, "a"), find(1, 2, 9, "c")]), Err(Error::QrPartsDisagree));
    }
}

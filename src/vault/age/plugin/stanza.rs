//! What goes over the pipe to a plugin and back: stanzas, as in the header of an age file.
//!
//! A line `-> TAG ARGUMENT…`, then the body in base64 without padding, in lines of 64 characters; the last one is shorter,
//! and may be empty.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

const BEGIN: &str = "-> ";
const COLUMNS: usize = 64;

/// A command or an answer. Its body may be a key or a PIN.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Stanza {
    pub(super) tag: String,
    pub(super) arguments: Vec<String>,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Stanza {
    /// The text of a body.
    pub(super) fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(String::from_utf8_lossy(&self.body).into_owned())
    }
}

/// A stanza as bytes.
pub(super) fn written(words: &[&str], body: &[u8]) -> Zeroizing<Vec<u8>> {
    let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(body));
    let lines = encoded.len().div_euclid(COLUMNS).saturating_add(1);
    let head: usize = words.iter().map(|word| word.len().saturating_add(1)).sum();
    // Room for all of it, so that no copy is left behind by growing.
    let room = head.saturating_add(encoded.len()).saturating_add(lines).saturating_add(BEGIN.len());
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    bytes.extend_from_slice(BEGIN.as_bytes());
    bytes.extend_from_slice(words.join(" ").as_bytes());
    let mut rest = encoded.as_bytes();
    loop {
        bytes.push(b'\n');
        let (line, after) = rest.split_at(rest.len().min(COLUMNS));
        bytes.extend_from_slice(line);
        rest = after;
        if line.len() < COLUMNS {
            bytes.push(b'\n');
            return bytes;
        }
    }
}

/// What was read so far.
pub(super) enum Read {
    /// A stanza, and how many bytes it took.
    Whole(Stanza, usize),
    /// More has to come.
    Part,
    /// No stanza, whatever comes.
    Nonsense,
}

/// The stanza that bytes begin with.
pub(super) fn read(bytes: &[u8]) -> Read {
    let begins = bytes.iter().zip(BEGIN.as_bytes()).all(|(is, should)| is == should);
    if !begins {
        return Read::Nonsense;
    }
    let mut lines = Lines { bytes, at: 0 };
    let Some(first) = lines.next() else { return Read::Part };
    let words = std::str::from_utf8(first).ok().and_then(|line| line.strip_prefix(BEGIN)).map(words);
    let Some(Some((tag, arguments))) = words else { return Read::Nonsense };
    let mut encoded = Zeroizing::new(Vec::with_capacity(bytes.len()));
    loop {
        let Some(line) = lines.next() else { return Read::Part };
        if line.len() > COLUMNS {
            return Read::Nonsense;
        }
        encoded.extend_from_slice(line);
        if line.len() < COLUMNS {
            break;
        }
    }
    match STANDARD_NO_PAD.decode(&*encoded) {
        Ok(body) => Read::Whole(Stanza { tag, arguments, body: Zeroizing::new(body) }, lines.at),
        Err(_) => Read::Nonsense,
    }
}

/// A tag and its arguments: each of visible ASCII, as they stand in an age file.
fn words(line: &str) -> Option<(String, Vec<String>)> {
    let mut words = line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    if words.iter().any(|word| word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_graphic())) {
        return None;
    }
    let arguments = words.split_off(1);
    words.pop().map(|tag| (tag, arguments))
}

/// Lines that have ended.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let length = rest.iter().position(|byte| *byte == b'\n')?;
        self.at = self.at.saturating_add(length).saturating_add(1);
        rest.get(..length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(bytes: &[u8]) -> (Stanza, usize) {
        match read(bytes) {
            Read::Whole(stanza, length) => (stanza, length),
            Read::Part => panic!("a part"),
            Read::Nonsense => panic!("nonsense"),
        }
    }

    #[test]
    fn stanzas_are_those_of_the_format() {
        // C2SP, age.md: "-> X25519 …"; a body of 48 bytes fills its line, so an empty one follows.
        assert_eq!(*written(&["done"], b""), b"-> done\n\n");
        assert_eq!(*written(&["msg"], b"hello"), b"-> msg\naGVsbG8\n");
        let full = written(&["a", "b", "c"], &[0; 48]);
        assert_eq!(*full, format!("-> a b c\n{}\n\n", "A".repeat(64)).as_bytes());
        let (stanza, length) = whole(&full);
        assert_eq!(
            (stanza.tag.as_str(), stanza.arguments, stanza.body.len(), length),
            ("a", vec!["b".to_owned(), "c".to_owned()], 48, full.len())
        );
    }

    #[test]
    fn what_is_no_stanza_is_told_from_one_that_has_not_come_yet() {
        for part in ["", "-", "-> ", "-> msg", "-> msg\n", "-> msg\naGVsbG8"] {
            assert!(matches!(read(part.as_bytes()), Read::Part), "{part:?}");
        }
        let long = format!("-> msg\n{}\n", "A".repeat(65));
        for nonsense in [
            "hello",
            "->x",
            "-> \n\n",
            "-> a  b\n\n",
            "-> é\n\n",
            "-> a\r\n\n",
            "-> a\n*\n",
            "-> a\nA\n",
            "-> a\naGVsbG8=\n",
            &long,
        ] {
            assert!(matches!(read(nonsense.as_bytes()), Read::Nonsense), "{nonsense:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_only_whole(
            words in prop::collection::vec("[!-~]{1,9}", 1..5),
            body in prop::collection::vec(any::<u8>(), 0..200),
            more in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let bytes = written(&words, &body);
            for length in 0..bytes.len() {
                prop_assert!(matches!(read(&bytes[..length]), Read::Part));
            }
            let (stanza, length) = whole(&[&bytes[..], &more[..]].concat());
            prop_assert_eq!(length, bytes.len());
            prop_assert_eq!(&*stanza.body, &body);
            prop_assert_eq!([&[stanza.tag][..], &stanza.arguments].concat(), words);
        }
    }
}

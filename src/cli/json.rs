//! JSON as this program writes it.

use std::io::{self, Write as _};

use serde::Serialize;
use serde_json::ser::Formatter;
use zeroize::Zeroizing;

use crate::name;

/// Writes a value without white space, and without a character in it that a terminal would act on or that doesn't show:
/// those are escaped, which changes no text.
pub(super) fn write(out: impl io::Write, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Harmless)).map_err(io::Error::from)
}

/// The same with a line feed, nothing of it before all of it is there. Pieces that never grow hold it meanwhile, and are
/// wiped: a buffer that grows leaves copies of secrets behind.
pub(super) fn line(out: &mut dyn io::Write, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    let mut pieces = Pieces::default();
    write(&mut pieces, value)?;
    pieces.write_all(b"\n")?;
    pieces.0.iter().try_for_each(|piece| out.write_all(piece))
}

/// What was written; each piece but the last is full.
#[derive(Default)]
struct Pieces(Vec<Zeroizing<Vec<u8>>>);

/// Bytes of the first piece, which holds most answers, and of others.
const PIECE: usize = 4 << 10;
const LARGE_PIECE: usize = 64 << 10;

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = |piece: &Vec<u8>| piece.capacity().saturating_sub(piece.len());
        if self.0.last().is_none_or(|piece| room(piece) == 0) {
            let size = if self.0.is_empty() { PIECE } else { LARGE_PIECE };
            self.0.push(Zeroizing::new(Vec::with_capacity(size)));
        }
        let Some(piece) = self.0.last_mut() else { return Ok(0) };
        let (now, _) = bytes.split_at(bytes.len().min(room(piece)));
        piece.extend_from_slice(now);
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Harmless;

impl Formatter for Harmless {
    /// Control characters of ASCII, but for DEL, are escaped by `serde_json` itself.
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((index, character)) = rest.char_indices().find(|(_, c)| c.is_control() || name::is_unseen(*c)) {
            let (before, after) = rest.split_at(index);
            writer.write_all(before.as_bytes())?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = after.get(character.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped_and_reads_back() {
        let text = "a\u{9b}31m \u{202e}evil\u{2066} \u{7f}\u{1b} 日本語 \u{e0041}\u{200d}é";
        let mut bytes = Vec::new();
        write(&mut bytes, &serde_json::json!({ "text": text, "key\u{85}": 1 })).unwrap();
        let written = String::from_utf8(bytes).unwrap();
        assert!(!written.chars().any(|c| c.is_control() || name::is_unseen(c)), "{written:?}");
        assert!(
            written.contains(r"a\u009b31m \u202eevil")
                && written.contains(r"\udb40\udc41")
                && written.contains("日本語")
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap()["text"], text);
    }

    #[test]
    fn a_line_is_what_is_written_however_long_it_is() {
        for length in [0, 1, 4_000, PIECE - 3, PIECE - 2, PIECE, 200_000] {
            let text = "x".repeat(length);
            let (mut whole, mut lines) = (Vec::new(), Vec::new());
            write(&mut whole, &text).unwrap();
            whole.push(b'\n');
            line(&mut lines, &text).unwrap();
            assert!(lines == whole, "{length}");
        }
    }

    #[test]
    fn of_a_value_that_cannot_be_written_nothing_is_written() {
        let unwritable = std::collections::BTreeMap::from([((1, 2), "a key that JSON hasn't")]);
        let mut lines = Vec::new();
        assert!(line(&mut lines, &("x".repeat(200_000), unwritable)).is_err());
        assert!(lines.is_empty());
    }
}

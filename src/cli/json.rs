//! JSON as this program writes it.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;
use zeroize::Zeroizing;

use crate::name;

/// Writes a value without white space, and without a character in it that a terminal would act on or that doesn't show:
/// those are escaped, which changes no text.
pub(super) fn write(out: impl io::Write, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Harmless)).map_err(io::Error::from)
}

/// The same with a line feed, wiped when dropped. Its size is counted first: a buffer that grows leaves copies of secrets
/// behind.
pub(super) fn line(value: &(impl Serialize + ?Sized)) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut length = Length(1);
    write(&mut length, value)?;
    let mut line = Zeroizing::new(Vec::with_capacity(length.0));
    write(&mut *line, value)?;
    line.push(b'\n');
    Ok(line)
}

/// How many bytes were written.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
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
}

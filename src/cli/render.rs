//! Answers: one structure each, written for people or as JSON.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde::Serialize;
use zeroize::Zeroizing;

use super::error::{Error, Kind, Result};
use super::json;
pub(super) use super::note::{note, plain};

/// An answer, in both forms. The JSON is the structure itself.
pub(super) trait Answer: Serialize {
    /// Writes it for people.
    fn human(&self, out: &mut dyn Write) -> io::Result<()>;
}

/// Writes an answer to stdout in the form asked for.
pub(super) fn print(answer_of: &impl Answer, as_json: bool) -> Result<()> {
    answer(|out| {
        if as_json {
            // In one piece, wiped afterwards: an answer may hold a secret.
            let mut text = Zeroizing::new(Vec::with_capacity(64 << 10));
            json::write(&mut *text, answer_of)?;
            text.push(b'\n');
            out.write_all(&text)
        } else {
            answer_of.human(out)
        }
    })
}

/// Writes to stdout and flushes. A reader that closes early is no error.
pub(super) fn answer(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(Kind::Storage, "stdout", format!("stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes something for each thing: stdout alone would be given each line by itself.
pub(super) fn many<T>(
    out: &mut dyn Write,
    things: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut dyn Write, T) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(64 << 10, out);
    things.into_iter().try_for_each(|thing| write(&mut out, thing))?;
    out.flush()
}

/// The day of a time in RFC 3339.
pub(super) fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or(time)
}

/// Whether stdout and stderr are terminals. If a program reads stdout, nothing is printed beside the answer.
pub(super) fn for_eyes() -> bool {
    io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// Lines of `label   value`, values under each other, indented by two.
pub(super) fn fields(out: &mut dyn Write, fields: &[(&str, String)]) -> io::Result<()> {
    let widest = fields.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    for (label, value) in fields {
        writeln!(out, "  {label:widest$}  {value}")?;
    }
    Ok(())
}

/// Columns under headings, as wide as what they hold; the last one is left ragged.
pub(super) fn table(out: &mut dyn Write, headings: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    use unicode_width::UnicodeWidthStr as _;
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let headings: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
    many(out, std::iter::once(&headings).chain(rows), |out, row| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width()).saturating_add(2)));
        }
        writeln!(out, "{}", line.trim_end())
    })
}

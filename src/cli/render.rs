//! Answers: one structure each, written for people or as JSON.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde::Serialize;

use super::columns;
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
    answer(|out| if as_json { json::line(out, answer_of) } else { answer_of.human(out) })
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
pub(super) fn table<T: AsRef<str>, R: AsRef<[T]>>(
    out: &mut dyn Write,
    headings: &[&str],
    rows: &[R],
) -> io::Result<()> {
    let mut widths: Vec<usize> = headings.iter().map(|heading| columns::width(heading)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row.as_ref()) {
            *width = (*width).max(columns::width(cell.as_ref()));
        }
    }
    let mut line = String::new();
    many(out, std::iter::once(None).chain(rows.iter().map(Some)), |out, row| {
        line.clear();
        match row {
            None => headings.iter().zip(&widths).for_each(|(cell, width)| pad(&mut line, cell, *width)),
            Some(row) => {
                row.as_ref().iter().zip(&widths).for_each(|(cell, width)| pad(&mut line, cell.as_ref(), *width))
            }
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        out.write_all(line.as_bytes())
    })
}

/// Adds a cell to a line, and the gap after it.
fn pad(line: &mut String, cell: &str, width: usize) {
    line.push_str(cell);
    let gap = width.saturating_sub(columns::width(cell)).saturating_add(columns::GAP);
    line.extend(std::iter::repeat_n(' ', gap));
}

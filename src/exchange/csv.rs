//! CSV (RFC 4180) with a header line, a record at a time.
//!
//! The crate `csv` copies cells into buffers of its own, which nobody wipes.

use zeroize::Zeroizing;

use super::Error;

/// The most columns of a record.
const MOST_COLUMNS: usize = 256;

/// A table: the names of its columns, and its records, one for each step of the iterator.
pub(super) struct Table<'a> {
    header: Vec<String>,
    rest: &'a str,
}

/// The cells of one record.
pub(super) struct Record(Vec<Zeroizing<String>>);

impl<'a> Table<'a> {
    /// Reads the header line; `None` where there is none.
    pub(super) fn open(text: &'a str) -> Option<Self> {
        let mut table = Self { header: Vec::new(), rest: text };
        let Record(header) = table.next()?.ok()?;
        table.header = header.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        Some(table)
    }

    /// Which column has this name, whatever its case.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column.eq_ignore_ascii_case(name))
    }

    /// Whether all of these are columns.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.column(name).is_some())
    }
}

impl Record {
    /// The cell of a column; `None` where the record has no such, or an empty one.
    pub(super) fn get(&self, column: Option<usize>) -> Option<&str> {
        let cell = self.0.get(column?)?.trim();
        if cell.is_empty() { None } else { Some(cell) }
    }
}

impl Iterator for Table<'_> {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_start_matches(['\r', '\n']);
        if self.rest.is_empty() {
            return None;
        }
        let record = record(&mut self.rest);
        if record.is_err() {
            self.rest = "";
        }
        Some(record)
    }
}

fn record(rest: &mut &str) -> Result<Record, Error> {
    let mut cells = Vec::new();
    loop {
        if cells.len() >= MOST_COLUMNS {
            return Err(Error::damaged(format!("a record has more than {MOST_COLUMNS} columns")));
        }
        cells.push(cell(rest)?);
        match rest.strip_prefix(',') {
            Some(next) => *rest = next,
            None => return Ok(Record(cells)),
        }
    }
}

/// One cell, and `rest` behind it: at a comma, at a line break, or at the end.
fn cell(rest: &mut &str) -> Result<Zeroizing<String>, Error> {
    let Some(mut quoted) = rest.strip_prefix('"') else {
        let end = rest.find([',', '\r', '\n']).unwrap_or(rest.len());
        let (cell, behind) = rest.split_at_checked(end).unwrap_or((*rest, ""));
        *rest = behind;
        return Ok(Zeroizing::new(cell.to_owned()));
    };
    // Once through to the closing quotation mark, so that the cell never grows and leaves no copies.
    let mut cell = Zeroizing::new(String::with_capacity(quoted_length(quoted)));
    loop {
        let (part, behind) = quoted.split_once('"').ok_or_else(|| Error::damaged("a quotation mark isn't closed"))?;
        cell.push_str(part);
        if let Some(next) = behind.strip_prefix('"') {
            cell.push('"');
            quoted = next;
        } else if behind.is_empty() || behind.starts_with([',', '\r', '\n']) {
            *rest = behind;
            return Ok(cell);
        } else {
            return Err(Error::damaged("a quotation mark stands inside a cell"));
        }
    }
}

/// How many bytes there are before the quotation mark that closes, doubled ones included.
fn quoted_length(text: &str) -> usize {
    let mut marks = text.match_indices('"').map(|(at, _)| at);
    while let Some(at) = marks.next() {
        if text.as_bytes().get(at.saturating_add(1)) != Some(&b'"') {
            return at;
        }
        marks.next();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        let mut table = Table { header: Vec::new(), rest: text };
        let all: Result<Vec<Record>, Error> = table.by_ref().collect();
        all.unwrap().iter().map(|record| record.0.iter().map(|cell| cell.to_string()).collect()).collect()
    }

    #[test]
    fn quotation_marks_keep_commas_and_line_breaks() {
        assert_eq!(
            cells("a,\"b,\r\nc\",\"say \"\"x\"\"\"\r\n,,\n"),
            [vec!["a", "b,\r\nc", "say \"x\""], vec!["", "", ""]]
        );
        assert_eq!(cells("\"\"\"\"\n\n\r\na"), [vec!["\""], vec!["a"]]);
    }

    #[test]
    fn what_is_not_closed_is_damaged() {
        for text in ["\"a", "\"a\"b,c", "a,\"b\"\"", &",".repeat(300)] {
            let mut table = Table { header: Vec::new(), rest: text };
            assert!(matches!(table.next(), Some(Err(Error::Damaged { .. }))), "{text}");
            assert!(table.next().is_none(), "{text}");
        }
    }

    #[test]
    fn columns_are_found_whatever_their_case() {
        let mut table = Table::open("Title,OTPAuth\nx,y\nz\n").unwrap();
        assert!(table.has(&["title", "otpauth"]));
        let column = table.column("OTPAUTH");
        assert_eq!(table.next().unwrap().unwrap().get(column), Some("y"));
        assert_eq!(table.next().unwrap().unwrap().get(column), None);
    }
}

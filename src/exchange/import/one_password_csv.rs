//! 1Password: its CSV export, with the columns `Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes`.

use super::{groups, login};
use crate::exchange::csv::{Record, Table};
use crate::exchange::{Error, Export, Importer, Input};

pub(super) const IMPORTER: Importer =
    Importer { id: "1password-csv", title: "a CSV export of 1Password", recognizes, read };

/// Whether a table is of 1Password: Apple's has some of its columns.
pub(super) fn is(table: &Table<'_>) -> bool {
    table.has(&["title", "username", "password", "otpauth", "archived", "tags"])
}

fn recognizes(input: &Input<'_>) -> bool {
    input.text.and_then(Table::open).is_some_and(|table| is(&table))
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let table = input.text.and_then(Table::open).ok_or(Error::Unrecognized)?;
    login::of_table(table, "otpauth", tags).map(Export::Plain)
}

/// `a;b`: two tags. A tag in a tag is `a/b`.
fn tags(table: &Table<'_>, record: &Record) -> Vec<String> {
    groups::named(record.get(table.column("tags")).unwrap_or_default().split(';'))
}

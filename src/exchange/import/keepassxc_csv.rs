//! KeePassXC: its CSV export, with the columns `Group,Title,Username,Password,URL,Notes,TOTP` and some more.

use super::{groups, login};
use crate::exchange::csv::{Record, Table};
use crate::exchange::{Error, Export, Importer, Input};

pub(super) const IMPORTER: Importer =
    Importer { id: "keepassxc-csv", title: "a CSV export of KeePassXC", recognizes, read };

fn recognizes(input: &Input<'_>) -> bool {
    let table = input.text.and_then(Table::open);
    table.is_some_and(|table| table.has(&["group", "title", "username", "password", "totp"]))
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let table = input.text.and_then(Table::open).ok_or(Error::Unrecognized)?;
    login::of_table(table, "totp", path).map(Export::Plain)
}

/// `Root/Work/Deep`, of which the first is the database itself.
fn path(table: &Table<'_>, record: &Record) -> Vec<String> {
    let path = record.get(table.column("group")).unwrap_or_default();
    groups::named(path.split('/').skip(1))
}

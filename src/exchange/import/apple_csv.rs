//! Apple's Passwords app: its CSV export, with the columns `Title,URL,Username,Password,Notes,OTPAuth`.

use super::login;
use super::one_password_csv;
use crate::exchange::csv::Table;
use crate::exchange::{Error, Export, Importer, Input};

pub(super) const IMPORTER: Importer =
    Importer { id: "apple-csv", title: "a CSV export of Apple's Passwords", recognizes, read };

fn recognizes(input: &Input<'_>) -> bool {
    let table = input.text.and_then(Table::open);
    table.is_some_and(|table| {
        table.has(&["title", "url", "username", "password", "otpauth"]) && !one_password_csv::is(&table)
    })
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let table = input.text.and_then(Table::open).ok_or(Error::Unrecognized)?;
    login::of_table(table, "otpauth", |_, _| Vec::new()).map(Export::Plain)
}

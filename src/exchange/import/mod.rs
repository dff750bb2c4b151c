//! One file a format. Each says how to recognize its files and how to read them.
//!
//! To add one: write `NAME.rs` with a `pub(super) const IMPORTER`, list it in [`IMPORTERS`], put its fixtures into
//! `vectors/exchange/NAME/`, and name it in docs/import.md.

mod aegis;
mod apple_csv;
mod cxf;
mod entry;
mod freeotp;
mod kdbx;
mod keepassxc_csv;
mod login;
mod one_password;
mod one_password_csv;
mod otp_auth;
mod pass;
mod pskc;
mod users_oath;

use super::Importer;

/// All of them, in the order in which they are tried: the more particular first.
pub const IMPORTERS: &[&Importer] = &[
    &aegis::IMPORTER,
    &kdbx::IMPORTER,
    &cxf::IMPORTER,
    &one_password::IMPORTER,
    &one_password_csv::IMPORTER,
    &apple_csv::IMPORTER,
    &keepassxc_csv::IMPORTER,
    &pskc::IMPORTER,
    &freeotp::IMPORTER,
    &otp_auth::IMPORTER,
    &users_oath::IMPORTER,
    &pass::IMPORTER,
];

#[cfg(test)]
mod tests;

//! One file a format. Each says how to recognize its files and how to read them.
//!
//! To add one: write `NAME.rs` with a `pub(super) const IMPORTER`, list it in [`IMPORTERS`], put its fixtures into
//! `vectors/exchange/NAME/`, and name it in docs/import.md.

mod aegis;
mod andotp;
mod apple_csv;
mod bitwarden;
mod cotp;
mod cxf;
mod ente;
mod entry;
mod freeotp;
mod freeotp_plus;
mod google;
mod groups;
mod kdbx;
mod keepassxc_csv;
mod lastpass;
mod login;
mod one_password;
mod one_password_csv;
mod otp_auth;
mod pass;
mod proton;
mod pskc;
mod raivo;
mod rsc_2fa;
mod stratum;
mod two_fas;
mod uris;
mod users_oath;
mod vmfa;

use super::{Error, Export, Importer, Input, MOST_BYTES};

/// All of them, in the order in which they are tried: the more particular first.
pub const IMPORTERS: &[&Importer] = &[
    &vmfa::IMPORTER,
    &aegis::IMPORTER,
    &google::IMPORTER,
    &two_fas::IMPORTER,
    &bitwarden::IMPORTER,
    &proton::IMPORTER,
    &stratum::IMPORTER,
    &ente::IMPORTER,
    &kdbx::IMPORTER,
    &cxf::IMPORTER,
    &one_password::IMPORTER,
    &one_password_csv::IMPORTER,
    &apple_csv::IMPORTER,
    &keepassxc_csv::IMPORTER,
    &freeotp_plus::IMPORTER,
    &raivo::IMPORTER,
    &lastpass::IMPORTER,
    &cotp::IMPORTER,
    &rsc_2fa::IMPORTER,
    &pskc::IMPORTER,
    &freeotp::IMPORTER,
    &otp_auth::IMPORTER,
    &users_oath::IMPORTER,
    &pass::IMPORTER,
    &uris::IMPORTER,
    // Its encrypted files are random bytes from the first on: what nobody else knows.
    &andotp::IMPORTER,
];

/// Which format a file has, by its content; `None` where no importer knows it.
#[must_use]
pub fn recognize(input: &Input<'_>) -> Option<&'static Importer> {
    IMPORTERS.iter().copied().find(|importer| (importer.recognizes)(input))
}

/// Whether a text begins with an otpauth URI, or with a part of Google Authenticator's export: what a QR code holds.
#[must_use]
pub fn is_uris(bytes: &[u8]) -> bool {
    let begins =
        |scheme: &str| bytes.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme.as_bytes()));
    begins(crate::provision::uri::SCHEME) || begins("otpauth-migration://")
}

/// Reads a file of any known format.
///
/// # Errors
///
/// [`Error::Unrecognized`], or what the format's importer says.
pub fn read(bytes: &[u8]) -> Result<(&'static Importer, Export), Error> {
    if bytes.len() > MOST_BYTES {
        return Err(Error::TooLarge { limit: MOST_BYTES });
    }
    let input = Input::new(bytes);
    let importer = recognize(&input).ok_or(Error::Unrecognized)?;
    Ok((importer, (importer.read)(input)?))
}

#[cfg(test)]
mod tests;

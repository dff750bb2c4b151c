//! Another authenticator's export as a source: its entries are what it enrols.

use crate::cli::error::{Error, Result};
use crate::cli::hints::exports::{GIVE_PASSWORD, IMPORT_WITH_PASSWORD};
use crate::cli::password::Password;
use crate::cli::progress;
use crate::exchange::{self, Entries, Export, Failure, Input};
use crate::provision::{Found, Warning};

/// Importers whose files are sources by themselves, or look like any other.
const OTHERS: [&str; 2] = ["uris", "andotp"];

/// The entries of an export; `None` where the bytes are none.
pub(super) fn read(bytes: &[u8], place: &str) -> Option<Result<Found>> {
    let importer = exchange::recognize(&Input::new(bytes)).filter(|importer| !OTHERS.contains(&importer.id))?;
    let about = |error: exchange::Error| Error::from(error).about(place);
    let entries = (importer.read)(Input::new(bytes)).map_err(about).and_then(|export| match export {
        Export::Plain(entries) => Ok(entries),
        Export::Locked(locked) => {
            let password = Password::default().known(place);
            let password = password.map_err(|error| error.instead(GIVE_PASSWORD, IMPORT_WITH_PASSWORD))?;
            progress::decrypting(|| locked.unlock(password.as_bytes())).map_err(about)
        }
    });
    Some(entries.and_then(|entries| {
        if entries.entries.is_empty() {
            let without = format!("{} without any one-time password that can be read", importer.title);
            let why = entries.failures.first().map_or(without, |failure| format!("{}: {failure}", importer.title));
            return Err(Error::input("empty", why).about(place));
        }
        Ok(found(entries))
    }))
}

fn found(Entries { entries, failures, .. }: Entries) -> Found {
    let left_out = |failure: &Failure| Warning::LeftOut { entry: failure.entry, reason: failure.to_string() };
    Found {
        enrolments: entries.into_iter().map(|entry| entry.enrolment).collect(),
        warnings: failures.iter().map(left_out).collect(),
        ..Found::default()
    }
}

//! An export out of files: their bytes, the texts of pictures, and the password.

use std::ffi::OsString;

use zeroize::Zeroizing;

use crate::cli::error::{Error, Result};
use crate::cli::password::Password;
use crate::cli::source::Effort;
use crate::cli::{bytes, hints, progress};
use crate::exchange::{self, Entries, Export, Importer};
use crate::provision::{Limits, qr};

/// Reads one export, out of one file, or of several with the QR codes of one.
pub(super) fn all(
    files: &[OsString],
    effort: &Effort,
    password: &Password<'_>,
) -> Result<(&'static Importer, Entries)> {
    let mut place = String::new();
    let mut whole = Zeroizing::new(Vec::new());
    for file in files {
        let (bytes, from) = bytes::of(file)?;
        let text = texts(&bytes, effort).map_err(|error| error.about(&from))?;
        if files.len() > 1 && !exchange::import::is_uris(text.as_deref().unwrap_or(&bytes)) {
            return Err(
                Error::usage(format!("{from} is not a part of an export by QR codes")).hint(hints::exports::ONE_BY_ONE)
            );
        }
        whole.extend_from_slice(text.as_deref().unwrap_or(&bytes));
        if files.len() > 1 {
            whole.push(b'\n');
        }
        place = if files.len() > 1 { "the QR codes".to_owned() } else { from };
    }
    let about = |error: exchange::Error| Error::from(error).about(&place);
    let (importer, export) = exchange::read(&whole).map_err(about)?;
    let entries = match export {
        Export::Plain(entries) => entries,
        Export::Locked(locked) => {
            let password = password.known(&place)?;
            progress::decrypting(|| locked.unlock(password.as_bytes())).map_err(about)?
        }
    };
    Ok((importer, entries))
}

/// The texts of a picture's QR codes, a line each; `None` for anything but a picture.
fn texts(bytes: &[u8], effort: &Effort) -> Result<Option<Zeroizing<Vec<u8>>>> {
    if qr::format(bytes).is_none() {
        return Ok(None);
    }
    let found = progress::searching(|| qr::payloads(bytes, &Limits { all: true, ..effort.limits() }))?;
    let room = found.iter().map(|text| text.len().saturating_add(1)).sum();
    let mut lines = Zeroizing::new(Vec::with_capacity(room));
    for text in &found {
        lines.extend_from_slice(text.as_bytes());
        lines.push(b'\n');
    }
    Ok(Some(lines))
}

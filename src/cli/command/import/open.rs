//! An export out of files: their bytes, the texts of pictures, and the password.

use std::ffi::OsString;
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::error::{Error, Result};
use crate::cli::password::Password;
use crate::cli::source::Effort;
use crate::cli::{bytes, hints, progress};
use crate::exchange::{self, Entries, Export, Importer, Locked};
use crate::provision::Limits;
use crate::provision::qr::{self, Codes};

/// What opens an encrypted export.
pub(super) struct Opener<'a> {
    pub(super) password: Password<'a>,
    pub(super) key_file: Option<&'a Path>,
    pub(super) no_password: bool,
}

impl Opener<'_> {
    fn open(&self, locked: &dyn Locked, place: &str) -> Result<std::result::Result<Entries, exchange::Error>> {
        let key = self.key_file.map(|file| bytes::of(file.as_os_str())).transpose()?;
        let password = if self.no_password { None } else { Some(self.password.known(place)?) };
        let bytes = password.as_deref().map(String::as_bytes);
        Ok(progress::decrypting(|| match (key, bytes) {
            (Some((key, _)), bytes) => locked.unlock_with_key(bytes, &key),
            (None, bytes) => locked.unlock(bytes.unwrap_or_default()),
        }))
    }
}

/// Reads one export, out of one file, or of several with the QR codes of one.
pub(super) fn all(files: &[OsString], effort: &Effort, opener: &Opener<'_>) -> Result<(&'static Importer, Entries)> {
    let mut place = String::new();
    let mut whole = Zeroizing::new(Vec::new());
    let mut codes = Codes::default();
    for file in files {
        let (bytes, from) = bytes::of(file)?;
        if qr::format(&bytes).is_some() {
            let limits = Limits { all: true, ..effort.limits() };
            progress::searching(|| codes.look_at(&bytes, &limits)).map_err(|error| Error::from(error).about(&from))?;
        } else if files.len() > 1 && !exchange::import::is_uris(&bytes) {
            return Err(no_part(&from));
        } else {
            whole.extend_from_slice(&bytes);
        }
        if files.len() > 1 {
            whole.push(b'\n');
        }
        place = if files.len() > 1 { "the QR codes".to_owned() } else { from };
    }
    if !codes.is_empty() {
        for text in codes.texts().map_err(|error| Error::from(error).about(&place))? {
            if files.len() > 1 && !exchange::import::is_uris(text.as_bytes()) {
                return Err(no_part("one of the QR codes"));
            }
            whole.extend_from_slice(text.as_bytes());
            whole.push(b'\n');
        }
    }
    let about = |error: exchange::Error| Error::from(error).about(&place);
    let (importer, export) = exchange::read(&whole).map_err(about)?;
    let entries = match export {
        Export::Plain(_) if opener.key_file.is_some() => {
            return Err(Error::usage(format!("{place} is not encrypted, and --key-file is given")));
        }
        Export::Plain(entries) => entries,
        Export::Locked(locked) => opener.open(&*locked, &place)?.map_err(|error| {
            let wrong = matches!(error, exchange::Error::WrongPassword | exchange::Error::WrongPasswordOrDamaged);
            let key_file = wrong && importer.id == "kdbx" && opener.key_file.is_none();
            if key_file { about(error).hint(hints::exports::KEY_FILE) } else { about(error) }
        })?,
    };
    Ok((importer, entries))
}

fn no_part(what: &str) -> Error {
    Error::usage(format!("{what} is not a part of an export by QR codes")).hint(hints::exports::ONE_BY_ONE)
}

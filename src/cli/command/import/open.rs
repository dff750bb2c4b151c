//! An export out of files: their bytes, the texts of pictures, and the password.

use std::ffi::OsString;
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::error::{Error, Result};
use crate::cli::source::{self, Search};
use crate::cli::{hints, progress, prompt};
use crate::exchange::{self, Entries, Export, Importer};
use crate::provision::qr;

/// The longest password, in bytes.
const LONGEST: usize = 4096;

/// Where the export's password comes from; by neither, somebody is asked.
pub(super) struct Password<'a> {
    pub(super) descriptor: Option<u32>,
    pub(super) file: Option<&'a Path>,
}

/// Reads one export, out of one file, or of several with the QR codes of one.
pub(super) fn all(
    files: &[OsString],
    search: &Search,
    password: &Password<'_>,
) -> Result<(&'static Importer, Entries)> {
    let mut place = String::new();
    let mut whole = Zeroizing::new(Vec::new());
    for file in files {
        let (bytes, from) = source::bytes_of(file)?;
        let text = texts(&bytes, search).map_err(|error| error.about(&from))?;
        if files.len() > 1 && !exchange::is_uris(text.as_deref().unwrap_or(&bytes)) {
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
            let password = password.get(&place)?;
            progress::decrypting(|| locked.unlock(password.as_bytes())).map_err(about)?
        }
    };
    Ok((importer, entries))
}

/// The texts of a picture's QR codes, a line each; `None` for anything but a picture.
fn texts(bytes: &[u8], search: &Search) -> Result<Option<Zeroizing<Vec<u8>>>> {
    if qr::format(bytes).is_none() {
        return Ok(None);
    }
    let found = progress::searching(|| qr::payloads(bytes, &search.limits()))?;
    let room = found.iter().map(|text| text.len().saturating_add(1)).sum();
    let mut lines = Zeroizing::new(Vec::with_capacity(room));
    for text in &found {
        lines.extend_from_slice(text.as_bytes());
        lines.push(b'\n');
    }
    Ok(Some(lines))
}

impl Password<'_> {
    fn get(&self, place: &str) -> Result<Zeroizing<String>> {
        match (self.descriptor, self.file) {
            (Some(descriptor), _) => prompt::from_descriptor(descriptor),
            (None, Some(file)) => first_line(file),
            (None, None) if prompt::terminal_there() => prompt::hidden(&format!("password of {place}")),
            (None, None) => Err(Error::usage(format!("{place} is encrypted, and there is no terminal to ask at"))
                .hint(hints::exports::GIVE_PASSWORD)),
        }
    }
}

/// The first line of a file, without its end.
fn first_line(file: &Path) -> Result<Zeroizing<String>> {
    let failed = |reason: &str| Error::input("password-file", format!("{}: {reason}", file.display()));
    let (bytes, _) = source::bytes_of(file.as_os_str())?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err(failed("the password is empty")),
        Ok(text) if text.len() <= LONGEST => Ok(Zeroizing::new(text.to_owned())),
        Ok(_) => Err(failed("the password is too long")),
        Err(_) => Err(failed("the password is not UTF-8")),
    }
}

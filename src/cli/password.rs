//! The password of an export: one that is known, or a new one.

use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::error::{Error, Result};
use crate::cli::{bytes, hints, prompt};

/// The longest password, in bytes.
const LONGEST: usize = 4096;

/// Where the password comes from; by neither, somebody is asked.
#[derive(Debug, Default)]
pub(super) struct Password<'a> {
    pub(super) descriptor: Option<u32>,
    pub(super) file: Option<&'a Path>,
}

impl Password<'_> {
    /// The password that opens what is called so.
    pub(super) fn known(&self, place: &str) -> Result<Zeroizing<String>> {
        self.given().unwrap_or_else(|| {
            if prompt::terminal_there() {
                return prompt::hidden(&format!("password of {place}"));
            }
            Err(Error::usage(format!("{place} is encrypted, and there is no terminal to ask for its password at"))
                .hint(hints::exports::GIVE_PASSWORD))
        })
    }

    /// A password to encrypt with.
    pub(super) fn chosen(&self) -> Result<Zeroizing<String>> {
        self.given().unwrap_or_else(|| {
            if prompt::terminal_there() {
                return prompt::new_password();
            }
            Err(Error::usage("the export needs a password, and there is no terminal to ask for one at")
                .hint(hints::exports::GIVE_PASSWORD))
        })
    }

    pub(super) const fn is_given(&self) -> bool {
        self.descriptor.is_some() || self.file.is_some()
    }

    fn given(&self) -> Option<Result<Zeroizing<String>>> {
        match (self.descriptor, self.file) {
            (Some(descriptor), _) => Some(prompt::from_descriptor(descriptor)),
            (None, Some(file)) => Some(first_line(file)),
            (None, None) => None,
        }
    }
}

/// The first line of a file, without its end.
fn first_line(file: &Path) -> Result<Zeroizing<String>> {
    let failed = |reason: &str| Error::input("password-file", format!("{}: {reason}", file.display()));
    let (bytes, _) = bytes::of(file.as_os_str()).map_err(|error| error.without(&[hints::sources::NAME_SOURCE]))?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err(failed("the password is empty")),
        Ok(text) if text.len() <= LONGEST => Ok(Zeroizing::new(text.to_owned())),
        Ok(_) => Err(failed("the password is too long")),
        Err(_) => Err(failed("the password is not UTF-8")),
    }
}

//! What an importer is given, and what it gives.

use std::fmt;

use super::entries::Entries;
use super::error::Error;
use super::json::Json;

/// What a file is before anybody gave a password.
pub enum Export {
    /// Readable as it is.
    Plain(Entries),
    /// Encrypted: a password opens it.
    Locked(Box<dyn Locked>),
}

/// An encrypted export whose outside has been read and checked: its key derivation costs no more than `kdf` allows.
pub trait Locked {
    /// Decrypts and reads.
    ///
    /// # Errors
    ///
    /// [`Error::WrongPassword`] where the format can tell it from a damaged file; [`Error::Damaged`].
    fn unlock(&self, password: &[u8]) -> Result<Entries, Error>;

    /// The same with what a key file holds, beside the password or instead of one.
    ///
    /// # Errors
    ///
    /// As for [`Self::unlock`], and [`Error::Unsupported`] where the format has no key files.
    fn unlock_with_key(&self, password: Option<&[u8]>, key_file: &[u8]) -> Result<Entries, Error> {
        let _ = (password, key_file);
        Err(Error::Unsupported { what: "of a format that has no key files" })
    }
}

impl<F: Fn(&[u8]) -> Result<Entries, Error>> Locked for F {
    fn unlock(&self, password: &[u8]) -> Result<Entries, Error> {
        self(password)
    }
}

impl Export {
    /// An encrypted export that this opens, given the password.
    pub(super) fn locked(open: impl Fn(&[u8]) -> Result<Entries, Error> + 'static) -> Result<Self, Error> {
        Ok(Self::Locked(Box::new(open)))
    }
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(entries) => f.debug_tuple("Plain").field(&entries.count()).finish(),
            Self::Locked(_) => f.write_str("Locked"),
        }
    }
}

/// A file as importers see it: its bytes, its text where it is UTF-8, its JSON where it is that.
pub struct Input<'a> {
    /// All of it.
    pub bytes: &'a [u8],
    /// The text, without a byte order mark; `None` where it isn't UTF-8.
    pub text: Option<&'a str>,
    /// The JSON; `None` where it isn't any.
    pub json: Option<Json>,
}

impl<'a> Input<'a> {
    /// Looks at a file.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let text = std::str::from_utf8(bytes).ok().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
        let json = text.filter(|text| text.trim_start().starts_with(['{', '['])).and_then(Json::parse);
        Self { bytes, text, json }
    }
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// One format.
#[derive(Debug)]
pub struct Importer {
    /// Its name in `--json` and docs: lower case, `-` between words.
    pub id: &'static str,
    /// Its name in sentences, such as "an Aegis export".
    pub title: &'static str,
    /// Whether a file is of this format, by its content. Cheap, and never true for another format's files.
    pub recognizes: fn(&Input<'_>) -> bool,
    /// Reads a recognized file.
    pub read: fn(Input<'_>) -> Result<Export, Error>,
}

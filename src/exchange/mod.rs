//! Exports of other authenticators: a file in, entries and errors out.
//!
//! [`read`] tells the format by the content. What it gives is either readable at once or locked; a locked export is
//! opened with a password. One bad entry never fails the rest: it becomes a [`Failure`] beside the entries. Work that a
//! file asks for (key derivation, decompression, nesting) is bounded before it is done.

mod bytes;
mod csv;
mod element;
mod encoding;
mod error;
pub mod import;
mod inflate;
mod json;
mod kdf;
mod xml;
mod zip;

pub use error::{Error, Flaw};

use std::fmt;

use crate::provision::Enrolment;
use json::Json;

/// One account of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What makes its codes, and whose they are.
    pub enrolment: Enrolment,
    /// The folders, groups, tags or categories that it is in, outermost first; often empty.
    pub groups: Vec<String>,
}

impl From<Enrolment> for Entry {
    fn from(enrolment: Enrolment) -> Self {
        Self { enrolment, groups: Vec::new() }
    }
}

/// One account that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its place among all accounts of the export, good and bad, counted from 1.
    pub entry: usize,
    /// Whose it is, where the export says so: issuer and account, without any secret.
    pub whose: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entries {
    /// The accounts that can be taken, in the order of the file.
    pub entries: Vec<Entry>,
    /// Those that can't.
    pub failures: Vec<Failure>,
    /// How many things of the export have no one-time password at all, such as a login without one.
    pub without: usize,
}

impl Entries {
    /// Counts one more account: an entry, or what is wrong with it. `whose` says whose it is in a failure.
    pub fn push(&mut self, whose: impl Into<String>, entry: Result<Entry, Flaw>) {
        match entry {
            Ok(entry) => self.entries.push(entry),
            Err(flaw) => {
                let entry = self.count().saturating_add(1);
                self.failures.push(Failure { entry, whose: shown(&whose.into()), flaw });
            }
        }
    }

    /// How many accounts the export has, good and bad.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.len().saturating_add(self.failures.len())
    }
}

/// The longest name of an entry in a message, in characters.
const SHOWN: usize = 80;

/// A name for a message: short, and without control characters.
fn shown(name: &str) -> String {
    let visible: String = name.trim().chars().filter(|character| !character.is_control()).take(SHOWN).collect();
    visible
}

/// What a file is before anybody gave a password.
pub enum Export {
    /// Readable as it is.
    Plain(Entries),
    /// Encrypted: a password opens it.
    Locked(Box<dyn Locked>),
}

/// An encrypted export whose outside has been read and checked: its key derivation costs no more than [`kdf`] allows.
pub trait Locked {
    /// Decrypts and reads.
    ///
    /// # Errors
    ///
    /// [`Error::WrongPassword`] where the format can tell it from a damaged file; [`Error::Damaged`].
    fn unlock(&self, password: &[u8]) -> Result<Entries, Error>;
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

/// The most bytes of an export, before and after decompression.
pub const MOST_BYTES: usize = 32 << 20;

/// The most entries of an export.
pub const MOST_ENTRIES: usize = 20_000;

/// Which format a file has, by its content; `None` where no importer knows it.
#[must_use]
pub fn recognize(input: &Input<'_>) -> Option<&'static Importer> {
    import::IMPORTERS.iter().copied().find(|importer| (importer.recognizes)(input))
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

//! What an exporter is given, what it gives, and what several of them do.

use std::fmt;

use serde_json::Value;
use zeroize::Zeroizing;

use super::entries::Entry;
use super::error::Error;
use super::json::Json;
use crate::oath::MovingFactor;

/// Makes a file of entries.
pub type Write = fn(&[Entry], &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error>;

/// One format.
#[derive(Debug)]
pub struct Exporter {
    /// Its name for `--format`, `--json` and docs. Where vmfa reads the format too, its importer has the same one.
    pub id: &'static str,
    /// Its name in sentences, such as "an Aegis export".
    pub title: &'static str,
    /// Whether it is encrypted with a password.
    pub encryption: Encryption,
    /// Makes the file.
    pub write: Write,
}

/// Whether a format is encrypted with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// It is always clear text.
    Never,
    /// It is encrypted where there is a password.
    Optional,
    /// It is never clear text.
    Always,
}

/// What a file is made with.
pub struct Request<'a> {
    /// The password to encrypt with, as [`Exporter::encryption`] takes one.
    pub password: Option<&'a [u8]>,
    /// Fills a buffer from the OS's random numbers.
    pub random: &'a dyn Fn(&mut [u8]) -> Result<(), Error>,
    /// The time for formats that note one, in seconds since the epoch.
    pub now: u64,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("now", &self.now).finish_non_exhaustive()
    }
}

impl Request<'_> {
    /// `N` random bytes.
    pub(super) fn bytes<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        (self.random)(&mut bytes)?;
        Ok(bytes)
    }

    /// A random UUID (RFC 9562, version 4) as text.
    pub(super) fn uuid(&self) -> Result<String, Error> {
        Ok(uuid::Builder::from_random_bytes(self.bytes()?).into_uuid().to_string())
    }
}

/// JSON as a file, indented.
pub(super) fn file_of(value: Value) -> Result<Zeroizing<Vec<u8>>, Error> {
    let json = Json::of(value);
    // Room for all of it: a buffer that grows leaves copies behind.
    let mut length = Length(0);
    let failed = |_| Error::damaged("it can't be written as JSON");
    serde_json::to_writer_pretty(&mut length, json.value()).map_err(failed)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.0.saturating_add(1)));
    serde_json::to_writer_pretty(&mut *bytes, json.value()).map_err(failed)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Counts what is written to it.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The period and the counter of an entry; one of them.
pub(super) const fn moving(entry: &Entry) -> (Option<u64>, Option<u64>) {
    match entry.enrolment.parameters.factor {
        MovingFactor::Time { period } => (Some(period.seconds()), None),
        MovingFactor::Counter { next } => (None, Some(next)),
    }
}

/// What an entry is called where a format has one name for it.
pub(super) fn title(entry: &Entry) -> &str {
    entry.enrolment.issuer.as_deref().unwrap_or(&entry.enrolment.account)
}

/// The groups of all entries, each once, in order.
pub(super) fn groups(entries: &[Entry]) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for group in entries.iter().flat_map(|entry| &entry.groups) {
        if !all.contains(&group.as_str()) {
            all.push(group);
        }
    }
    all
}

/// The error for an entry that a format can't hold.
pub(super) fn unfit(place: usize, reason: &'static str) -> Error {
    Error::Unfit { entry: place, reason }
}

//! vmfa's own export: JSON with an otpauth URI for each entry, encrypted as an age file with a passphrase.

use serde::Serialize;
use zeroize::Zeroizing;

use super::entries::Entry;
use crate::provision::uri;

/// What it says of itself.
pub(super) const FORMAT: &str = "vmfa-export";

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// An export, as it is written.
#[derive(Serialize)]
#[cfg_attr(all(test, feature = "cli"), derive(schemars::JsonSchema))]
pub struct Document {
    /// `vmfa-export`.
    format: &'static str,
    /// 1.
    version: u32,
    /// All entries.
    entries: Vec<Item>,
}

/// One entry.
#[derive(Serialize)]
#[cfg_attr(all(test, feature = "cli"), derive(schemars::JsonSchema))]
struct Item {
    /// An `otpauth://` URI with the secret, as any authenticator reads it.
    #[cfg_attr(all(test, feature = "cli"), schemars(with = "String"))]
    uri: Zeroizing<String>,
    /// The groups that it is in, outermost first.
    groups: Vec<String>,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

impl Document {
    /// Of these entries.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let item = |entry: &Entry| Item { uri: uri::format(&entry.enrolment), groups: entry.groups.clone() };
        Self { format: FORMAT, version: VERSION, entries: entries.iter().map(item).collect() }
    }
}

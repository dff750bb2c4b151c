//! Why a text is no backup, and the limits that it keeps to.

use crate::name::Name;

/// The newest version that is read, and the one that is written.
pub const VERSION: u32 = 1;

/// The most devices.
pub(super) const MOST_DEVICES: usize = 100_000;

/// Why a text is no backup.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not JSON, or not of a backup. The reason never repeats what it holds.
    #[error("is not a backup of vmfa (line {line}, column {column})")]
    Format {
        /// Where it stops making sense.
        line: usize,
        /// And in which column.
        column: usize,
    },
    /// JSON of something else.
    #[error("is not a backup of vmfa")]
    Other,
    /// Written by a newer version.
    #[error("has format version {found}, and this vmfa reads up to {VERSION}")]
    TooNew {
        /// Its version.
        found: u32,
    },
    /// More than could be meant.
    #[error("holds {found} devices, more than {MOST_DEVICES}")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// Something about a device can't be right.
    #[error("the device `{name}` in it has no {what} that can be read")]
    Device {
        /// Which device.
        name: Name,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Something about what was handed out can't be right.
    #[error("what was handed out can't be read from it")]
    Ledger,
}

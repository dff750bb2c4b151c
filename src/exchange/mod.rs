//! Exports of other authenticators: a file in, entries and errors out.
//!
//! [`read`] tells the format by the content. What it gives is either readable at once or locked; a locked export is
//! opened with a password. One bad entry never fails the rest: it becomes a [`Failure`] beside the entries. Work that a
//! file asks for (key derivation, decompression, nesting) is bounded before it is done.

mod bytes;
mod cipher;
mod csv;
mod element;
mod encoding;
mod entries;
mod error;
pub mod export;
mod exporter;
pub mod import;
mod importer;
mod inflate;
mod json;
mod kdbx;
mod kdf;
mod limits;
mod migration;
mod native;
mod xml;
mod zip;

pub use entries::{Entries, Entry, Failure};
pub use error::{Error, Flaw};
pub use exporter::{Encryption, Exporter, Request, Write};
pub use import::{read, recognize};
pub use importer::{Export, Importer, Input, Locked};
pub use limits::{MOST_BYTES, MOST_ENTRIES};
pub use native::Document;

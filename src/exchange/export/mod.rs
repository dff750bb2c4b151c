//! Entries in, a file of another authenticator's out. One file a format.
//!
//! Nothing is written to disk here: a file is made in memory. What a format can't hold is an error that names the entry,
//! so nobody believes in a copy that isn't whole.

mod aegis;
mod bitwarden;
mod cxf;
#[cfg(feature = "qr")]
mod google;
mod kdbx;
#[cfg(feature = "qr")]
mod page;
#[cfg(feature = "qr")]
mod png;
#[cfg(feature = "qr")]
mod sheet;
mod twofas;
mod uris;
mod vmfa;

use super::exporter::Exporter;

/// All of them, in the order in which help lists them.
pub const EXPORTERS: &[&Exporter] = &[
    &uris::EXPORTER,
    &aegis::EXPORTER,
    &twofas::EXPORTER,
    &bitwarden::EXPORTER,
    &cxf::EXPORTER,
    &kdbx::EXPORTER,
    #[cfg(feature = "qr")]
    &google::EXPORTER,
    &vmfa::EXPORTER,
    #[cfg(feature = "qr")]
    &sheet::HTML,
    #[cfg(feature = "qr")]
    &sheet::SVG,
    #[cfg(feature = "qr")]
    &png::EXPORTER,
];

#[cfg(test)]
mod tests;

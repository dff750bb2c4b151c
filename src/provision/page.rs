//! Web pages, saved or in pieces: their otpauth links, or the pictures that are in them.

use super::{Error, Foreign, Found, Limits, Warning, links, uri};
#[cfg(feature = "qr")]
use super::{embedded, payloads};

/// Reads the links of a page; where it has none, the QR codes of the pictures in it.
///
/// # Errors
///
/// The first link that can't be read; [`Foreign::WebPage`] where there is nothing to read.
pub(super) fn read(text: &str, limits: &Limits) -> Result<Found, Error> {
    let found_here = links::uris_of_page(text);
    if found_here.is_empty() {
        return pictures(text, limits);
    }
    let mut found = Found { warnings: vec![Warning::WebPage], ..Found::default() };
    for link in found_here {
        let mut one = uri::parse(link)?;
        // A page's source has them by right.
        one.warnings.retain(|warning| *warning != Warning::HtmlEscapes);
        found.absorb(one);
    }
    Ok(found)
}

#[cfg(feature = "qr")]
fn pictures(text: &str, limits: &Limits) -> Result<Found, Error> {
    match payloads::images(&embedded::pictures(text), limits) {
        Err(Error::NoQrCode) => Err(Error::Foreign(Foreign::WebPage)),
        result => result.map(|mut found| {
            found.warnings.insert(0, Warning::PagePictures);
            found
        }),
    }
}

#[cfg(not(feature = "qr"))]
fn pictures(_text: &str, _limits: &Limits) -> Result<Found, Error> {
    Err(Error::Foreign(Foreign::WebPage))
}

//! The enrolments of an image's QR codes.

#[cfg(feature = "qr")]
use zeroize::Zeroizing;

use super::{Error, Found, Limits};
#[cfg(feature = "qr")]
use super::{Other, Warning, foreign, lines, links, qr, tidy, uri};

/// Reads the QR codes of a picture that is decoded already: `rgba` has four bytes a pixel, row by row.
///
/// # Errors
///
/// As for [`read`](super::read).
#[cfg(feature = "qr")]
pub fn read_pixels(width: u32, height: u32, rgba: &[u8], limits: &Limits) -> Result<Found, Error> {
    pixels(width, height, rgba, limits)?.enrolling()
}

/// The same, where no code may enrol anything.
#[cfg(feature = "qr")]
pub(super) fn pixels(width: u32, height: u32, rgba: &[u8], limits: &Limits) -> Result<Found, Error> {
    payloads(qr::payloads_of_rgba(width, height, rgba, limits)?)
}

/// What the codes of several pictures hold, as [`look`](super::look) gives that of one.
///
/// # Errors
///
/// [`Error::NoQrCode`] where there are no codes, [`Error::QrPart`] and [`Error::QrPartsDisagree`] for a text whose parts
/// aren't all there, and those of an enrolment that can't be read.
#[cfg(feature = "qr")]
pub fn look_at_codes(codes: qr::Codes) -> Result<Found, Error> {
    payloads(codes.texts()?)
}

/// Whether bytes begin like an image that is read, or would be with the feature for it.
pub(super) fn is_image(bytes: &[u8]) -> bool {
    #[cfg(feature = "qr")]
    return qr::format(bytes).is_some();
    #[cfg(not(feature = "qr"))]
    return [&b"\x89PNG"[..], b"\xff\xd8\xff", b"GIF8", b"RIFF", b"II*\0", b"MM\0*"]
        .iter()
        .any(|magic| bytes.starts_with(magic));
}

/// The enrolments of an image's QR codes.
#[cfg(feature = "qr")]
pub(super) fn image(bytes: &[u8], limits: &Limits) -> Result<Found, Error> {
    payloads(qr::payloads(bytes, limits)?)
}

/// The enrolments of the QR codes of several images, some of which may be anything.
///
/// # Errors
///
/// [`Error::NoQrCode`] where no image has one, [`Error::QrTimeUp`] when time was up before one was found, and as for one.
#[cfg(feature = "qr")]
pub(super) fn images(images: &[Zeroizing<Vec<u8>>], limits: &Limits) -> Result<Found, Error> {
    let mut codes = qr::Codes::default();
    for image in images {
        match codes.look_at(image, limits) {
            Err(Error::QrTimeUp) if codes.is_empty() => return Err(Error::QrTimeUp),
            Err(Error::QrTimeUp) => break,
            // Of what is no picture with a code, a page has many.
            Ok(()) | Err(_) => {}
        }
    }
    payloads(codes.texts()?)
}

#[cfg(not(feature = "qr"))]
pub(super) fn image(_bytes: &[u8], _limits: &Limits) -> Result<Found, Error> {
    Err(Error::ImagesUnsupported)
}

/// The enrolments among the texts of an image's QR codes, and the others.
///
/// # Errors
///
/// When there is no code, or one is an enrolment and can't be read.
#[cfg(feature = "qr")]
fn payloads(texts: Vec<Zeroizing<String>>) -> Result<Found, Error> {
    let mut found = Found::default();
    for text in &texts {
        let visible = tidy::visible(text);
        let plain = visible.as_ref().map_or(text.as_str(), |visible| visible.as_str()).trim();
        let uris = links::uris_in(plain);
        for (uri, warnings) in &uris {
            let mut one = uri::parse(uri)?;
            one.warnings.splice(0..0, warnings.iter().cloned());
            found.absorb(one);
        }
        if foreign::starts_with(plain, lines::MIGRATION) {
            return Err(Error::Migration);
        }
        if uris.is_empty() {
            found.others.push(Other { what: foreign::link(plain).unwrap_or("other text"), text: text.clone() });
        }
    }
    match (found.enrolments.len(), found.others.len()) {
        (0, 0) => Err(Error::NoQrCode),
        (0, _) | (_, 0) => Ok(found),
        (_, count) => {
            found.warnings.push(Warning::OtherCodes { count });
            Ok(found)
        }
    }
}

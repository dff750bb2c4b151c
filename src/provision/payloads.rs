//! The enrolments of an image's QR codes.

#[cfg(feature = "qr")]
use zeroize::Zeroizing;

use super::{Error, Found, Limits};
#[cfg(feature = "qr")]
use super::{Warning, foreign, lines, links, qr, tidy, uri};

/// Reads the QR codes of a picture that is decoded already: `rgba` has four bytes a pixel, row by row.
///
/// # Errors
///
/// As for [`read`](super::read).
#[cfg(feature = "qr")]
pub fn read_pixels(width: u32, height: u32, rgba: &[u8], limits: &Limits) -> Result<Found, Error> {
    payloads(qr::payloads_of_rgba(width, height, rgba, limits)?)
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

/// The enrolments among the texts of an image's QR codes; what enrols nothing is counted.
///
/// # Errors
///
/// When no code is an enrolment, or one is and can't be read.
#[cfg(feature = "qr")]
fn payloads(texts: Vec<Zeroizing<String>>) -> Result<Found, Error> {
    let mut found = Found::default();
    let mut others = Vec::new();
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
            others.push(foreign::link(plain).unwrap_or("other text"));
        }
    }
    match (found.enrolments.is_empty(), others.first()) {
        (true, Some(what)) => return Err(Error::NotOtpauth { what }),
        (true, None) => return Err(Error::NoQrCode),
        (false, Some(_)) => found.warnings.push(Warning::OtherCodes { count: others.len() }),
        (false, None) => {}
    }
    Ok(found)
}

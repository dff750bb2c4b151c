//! A sheet of QR codes as a picture. Names would need a font, so there are none: the codes stand in the order of the entries.

use zeroize::Zeroizing;

use crate::exchange::exporter::{Encryption, Exporter, Request, unfit};
use crate::exchange::{Entry, Error};
use crate::provision::draw::Drawing;
use crate::provision::uri;

pub(super) const EXPORTER: Exporter =
    Exporter { id: "png", title: "a picture of QR codes", encryption: Encryption::Never, write };

/// Codes beside each other, and the width of a module in pixels.
const COLUMNS: usize = 3;
const PIXELS: u32 = 4;

/// The most codes of a picture: some 60 MB of pixels, if all are as large as they come.
const MOST_CODES: usize = 100;

fn write(entries: &[Entry], _request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    if entries.len() > MOST_CODES {
        return Err(unfit(MOST_CODES, "a picture has 100 QR codes at most"));
    }
    let drawing = |(place, entry): (usize, &Entry)| {
        Drawing::new(&uri::format(&entry.enrolment)).map_err(|_| unfit(place, "its URI is too long for a QR code"))
    };
    let drawings = entries.iter().enumerate().map(drawing).collect::<Result<Vec<_>, Error>>()?;
    Drawing::grid_to_png(&drawings, COLUMNS, PIXELS).map_err(|_| Error::damaged("it can't be drawn"))
}

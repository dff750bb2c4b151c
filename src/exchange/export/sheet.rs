//! A sheet of QR codes to print and to scan, as an HTML page or an SVG drawing. Each has its name below it.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::page::{self, Figure, element, escaped};
use crate::exchange::exporter::{Encryption, Exporter, Request, unfit};
use crate::exchange::{Entry, Error};
use crate::provision::draw::Drawing;
use crate::provision::uri;

pub(super) const HTML: Exporter =
    Exporter { id: "html", title: "a page of QR codes", encryption: Encryption::Never, write: html };
pub(super) const SVG: Exporter =
    Exporter { id: "svg", title: "a drawing of QR codes", encryption: Encryption::Never, write: svg };

/// Codes beside each other, and the width and height of the place of one, in the drawing's units.
const COLUMNS: usize = 3;
const WIDE: usize = 220;
const HIGH: usize = 260;

/// The side of a code.
const SIDE: usize = 200;

fn codes(entries: &[Entry]) -> Result<Vec<Figure>, Error> {
    let one = |(place, entry): (usize, &Entry)| {
        let drawing = Drawing::new(&uri::format(&entry.enrolment));
        let drawing = drawing.map_err(|_| unfit(place, "its URI is too long for a QR code"))?;
        Ok(Figure {
            drawing: drawing.to_svg(),
            heading: escaped(entry.enrolment.issuer.as_deref().unwrap_or_default()),
            lines: vec![escaped(&entry.enrolment.account)],
        })
    };
    entries.iter().enumerate().map(one).collect()
}

fn html(entries: &[Entry], _request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let note = "Anybody who scans a code has its secret. Keep this page as you keep a password.";
    Ok(page::html(&codes(entries)?, note, 3, 220))
}

fn svg(entries: &[Entry], _request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let codes = codes(entries)?;
    let mut page = with_room_for(&codes);
    let rows = codes.len().div_ceil(COLUMNS).max(1);
    let (width, height) = (COLUMNS.saturating_mul(WIDE), rows.saturating_mul(HIGH));
    let failed = |_| Error::damaged("it can't be drawn");
    writeln!(
        page,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\" text-anchor=\"middle\">\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
    )
    .map_err(failed)?;
    for (place, Figure { drawing, heading, lines }) in codes.iter().enumerate() {
        let (column, row) = (place % COLUMNS, place / COLUMNS);
        let (x, y) = (column.saturating_mul(WIDE).saturating_add(10), row.saturating_mul(HIGH).saturating_add(10));
        let middle = x.saturating_add(SIDE / 2);
        let [first, second] = [16, 32].map(|below| y.saturating_add(SIDE).saturating_add(below));
        write!(page, "<svg x=\"{x}\" y=\"{y}\" width=\"{SIDE}\" height=\"{SIDE}\" ").map_err(failed)?;
        page.push_str(element(drawing).trim_start_matches("<svg "));
        write!(page, "<text x=\"{middle}\" y=\"{first}\" font-weight=\"bold\">{heading}</text>").map_err(failed)?;
        for line in lines {
            write!(page, "<text x=\"{middle}\" y=\"{second}\">{line}</text>").map_err(failed)?;
        }
        page.push('\n');
    }
    page.push_str("</svg>\n");
    Ok(Zeroizing::new(page.as_bytes().to_vec()))
}

/// Room for all of a page: a text that grows leaves copies behind.
fn with_room_for(codes: &[Figure]) -> Zeroizing<String> {
    let drawn: usize = codes.iter().map(|code| code.drawing.len().saturating_add(1024)).sum();
    Zeroizing::new(String::with_capacity(drawn.saturating_add(4096)))
}

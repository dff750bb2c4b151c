//! A sheet of QR codes to print and to scan, as an HTML page or an SVG drawing. Each has its name below it.

use std::fmt::Write as _;

use zeroize::Zeroizing;

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

/// The side of a code, and the longest name below it in characters.
const SIDE: usize = 200;
const LONGEST: usize = 32;

/// A QR code as an SVG document, and what it is called.
struct Code {
    drawing: Zeroizing<String>,
    issuer: String,
    account: String,
}

fn codes(entries: &[Entry]) -> Result<Vec<Code>, Error> {
    let one = |(place, entry): (usize, &Entry)| {
        let drawing = Drawing::new(&uri::format(&entry.enrolment));
        let drawing = drawing.map_err(|_| unfit(place, "its URI is too long for a QR code"))?;
        Ok(Code {
            drawing: drawing.to_svg(),
            issuer: escaped(entry.enrolment.issuer.as_deref().unwrap_or_default()),
            account: escaped(&entry.enrolment.account),
        })
    };
    entries.iter().enumerate().map(one).collect()
}

fn html(entries: &[Entry], _request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let codes = codes(entries)?;
    let mut page = with_room_for(&codes);
    page.push_str(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>QR codes of vmfa</title>\n<style>\n\
         body { font: 14px sans-serif; display: grid; grid-template-columns: repeat(3, 1fr); gap: 24px; margin: 24px }\n\
         figure { margin: 0; text-align: center; break-inside: avoid; overflow-wrap: anywhere }\n\
         svg { width: 100%; max-width: 220px; height: auto }\n\
         p { grid-column: 1 / -1; margin: 0 }\n</style>\n\
         <p>Whoever scans a code has its secret. Keep this page as you keep a password.</p>\n",
    );
    for Code { drawing, issuer, account } in &codes {
        let parts = ["<figure>", element(drawing), "<figcaption><b>", issuer, "</b><br>", account];
        parts.iter().for_each(|part| page.push_str(part));
        page.push_str("</figcaption></figure>\n");
    }
    page.push_str("</html>\n");
    Ok(Zeroizing::new(page.as_bytes().to_vec()))
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
    for (place, Code { drawing, issuer, account }) in codes.iter().enumerate() {
        let (column, row) = (place % COLUMNS, place / COLUMNS);
        let (x, y) = (column.saturating_mul(WIDE).saturating_add(10), row.saturating_mul(HIGH).saturating_add(10));
        let middle = x.saturating_add(SIDE / 2);
        let [first, second] = [16, 32].map(|below| y.saturating_add(SIDE).saturating_add(below));
        write!(page, "<svg x=\"{x}\" y=\"{y}\" width=\"{SIDE}\" height=\"{SIDE}\" ").map_err(failed)?;
        page.push_str(element(drawing).trim_start_matches("<svg "));
        write!(page, "<text x=\"{middle}\" y=\"{first}\" font-weight=\"bold\">{issuer}</text>").map_err(failed)?;
        writeln!(page, "<text x=\"{middle}\" y=\"{second}\">{account}</text>").map_err(failed)?;
    }
    page.push_str("</svg>\n");
    Ok(Zeroizing::new(page.as_bytes().to_vec()))
}

/// Room for all of a page: a text that grows leaves copies behind.
fn with_room_for(codes: &[Code]) -> Zeroizing<String> {
    let drawn: usize = codes.iter().map(|code| code.drawing.len().saturating_add(1024)).sum();
    Zeroizing::new(String::with_capacity(drawn.saturating_add(4096)))
}

/// The document's element alone, without what stands before it.
fn element(document: &str) -> &str {
    document.find("<svg").and_then(|at| document.get(at..)).unwrap_or(document).trim_end()
}

/// A name as text of a page: short, and without markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars().filter(|character| !character.is_control()).take(LONGEST) {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

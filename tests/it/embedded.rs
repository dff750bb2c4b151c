//! QR codes that come in something else: SVG as services draw it, pages with pictures in them.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vmfa::provision::draw::Drawing;
use vmfa::provision::{self, Error, Foreign, Limits, Warning, uri};

use crate::support::vector;

const URI: &str = "otpauth://totp/Ex:joe?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ex";

/// What was found by then is kept: a search goes on for further codes.
fn read(bytes: impl AsRef<[u8]>) -> Result<provision::Found, Error> {
    let start = Instant::now();
    let limits = Limits { expired: Arc::new(move || start.elapsed().as_secs() > 30), ..Limits::default() };
    provision::read(bytes.as_ref(), &limits)
}

#[track_caller]
fn is_read(bytes: impl AsRef<[u8]>, warnings: &[Warning]) {
    let found = read(bytes).unwrap();
    assert_eq!((found.enrolments, found.warnings.as_slice()), (uri::parse(URI).unwrap().enrolments, warnings));
}

fn png() -> String {
    STANDARD.encode(&*Drawing::new(URI).unwrap().to_png(4).unwrap())
}

#[test]
fn the_pictures_of_a_page_are_read() {
    let icon = STANDARD.encode(fs::read(vector("qr/python-white.png")).unwrap());
    let warnings = [Warning::PagePictures];
    let png = png();
    for page in [
        format!(
            "<!doctype html><title>x</title><img src=\"data:image/png;base64,{icon}\"><img src=\"data:image/png;base64,{png}\">"
        ),
        format!(
            "<html><body><div style='background:url(&quot;data:image/png;base64,{png}&quot;)'></div></body></html>"
        ),
        format!("<div><img src='data:image/png;base64,{}'></div>", png.replace('+', "%2B")),
    ] {
        is_read(page, &warnings);
    }
    // A page is as long as its fonts and photos make it.
    is_read(
        format!("<html><style>{}</style><img src=\"data:image/png;base64,{png}\">", "x".repeat(5 << 20)),
        &warnings,
    );
}

#[test]
fn a_page_without_a_code_is_told_as_such() {
    let page = "<html><img src=\"data:image/png;base64,iVBORw0KGgo=\"></html>";
    assert_eq!(read(page), Err(Error::Foreign(Foreign::WebPage)));
    assert_eq!(read("<html><svg><path d=\"M0 0\"/></svg></html>"), Err(Error::Foreign(Foreign::WebPage)));
}

#[test]
fn parts_of_one_text_in_different_pictures_of_a_page_are_put_together() {
    let part = |number| STANDARD.encode(fs::read(vector(&format!("qr/python-split-part-{number}.png"))).unwrap());
    let whole = fs::read(vector("qr/python-split.png")).unwrap();
    let image = |data: &str| format!("<img src=\"data:image/png;base64,{data}\">");
    let some = format!("<html>{}{}</html>", image(&part(1)), image(&part(3)));
    assert!(matches!(read(some), Err(Error::QrPart { missing: 2, .. })));
    assert!(read(whole).is_ok());
}

#[cfg(feature = "svg")]
mod svg {
    use super::*;

    fn drawn() -> String {
        Drawing::new(URI).unwrap().to_svg().to_string()
    }

    /// The dark modules of the drawing, each as an element.
    fn elements(element: impl Fn(usize, usize) -> String) -> String {
        let text = Drawing::new(URI).unwrap().to_terminal(false, 0);
        let mut all = String::new();
        for (y, line) in text.lines().enumerate() {
            for (x, character) in line.chars().enumerate() {
                for (row, light) in [(2 * y, "█▀"), (2 * y + 1, "█▄")] {
                    if !light.contains(character) {
                        all.push_str(&element(x, row));
                    }
                }
            }
        }
        all
    }

    #[test]
    fn what_is_drawn_here_is_read_in_every_wrapping() {
        let svg = drawn();
        is_read(&svg, &[]);
        is_read(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x -->\n{svg}"), &[]);
        is_read(format!("data:image/svg+xml;base64,{}", STANDARD.encode(&svg)), &[]);
        is_read(format!("data:image/svg+xml;utf8,{}", svg.replace('#', "%23")), &[]);
        is_read(STANDARD.encode(&svg), &[]);
        let warnings = [Warning::PagePictures];
        is_read(format!("<html><body>{svg}</body></html>"), &warnings);
        let bare = svg.replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
        is_read(format!("<html><body>{bare}</body></html>"), &warnings);
        is_read(format!("<html><img src=\"data:image/svg+xml;base64,{}\"></html>", STANDARD.encode(&svg)), &warnings);
    }

    #[test]
    fn modules_may_be_squares_rounded_uses_and_clips() {
        let side = Drawing::new(URI).unwrap().terminal_size(2).0;
        let document = |inside: &str| {
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"10cm\" height=\"10cm\" viewBox=\"-2 -2 {side} {side}\">{inside}</svg>"
            )
        };
        let squares = elements(|x, y| format!("<rect x=\"{x}\" y=\"{y}\" width=\"1\" height=\"1\"/>"));
        let rounded =
            elements(|x, y| format!("<rect x=\"{x}\" y=\"{y}\" width=\"1\" height=\"1\" rx=\".3\" fill=\"#113\"/>"));
        let uses = elements(|x, y| format!("<use xlink:href=\"#m\" x=\"{x}\" y=\"{y}\"/>"));
        is_read(document(&squares), &[]);
        is_read(document(&rounded), &[]);
        is_read(document(&format!("<defs><rect id=\"m\" width=\"1\" height=\"1\"/></defs>{uses}")), &[]);
        is_read(
            document(&format!(
                "<defs><clipPath id=\"c\">{squares}</clipPath></defs><rect x=\"-2\" y=\"-2\" width=\"45\" height=\"45\" fill=\"#fff\"/><rect clip-path=\"url(#c)\" width=\"45\" height=\"45\" style=\"fill:navy\"/>"
            )),
            &[],
        );
        let png = format!("<image width=\"40\" height=\"40\" xlink:href=\"data:image/png;base64,{}\"/>", png());
        is_read(document(&png), &[]);
    }

    #[test]
    fn nothing_outside_is_opened_and_hostile_documents_are_refused_in_time() {
        let secret = tempfile::tempdir().unwrap();
        let file = secret.path().join("qr.png");
        fs::write(&file, &*Drawing::new(URI).unwrap().to_png(4).unwrap()).unwrap();
        let document = |inside: &str| {
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"100\">{inside}</svg>")
        };
        let deep = |times: usize, open: &str, close: &str, inside: &str| {
            document(&format!("{}{inside}{}", open.repeat(times), close.repeat(times)))
        };
        let square = "<rect width=\"100\" height=\"100\"/>";
        let bomb: String = (0..9)
            .map(|n| format!("<g id=\"a{}\">{}</g>", n + 1, format!("<use href=\"#a{n}\"/>").repeat(10)))
            .collect();
        let entities = "<!DOCTYPE svg [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;\">]>";
        for (name, text) in [
            ("file", document(&format!("<image width=\"100\" height=\"100\" href=\"{}\"/>", file.display()))),
            (
                "file URL",
                document(&format!("<image width=\"100\" height=\"100\" href=\"file://{}\"/>", file.display())),
            ),
            ("layers", deep(50, "<g opacity=\".9\">", "</g>", square)),
            ("depth", deep(1_000, "<g>", "</g>", square)),
            ("more depth", deep(100_000, "<g>", "</g>", square)),
            ("uses", document(&format!("<g id=\"a0\">{square}</g>{bomb}<use href=\"#a9\"/>"))),
            ("itself", document("<g id=\"a\"><use href=\"#a\"/></g><use href=\"#a\"/>")),
            ("shapes", document(&square.repeat(100_000))),
            (
                "filter",
                document(&format!(
                    "<filter id=\"f\"><feGaussianBlur stdDeviation=\"9000\"/></filter><g filter=\"url(#f)\">{square}</g>"
                )),
            ),
            ("dashes", document("<path d=\"M0 0L99 99\" stroke=\"#000\" stroke-dasharray=\".0001\"/>")),
            (
                "huge",
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1e9\" height=\"1e-9\"><rect/></svg>".to_owned(),
            ),
            ("nothing", document("")),
            ("not XML", "<svg".to_owned()),
            (
                "entities",
                format!(
                    "{entities}<svg xmlns=\"http://www.w3.org/2000/svg\"><desc>{}</desc></svg>",
                    "&e;".repeat(1_000)
                ),
            ),
        ] {
            let start = Instant::now();
            let limits = Limits { expired: Arc::new(move || start.elapsed().as_secs() > 4), ..Limits::default() };
            let found = provision::read(text.as_bytes(), &limits);
            assert!(found.is_err(), "{name}: {found:?}");
            assert!(start.elapsed().as_secs() < 15, "{name} took {:?}", start.elapsed());
        }
    }
}

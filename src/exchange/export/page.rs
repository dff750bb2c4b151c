//! An HTML page of QR codes, each with text below it.

use zeroize::Zeroizing;

/// The longest name below a code, in characters.
const LONGEST: usize = 32;

/// A QR code as an SVG document, and what stands below it, escaped.
pub(super) struct Figure {
    pub(super) drawing: Zeroizing<String>,
    pub(super) heading: String,
    pub(super) lines: Vec<String>,
}

/// The page, with a number of columns of codes, each at most `width` pixels wide.
pub(super) fn html(figures: &[Figure], note: &str, columns: u8, width: u16) -> Zeroizing<Vec<u8>> {
    // Room for all of it: a text that grows leaves copies behind.
    let drawn = figures.iter().map(|figure| {
        let lines: usize = figure.lines.iter().map(|line| line.len().saturating_add(16)).sum();
        figure.drawing.len().saturating_add(figure.heading.len()).saturating_add(lines).saturating_add(256)
    });
    let room = drawn.fold(note.len().saturating_add(2048), usize::saturating_add);
    let mut page = Zeroizing::new(Vec::with_capacity(room));
    let mut put = |text: &str| page.extend_from_slice(text.as_bytes());
    put("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>QR codes of vmfa</title>\n<style>\n");
    put(&format!(
        "body {{ font: 14px sans-serif; display: grid; grid-template-columns: repeat({columns}, 1fr); gap: 24px; margin: 24px }}\n\
         figure {{ margin: 0; text-align: center; break-inside: avoid; overflow-wrap: anywhere }}\n\
         svg {{ width: 100%; max-width: {width}px; height: auto }}\n\
         p {{ grid-column: 1 / -1; margin: 0 }}\n</style>\n"
    ));
    put("<p>");
    put(note);
    put("</p>\n");
    for Figure { drawing, heading, lines } in figures {
        ["<figure>", element(drawing), "<figcaption><b>", heading, "</b>"].into_iter().for_each(&mut put);
        for line in lines {
            put("<br>");
            put(line);
        }
        put("</figcaption></figure>\n");
    }
    put("</html>\n");
    page
}

/// The document's element alone, without what stands before it.
pub(super) fn element(document: &str) -> &str {
    document.find("<svg").and_then(|at| document.get(at..)).unwrap_or(document).trim_end()
}

/// A name as text of a page: short, and without markup.
pub(super) fn escaped(text: &str) -> String {
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

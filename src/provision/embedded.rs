//! The pictures inside of a page or an SVG: data URIs, and drawings among the elements of a page.

use zeroize::Zeroizing;

use super::foreign::starts_with;
use super::{data_uri, tidy};

/// The most pictures that are looked at.
const MOST: usize = 64;

/// The fewest bytes of a picture with a QR code.
const LEAST: usize = 64;

/// What each element of an SVG document belongs to; a page needn't say it.
const NAMESPACES: [(&str, &str); 2] =
    [("xmlns", "http://www.w3.org/2000/svg"), ("xmlns:xlink", "http://www.w3.org/1999/xlink")];

/// All of them, the smallest first: a QR code has few bytes, a photo has many.
pub(super) fn pictures(text: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let mut found = data_uris(text);
    found.extend(drawings(text));
    found.retain(|picture| picture.len() >= LEAST);
    found.sort_by_key(|picture| picture.len());
    found.dedup();
    found.truncate(MOST);
    found
}

/// The pictures that are data URIs, wherever these stand.
pub(super) fn data_uris(text: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, from)) = find(rest, "data:image/").and_then(|at| rest.split_at_checked(at)) {
        let end = match before.chars().next_back() {
            Some(quote @ ('"' | '\'')) => from.find(quote),
            Some('(') => from.find(')'),
            // `url(&quot;data:`, or an attribute without quotation marks.
            _ => from.find(['&', '<', '>', '"', '\'', ')', ' ', '\n']),
        };
        let (uri, after) = from.split_at_checked(end.unwrap_or(from.len())).unwrap_or((from, ""));
        // Behind the scheme at least, so that this ends.
        rest = if after.len() < from.len() { after } else { from.get(data_uri::SCHEME.len()..).unwrap_or_default() };
        let unescaped = tidy::unescaped(uri);
        let uri = unescaped.as_ref().map_or(uri, |unescaped| unescaped.as_str());
        found.extend(data_uri::read(uri).and_then(Result::ok));
    }
    found
}

/// The `svg` elements of a page, each as a document.
fn drawings(text: &str) -> Vec<Zeroizing<Vec<u8>>> {
    const OPEN: &str = "<svg";
    const CLOSE: &str = "</svg>";
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(from) = find(rest, OPEN).and_then(|at| rest.get(at..)) {
        let Some(end) = find(from, CLOSE).map(|end| end.saturating_add(CLOSE.len())) else { break };
        let (element, after) = from.split_at_checked(end).unwrap_or((from, ""));
        rest = after;
        let body = element.get(OPEN.len()..).unwrap_or_default();
        let head = body.split('>').next().unwrap_or_default();
        if !head.is_empty() && !head.starts_with(char::is_whitespace) {
            continue;
        }
        let mut document = Zeroizing::new(String::with_capacity(element.len().saturating_add(128)));
        document.push_str(OPEN);
        for (name, value) in NAMESPACES {
            if !head.contains(&format!("{name}=")) {
                document.push_str(&format!(" {name}=\"{value}\""));
            }
        }
        document.push_str(body);
        found.push(Zeroizing::new(document.as_bytes().to_vec()));
    }
    found
}

/// Where something of ASCII characters is, in any case.
fn find(text: &str, what: &str) -> Option<usize> {
    let first = what.as_bytes().first()?;
    let mut at = 0;
    while let Some(step) = text.as_bytes().get(at..)?.iter().position(|byte| byte.eq_ignore_ascii_case(first)) {
        at = at.saturating_add(step);
        if text.get(at..).is_some_and(|here| starts_with(here, what)) {
            return Some(at);
        }
        at = at.saturating_add(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_found_wherever_they_stand() {
        let long = "A".repeat(100);
        for page in [
            format!("<img src=\"data:image/png;base64,{long}\" alt=x>"),
            format!("<img src='DATA:image/png;base64,{long}'>"),
            format!("<div style=\"background:url(data:image/png;base64,{long})\">"),
            format!("<div style=\"background:url(&quot;data:image/png;base64,{long}&quot;)\">"),
            format!("<img src=data:image/png;base64,{long}>"),
            format!("<p>data:image/png;base64,{long}</p>"),
        ] {
            assert_eq!(pictures(&page).len(), 1, "{page}");
            assert_eq!(pictures(&page)[0].len(), 75, "{page}");
        }
        let drawn = format!("<html><SVG viewBox=\"0 0 1 1\"><path d=\"{long}\"/></svg><svgx></svg></html>");
        let found = pictures(&drawn);
        assert_eq!(found.len(), 1);
        let document = str::from_utf8(&found[0]).unwrap();
        assert!(document.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink="), "{document}");
        assert!(document.ends_with("</svg>"), "{document}");
    }

    #[test]
    fn odd_pages_end_and_many_pictures_are_cut() {
        for page in ["data:image/", "(data:image/", "\"data:image/", "<svg", "<svg>", "</svg>", "dataé:image/"] {
            assert!(pictures(page).is_empty(), "{page}");
        }
        let many: String =
            (0..200).map(|n| format!("<img src=\"data:image/png;base64,{}\">", format!("{n:04}").repeat(30))).collect();
        assert_eq!(pictures(&many).len(), MOST);
    }
}

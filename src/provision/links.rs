//! Where a text has otpauth URIs: which part of a line, and which links of a page.

use std::borrow::Cow;

use super::{Warning, tidy, uri};

/// How Safari wants links for its own password manager; else the same as `otpauth`.
const APPLE: &str = "apple-";

/// The longest name in front of a URI: `QR-Code:`, `export TOTP_URI=`.
const NAME: usize = 64;

/// The URIs of a line, and what was odd about where they stand. None where it isn't clear which part of the line is one.
pub(super) fn uris_in(line: &str) -> Vec<(Cow<'_, str>, Vec<Warning>)> {
    let line = line.trim();
    if uri::is_uri(line) {
        return vec![(Cow::Borrowed(line), Vec::new())];
    }
    if let Some(inner) = tidy::unquoted(line).filter(|inner| uri::is_uri(inner)) {
        return vec![(Cow::Borrowed(inner), vec![Warning::Quoted])];
    }
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((start, apple)) = scheme_in(rest) {
        let (before, from) = rest.split_at(start);
        let from = if apple { from.get(APPLE.len()..).unwrap_or_default() } else { from };
        // The last of its kind before another URI: what it closes may contain quotation marks and brackets.
        let next = from.get(uri::SCHEME.len()..).and_then(scheme_in);
        let reach = next.map_or(from.len(), |(at, _)| at.saturating_add(uri::SCHEME.len()));
        let end = match before.chars().next_back().and_then(closing) {
            Some(close) => from.get(..reach).and_then(|reach| reach.rfind(close)),
            None if before.trim().is_empty() || is_name(before) => Some(from.len()),
            None => None,
        };
        let Some((found_here, after)) = end.and_then(|end| from.split_at_checked(end)) else {
            return Vec::new();
        };
        let mut warnings = Vec::new();
        if !before.trim().is_empty() {
            warnings.push(Warning::Surrounded);
        }
        if apple {
            warnings.push(Warning::AppleScheme);
        }
        found.push((Cow::Borrowed(found_here.trim()), warnings));
        rest = after;
    }
    found
}

/// The links of a web page: in attributes, or as text between tags.
pub(super) fn uris_of_page(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((start, apple)) = scheme_in(rest) {
        let (before, from) = rest.split_at(start);
        let from = if apple { from.get(APPLE.len()..).unwrap_or_default() } else { from };
        let end = match before.chars().next_back() {
            Some(quote @ ('"' | '\'')) => from.find(quote),
            Some('=') => from.find([' ', '>', '\n']),
            _ => from.find(['<', '\n']),
        };
        let (link, after) = from.split_at_checked(end.unwrap_or(from.len())).unwrap_or((from, ""));
        found.push(link.trim());
        rest = after;
    }
    found
}

/// Where a URI begins, and whether by Apple's scheme.
fn scheme_in(text: &str) -> Option<(usize, bool)> {
    let matches = |at: usize, what: &str| {
        text.get(at..at.saturating_add(what.len())).is_some_and(|here| here.eq_ignore_ascii_case(what))
    };
    // Compared byte by byte: a lower-case copy of it would be one more copy of the secret.
    let at = text
        .bytes()
        .enumerate()
        .find_map(|(at, byte)| (byte.eq_ignore_ascii_case(&b'o') && matches(at, uri::SCHEME)).then_some(at))?;
    let apple = at.checked_sub(APPLE.len()).filter(|at| matches(*at, APPLE));
    Some((apple.unwrap_or(at), apple.is_some()))
}

const fn closing(open: char) -> Option<char> {
    match open {
        '"' => Some('"'),
        '`' => Some('`'),
        '(' => Some(')'),
        '<' => Some('>'),
        '“' => Some('”'),
        '\'' => Some('\''),
        _ => None,
    }
}

/// Whether what stands before a URI names it, or begins an item of a list, rather than being text.
fn is_name(before: &str) -> bool {
    let before = before.trim();
    let item = before.chars().all(|c| matches!(c, '-' | '*' | '+' | '>' | '|' | '•' | '.' | ')') || c.is_ascii_digit());
    let named = before.ends_with([':', '=']) && !before.contains(['?', '&', '/', ',', ';']);
    before.len() <= NAME && (item || named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_found_where_it_is_clear_which_part_of_a_line_it_is() {
        for (line, expected) in [
            ("otpauth://totp/x?secret=A B", "otpauth://totp/x?secret=A B"),
            ("\"otpauth://totp/x\"", "otpauth://totp/x"),
            ("QR-Code:otpauth://totp/x", "otpauth://totp/x"),
            ("text: otpauth://totp/x", "otpauth://totp/x"),
            ("export TOTP_URI='otpauth://totp/O'Brien'", "otpauth://totp/O'Brien"),
            ("- otpauth://totp/x", "otpauth://totp/x"),
            ("12. [scan](otpauth://totp/x(1)?secret=A)", "otpauth://totp/x(1)?secret=A"),
            ("see <otpauth://totp/x>, then", "otpauth://totp/x"),
            ("`otpauth://totp/x`", "otpauth://totp/x"),
            ("APPLE-OTPAUTH://totp/x", "OTPAUTH://totp/x"),
        ] {
            let found = uris_in(line);
            assert_eq!(found.len(), 1, "{line}");
            assert_eq!(found[0].0, expected, "{line}");
        }
        let two = uris_in("| [a](otpauth://totp/a) | <otpauth://totp/b> |");
        assert_eq!(
            two.iter().map(|(uri, _)| uri.as_ref()).collect::<Vec<_>>(),
            ["otpauth://totp/a", "otpauth://totp/b"]
        );
        for line in [
            "",
            "hello",
            "my code is otpauth://totp/x?secret=A",
            "https://example.com/?data=otpauth://totp/x",
            "GitHub,me,otpauth://totp/x",
            "\"otpauth://totp/x",
        ] {
            assert!(uris_in(line).is_empty(), "{line}");
        }
    }
}

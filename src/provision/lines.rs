//! Text with otpauth URIs in it: one or several, a line each.

use super::foreign::{link, starts_with};
use super::{Error, Found, Warning, links, uri};

/// What Google Authenticator's export begins with.
pub(super) const MIGRATION: &str = "otpauth-migration:";

/// Whether any line has a URI in it.
pub(super) fn have_uris(text: &str) -> bool {
    entries(text).any(|(_, line)| !links::uris_in(line).is_empty())
}

/// Reads one URI a line; empty lines and `#` comments between them are passed over.
///
/// # Errors
///
/// The first line that is something else, or whose URI can't be read; where there are several, by its number.
pub(super) fn read(text: &str) -> Result<Found, Error> {
    let mut found = Found::default();
    let several = entries(text).nth(1).is_some();
    for (line, content) in entries(text) {
        let uris = links::uris_in(content);
        if uris.is_empty() {
            return Err(unreadable(content).map_or(Error::UriLine { line }, |error| of_line(line, "", error)));
        }
        for (uri, warnings) in uris {
            let whose = || uri::whose(&uri);
            let mut one =
                uri::parse(&uri).map_err(|error| if several { of_line(line, &whose(), error) } else { error })?;
            one.warnings.splice(0..0, warnings);
            if several {
                let named = |warning| Warning::OfLine { line, account: whose(), warning: Box::new(warning) };
                one.warnings = one.warnings.into_iter().map(named).collect();
                one.lines = one.enrolments.iter().map(|_| line).collect();
            }
            found.absorb(one);
        }
    }
    Ok(found)
}

/// Lines that aren't empty and no comments, counted from 1.
fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index.saturating_add(1), line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn of_line(line: usize, account: &str, error: Error) -> Error {
    Error::OfLine { line, account: account.to_owned(), error: Box::new(error) }
}

/// What a line among URIs is instead, where it has a name.
fn unreadable(line: &str) -> Option<Error> {
    if starts_with(line, MIGRATION) {
        return Some(Error::Migration);
    }
    link(line).map(|what| Error::WrongKind { what })
}

//! A list of otpauth URIs, one a line: WinAuth, Ente Auth in clear text, the browser extension Authenticator, and many others.
//!
//! Ente Auth adds `codeDisplay`, JSON with the entry's tags. One bad line doesn't fail the rest, unlike in
//! [`provision::read`](crate::provision::read), where all lines are to be added.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::entry::of_uri;
use super::login::Login;
use crate::exchange::json::Json;
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input, MOST_ENTRIES};
use crate::provision::uri;

pub(super) const IMPORTER: Importer = Importer { id: "uris", title: "otpauth URIs", recognizes, read };

/// Ente Auth's parameter.
const DISPLAY: &str = "codeDisplay=";

/// What no list of URIs has: other exports may have some of their lines begin with one.
const OTHERS: [&str; 2] = ["otpauth-migration:", "<"];

/// Lines that aren't empty and no comments, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index.saturating_add(1), line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn recognizes(input: &Input<'_>) -> bool {
    let text = input.text.filter(|_| input.json.is_none()).unwrap_or_default();
    // A table begins with its columns, and may have such a cell at the beginning of a line.
    let table = lines(text).next().is_some_and(|(_, first)| !first.contains("://") && first.contains([',', ';', '\t']));
    let other = |line: &str| OTHERS.iter().any(|other| line.starts_with(other));
    !table && lines(text).any(|(_, line)| uri::is_uri(line)) && !lines(text).any(|(_, line)| other(line))
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    Ok(Export::Plain(entries(input.text.unwrap_or_default())?))
}

/// The entries of a list, which may also be what another export encrypts.
pub(super) fn entries(text: &str) -> Result<Entries, Error> {
    let mut found = Entries::default();
    for (number, line) in lines(text) {
        if found.count() >= MOST_ENTRIES {
            return Err(Error::TooMany { limit: MOST_ENTRIES });
        }
        found.push(format!("line {number}"), read_line(line));
    }
    Ok(found)
}

fn read_line(line: &str) -> Result<Entry, Flaw> {
    if !uri::is_uri(line) {
        // `steam://SECRET` is one; a bare word isn't.
        return if line.contains("://") { Login::default().entry(line) } else { Err(Flaw::Missing("URI")) };
    }
    let mut entry = of_uri(line)?;
    entry.groups = tags(line);
    Ok(entry)
}

fn tags(uri: &str) -> Vec<String> {
    let display = uri.split(['?', '&']).find_map(|pair| pair.strip_prefix(DISPLAY));
    let display = display.and_then(|display| percent_decode_str(display).decode_utf8().ok());
    let Some(display) = display.and_then(|display| Json::parse(&display)) else { return Vec::new() };
    let tags = display.value().get("tags").and_then(Value::as_array);
    tags.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

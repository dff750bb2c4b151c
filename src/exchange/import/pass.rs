//! pass and gopass: an entry as they print it, with a password, an otpauth URI (pass-otp) and what else is in it, a line each.

use super::login::Login;
use crate::exchange::csv::Table;
use crate::exchange::{Entries, Error, Export, Importer, Input, MOST_ENTRIES};
use crate::provision::uri;

pub(super) const IMPORTER: Importer = Importer { id: "pass", title: "an entry of pass or gopass", recognizes, read };

/// The names that gopass gives to URIs in front of them.
const NAMES: [&str; 3] = ["totp", "hotp", "otp"];

/// The names of a user's line, as browsers' extensions for pass read them.
const USERS: [&str; 4] = ["login", "username", "user", "email"];

/// What Google Authenticator's QR codes begin with.
const MIGRATION: &[u8] = b"otpauth-migration:";

/// The most lines of an entry.
const MOST_LINES: usize = 1000;

/// A first line that is no URI, which is the password, and below it a line that is one.
fn recognizes(input: &Input<'_>) -> bool {
    let Some(text) = input.text.filter(|_| input.json.is_none()) else { return false };
    if text.lines().count() > MOST_LINES {
        return false;
    }
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    // A table's line, an element of XML and a comment are no passwords before a URI.
    let migration = input.bytes.windows(MIGRATION.len()).any(|part| part == MIGRATION);
    let password = !migration && otp(first).is_none() && !first.starts_with(['<', '#', '"']);
    let is_table = Table::open(text).is_some_and(|table| table.has(&["title", "username"]));
    password
        && !is_table
        && lines
            .any(|line| otp(line).is_some_and(|otp| uri::is_uri(otp) && !(first.contains(',') && otp.contains(','))))
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let text = input.text.ok_or(Error::Unrecognized)?;
    let user = text.lines().skip(1).find_map(|line| named(line, &USERS));
    let mut found = Entries::default();
    for otp in text.lines().skip(1).filter_map(otp) {
        if found.count() >= MOST_ENTRIES {
            return Err(Error::TooMany { limit: MOST_ENTRIES });
        }
        let login = Login { title: None, user, groups: Vec::new() };
        let whose = login.whose(otp);
        found.push(whose, login.entry(otp));
    }
    Ok(Export::Plain(found))
}

/// The URI of a line, or the secret of a line of gopass.
fn otp(line: &str) -> Option<&str> {
    if uri::is_uri(line.trim()) { Some(line.trim()) } else { named(line, &NAMES) }
}

/// What is behind `NAME: `.
fn named<'a>(line: &'a str, names: &[&str]) -> Option<&'a str> {
    let (name, value) = line.split_once(':')?;
    let value = value.trim();
    let known = names.iter().any(|known| known.eq_ignore_ascii_case(name.trim()));
    (known && !value.is_empty()).then_some(value)
}

//! OATH Toolkit: `users.oath`, the file of pam_oath, documented in the README of pam_oath.
//!
//! `TYPE USER PIN SECRET [COUNTER [LAST-CODE [TIME]]]` a line, with a type such as `HOTP/T30/6` and the secret as hex.

use super::entry::Fields;
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input, MOST_ENTRIES, encoding};

pub(super) const IMPORTER: Importer =
    Importer { id: "users-oath", title: "a users file of OATH Toolkit", recognizes, read };

fn recognizes(input: &Input<'_>) -> bool {
    let first = input.text.and_then(|text| lines(text).next());
    first.is_some_and(|line| {
        let mut fields = line.split_ascii_whitespace();
        let kind = fields.next().unwrap_or_default();
        (kind == "HOTP" || kind.starts_with("HOTP/")) && fields.count() >= 2
    })
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let mut found = Entries::default();
    for line in lines(input.text.ok_or(Error::Unrecognized)?) {
        if found.count() >= MOST_ENTRIES {
            return Err(Error::TooMany { limit: MOST_ENTRIES });
        }
        let user = line.split_ascii_whitespace().nth(1).unwrap_or_default();
        found.push(user, entry(line));
    }
    Ok(Export::Plain(found))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn entry(line: &str) -> Result<Entry, Flaw> {
    let mut parts = line.split_ascii_whitespace();
    let kind = parts.next().unwrap_or_default();
    let user = parts.next().ok_or(Flaw::Missing("user"))?;
    let _pin = parts.next();
    let secret = encoding::hex(parts.next().ok_or(Flaw::Missing("secret"))?).ok_or(Flaw::Invalid("secret"))?;
    let mut fields = typed(kind)?;
    fields.account = Some(user);
    if fields.period.is_none() {
        let counter = parts.next().map(|text| text.parse::<u64>().map_err(|_| Flaw::Invalid("counter")));
        let counter = counter.transpose()?.unwrap_or(0);
        // Beside a code that was accepted, the counter is that code's.
        let used = parts.next().is_some_and(|code| code != "-");
        fields.counter = Some(if used { counter.checked_add(1).ok_or(Flaw::Invalid("counter"))? } else { counter });
    }
    fields.with_bytes(secret.to_vec())
}

/// `HOTP`, `HOTP/E` or `HOTP/E/8` for a counter; `HOTP/T30` or `HOTP/T30/8` for a period.
fn typed(kind: &str) -> Result<Fields<'static>, Flaw> {
    let unknown = || Flaw::Type(crate::exchange::entries::shown(kind));
    let mut parts = kind.split('/');
    if parts.next() != Some("HOTP") {
        return Err(unknown());
    }
    let (factor, digits) = (parts.next().unwrap_or("E"), parts.next());
    let digits = digits.map(|digits| digits.parse().map_err(|_| unknown())).transpose()?;
    if parts.next().is_some() {
        return Err(unknown());
    }
    let period = match factor.strip_prefix('T') {
        Some(period) => Some(period.parse().map_err(|_| unknown())?),
        None if factor == "E" => None,
        None => return Err(unknown()),
    };
    let kind = if period.is_some() { "totp" } else { "hotp" };
    Ok(Fields { kind: Some(kind), digits, period, ..Fields::default() })
}

//! The keychain of rsc.io/2fa, `~/.2fa`: a line a key, its parts with a space between them.
//!
//! `NAME DIGITS KEY`, and a counter of 20 digits for HOTP. The counter names the last code that was shown. A branch of it has the
//! period, two digits, before the key.

use super::entry::Fields;
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input, MOST_ENTRIES};

pub(super) const IMPORTER: Importer = Importer { id: "rsc-2fa", title: "a keychain of rsc.io/2fa", recognizes, read };

/// The length of a counter.
const COUNTER: usize = 20;

/// The fewest characters of a key that a file is recognized by: 80 bits.
const KEY: usize = 16;

/// More parts than a line may have: a line of blanks has very many.
const MOST_PARTS: usize = 6;

/// A line's parts.
struct Line<'a> {
    name: &'a str,
    digits: u64,
    period: Option<&'a str>,
    key: &'a str,
    counter: Option<&'a str>,
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}

fn parts(line: &str) -> Option<Line<'_>> {
    let parts: Vec<&str> = line.split(' ').take(MOST_PARTS).collect();
    let (name, digits, period, key, counter) = match parts.as_slice() {
        [name, digits, key] => (name, digits, None, key, None),
        [name, digits, key, counter] if counter.len() == COUNTER => (name, digits, None, key, Some(*counter)),
        [name, digits, period, key] => (name, digits, Some(*period), key, None),
        [name, digits, period, key, counter] => (name, digits, Some(*period), key, Some(*counter)),
        _ => return None,
    };
    let whole = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = !name.is_empty() && !key.is_empty() && period.is_none_or(|period| whole(period, 2));
    let digits = Some(digits).filter(|digits| matches!(**digits, "6" | "7" | "8") && shaped)?.parse().ok()?;
    Some(Line { name, digits, period, key, counter })
}

/// A key as the program writes it: whole groups of base32.
fn is_key(key: &str) -> bool {
    let base32 = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'2'..=b'7' | b'=');
    key.len() >= KEY && key.len().is_multiple_of(8) && key.bytes().all(base32)
}

fn recognizes(input: &Input<'_>) -> bool {
    let text = input.text.filter(|_| input.json.is_none()).unwrap_or_default();
    let (all, shaped) = (lines(text).count(), lines(text).filter(|line| parts(line).is_some()).count());
    // One line may be bad.
    lines(text).filter_map(parts).any(|line| is_key(line.key)) && shaped.saturating_mul(2) > all
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let mut found = Entries::default();
    for line in lines(input.text.unwrap_or_default()) {
        if found.count() >= MOST_ENTRIES {
            return Err(Error::TooMany { limit: MOST_ENTRIES });
        }
        match parts(line) {
            Some(line) => found.push(line.name, read_line(&line)),
            // Its name may be a key in the wrong place.
            None => found.push(String::new(), Err(Flaw::Damaged("the line is not a name, digits and a key"))),
        }
    }
    Ok(Export::Plain(found))
}

fn read_line(line: &Line<'_>) -> Result<Entry, Flaw> {
    let fields = Fields {
        account: Some(line.name),
        kind: Some(if line.counter.is_some() { "hotp" } else { "totp" }),
        digits: Some(line.digits),
        period: line.period.map(|period| period.parse().map_err(|_| Flaw::Invalid("period"))).transpose()?,
        counter: line.counter.map(next).transpose()?,
        ..Fields::default()
    };
    fields.with_base32(Some(line.key))
}

fn next(counter: &str) -> Result<u64, Flaw> {
    let shaped = counter.len() == COUNTER && counter.bytes().all(|byte| byte.is_ascii_digit());
    let last: Option<u64> = counter.parse().ok().filter(|_| shaped);
    last.and_then(|last| last.checked_add(1)).ok_or(Flaw::Invalid("counter"))
}

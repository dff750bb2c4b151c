//! Google Authenticator: the QR codes of "Transfer accounts", as their texts, a line each.
//!
//! An export of many accounts is several QR codes: each says which it is, of how many, and which export it belongs to.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use prost::Message as _;
use zeroize::Zeroizing;

use super::entry::{Fields, of_uri, whose};
use crate::exchange::encoding::base64;
use crate::exchange::migration::{Account, Payload, SCHEME};
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input, MOST_ENTRIES};
use crate::provision::uri;

pub(super) const IMPORTER: Importer =
    Importer { id: "google", title: "a Google Authenticator export", recognizes, read };

/// The newest version of the message.
const NEWEST: i32 = 2;

/// The longest text of a QR code, in bytes. One has some thousands; other programs write all accounts as one text.
const LONGEST: usize = 4 << 20;

fn lines<'a>(input: &Input<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    input.text.unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn is_migration(line: &str) -> bool {
    line.get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
}

fn recognizes(input: &Input<'_>) -> bool {
    lines(input).any(is_migration)
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let mut exports: BTreeMap<i32, Vec<Payload>> = BTreeMap::new();
    let mut order = Vec::new();
    let mut others = Vec::new();
    let mut accounts = 0_usize;
    for line in lines(&input) {
        if is_migration(line) {
            let payload = payload(line)?;
            accounts = accounts.saturating_add(payload.accounts.len());
            if accounts > MOST_ENTRIES {
                return Err(Error::TooMany { limit: MOST_ENTRIES });
            }
            order.push(payload.batch_id);
            exports.entry(payload.batch_id).or_default().push(payload);
        } else if uri::is_uri(line) {
            others.push(line);
        } else {
            return Err(Error::damaged("it has a line that is not an otpauth URI"));
        }
    }
    let several = exports.len() > 1;
    let mut found = Entries::default();
    // In the order of the file, each export where its first code is.
    for id in order {
        let Some(parts) = exports.remove(&id) else { continue };
        for part in complete(parts).map_err(|error| if several { Error::PartsDisagree } else { error })? {
            for account in &part.accounts {
                push(&mut found, account)?;
            }
        }
    }
    for line in others {
        check_room(&found)?;
        found.push(String::new(), of_uri(line));
    }
    Ok(Export::Plain(found))
}

fn payload(line: &str) -> Result<Payload, Error> {
    if line.len() > LONGEST {
        return Err(Error::TooLarge { limit: LONGEST });
    }
    let query = line.split_once('?').map_or("", |(_, query)| query);
    let data = query.split('&').find_map(|pair| pair.strip_prefix("data="));
    let data = data.ok_or_else(|| Error::damaged("a QR code has no data"))?;
    let broken = |_| Error::damaged("a QR code's data is not base64");
    let text = Zeroizing::new(percent_decode_str(data).decode_utf8().map_err(broken)?.into_owned());
    // What was decoded as a form has lost its pluses.
    let text = Zeroizing::new(text.replace(' ', "+"));
    let bytes = base64(&text).ok_or_else(|| Error::damaged("a QR code's data is not base64"))?;
    let payload = Payload::decode(bytes.as_slice());
    let payload = payload.map_err(|_| Error::damaged("a QR code's data is cut off or changed"))?;
    if !(0..=NEWEST).contains(&payload.version) {
        return Err(Error::Version { version: payload.version.to_string(), known: "1 and 2" });
    }
    Ok(payload)
}

/// The parts of one export in their order, each once.
fn complete(mut parts: Vec<Payload>) -> Result<Vec<Payload>, Error> {
    parts.sort_by_key(|part| part.batch_index);
    parts.dedup();
    // Other programs write one code without any numbers.
    let size = parts.first().map_or(1, |part| part.batch_size.max(1));
    let of = usize::try_from(size).unwrap_or(1);
    for (index, part) in parts.iter().enumerate() {
        if part.batch_size.max(1) != size {
            return Err(Error::PartsDisagree);
        }
        if !(0..size).contains(&part.batch_index) {
            return Err(Error::damaged("a QR code has a number beyond the last"));
        }
        match usize::try_from(part.batch_index).unwrap_or(usize::MAX).cmp(&index) {
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => return Err(Error::PartMissing { missing: index.saturating_add(1), of }),
            std::cmp::Ordering::Less => return Err(Error::PartsDisagree),
        }
    }
    if parts.len() < of {
        return Err(Error::PartMissing { missing: parts.len().saturating_add(1), of });
    }
    Ok(parts)
}

fn check_room(found: &Entries) -> Result<(), Error> {
    if found.count() < MOST_ENTRIES { Ok(()) } else { Err(Error::TooMany { limit: MOST_ENTRIES }) }
}

fn push(found: &mut Entries, account: &[u8]) -> Result<(), Error> {
    check_room(found)?;
    match Account::decode(account) {
        Ok(account) => found.push(whose(Some(&account.issuer), Some(&account.name)), read_account(account)),
        Err(_) => found.push(String::new(), Err(Flaw::Damaged("it is cut off or changed"))),
    }
    Ok(())
}

fn read_account(mut account: Account) -> Result<Entry, Flaw> {
    let mut secret = Zeroizing::new(std::mem::take(&mut account.secret));
    // Some codes repeat the issuer in the name, as labels of URIs do.
    let name = account.name.strip_prefix(&account.issuer).and_then(|rest| rest.strip_prefix(':'));
    let fields = Fields {
        issuer: Some(&account.issuer),
        account: Some(name.filter(|_| !account.issuer.is_empty()).unwrap_or(&account.name)),
        kind: Some(match account.kind {
            // The app takes what isn't said for the default.
            0 | 2 => "totp",
            1 => "hotp",
            other => return Err(Flaw::Type(other.to_string())),
        }),
        algorithm: Some(match account.algorithm {
            0 | 1 => "SHA1",
            2 => "SHA256",
            3 => "SHA512",
            4 => "MD5",
            _ => return Err(Flaw::Invalid("algorithm")),
        }),
        digits: Some(match account.digits {
            0 | 1 => 6,
            2 => 8,
            3 => 7,
            _ => return Err(Flaw::Invalid("number of digits")),
        }),
        period: None,
        counter: Some(u64::try_from(account.counter).map_err(|_| Flaw::Invalid("counter"))?),
        groups: Vec::new(),
    };
    if secret.is_empty() {
        return Err(Flaw::Missing("secret"));
    }
    fields.with_bytes(std::mem::take(&mut secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A QR code's text with this many empty accounts.
    fn code(batch: i32, accounts: usize) -> String {
        let accounts = vec![Vec::new(); accounts];
        let payload = Payload { accounts, version: 1, batch_size: 1, batch_index: 0, batch_id: batch };
        let data = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, payload.encode_to_vec());
        format!("{SCHEME}//offline?data={}", data.replace('+', "%2B"))
    }

    fn outcome(text: &str) -> Result<usize, Error> {
        match read(Input::new(text.as_bytes()))? {
            Export::Plain(entries) => Ok(entries.count()),
            Export::Locked(_) => panic!("it is locked"),
        }
    }

    #[test]
    fn accounts_are_counted_before_they_are_read() {
        let half = MOST_ENTRIES / 2;
        assert_eq!(outcome(&format!("{}\n{}", code(1, half), code(2, half))).unwrap(), MOST_ENTRIES);
        let more = format!("{}\n{}", code(1, half), code(1, half + 1));
        assert!(matches!(outcome(&more), Err(Error::TooMany { .. })), "before it is told that the parts disagree");
    }

    #[test]
    fn a_text_is_no_longer_than_any_code() {
        let text = format!("{SCHEME}//offline?data={}", "A".repeat(LONGEST));
        assert!(matches!(outcome(&text), Err(Error::TooLarge { .. })));
    }
}

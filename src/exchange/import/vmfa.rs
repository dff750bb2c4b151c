//! vmfa's own export: JSON (docs/schema/vmfa-export.json), also as an age file under a passphrase (age-encryption.org/v1).

use serde_json::Value;

use super::entry::of_uri;
use super::groups;
use crate::exchange::json::{self, Json, list, number, text, text_if_any};
use crate::exchange::kdf::FUZZED;
use crate::exchange::native::{FORMAT, VERSION};
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input, MOST_BYTES};
use crate::provision::uri;
use crate::vault::age::{Refusal, needs_passphrase, open_by_passphrase};

pub(super) const IMPORTER: Importer = Importer { id: "vmfa", title: "an export of vmfa", recognizes, read };

/// What an age file under a passphrase begins with, and one in ASCII armor.
const SEALED: &[u8] = b"age-encryption.org/v1\n-> scrypt ";
const ARMORED: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// The most work of scrypt that is done, as a power of two: 1 GiB of memory.
const MOST_WORK: u8 = if FUZZED { 1 } else { 20 };

fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(SEALED) || (bytes.starts_with(ARMORED) && needs_passphrase(bytes, "").unwrap_or(false))
}

fn recognizes(input: &Input<'_>) -> bool {
    is_sealed(input.bytes) || input.json.as_ref().is_some_and(|json| text(json.value(), "format") == Some(FORMAT))
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    match input.json {
        Some(json) => entries(&json).map(Export::Plain),
        None => {
            let bytes = input.bytes.to_vec();
            Export::locked(move |password| opened(&bytes, password))
        }
    }
}

fn opened(bytes: &[u8], password: &[u8]) -> Result<Entries, Error> {
    let passphrase = std::str::from_utf8(password).map_err(|_| Error::WrongPassword)?;
    // One byte more than is taken tells that there is more.
    let inner = open_by_passphrase(bytes, passphrase, MOST_WORK, MOST_BYTES.saturating_add(1));
    let inner = inner.map_err(|refusal| match refusal {
        Refusal::Passphrase => Error::WrongPassword,
        Refusal::Work(work) => {
            Error::Costly { asked: format!("2^{work} blocks of scrypt"), limit: format!("2^{MOST_WORK}") }
        }
        Refusal::Damaged => Error::damaged("its encryption is cut off or changed"),
    })?;
    if inner.len() > MOST_BYTES {
        return Err(Error::TooLarge { limit: MOST_BYTES });
    }
    let json = Json::of_bytes(&inner);
    match json.as_ref().and_then(|json| text(json.value(), "format")) {
        Some(FORMAT) => json.as_ref().map_or(Err(Error::Unrecognized), entries),
        Some("vmfa-backup") => Err(Error::Unsupported { what: "a backup of vmfa: `vmfa restore` brings it back" }),
        _ => Err(Error::Unsupported { what: "an age file with something else than an export of vmfa in it" }),
    }
}

fn entries(json: &Json) -> Result<Entries, Error> {
    let document = json.value();
    if number(document, "version") != Some(VERSION.into()) {
        return Err(Error::Version { version: json::version(document.get("version")), known: "1" });
    }
    let mut found = Entries::default();
    for item in json::items(document.get("entries"), "entries")? {
        found.push(text(item, "uri").map(uri::whose).unwrap_or_default(), entry(item));
    }
    Ok(found)
}

fn entry(item: &Value) -> Result<Entry, Flaw> {
    let text = text_if_any(item, "uri", "URI")?.ok_or(Flaw::Missing("URI"))?;
    let mut entry = of_uri(text)?;
    entry.groups = groups::named(list(item, "groups").iter().filter_map(Value::as_str));
    Ok(entry)
}

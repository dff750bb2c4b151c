//! Raivo OTP (iOS): its export, JSON in a ZIP archive under the app's password; or the JSON alone, taken out of it.
//!
//! All values are texts. The archive is encrypted by WinZip's AES (its specification, version 1.04), which has a check value of two
//! bytes: one wrong password in 65,536 passes, and is then told as damage.

use serde_json::Value;

use super::entry::{Fields, whose};
use crate::exchange::json::{Json, items, number_if_any, text, text_if_any};
use crate::exchange::zip::{Archive, is_archive};
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input};

pub(super) const IMPORTER: Importer = Importer { id: "raivo", title: "a Raivo OTP export", recognizes, read };

/// The file in the archive; an HTML page with the same lies beside it.
const NAME: &str = "raivo-otp-export.json";

fn recognizes(input: &Input<'_>) -> bool {
    match &input.json {
        Some(json) => json.value().as_array().is_some_and(|entries| {
            entries.iter().any(|entry| ["secret", "kind", "timer"].iter().all(|key| entry.get(key).is_some()))
        }),
        None => is_archive(input.bytes) && Archive::open(input.bytes).is_ok_and(|archive| archive.find(NAME).is_some()),
    }
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    if let Some(json) = &input.json {
        return Ok(Export::Plain(entries(json.value())?));
    }
    let archive = Archive::open(input.bytes)?;
    if !archive.find(NAME).ok_or(Error::Unrecognized)?.is_encrypted() {
        return Ok(Export::Plain(unpacked(input.bytes, None)?));
    }
    let bytes = input.bytes.to_vec();
    Export::locked(move |password| unpacked(&bytes, Some(password)))
}

fn unpacked(bytes: &[u8], password: Option<&[u8]>) -> Result<Entries, Error> {
    let archive = Archive::open(bytes)?;
    let content = archive.read(archive.find(NAME).ok_or(Error::Unrecognized)?, password)?;
    let json = Json::of_bytes(&content).ok_or_else(|| Error::damaged("its content is not JSON"))?;
    entries(json.value())
}

fn entries(json: &Value) -> Result<Entries, Error> {
    let mut found = Entries::default();
    for entry in items(Some(json), "entries")? {
        found.push(whose(text(entry, "issuer"), text(entry, "account")), read_entry(entry));
    }
    Ok(found)
}

fn read_entry(entry: &Value) -> Result<Entry, Flaw> {
    let fields = Fields {
        issuer: text_if_any(entry, "issuer", "issuer")?,
        account: text_if_any(entry, "account", "name")?,
        kind: Some(text(entry, "kind").ok_or(Flaw::Missing("type"))?),
        algorithm: text_if_any(entry, "algorithm", "algorithm")?,
        digits: number_if_any(entry, "digits", "number of digits")?,
        period: number_if_any(entry, "timer", "period")?,
        counter: number_if_any(entry, "counter", "counter")?,
        groups: Vec::new(),
    };
    fields.with_base32(text_if_any(entry, "secret", "secret")?)
}

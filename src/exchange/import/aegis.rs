//! Aegis (Android): its vault, in clear text or under a password. Documented in docs/vault.md of its repository.
//!
//! Encrypted, `db` is base64 of AES-256-GCM under a master key; `header.slots` hold that key, each encrypted under a
//! key of its own. Slots of type 1 are passwords (scrypt); others are biometric and can't be opened elsewhere.

use serde_json::Value;
use zeroize::Zeroizing;

use super::entry::{Fields, whose};
use super::groups::Groups;
use crate::exchange::cipher::open_gcm;
use crate::exchange::encoding::{base64, hex};
use crate::exchange::json::{Json, items, number, number_if_any, text, text_if_any, version};
use crate::exchange::kdf::Kdf;
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input};

pub(super) const IMPORTER: Importer = Importer { id: "aegis", title: "an Aegis export", recognizes, read };

/// The length of all keys of it, in bytes.
const KEY: usize = 32;

/// The type of a slot that a password opens.
const PASSWORD: u64 = 1;

/// The most slots that a password is tried on: each costs a key derivation. The app makes two, one of them for backups.
const MOST_SLOTS: usize = 8;

/// The newest version of the content.
const NEWEST: u64 = 3;

/// What AES-256-GCM made: the ciphertext with its tag, and the nonce.
struct Sealed {
    data: Zeroizing<Vec<u8>>,
    nonce: Zeroizing<Vec<u8>>,
}

/// A copy of the master key, under a password.
struct Slot {
    kdf: Kdf,
    key: Sealed,
}

fn recognizes(input: &Input<'_>) -> bool {
    let json = input.json.as_ref().map(|json| json.value());
    json.is_some_and(|json| json.get("header").is_some_and(Value::is_object) && json.get("db").is_some())
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let json = input.json.ok_or(Error::Unrecognized)?;
    let json = json.value();
    if number(json, "version") != Some(1) {
        return Err(Error::Version { version: version(json.get("version")), known: "1" });
    }
    match json.get("db") {
        Some(database @ Value::Object(_)) => Ok(Export::Plain(entries(database)?)),
        Some(Value::String(database)) => locked(json.get("header").unwrap_or(&Value::Null), database),
        _ => Err(Error::damaged("its `db` is neither an object nor a text")),
    }
}

fn locked(header: &Value, database: &str) -> Result<Export, Error> {
    let data = base64(database).ok_or_else(|| Error::damaged("its `db` is not base64"))?;
    let database = sealed(data, header.get("params"))?;
    let is_password = |slot: &&Value| number(slot, "type") == Some(PASSWORD);
    let slots: Vec<&Value> = items(header.get("slots"), "slots")?.iter().filter(is_password).collect();
    if slots.is_empty() {
        return Err(Error::Unsupported { what: "encrypted without a password, by a key that only the phone has" });
    }
    if slots.len() > MOST_SLOTS {
        return Err(Error::Costly { asked: format!("{} runs of scrypt", slots.len()), limit: MOST_SLOTS.to_string() });
    }
    let slots = slots.into_iter().map(slot).collect::<Result<Vec<_>, _>>()?;
    Export::locked(move |password| {
        let key = master_key(&slots, password)?.ok_or(Error::WrongPassword)?;
        let content = open(&database, &key).ok_or_else(|| Error::damaged("its `db` fails its check"))?;
        let content = Json::of_bytes(&content).ok_or_else(|| Error::damaged("its decrypted content is not JSON"))?;
        entries(content.value())
    })
}

fn slot(slot: &Value) -> Result<Slot, Error> {
    let bytes = |key| text(slot, key).and_then(hex).ok_or_else(|| Error::damaged("a slot is not complete"));
    let cost = |key| number(slot, key).ok_or_else(|| Error::damaged("a slot has no scrypt parameters"));
    let kdf = Kdf::scrypt(&bytes("salt")?, cost("n")?, cost("r")?, cost("p")?)?;
    Ok(Slot { kdf, key: sealed(bytes("key")?, slot.get("key_params"))? })
}

fn sealed(mut data: Zeroizing<Vec<u8>>, params: Option<&Value>) -> Result<Sealed, Error> {
    let bytes = |key| params.and_then(|params| text(params, key)).and_then(hex);
    let incomplete = || Error::damaged("its encryption parameters are not complete");
    data.extend_from_slice(&bytes("tag").ok_or_else(incomplete)?);
    Ok(Sealed { data, nonce: bytes("nonce").ok_or_else(incomplete)? })
}

fn open(sealed: &Sealed, key: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    open_gcm(key, &sealed.nonce, b"", &sealed.data)
}

/// The master key out of the first slot that the password opens.
fn master_key(slots: &[Slot], password: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    for slot in slots {
        if let Some(key) = open(&slot.key, &slot.kdf.derive(password, KEY)?) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

fn entries(database: &Value) -> Result<Entries, Error> {
    // Version 2 has other types of codes, version 3 groups of their own.
    if number(database, "version").is_none_or(|version| !(1..=NEWEST).contains(&version)) {
        return Err(Error::Version { version: version(database.get("version")), known: "1 to 3" });
    }
    let groups = Groups::of(database.get("groups"), ["uuid", "name"], "groups")?;
    let mut found = Entries::default();
    for entry in items(database.get("entries"), "entries")? {
        found.push(whose(text(entry, "issuer"), text(entry, "name")), read_entry(entry, &groups));
    }
    Ok(found)
}

fn read_entry(entry: &Value, groups: &Groups) -> Result<Entry, Flaw> {
    let info = entry.get("info").ok_or(Flaw::Missing("`info`"))?;
    let by_name = text(entry, "group").map(str::to_owned);
    let fields = Fields {
        issuer: text_if_any(entry, "issuer", "issuer")?,
        account: text_if_any(entry, "name", "name")?,
        kind: Some(text(entry, "type").ok_or(Flaw::Missing("type"))?),
        algorithm: text_if_any(info, "algo", "algorithm")?,
        digits: number_if_any(info, "digits", "number of digits")?,
        period: number_if_any(info, "period", "period")?,
        counter: number_if_any(info, "counter", "counter")?,
        groups: by_name.into_iter().chain(groups.names(entry.get("groups"))).collect(),
    };
    fields.with_base32(text_if_any(info, "secret", "secret")?)
}

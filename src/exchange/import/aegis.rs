//! Aegis (Android): its vault, in clear text or under a password. Documented in docs/vault.md of its repository.
//!
//! Encrypted, `db` is base64 of AES-256-GCM under a master key; `header.slots` hold that key, each encrypted under a
//! key of its own. Slots of type 1 are passwords (scrypt); others are biometric and can't be opened elsewhere.

use serde_json::Value;

use super::entry::Fields;
use crate::exchange::json::{number, text};
use crate::exchange::{Entries, Error, Export, Importer, Input, MOST_ENTRIES};

pub(super) const IMPORTER: Importer = Importer { id: "aegis", title: "an Aegis export", recognizes, read };

fn recognizes(input: &Input<'_>) -> bool {
    let json = input.json.as_ref().map(|json| json.value());
    json.is_some_and(|json| json.get("header").is_some_and(Value::is_object) && json.get("db").is_some())
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let json = input.json.ok_or(Error::Unrecognized)?;
    let version = number(json.value(), "version");
    if version != Some(1) {
        return Err(Error::Version { version: version.map_or("?".to_owned(), |v| v.to_string()), known: "1" });
    }
    match json.value().get("db") {
        Some(database @ Value::Object(_)) => Ok(Export::Plain(database_entries(database)?)),
        // The encrypted variant goes here.
        _ => Err(Error::damaged("its `db` is missing")),
    }
}

fn database_entries(database: &Value) -> Result<Entries, Error> {
    let entries = database.get("entries").and_then(Value::as_array);
    let entries = entries.ok_or_else(|| Error::damaged("it has no list of entries"))?;
    if entries.len() > MOST_ENTRIES {
        return Err(Error::TooMany { limit: MOST_ENTRIES });
    }
    let mut found = Entries::default();
    for entry in entries {
        let info = entry.get("info").unwrap_or(&Value::Null);
        let fields = Fields {
            issuer: text(entry, "issuer"),
            account: text(entry, "name"),
            kind: text(entry, "type"),
            algorithm: text(info, "algo"),
            digits: number(info, "digits"),
            period: number(info, "period"),
            counter: number(info, "counter"),
            groups: text(entry, "group").map(str::to_owned).into_iter().collect(),
        };
        let whose = fields.whose();
        found.push(whose, fields.with_base32(text(info, "secret")));
    }
    Ok(found)
}

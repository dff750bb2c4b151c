//! Stratum (Android; Authenticator Pro until 2024): its backup, in clear text (JSON) or under a password, in the present encryption
//! and the older one. Read as its own restore does.
//!
//! `AUTHENTICATORPRO`, salt (16 bytes), nonce (12), AES-256-GCM under Argon2id (64 MiB, 3 passes, 4 lanes). Older:
//! `AuthenticatorPro`, salt (20), vector (16), AES-256-CBC under PBKDF2-SHA-1 (64,000 rounds), without any check but its padding.

use std::collections::HashMap;

use argon2::Algorithm::Argon2id;
use serde_json::Value;
use zeroize::Zeroizing;

use super::entry::{Fields, whose};
use super::groups::{Groups, MOST_GROUPS};
use crate::exchange::cipher::{NONCE, open_cbc, open_gcm};
use crate::exchange::json::{Json, items, number, number_if_any, text, text_if_any};
use crate::exchange::kdf::{Kdf, Prf};
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input};

pub(super) const IMPORTER: Importer = Importer { id: "stratum", title: "a Stratum backup", recognizes, read };

const HEADER: &[u8] = b"AUTHENTICATORPRO";
const SALT: usize = 16;
const KIB: u64 = 64 << 10;
const PASSES: u64 = 3;
const LANES: u64 = 4;

const OLD_HEADER: &[u8] = b"AuthenticatorPro";
const OLD_SALT: usize = 20;
const OLD_VECTOR: usize = 16;
const OLD_ROUNDS: u64 = 64_000;

/// The names of an entry's categories, by its secret: that is its id in this format.
type Categories<'a> = HashMap<&'a str, Vec<String>>;

fn recognizes(input: &Input<'_>) -> bool {
    match &input.json {
        Some(json) => json.value().get("Authenticators").is_some(),
        None => input.bytes.starts_with(HEADER) || input.bytes.starts_with(OLD_HEADER),
    }
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    if let Some(json) = &input.json {
        return Ok(Export::Plain(entries(json.value())?));
    }
    let cut_off = || Error::damaged("it is cut off");
    let old = input.bytes.starts_with(OLD_HEADER);
    let (salt, vector) = if old { (OLD_SALT, OLD_VECTOR) } else { (SALT, NONCE) };
    let body = input.bytes.get(HEADER.len()..).ok_or_else(cut_off)?;
    let (salt, body) = body.split_at_checked(salt).ok_or_else(cut_off)?;
    let (vector, body) = body.split_at_checked(vector).ok_or_else(cut_off)?;
    let kdf =
        if old { Kdf::pbkdf2(Prf::Sha1, salt, OLD_ROUNDS)? } else { Kdf::argon2(Argon2id, salt, KIB, PASSES, LANES)? };
    let (vector, body) = (vector.to_vec(), body.to_vec());
    Export::locked(move |password| {
        let key = kdf.derive(password, 32)?;
        let opened = if old { open_cbc(&key, &vector, &body) } else { open_gcm(&key, &vector, b"", &body) };
        opened_entries(opened, old)
    })
}

fn opened_entries(opened: Option<Zeroizing<Vec<u8>>>, old: bool) -> Result<Entries, Error> {
    let opened = opened.ok_or(Error::WrongPasswordOrDamaged)?;
    match Json::of_bytes(&opened) {
        Some(json) => entries(json.value()),
        // One wrong key in 256 gives a padding that is right.
        None if old => Err(Error::WrongPasswordOrDamaged),
        None => Err(Error::damaged("its decrypted content is not JSON")),
    }
}

fn entries(json: &Value) -> Result<Entries, Error> {
    let categories = categories(json)?;
    let mut found = Entries::default();
    for entry in items(json.get("Authenticators"), "`Authenticators`")? {
        found.push(whose(text(entry, "Issuer"), text(entry, "Username")), read_entry(entry, &categories));
    }
    Ok(found)
}

fn categories(json: &Value) -> Result<Categories<'_>, Error> {
    let names = Groups::of(json.get("Categories"), ["Id", "Name"], "`Categories`")?;
    let mut categories = Categories::new();
    let bindings = json.get("AuthenticatorCategories").filter(|bindings| !bindings.is_null());
    for binding in bindings.map_or(Ok([].as_slice()), |bindings| items(Some(bindings), "`AuthenticatorCategories`"))? {
        let name = names.name(binding.get("CategoryId"));
        if let (Some(name), Some(secret)) = (name, text(binding, "AuthenticatorSecret")) {
            let names = categories.entry(secret).or_default();
            if names.len() < MOST_GROUPS {
                names.push(name);
            }
        }
    }
    Ok(categories)
}

fn read_entry(entry: &Value, categories: &Categories<'_>) -> Result<Entry, Flaw> {
    let secret = text_if_any(entry, "Secret", "secret")?;
    let fields = Fields {
        issuer: text_if_any(entry, "Issuer", "issuer")?,
        account: text_if_any(entry, "Username", "name")?,
        kind: Some(match number(entry, "Type").ok_or(Flaw::Missing("type"))? {
            1 => "hotp",
            2 => "totp",
            3 => "motp",
            4 => "steam",
            5 => "yandex",
            other => return Err(Flaw::Type(other.to_string())),
        }),
        algorithm: match number_if_any(entry, "Algorithm", "algorithm")? {
            None => None,
            Some(0) => Some("SHA1"),
            Some(1) => Some("SHA256"),
            Some(2) => Some("SHA512"),
            Some(_) => return Err(Flaw::Invalid("algorithm")),
        },
        digits: number_if_any(entry, "Digits", "number of digits")?,
        period: number_if_any(entry, "Period", "period")?,
        counter: number_if_any(entry, "Counter", "counter")?,
        groups: secret.and_then(|secret| categories.get(secret)).cloned().unwrap_or_default(),
    };
    fields.with_base32(secret)
}

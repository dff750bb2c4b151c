//! cotp: its export (JSON in clear text) and its database, `db.cotp`.
//!
//! The database is the export under XChaCha20-Poly1305, its key by Argon2id (32 MiB, 4 passes, 4 lanes). Exports of its first
//! versions are lists that look like andOTP's, and are read so.

use argon2::Algorithm::Argon2id;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde_json::Value;
use zeroize::Zeroizing;

use super::entry::{Fields, whose};
use crate::exchange::encoding::base64;
use crate::exchange::json::{Json, items, number, number_if_any, text, text_if_any, version};
use crate::exchange::kdf::Kdf;
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input};

pub(super) const IMPORTER: Importer = Importer { id: "cotp", title: "a cotp database or export", recognizes, read };

const KIB: u64 = 32 << 10;
const PASSES: u64 = 4;
const LANES: u64 = 4;

/// The length of the nonce, in bytes.
const NONCE: usize = 24;

/// The newest version of the content.
const NEWEST: u64 = 2;

fn recognizes(input: &Input<'_>) -> bool {
    let Some(json) = input.json.as_ref().map(|json| json.value()) else { return false };
    let locked = ["nonce", "salt", "cipher"].iter().all(|key| text(json, key).is_some());
    json.get("version").is_some() && (locked || json.get("elements").is_some())
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let json = input.json.ok_or(Error::Unrecognized)?;
    let json = json.value();
    if json.get("elements").is_some() {
        return Ok(Export::Plain(entries(json)?));
    }
    if number(json, "version") != Some(1) {
        return Err(Error::Version { version: version(json.get("version")), known: "1" });
    }
    let bytes =
        |key| text(json, key).and_then(base64).ok_or_else(|| Error::damaged(format!("its `{key}` is not base64")));
    let kdf = Kdf::argon2(Argon2id, &bytes("salt")?, KIB, PASSES, LANES)?;
    let nonce: [u8; NONCE] =
        bytes("nonce")?.as_slice().try_into().map_err(|_| Error::damaged("its `nonce` has a wrong length"))?;
    let sealed = bytes("cipher")?;
    Export::locked(move |password| {
        let key = kdf.derive(password, 32)?;
        let opened = XChaCha20Poly1305::new_from_slice(&key)
            .ok()
            .and_then(|cipher| cipher.decrypt(XNonce::from_slice(&nonce), sealed.as_slice()).ok())
            .map(Zeroizing::new)
            .ok_or(Error::WrongPasswordOrDamaged)?;
        let json = Json::of_bytes(&opened).ok_or_else(|| Error::damaged("its decrypted content is not JSON"))?;
        entries(json.value())
    })
}

fn entries(json: &Value) -> Result<Entries, Error> {
    if number(json, "version").is_none_or(|version| !(1..=NEWEST).contains(&version)) {
        return Err(Error::Version { version: version(json.get("version")), known: "1 and 2" });
    }
    let mut found = Entries::default();
    for element in items(json.get("elements"), "elements")? {
        found.push(whose(text(element, "issuer"), text(element, "label")), read_element(element));
    }
    Ok(found)
}

fn read_element(element: &Value) -> Result<Entry, Flaw> {
    let fields = Fields {
        issuer: text_if_any(element, "issuer", "issuer")?,
        account: text_if_any(element, "label", "name")?,
        kind: Some(text(element, "type").ok_or(Flaw::Missing("type"))?),
        algorithm: text_if_any(element, "algorithm", "algorithm")?,
        digits: number_if_any(element, "digits", "number of digits")?,
        period: number_if_any(element, "period", "period")?,
        counter: number_if_any(element, "counter", "counter")?,
        groups: Vec::new(),
    };
    fields.with_base32(text_if_any(element, "secret", "secret")?)
}

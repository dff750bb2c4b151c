//! Proton Authenticator: its export, in clear text or under a password. The format is that of Proton's own library
//! (proton-authenticator in proton-pass-common).
//!
//! Each entry is a URI. Encrypted, `content` is a nonce (12 bytes) and AES-256-GCM of the plain export, in base64; the key is
//! Argon2id (19 MiB, 2 passes) of the password and `salt`.

use argon2::Algorithm::Argon2id;
use serde_json::Value;

use super::login::Login;
use crate::exchange::cipher::{NONCE, open_gcm};
use crate::exchange::encoding::base64;
use crate::exchange::json::{Json, items, number, text, version};
use crate::exchange::kdf::Kdf;
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input};

pub(super) const IMPORTER: Importer =
    Importer { id: "proton", title: "a Proton Authenticator export", recognizes, read };

const KIB: u64 = 19 << 10;
const PASSES: u64 = 2;
const LANES: u64 = 1;

/// The associated data, which ties the ciphertext to its purpose.
const PURPOSE: &[u8] = b"proton.authenticator.export.v1";

fn recognizes(input: &Input<'_>) -> bool {
    let Some(json) = input.json.as_ref().map(|json| json.value()) else { return false };
    let has = |key: &str| json.get(key).is_some();
    let of_proton = |entry: &Value| entry.get("content").is_some_and(|content| content.get("entry_type").is_some());
    let plain = json.get("entries").and_then(Value::as_array).is_some_and(|entries| {
        entries.iter().any(of_proton) || (entries.is_empty() && has("version") && !has("items") && !has("format"))
    });
    plain || (text(json, "salt").is_some() && text(json, "content").is_some() && has("version"))
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let json = input.json.ok_or(Error::Unrecognized)?;
    let json = json.value();
    check_version(json)?;
    if json.get("entries").is_some() {
        return Ok(Export::Plain(entries(json)?));
    }
    let bytes =
        |key| text(json, key).and_then(base64).ok_or_else(|| Error::damaged(format!("its `{key}` is not base64")));
    let kdf = Kdf::argon2(Argon2id, &bytes("salt")?, KIB, PASSES, LANES)?;
    let content = bytes("content")?;
    Export::locked(move |password| {
        let (nonce, sealed) = content.split_at_checked(NONCE).ok_or_else(|| Error::damaged("it is cut off"))?;
        let opened = open_gcm(&kdf.derive(password, 32)?, nonce, PURPOSE, sealed);
        let opened = opened.ok_or(Error::WrongPasswordOrDamaged)?;
        let json = Json::of_bytes(&opened).ok_or_else(|| Error::damaged("its decrypted content is not JSON"))?;
        check_version(json.value())?;
        entries(json.value())
    })
}

fn check_version(json: &Value) -> Result<(), Error> {
    if number(json, "version") == Some(1) {
        return Ok(());
    }
    Err(Error::Version { version: version(json.get("version")), known: "1" })
}

fn entries(json: &Value) -> Result<Entries, Error> {
    let mut found = Entries::default();
    for entry in items(json.get("entries"), "entries")? {
        let content = entry.get("content").unwrap_or(&Value::Null);
        // A Steam entry's URI is `steam://SECRET`; its name is whose it is.
        let login = Login { user: text(content, "name"), ..Login::default() };
        found.push(login.whose(text(content, "uri").unwrap_or_default()), read_entry(content, login));
    }
    Ok(found)
}

fn read_entry(content: &Value, login: Login<'_>) -> Result<Entry, Flaw> {
    let uri = text(content, "uri").ok_or(Flaw::Missing("URI"))?;
    match text(content, "entry_type") {
        Some("Totp" | "Steam") | None => login.entry(uri),
        Some(kind) => Err(Flaw::Type(crate::exchange::entries::shown(kind))),
    }
}

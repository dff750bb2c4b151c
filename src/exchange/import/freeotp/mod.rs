//! FreeOTP 2 (Android): its backup, `externalBackup.xml`, which is no XML but a serialized Java map of texts. Its source
//! (encryptor/EncryptedKey.java, encryptor/MasterKey.java) documents the rest.
//!
//! `masterKey` is a key under a key of the password; each token has its JSON under `ID-token`, and its secret under `ID`,
//! encrypted by the master key. FreeOTP 1 and FreeOTP+ have other formats.

mod java;
mod keys;

use std::collections::HashMap;

use serde_json::Value;
use zeroize::Zeroizing;

use self::java::Map;
use self::keys::{MasterKey, Sealed};
use super::entry::Fields;
use crate::exchange::json::{Json, number, text};
use crate::exchange::{Entries, Error, Export, Flaw, Importer, Input, Locked, MOST_ENTRIES};

pub(super) const IMPORTER: Importer = Importer { id: "freeotp", title: "a FreeOTP backup", recognizes, read };

/// What the key of a token's JSON ends with.
const TOKEN: &str = "-token";

fn recognizes(input: &Input<'_>) -> bool {
    java::is_map(input.bytes) && input.bytes.windows(9).take(1 << 20).any(|window| window == b"masterKey")
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let map = java::read(input.bytes)?;
    let master = map.get("masterKey").ok_or_else(|| Error::damaged("it has no master key"))?;
    let master = Json::parse(master).ok_or_else(|| Error::damaged("its master key is not JSON"))?;
    let master = MasterKey::read(master.value())?;
    if map.iter().filter(|(key, _)| key.ends_with(TOKEN)).count() > MOST_ENTRIES {
        return Err(Error::TooMany { limit: MOST_ENTRIES });
    }
    Ok(Export::Locked(Box::new(Backup { master, map })))
}

struct Backup {
    master: MasterKey,
    map: Map,
}

impl Locked for Backup {
    fn unlock(&self, password: &[u8]) -> Result<Entries, Error> {
        let key = self.master.open(password)?;
        let secrets: HashMap<&str, &str> = self.map.iter().collect();
        let mut found = Entries::default();
        for (name, token) in self.map.iter() {
            let Some(id) = name.strip_suffix(TOKEN) else { continue };
            let token = Json::parse(token);
            let token = token.as_ref().map_or(&Value::Null, Json::value);
            let fields = fields(token);
            let whose = fields.whose();
            let secret = secrets.get(id).ok_or(Flaw::Missing("secret")).and_then(|sealed| secret(sealed, &key));
            found.push(whose, secret.and_then(|secret| fields.with_bytes(secret.to_vec())));
        }
        Ok(found)
    }
}

fn fields(token: &Value) -> Fields<'_> {
    let issuer = text(token, "issuerExt").or_else(|| text(token, "issuerInt"));
    // FreeOTP makes Steam's codes for what has this issuer, and says nothing else of it.
    let steam = text(token, "issuerExt") == Some("Steam");
    Fields {
        issuer,
        account: text(token, "label"),
        kind: if steam { Some("steam") } else { text(token, "type") },
        algorithm: text(token, "algo"),
        digits: number(token, "digits").filter(|_| !steam),
        period: number(token, "period"),
        counter: number(token, "counter"),
        groups: Vec::new(),
    }
}

/// `{"key": "…"}`, with the JSON of an encrypted key as a text.
fn secret(sealed: &str, key: &[u8]) -> Result<Zeroizing<Vec<u8>>, Flaw> {
    let invalid = || Flaw::Invalid("secret");
    let outer = Json::parse(sealed).ok_or_else(invalid)?;
    let inner = Json::parse(text(outer.value(), "key").ok_or_else(invalid)?).ok_or_else(invalid)?;
    let sealed = Sealed::read(inner.value()).ok_or_else(invalid)?;
    sealed.open(key).ok_or(Flaw::Damaged("its secret fails its check"))
}

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
use super::entry::{Fields, whose};
use crate::exchange::json::{Json, number_if_any, text, text_if_any};
use crate::exchange::{Entries, Error, Export, Flaw, Importer, Input, Locked, MOST_ENTRIES};

pub(super) const IMPORTER: Importer = Importer { id: "freeotp", title: "a FreeOTP backup", recognizes, read };

/// What the key of a token's JSON ends with.
const TOKEN: &str = "-token";

fn recognizes(input: &Input<'_>) -> bool {
    java::is_map(input.bytes) && input.bytes.windows(9).any(|window| window == b"masterKey")
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
            let [issuer, account] = [issuer(token), text(token, "label")];
            let secret = || secret(secrets.get(id).ok_or(Flaw::Missing("secret"))?, &key);
            found.push(whose(issuer, account), fields(token).and_then(|fields| fields.with_bytes(secret()?.to_vec())));
        }
        Ok(found)
    }
}

fn issuer(token: &Value) -> Option<&str> {
    text(token, "issuerExt").or_else(|| text(token, "issuerInt"))
}

fn fields(token: &Value) -> Result<Fields<'_>, Flaw> {
    let mut fields = Fields { issuer: issuer(token), account: text(token, "label"), ..Fields::default() };
    fields.kind = text_if_any(token, "type", "type")?;
    fields.algorithm = text_if_any(token, "algo", "algorithm")?;
    fields.period = number_if_any(token, "period", "period")?;
    // FreeOTP makes Steam's codes for what has this issuer, whatever number of digits it says.
    if text(token, "issuerExt") == Some("Steam") && fields.kind == Some("TOTP") {
        fields.kind = Some("steam");
        return Ok(fields);
    }
    fields.digits = number_if_any(token, "digits", "number of digits")?;
    fields.counter = number_if_any(token, "counter", "counter")?;
    Ok(fields)
}

/// `{"key": "…"}`, with the JSON of an encrypted key as a text.
fn secret(sealed: &str, key: &[u8]) -> Result<Zeroizing<Vec<u8>>, Flaw> {
    let invalid = || Flaw::Invalid("secret");
    let outer = Json::parse(sealed).ok_or_else(invalid)?;
    let inner = Json::parse(text(outer.value(), "key").ok_or_else(invalid)?).ok_or_else(invalid)?;
    let sealed = Sealed::read(inner.value()).ok_or_else(invalid)?;
    sealed.open(key).ok_or(Flaw::Damaged("its secret fails its check"))
}

//! Ente Auth: its encrypted export, documented in its help (docs/auth/migration/export.md). The plain one is a list of URIs.
//!
//! The list is encrypted by libsodium's secretstream, as one message: `encryptionNonce` is the stream's header. The key is Argon2id
//! of the password: `memLimit` in bytes, `opsLimit` passes, one lane.

use argon2::Algorithm::Argon2id;
use crypto_secretstream::{Header, Key, PullStream, Tag};
use serde_json::Value;
use zeroize::Zeroizing;

use super::uris;
use crate::exchange::encoding::base64;
use crate::exchange::json::{number, text, version};
use crate::exchange::kdf::Kdf;
use crate::exchange::{Error, Export, Importer, Input};

pub(super) const IMPORTER: Importer = Importer { id: "ente", title: "an Ente Auth export", recognizes, read };

fn recognizes(input: &Input<'_>) -> bool {
    let json = input.json.as_ref().map(|json| json.value());
    json.is_some_and(|json| json.get("kdfParams").is_some() && json.get("encryptedData").is_some())
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let json = input.json.ok_or(Error::Unrecognized)?;
    let json = json.value();
    if number(json, "version") != Some(1) {
        return Err(Error::Version { version: version(json.get("version")), known: "1" });
    }
    let kdf = kdf(json.get("kdfParams").unwrap_or(&Value::Null))?;
    let bytes =
        |key| text(json, key).and_then(base64).ok_or_else(|| Error::damaged(format!("its `{key}` is not base64")));
    let (data, header) = (bytes("encryptedData")?, bytes("encryptionNonce")?);
    let header: [u8; Header::BYTES] =
        header.as_slice().try_into().map_err(|_| Error::damaged("its `encryptionNonce` has a wrong length"))?;
    Export::locked(move |password| {
        let list = open(&kdf.derive(password, Key::BYTES)?, header, &data).ok_or(Error::WrongPasswordOrDamaged)?;
        let list = std::str::from_utf8(&list).map_err(|_| Error::damaged("its decrypted content is not text"))?;
        uris::entries(list)
    })
}

fn kdf(params: &Value) -> Result<Kdf, Error> {
    let incomplete = || Error::damaged("its `kdfParams` are not complete");
    let cost = |key| number(params, key).ok_or_else(incomplete);
    let salt = text(params, "salt").and_then(base64).ok_or_else(incomplete)?;
    let kib = cost("memLimit")?.checked_div(1 << 10).unwrap_or_default();
    Kdf::argon2(Argon2id, &salt, kib, cost("opsLimit")?, 1)
}

fn open(key: &[u8], header: [u8; Header::BYTES], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = Key::try_from(key).ok()?;
    let mut message = Zeroizing::new(data.to_vec());
    let tag = PullStream::init(Header::from(header), &key).pull(&mut *message, b"").ok()?;
    (tag == Tag::Final).then_some(message)
}

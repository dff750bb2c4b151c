//! The JSON export under a password of its own, as Bitwarden's clients make it.
//!
//! The password gives a key by PBKDF2-SHA-256 or Argon2id; HKDF (RFC 5869, section 2.3) makes two of it, for AES-256-CBC and for
//! HMAC-SHA-256 over vector and ciphertext. A text that is known beforehand, encrypted by the same keys, tells whether the password
//! is right.

use argon2::Algorithm::Argon2id;
use hkdf::Hkdf;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::exchange::Error;
use crate::exchange::cipher::{authentic, open_cbc};
use crate::exchange::encoding::base64;
use crate::exchange::json::{Json, number, text};
use crate::exchange::kdf::{Kdf, Prf};

/// The length of all keys, in bytes.
const KEY: usize = 32;

/// The type of encryption before the first dot: AES-256-CBC with HMAC-SHA-256.
const TYPE: &str = "2";

pub(super) struct Locked {
    kdf: Kdf,
    validation: Sealed,
    data: Sealed,
}

/// `2.VECTOR|CIPHERTEXT|CODE`, each in base64.
struct Sealed {
    vector: Zeroizing<Vec<u8>>,
    data: Zeroizing<Vec<u8>>,
    code: Zeroizing<Vec<u8>>,
}

/// The two keys that are made of one.
struct Keys {
    encryption: Zeroizing<[u8; KEY]>,
    authentication: Zeroizing<[u8; KEY]>,
}

pub(super) fn locked(json: &Value) -> Result<Locked, Error> {
    let sealed = |key| sealed(text(json, key).ok_or_else(|| Error::damaged(format!("it has no `{key}`")))?);
    Ok(Locked { kdf: kdf(json)?, validation: sealed("encKeyValidation_DO_NOT_EDIT")?, data: sealed("data")? })
}

fn kdf(json: &Value) -> Result<Kdf, Error> {
    let cost = |key| number(json, key).ok_or_else(|| Error::damaged(format!("it has no `{key}`")));
    // The text itself, not the bytes that it is base64 of.
    let salt = text(json, "salt").ok_or_else(|| Error::damaged("it has no `salt`"))?.as_bytes();
    let rounds = cost("kdfIterations")?;
    match number(json, "kdfType") {
        Some(0) => Kdf::pbkdf2(Prf::Sha256, salt, rounds),
        Some(1) => {
            let kib = cost("kdfMemory")?.saturating_mul(1 << 10);
            Kdf::argon2(Argon2id, &Sha256::digest(salt), kib, rounds, cost("kdfParallelism")?)
        }
        _ => Err(Error::Unsupported { what: "encrypted by a key derivation that vmfa doesn't know" }),
    }
}

fn sealed(text: &str) -> Result<Sealed, Error> {
    let (kind, parts) = text.split_once('.').unwrap_or(("", text));
    if kind != TYPE {
        return Err(Error::Unsupported { what: "encrypted in a way that vmfa doesn't know" });
    }
    let mut parts = parts.split('|').map(base64);
    match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten(), parts.next()) {
        (Some(vector), Some(data), Some(code), None) => Ok(Sealed { vector, data, code }),
        _ => Err(Error::damaged("its encrypted part is not three texts in base64")),
    }
}

impl Locked {
    pub(super) fn open(&self, password: &[u8]) -> Result<Json, Error> {
        let keys = Keys::of(&self.kdf.derive(password, KEY)?)?;
        if keys.open(&self.validation).is_none() {
            return Err(Error::WrongPassword);
        }
        let opened = keys.open(&self.data).ok_or_else(|| Error::damaged("its data fails its check"))?;
        Json::of_bytes(&opened).ok_or_else(|| Error::damaged("its decrypted content is not JSON"))
    }
}

impl Keys {
    fn of(key: &[u8]) -> Result<Self, Error> {
        let failed = || Error::damaged("its key derivation is not valid");
        let hkdf = Hkdf::<Sha256>::from_prk(key).map_err(|_| failed())?;
        let expand = |what: &[u8]| {
            let mut key = Zeroizing::new([0; KEY]);
            hkdf.expand(what, &mut *key).map(|()| key).map_err(|_| failed())
        };
        Ok(Self { encryption: expand(b"enc")?, authentication: expand(b"mac")? })
    }

    fn open(&self, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        let parts: [&[u8]; 2] = [&sealed.vector, &sealed.data];
        let whole = authentic(&*self.authentication, &parts, &sealed.code);
        whole.then(|| open_cbc(&*self.encryption, &sealed.vector, &sealed.data)).flatten()
    }
}

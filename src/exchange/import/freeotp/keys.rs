//! Keys under keys: AES-256-GCM, with what the inner key is for as associated data.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::exchange::Error;
use crate::exchange::bytes::Bytes;
use crate::exchange::cipher::{self, NONCE};
use crate::exchange::json::{list, number, text};
use crate::exchange::kdf::{Kdf, Prf};

/// AES-256.
const KEY_BYTES: usize = 32;

const TAG_BYTES: u8 = 16;

/// The key of all tokens, under one of the password.
pub(super) struct MasterKey {
    derivation: Kdf,
    sealed: Sealed,
}

impl MasterKey {
    /// Reads it, and bounds its key derivation.
    pub(super) fn read(json: &Value) -> Result<Self, Error> {
        let invalid = || Error::damaged("its master key is not valid");
        let prf = match text(json, "mAlgorithm").ok_or_else(invalid)?.to_ascii_lowercase().as_str() {
            "pbkdf2withhmacsha512" => Prf::Sha512,
            "pbkdf2withhmacsha1" => Prf::Sha1,
            _ => return Err(Error::Unsupported { what: "under a key derivation other than PBKDF2" }),
        };
        let salt = bytes(list(json, "mSalt")).ok_or_else(invalid)?;
        // FreeOTP makes the key as long as the salt.
        if salt.len() != KEY_BYTES {
            return Err(invalid());
        }
        let rounds = number(json, "mIterations").ok_or_else(invalid)?;
        let sealed = json.get("mEncryptedKey").and_then(Sealed::read).ok_or_else(invalid)?;
        Ok(Self { derivation: Kdf::pbkdf2(prf, &salt, rounds)?, sealed })
    }

    pub(super) fn open(&self, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let key = self.derivation.derive(password, KEY_BYTES)?;
        self.sealed.open(&key).ok_or(Error::WrongPassword)
    }
}

/// An encrypted key.
pub(super) struct Sealed {
    nonce: [u8; NONCE],
    purpose: String,
    text: Zeroizing<Vec<u8>>,
}

impl Sealed {
    pub(super) fn read(json: &Value) -> Option<Self> {
        if text(json, "mCipher")? != "AES/GCM/NoPadding" {
            return None;
        }
        let text_bytes = bytes(list(json, "mCipherText"))?;
        let nonce = nonce(&bytes(list(json, "mParameters"))?)?;
        Some(Self { nonce, purpose: text(json, "mToken")?.to_owned(), text: text_bytes })
    }

    pub(super) fn open(&self, key: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        cipher::open_gcm(key, &self.nonce, self.purpose.as_bytes(), &self.text)
    }
}

/// RFC 5084, section 3.2, in DER: a sequence of the nonce and the length of the tag.
fn nonce(parameters: &[u8]) -> Option<[u8; NONCE]> {
    const SEQUENCE: u8 = 0x30;
    const OCTETS: u8 = 0x04;
    const INTEGER: u8 = 0x02;
    let mut rest = Bytes::new(parameters);
    if rest.u8()? != SEQUENCE || usize::from(rest.u8()?) != rest.rest().len() {
        return None;
    }
    if rest.u8()? != OCTETS || usize::from(rest.u8()?) != NONCE {
        return None;
    }
    let nonce = rest.take(NONCE)?.try_into().ok()?;
    (rest.rest() == [INTEGER, 1, TAG_BYTES]).then_some(nonce)
}

/// Java's bytes, which are signed.
fn bytes(numbers: &[Value]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(numbers.len()));
    for number in numbers {
        let number = i16::try_from(number.as_i64()?).ok().filter(|number| (-128..256).contains(number))?;
        let [low, _] = number.to_le_bytes();
        bytes.push(low);
    }
    Some(bytes)
}

//! The encryption of RFC 6030, section 6: the ciphers of XML Encryption, and a MAC over what they give.

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockCipherDecrypt, BlockModeDecrypt as _, KeyInit, KeyIvInit as _};
use aes::{Aes128, Aes192, Aes256};
use aes_kw::AesKw;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use crate::exchange::element::Element;
use crate::exchange::kdf::{Kdf, Prf};
use crate::exchange::{Error, Flaw, encoding};

/// The block of AES, and its initialization vector in front of the ciphertext.
const BLOCK: usize = 16;

const UNSUPPORTED_CIPHER: Error =
    Error::Unsupported { what: "encrypted with a cipher other than AES in CBC and AES key wrap" };

#[derive(Clone, Copy)]
enum Cipher {
    Cbc { key: usize },
    Wrap { key: usize },
}

impl Cipher {
    /// By the name in an `EncryptionMethod`, of which the ending tells.
    fn of(element: &Element) -> Option<Self> {
        let uri = element.child("EncryptionMethod")?.attribute("Algorithm")?;
        match uri.rsplit_once('#')?.1 {
            "aes128-cbc" => Some(Self::Cbc { key: 16 }),
            "aes192-cbc" => Some(Self::Cbc { key: 24 }),
            "aes256-cbc" => Some(Self::Cbc { key: 32 }),
            "kw-aes128" => Some(Self::Wrap { key: 16 }),
            "kw-aes192" => Some(Self::Wrap { key: 24 }),
            "kw-aes256" => Some(Self::Wrap { key: 32 }),
            _ => None,
        }
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::Cbc { key } | Self::Wrap { key } => key,
        }
    }

    /// Decrypts; `None` where key or data don't fit.
    fn open(self, key: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Cbc { key: length } if length == key.len() => match length {
                16 => cbc::<Aes128>(key, sealed),
                24 => cbc::<Aes192>(key, sealed),
                _ => cbc::<Aes256>(key, sealed),
            },
            Self::Wrap { key: length } if length == key.len() => match length {
                16 => unwrap::<Aes128>(key, sealed),
                24 => unwrap::<Aes192>(key, sealed),
                _ => unwrap::<Aes256>(key, sealed),
            },
            _ => None,
        }
    }
}

/// XML Encryption, section 5.2: of the padding only the last byte counts, which is its length.
fn cbc<C: BlockCipherDecrypt + KeyInit>(key: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (vector, text) = sealed.split_at_checked(BLOCK)?;
    let mut text = Zeroizing::new(text.to_vec());
    let length = {
        let cipher = cbc::Decryptor::<C>::new_from_slices(key, vector).ok()?;
        let plain = cipher.decrypt_padded::<NoPadding>(&mut text).ok()?;
        let padding = usize::from(*plain.last()?);
        plain.len().checked_sub(padding).filter(|_| (1..=BLOCK).contains(&padding))?
    };
    text.truncate(length);
    Some(text)
}

/// RFC 3394, which has a check of its own.
fn unwrap<C: BlockCipherDecrypt<BlockSize = aes::cipher::typenum::U16> + KeyInit>(
    key: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>>
where
    AesKw<C>: KeyInit,
{
    let length = sealed.len().checked_sub(8).filter(|length| *length > 0)?;
    let mut text = Zeroizing::new(vec![0; length]);
    <AesKw<C> as KeyInit>::new_from_slice(key).ok()?.unwrap_key(sealed, &mut text).ok()?;
    Some(text)
}

#[derive(Clone, Copy)]
enum MacMethod {
    Sha1,
    Sha256,
    Sha512,
}

impl MacMethod {
    fn of(uri: &str) -> Option<Self> {
        match uri.rsplit_once('#')?.1 {
            "hmac-sha1" => Some(Self::Sha1),
            "hmac-sha256" => Some(Self::Sha256),
            "hmac-sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn verifies(self, key: &[u8], data: &[u8], mac: &[u8]) -> bool {
        match self {
            Self::Sha1 => {
                Hmac::<Sha1>::new_from_slice(key).is_ok_and(|m| m.chain_update(data).verify_slice(mac).is_ok())
            }
            Self::Sha256 => {
                Hmac::<Sha256>::new_from_slice(key).is_ok_and(|m| m.chain_update(data).verify_slice(mac).is_ok())
            }
            Self::Sha512 => {
                Hmac::<Sha512>::new_from_slice(key).is_ok_and(|m| m.chain_update(data).verify_slice(mac).is_ok())
            }
        }
    }
}

/// How a container is encrypted, as its beginning says.
pub(super) struct Seal {
    source: Source,
    mac: Option<Mac>,
}

/// How values are checked.
struct Mac {
    method: MacMethod,
    /// The encrypted key; without one, it is the key of the encryption.
    key: Option<(Cipher, Vec<u8>)>,
}

enum Source {
    /// A password, and the length of the key.
    Password(Kdf, usize),
    /// A key that both sides have: the password is its hexadecimal digits.
    PreShared,
}

/// What decrypts a container's values.
pub(super) struct Opener {
    key: Zeroizing<Vec<u8>>,
    mac: Option<(MacMethod, Zeroizing<Vec<u8>>)>,
}

impl Seal {
    /// Reads `EncryptionKey` and `MACMethod`, and bounds the key derivation.
    pub(super) fn read(container: &Element) -> Result<Self, Error> {
        let key = container.child("EncryptionKey").ok_or_else(|| Error::damaged("it doesn't say by which key"))?;
        let mac = container.child("MACMethod").map(mac_method).transpose()?;
        let source = match key.child("DerivedKey") {
            Some(derived) => {
                derivation(derived, mac.as_ref().and_then(|mac| mac.key.as_ref()).map(|(cipher, _)| *cipher))?
            }
            None if key.child("X509Data").is_some() => {
                return Err(Error::Unsupported { what: "encrypted to a certificate" });
            }
            None => Source::PreShared,
        };
        Ok(Self { source, mac })
    }

    /// Derives the keys.
    pub(super) fn opener(&self, password: &[u8]) -> Result<Opener, Error> {
        let key = match &self.source {
            Source::Password(kdf, length) => kdf.derive(password, *length)?,
            Source::PreShared => {
                let key = std::str::from_utf8(password).ok().and_then(encoding::hex);
                key.filter(|key| matches!(key.len(), 16 | 24 | 32)).ok_or(Error::WrongPassword)?
            }
        };
        let mac = match &self.mac {
            None => None,
            Some(Mac { method, key: None }) => Some((*method, key.clone())),
            Some(Mac { method, key: Some((cipher, sealed)) }) => {
                Some((*method, cipher.open(&key, sealed).ok_or(Error::WrongPasswordOrDamaged)?))
            }
        };
        Ok(Opener { key, mac })
    }
}

impl Opener {
    /// Checks and decrypts an `EncryptedValue`. CBC has no check of its own, so it is taken with a MAC only.
    pub(super) fn open(&self, value: &Element, mac: Option<&str>) -> Result<Zeroizing<Vec<u8>>, Flaw> {
        let cipher = Cipher::of(value).ok_or(Flaw::Invalid("encryption"))?;
        let sealed = cipher_value(value).ok_or(Flaw::Invalid("encrypted secret"))?;
        match (mac, &self.mac, cipher) {
            (Some(mac), Some((method, key)), _) => {
                let mac = encoding::base64(mac).ok_or(Flaw::Invalid("MAC"))?;
                if !method.verifies(key, &sealed, &mac) {
                    return Err(Flaw::Damaged("its secret fails its check"));
                }
            }
            (_, _, Cipher::Wrap { .. }) => {}
            _ => return Err(Flaw::Missing("MAC, without which a wrong key gives a wrong secret")),
        }
        cipher.open(&self.key, &sealed).ok_or(Flaw::Damaged("its secret can't be decrypted"))
    }
}

fn cipher_value(element: &Element) -> Option<Zeroizing<Vec<u8>>> {
    encoding::base64(element.text_at(&["CipherData", "CipherValue"])?)
}

fn mac_method(element: &Element) -> Result<Mac, Error> {
    let method = element.attribute("Algorithm").and_then(MacMethod::of);
    let method = method.ok_or(Error::Unsupported { what: "checked by a MAC other than HMAC with SHA-1 or SHA-2" })?;
    let Some(key) = element.child("MACKey") else { return Ok(Mac { method, key: None }) };
    let cipher = Cipher::of(key).ok_or(UNSUPPORTED_CIPHER)?;
    let sealed = cipher_value(key).ok_or_else(|| Error::damaged("the key of its MAC is not valid"))?;
    Ok(Mac { method, key: Some((cipher, sealed.to_vec())) })
}

/// PBKDF2 with its parameters (RFC 8018, appendix A.2), as XML.
fn derivation(derived: &Element, cipher: Option<Cipher>) -> Result<Source, Error> {
    let method = derived.child("KeyDerivationMethod");
    let is_pbkdf2 = method.and_then(|method| method.attribute("Algorithm")).is_some_and(|uri| uri.ends_with("#pbkdf2"));
    let method = method.filter(|_| is_pbkdf2);
    let method = method.ok_or(Error::Unsupported { what: "under a key derivation other than PBKDF2" })?;
    let invalid = || Error::damaged("its key derivation is not valid");
    let parameters = method.child("PBKDF2-params").ok_or_else(invalid)?;
    let salt = parameters.text_at(&["Salt", "Specified"]).and_then(encoding::base64).ok_or_else(invalid)?;
    let number = |name: &str| parameters.text_at(&[name]).map(|text| text.parse::<u64>().map_err(|_| invalid()));
    let rounds = number("IterationCount").transpose()?.ok_or_else(invalid)?;
    let length = match number("KeyLength").transpose()? {
        Some(length) => usize::try_from(length).ok(),
        None => cipher.map(Cipher::key_bytes),
    };
    let length = length.filter(|length| matches!(length, 16 | 24 | 32)).ok_or_else(invalid)?;
    let prf = parameters.child("PRF").and_then(|prf| prf.attribute("Algorithm"));
    let prf = match prf.map_or("hmac-sha1", |uri| uri.rsplit_once('#').map_or(uri, |(_, name)| name)) {
        "hmac-sha1" => Prf::Sha1,
        "hmac-sha256" => Prf::Sha256,
        "hmac-sha512" => Prf::Sha512,
        _ => return Err(Error::Unsupported { what: "under PBKDF2 with a hash other than SHA-1 and SHA-2" }),
    };
    Ok(Source::Password(Kdf::pbkdf2(prf, &salt, rounds)?, length))
}

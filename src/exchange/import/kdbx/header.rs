//! The outer header of KDBX 4, in clear text: the ciphers, and what the key costs.

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::exchange::Error;
use crate::exchange::bytes::Bytes;
use crate::exchange::kdbx::{ARGON2_VERSION, CIPHER_CHACHA20, KDF_ARGON2ID, Keys, SIGNATURE, field, variant};
use crate::exchange::kdf::{FUZZED, Kdf};

/// What databases of KeePass 1 begin with.
pub(super) const SIGNATURE_1: [u8; 8] = [0x03, 0xd9, 0xa2, 0x9a, 0x65, 0xfb, 0x4b, 0xb5];

/// The most rounds of AES-KDF, each two blocks of AES: some seconds of work.
const MOST_ROUNDS: u64 = 200_000_000;

const CIPHER_AES: [u8; 16] = 0x31c1_f2e6_bf71_4350_be58_0521_6afc_5aff_u128.to_be_bytes();
const CIPHER_TWOFISH: [u8; 16] = 0xad68_f29f_576f_4bb9_a36a_d47a_f965_346c_u128.to_be_bytes();
const KDF_AES: [u8; 16] = 0xc9d9_f39a_628a_4460_bf74_0d08_c18a_4fea_u128.to_be_bytes();
const KDF_AES_4: [u8; 16] = 0x7c02_bb82_79a7_4ac0_927d_114a_0064_8238_u128.to_be_bytes();
const KDF_ARGON2D: [u8; 16] = 0xef63_6ddf_8c29_444b_91f7_a9a4_03e3_0a0c_u128.to_be_bytes();

#[derive(Clone, Copy)]
pub(super) enum Cipher {
    Aes256Cbc,
    ChaCha20,
}

enum Derivation {
    Argon2(Kdf),
    Aes { seed: [u8; 32], rounds: u64 },
}

pub(super) struct Header {
    /// All of it, as the HMAC covers it.
    pub(super) bytes: Vec<u8>,
    pub(super) cipher: Cipher,
    pub(super) vector: Vec<u8>,
    pub(super) compressed: bool,
    seed: [u8; 32],
    derivation: Derivation,
}

/// The version of a database's format, 3 or 4.
pub(super) fn version(bytes: &[u8]) -> Result<u16, Error> {
    const KNOWN: &str = "KDBX 3.1 and 4";
    let cut = || Error::damaged("its header is cut off");
    let mut rest = Bytes::new(bytes);
    if rest.take(SIGNATURE.len()).ok_or_else(cut)? != SIGNATURE {
        return Err(Error::Version { version: "KeePass 1".to_owned(), known: KNOWN });
    }
    let (minor, major) = (rest.u16_le().ok_or_else(cut)?, rest.u16_le().ok_or_else(cut)?);
    if matches!(major, 3 | 4) {
        return Ok(major);
    }
    Err(Error::Version { version: format!("{major}.{minor}"), known: KNOWN })
}

impl Header {
    /// Reads a header whose version was looked at, checks its hash, and bounds its key derivation. Gives what follows it too.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let cut = || Error::damaged("its header is cut off");
        let mut rest = Bytes::new(bytes);
        rest.take(SIGNATURE.len().saturating_add(4)).ok_or_else(cut)?;
        let [mut cipher, mut compression, mut seed, mut vector, mut parameters] = [None; 5];
        loop {
            let id = rest.u8().ok_or_else(cut)?;
            let data = rest.sized_le().ok_or_else(cut)?;
            match id {
                field::END => break,
                field::CIPHER => cipher = Some(data),
                field::COMPRESSION => compression = Some(data),
                field::SEED => seed = Some(data),
                field::VECTOR => vector = Some(data),
                field::DERIVATION => parameters = Some(data),
                _ => {}
            }
        }
        let (header, hash) =
            bytes.split_at_checked(bytes.len().saturating_sub(rest.rest().len())).unwrap_or((bytes, &[]));
        let hash = Bytes::new(hash).take(32).ok_or_else(cut)?;
        if Sha256::digest(header).as_slice() != hash {
            return Err(Error::damaged("its header fails its check"));
        }
        rest.take(32).ok_or_else(cut)?;
        let invalid = || Error::damaged("its header is not valid");
        let header = Self {
            bytes: header.to_vec(),
            cipher: cipher_of(cipher.ok_or_else(invalid)?)?,
            vector: vector.ok_or_else(invalid)?.to_vec(),
            compressed: is_compressed(compression.ok_or_else(invalid)?)?,
            seed: seed.and_then(|seed| seed.try_into().ok()).ok_or_else(invalid)?,
            derivation: Parameters(parameters.ok_or_else(invalid)?).derivation()?,
        };
        Ok((header, rest.rest()))
    }

    /// Derives the keys from what opens the database; hardware keys aren't taken.
    pub(super) fn keys(&self, composite: &[u8; 32]) -> Result<Keys, Error> {
        let transformed = match &self.derivation {
            Derivation::Argon2(kdf) => kdf.derive(composite, 32)?,
            Derivation::Aes { seed, rounds } => transformed(composite, seed, *rounds),
        };
        Ok(Keys::new(&self.seed, &transformed))
    }
}

/// Whether what is encrypted is packed by gzip.
pub(super) fn is_compressed(method: &[u8]) -> Result<bool, Error> {
    match method {
        [0, 0, 0, 0] => Ok(false),
        [1, 0, 0, 0] => Ok(true),
        _ => Err(Error::Unsupported { what: "compressed by another method than gzip" }),
    }
}

/// The rounds of AES-KDF, unless they are too much work.
pub(super) fn affordable(rounds: u64) -> Result<u64, Error> {
    if rounds <= MOST_ROUNDS {
        return Ok(if FUZZED { 1 } else { rounds });
    }
    Err(Error::Costly { asked: format!("{rounds} rounds of AES"), limit: MOST_ROUNDS.to_string() })
}

pub(super) fn cipher_of(id: &[u8]) -> Result<Cipher, Error> {
    match id {
        id if id == CIPHER_AES => Ok(Cipher::Aes256Cbc),
        id if id == CIPHER_CHACHA20 => Ok(Cipher::ChaCha20),
        id if id == CIPHER_TWOFISH => {
            Err(Error::Unsupported { what: "encrypted with Twofish; set the database's encryption to AES or ChaCha20" })
        }
        _ => Err(Error::Unsupported { what: "encrypted with a cipher other than AES and ChaCha20" }),
    }
}

/// AES-KDF: both halves are encrypted, over and over.
pub(super) fn transformed(composite: &[u8; 32], seed: &[u8; 32], rounds: u64) -> Zeroizing<Vec<u8>> {
    let cipher = Aes256::new(seed.into());
    let (halves, _) = composite.as_chunks::<16>();
    let mut blocks: Vec<aes::Block> = halves.iter().map(|half| (*half).into()).collect();
    for _ in 0..rounds {
        cipher.encrypt_blocks(&mut blocks);
    }
    let mut hash = Sha256::new();
    for block in &mut blocks {
        hash.update(&block);
        zeroize::Zeroize::zeroize(block.as_mut_slice());
    }
    Zeroizing::new(hash.finalize().to_vec())
}

/// A variant dictionary with the parameters of the key derivation.
struct Parameters<'a>(&'a [u8]);

impl<'a> Parameters<'a> {
    /// The value under a key, if it has this type.
    fn get(&self, wanted: u8, name: &str) -> Option<&'a [u8]> {
        let mut rest = Bytes::new(self.0);
        rest.take(2)?;
        loop {
            let kind = rest.u8()?;
            if kind == variant::END {
                return None;
            }
            let (key, value) = (rest.sized_le()?, rest.sized_le()?);
            if kind == wanted && key == name.as_bytes() {
                return Some(value);
            }
        }
    }

    fn bytes(&self, name: &str) -> Result<&'a [u8], Error> {
        self.get(variant::BYTES, name).ok_or_else(|| Error::damaged("its key derivation is not valid"))
    }

    fn number(&self, name: &str) -> Result<u64, Error> {
        let long = self.get(variant::U64, name).and_then(|value| value.try_into().ok()).map(u64::from_le_bytes);
        let short = || self.get(variant::U32, name).and_then(|value| value.try_into().ok()).map(u32::from_le_bytes);
        long.or_else(|| short().map(u64::from)).ok_or_else(|| Error::damaged("its key derivation is not valid"))
    }

    fn derivation(&self) -> Result<Derivation, Error> {
        let kind = match self.bytes("$UUID")? {
            id if id == KDF_ARGON2D => argon2::Algorithm::Argon2d,
            id if id == KDF_ARGON2ID => argon2::Algorithm::Argon2id,
            id if id == KDF_AES || id == KDF_AES_4 => return self.aes(),
            _ => return Err(Error::Unsupported { what: "under a key derivation other than Argon2 and AES-KDF" }),
        };
        if self.number("V")? != u64::from(ARGON2_VERSION)
            || self.get(variant::BYTES, "K").is_some()
            || self.get(variant::BYTES, "A").is_some()
        {
            return Err(Error::Unsupported { what: "under a variant of Argon2 that KeePass doesn't write" });
        }
        let (passes, lanes) = (self.number("I")?, self.number("P")?);
        Kdf::argon2(kind, self.bytes("S")?, self.number("M")? >> 10, passes, lanes).map(Derivation::Argon2)
    }

    fn aes(&self) -> Result<Derivation, Error> {
        let rounds = affordable(self.number("R")?)?;
        let seed = self.bytes("S")?.try_into().map_err(|_| Error::damaged("its key derivation is not valid"))?;
        Ok(Derivation::Aes { seed, rounds })
    }
}

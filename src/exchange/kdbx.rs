//! What reading and writing KDBX 4 share: identifiers of its header, and what a password becomes.

use chacha20::ChaCha20;
use chacha20::cipher::KeyIvInit as _;
use hmac::{Hmac, KeyInit as _};
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

/// What every database of KeePass 2 begins with.
pub(super) const SIGNATURE: [u8; 8] = [0x03, 0xd9, 0xa2, 0x9a, 0x67, 0xfb, 0x4b, 0xb5];

pub(super) const CIPHER_CHACHA20: [u8; 16] = 0xd603_8a2b_8b6f_4cb5_a524_339a_31db_b59a_u128.to_be_bytes();
pub(super) const KDF_ARGON2ID: [u8; 16] = 0x9e29_8b19_56db_4773_b23d_fc3e_c6f0_a1e6_u128.to_be_bytes();

/// Version 1.3 of Argon2, the one that is taken.
pub(super) const ARGON2_VERSION: u32 = 0x13;

/// The fields of the outer header.
pub(super) mod field {
    pub(in crate::exchange) const END: u8 = 0;
    pub(in crate::exchange) const CIPHER: u8 = 2;
    pub(in crate::exchange) const COMPRESSION: u8 = 3;
    pub(in crate::exchange) const SEED: u8 = 4;
    pub(in crate::exchange) const VECTOR: u8 = 7;
    pub(in crate::exchange) const DERIVATION: u8 = 11;
}

/// The fields of the inner header.
pub(super) mod inner {
    pub(in crate::exchange) const END: u8 = 0;
    pub(in crate::exchange) const STREAM: u8 = 1;
    pub(in crate::exchange) const KEY: u8 = 2;
}

/// The types of a variant dictionary's values.
pub(super) mod variant {
    pub(in crate::exchange) const END: u8 = 0;
    pub(in crate::exchange) const U32: u8 = 0x04;
    pub(in crate::exchange) const U64: u8 = 0x05;
    pub(in crate::exchange) const BYTES: u8 = 0x42;
}

/// The stream over protected values that is ChaCha20, as the inner header names it.
pub(super) const STREAM_CHACHA20: [u8; 4] = 3_u32.to_le_bytes();

/// The number of the block that the header counts as.
pub(super) const HEADER: u64 = u64::MAX;

/// What opens a database, before the key derivation: a password, what a key file holds, or both.
pub(super) fn composite(password: Option<&[u8]>, key_file: Option<&[u8; 32]>) -> Zeroizing<[u8; 32]> {
    let password: Option<Zeroizing<[u8; 32]>> =
        password.map(|password| Zeroizing::new(Sha256::digest(password).into()));
    let mut both = Sha256::new();
    for part in password.as_deref().into_iter().chain(key_file) {
        both.update(part);
    }
    Zeroizing::new(both.finalize().into())
}

/// What a password gives.
pub(super) struct Keys {
    pub(super) cipher: Zeroizing<[u8; 32]>,
    authentication: Zeroizing<[u8; 64]>,
}

impl Keys {
    /// By the header's seed and what the key derivation gave.
    pub(super) fn new(seed: &[u8; 32], derived: &[u8]) -> Self {
        let cipher = Sha256::new().chain_update(seed).chain_update(derived);
        let authentication = Sha512::new().chain_update(seed).chain_update(derived).chain_update([1]);
        Self {
            cipher: Zeroizing::new(cipher.finalize().into()),
            authentication: Zeroizing::new(authentication.finalize().into()),
        }
    }

    /// The HMAC of a block of this number, before its data is added.
    pub(super) fn block(&self, number: u64) -> Option<Hmac<Sha256>> {
        let key = Sha512::new().chain_update(number.to_le_bytes()).chain_update(self.authentication.as_slice());
        let key: Zeroizing<[u8; 64]> = Zeroizing::new(key.finalize().into());
        Hmac::new_from_slice(key.as_slice()).ok()
    }
}

/// ChaCha20 over protected values, by the inner header's key.
pub(super) fn stream(key: &[u8]) -> Option<ChaCha20> {
    let hash: Zeroizing<[u8; 64]> = Zeroizing::new(Sha512::digest(key).into());
    let (key, rest) = hash.split_first_chunk::<32>()?;
    ChaCha20::new_from_slices(key, rest.first_chunk::<12>()?).ok()
}

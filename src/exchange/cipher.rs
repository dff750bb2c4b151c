//! Ciphers of exports, opened whole: nothing is given out before its check has passed.

use aes::Aes256;
use aes_gcm::aead::{Aead as _, AeadInPlace as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The length of a nonce that all apps use, in bytes.
pub(super) const NONCE: usize = 12;

/// AES-256-GCM (SP 800-38D), its tag of 16 bytes behind the ciphertext; `None` where key, nonce or data aren't right.
pub(super) fn open_gcm(key: &[u8], nonce: &[u8], associated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = Aes256Gcm::new_from_slice(key).ok()?;
    let nonce: &[u8; NONCE] = nonce.try_into().ok()?;
    let opened = cipher.decrypt(Nonce::from_slice(nonce), Payload { msg: sealed, aad: associated });
    opened.ok().map(Zeroizing::new)
}

/// The other way: the ciphertext, and its tag beside it. `None` where the key isn't of 32 bytes.
pub(super) fn seal_gcm(
    key: &[u8],
    nonce: &[u8; NONCE],
    associated: &[u8],
    plaintext: &[u8],
) -> Option<(Vec<u8>, [u8; 16])> {
    let cipher = Aes256Gcm::new_from_slice(key).ok()?;
    let mut sealed = plaintext.to_vec();
    let tag = cipher.encrypt_in_place_detached(Nonce::from_slice(nonce), associated, &mut sealed).ok()?;
    Some((sealed, tag.into()))
}

/// AES-256-CBC (SP 800-38A) with PKCS #7's padding. The padding is all the check that it has.
pub(super) fn open_cbc(key: &[u8], vector: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = Decryptor::<Aes256>::new_from_slices(key, vector).ok()?;
    cipher.decrypt_padded_vec::<Pkcs7>(sealed).ok().map(Zeroizing::new)
}

/// Whether HMAC-SHA-256 of these parts, one behind the other, is `code`; compared in constant time.
pub(super) fn authentic(key: &[u8], parts: &[&[u8]], code: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(code).is_ok()
}

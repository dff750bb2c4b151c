//! Encryption of exports.

use aes_gcm::aead::{AeadInPlace as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce};

use crate::exchange::Error;

/// The length of a tag, in bytes.
pub(super) const TAG: usize = 16;

/// AES-256-GCM (SP 800-38D): the ciphertext, and the tag of what is associated with it and of the ciphertext.
pub(super) fn gcm(
    key: &[u8],
    nonce: &[u8; 12],
    associated: &[u8],
    plaintext: &[u8],
) -> Result<(Vec<u8>, [u8; TAG]), Error> {
    let failed = || Error::damaged("it can't be encrypted");
    let cipher = Aes256Gcm::new_from_slice(key).map_err(|_| failed())?;
    let mut sealed = plaintext.to_vec();
    let tag = cipher.encrypt_in_place_detached(Nonce::from_slice(nonce), associated, &mut sealed);
    Ok((sealed, tag.map_err(|_| failed())?.into()))
}

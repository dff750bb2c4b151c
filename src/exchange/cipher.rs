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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::encoding::hex;

    /// The GCM specification of McGrew and Viega, test case 16.
    #[test]
    fn gcm_opens_what_is_whole() {
        let bytes = |text| hex(text).unwrap();
        let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let nonce = bytes("cafebabefacedbaddecaf888");
        let associated = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let mut sealed = bytes(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
             76fc6ece0f4e1768cddf8853bb2d551b",
        );
        let opened = open_gcm(&key, &nonce, &associated, &sealed).unwrap();
        assert!(opened.starts_with(&bytes("d9313225f88406e5a55909c5aff5269a")) && opened.len() == 60);
        assert!(open_gcm(&key, &nonce, b"", &sealed).is_none());
        assert!(open_gcm(&key, &nonce[1..], &associated, &sealed).is_none());
        assert!(open_gcm(&key[1..], &nonce, &associated, &sealed).is_none());
        assert!(open_gcm(&key, &nonce, &associated, &sealed[..10]).is_none());
        sealed[0] ^= 1;
        assert!(open_gcm(&key, &nonce, &associated, &sealed).is_none());
    }

    /// RFC 4231, section 4.3.
    #[test]
    fn a_code_is_that_of_all_parts_together() {
        let code = hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843").unwrap();
        assert!(authentic(b"Jefe", &[b"what do ya want ", b"for nothing?"], &code));
        assert!(!authentic(b"Jefe", &[b"what do ya want "], &code));
        assert!(!authentic(b"Jefe", &[b"what do ya want ", b"for nothing?"], &code[1..]));
    }

    /// The first block of SP 800-38A, section F.2.5, which has no padding.
    #[test]
    fn cbc_refuses_a_padding_that_is_none() {
        let bytes = |text| hex(text).unwrap();
        let key = bytes("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
        let vector = bytes("000102030405060708090a0b0c0d0e0f");
        let sealed = bytes("f58c4c04d6e5f1ba779eabfb5f7bfbd6");
        assert!(open_cbc(&key, &vector, &sealed).is_none());
        assert!(open_cbc(&key, &vector, &sealed[1..]).is_none());
        assert!(open_cbc(&key, &vector, b"").is_none());
    }
}

//! What follows the outer header: authenticated blocks, the cipher, gzip.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _, StreamCipher as _};
use chacha20::ChaCha20;
use hmac::Mac as _;
use zeroize::Zeroizing;

use super::header::{Cipher, Header};
use crate::exchange::bytes::Bytes;
use crate::exchange::kdbx::{HEADER, Keys};
use crate::exchange::{Error, inflate};

/// Checks and decrypts: the inner header and the XML.
///
/// # Errors
///
/// [`Error::WrongPassword`] where the header's HMAC fails: its hash was right, so it is whole.
pub(super) fn open(header: &Header, keys: &Keys, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let cut = || Error::damaged("it is cut off");
    let mut rest = Bytes::new(body);
    let mac = rest.take(32).ok_or_else(cut)?;
    let whole = keys.block(HEADER).ok_or(Error::WrongPassword)?.chain_update(&header.bytes);
    whole.verify_slice(mac).map_err(|_| Error::WrongPassword)?;

    let mut sealed = Zeroizing::new(Vec::with_capacity(body.len()));
    for number in 0_u64.. {
        let mac = rest.take(32).ok_or_else(cut)?;
        let length = rest.u32_le().ok_or_else(cut)?;
        let data = usize::try_from(length).ok().and_then(|length| rest.take(length)).ok_or_else(cut)?;
        let block = keys.block(number).ok_or_else(cut)?;
        let block = block.chain_update(number.to_le_bytes()).chain_update(length.to_le_bytes()).chain_update(data);
        block.verify_slice(mac).map_err(|_| Error::damaged("a block of it fails its check"))?;
        if data.is_empty() {
            break;
        }
        sealed.extend_from_slice(data);
    }
    let length = decrypt(header.cipher, &keys.cipher, &header.vector, &mut sealed)
        .ok_or_else(|| Error::damaged("its encryption is not valid"))?;
    sealed.truncate(length);
    if header.compressed { inflate::gzip(&sealed) } else { Ok(sealed) }
}

/// Decrypts in place, and gives the length of the plaintext.
pub(super) fn decrypt(cipher: Cipher, key: &[u8; 32], vector: &[u8], data: &mut [u8]) -> Option<usize> {
    match cipher {
        Cipher::Aes256Cbc => {
            let cipher = cbc::Decryptor::<Aes256>::new_from_slices(key, vector).ok()?;
            cipher.decrypt_padded::<Pkcs7>(data).ok().map(<[u8]>::len)
        }
        Cipher::ChaCha20 => {
            let mut cipher = ChaCha20::new_from_slices(key, vector).ok()?;
            cipher.try_apply_keystream(data).ok().map(|()| data.len())
        }
    }
}

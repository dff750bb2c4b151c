//! Encryption, and why decryption fails.

use std::io::Write as _;

use age::{DecryptError, Encryptor};

pub(super) fn sealed(encryptor: Encryptor, plaintext: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut ciphertext = Vec::new();
    let mut writer = encryptor.wrap_output(&mut ciphertext)?;
    writer.write_all(plaintext)?;
    writer.finish()?;
    Ok(ciphertext)
}

/// What `reason` says of a file that none of the keys opens.
pub(crate) const FOR_ANOTHER: &str = "is encrypted for another identity";

/// Why a file can't be decrypted, in words that fit behind its path.
pub(super) fn reason(error: &DecryptError) -> &'static str {
    match error {
        DecryptError::NoMatchingKeys => FOR_ANOTHER,
        DecryptError::UnknownFormat => "is an age file of a format that is not known",
        DecryptError::ExcessiveWork { .. } => "asks for more work than a passphrase is worth",
        DecryptError::InvalidHeader => "is not an age file",
        _ => "is damaged",
    }
}

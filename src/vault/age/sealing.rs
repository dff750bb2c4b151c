//! Encryption, and why encryption and decryption fail.

use std::io::{self, Write as _};

use age::{DecryptError, EncryptError, Encryptor};

use super::super::Error;

pub(super) fn sealed(encryptor: Encryptor, plaintext: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut ciphertext = Vec::new();
    let mut writer = encryptor.wrap_output(&mut ciphertext)?;
    writer.write_all(plaintext)?;
    writer.finish()?;
    Ok(ciphertext)
}

/// What `reason` says of a file that none of the keys opens.
pub(crate) const FOR_ANOTHER: &str = "is encrypted for another identity";

/// What is said of a file that isn't age's.
pub(crate) const NOT_AGE: &str = "is not an age file";

/// An encryptor, where age can have these recipients together.
pub(super) fn encryptor<'a>(
    recipients: impl Iterator<Item = &'a dyn age::Recipient>,
    otherwise: &str,
) -> Result<Encryptor, Error> {
    Encryptor::with_recipients(recipients).map_err(|error| match error {
        EncryptError::Io(error) => ours(error).unwrap_or_else(|_| Error::Identity(otherwise.to_owned())),
        _ => Error::Identity(otherwise.to_owned()),
    })
}

/// What decryption failed with: a plugin's own error, or what is said of the reason.
pub(super) fn failure(error: DecryptError, otherwise: impl FnOnce(&DecryptError) -> Error) -> Error {
    match error {
        DecryptError::Io(error) => ours(error).unwrap_or_else(|error| otherwise(&DecryptError::Io(error))),
        error => otherwise(&error),
    }
}

/// The error of this program that came through age's.
fn ours(error: io::Error) -> Result<Error, io::Error> {
    error.downcast::<Error>()
}

/// Why a file can't be decrypted, in words that fit behind its path.
pub(super) fn reason(error: &DecryptError) -> &'static str {
    match error {
        DecryptError::NoMatchingKeys => FOR_ANOTHER,
        DecryptError::UnknownFormat => "is an age file of a format that is not known",
        DecryptError::ExcessiveWork { .. } => "asks for more work than a passphrase is worth",
        DecryptError::InvalidHeader => NOT_AGE,
        _ => "is damaged",
    }
}

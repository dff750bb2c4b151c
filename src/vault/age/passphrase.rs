//! Files that a passphrase opens, of which nobody knows where they come from.

use std::io::Read as _;

use age::secrecy::SecretString;
use age::{DecryptError, scrypt};
use zeroize::Zeroizing;

use super::header;

/// Why a passphrase doesn't open a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is another one.
    Passphrase,
    /// The file asks for so much work, as a power of two.
    Work(u8),
    /// It is not an age file, cut off, or changed.
    Damaged,
}

/// Decrypts a file that a passphrase opens, if that takes at most `work` (a power of two); gives up to `most` bytes.
///
/// # Errors
///
/// Why it can't. [`Refusal::Work`] comes before any work is done.
pub(crate) fn open_by_passphrase(
    file: &[u8],
    passphrase: &str,
    work: u8,
    most: usize,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let decryptor = header::read(file).map_err(|_| Refusal::Damaged)?;
    let mut key = scrypt::Identity::new(SecretString::from(passphrase));
    key.set_max_work_factor(work);
    let reader = decryptor.decrypt(std::iter::once(&key as _)).map_err(|error| match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => Refusal::Passphrase,
        DecryptError::ExcessiveWork { required, .. } => Refusal::Work(required),
        _ => Refusal::Damaged,
    })?;
    let mut inner = Zeroizing::new(Vec::with_capacity(file.len().min(most)));
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    reader.take(most).read_to_end(&mut inner).map_err(|_| Refusal::Damaged)?;
    Ok(inner)
}

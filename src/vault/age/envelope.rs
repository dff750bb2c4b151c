//! Whole files that leave or come back: encrypted to recipients, or with a passphrase; any age program opens them.

use std::fmt;

use age::scrypt;
use age::secrecy::SecretString;
use zeroize::Zeroizing;

use super::super::Error;
use super::header;
use super::identity::{self, Identity, Passphrase};
use super::opened;
use super::plugin::Plugins;
use super::recipients::Recipients;
use super::sealing::{encryptor, failure, reason, sealed};

/// Who can open a file.
///
/// `Debug` leaves the passphrase out.
pub enum Openers<'a> {
    /// Those who have an identity of one of these recipients.
    Recipients(&'a [String]),
    /// Those who know this passphrase.
    Passphrase(Zeroizing<String>),
}

impl fmt::Debug for Openers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipients(recipients) => f.debug_tuple("Recipients").field(recipients).finish(),
            Self::Passphrase(_) => f.write_str("Passphrase"),
        }
    }
}

/// Encrypts a file's content.
///
/// # Errors
///
/// [`Error::Identity`] for recipients that age can't encrypt to together; [`Error::Plugin`].
pub fn seal_file(content: &[u8], openers: &Openers<'_>, plugins: &Plugins) -> Result<Vec<u8>, Error> {
    const FAILED: &str = "the file can't be encrypted to these recipients together";
    let encryptor = match openers {
        Openers::Recipients(texts) => {
            let sealers = Recipients::of_texts(texts).sealers(plugins)?;
            encryptor(sealers.recipients(), FAILED)?
        }
        Openers::Passphrase(passphrase) => {
            let recipient = scrypt::Recipient::new(SecretString::from(passphrase.as_str()));
            encryptor(std::iter::once(&recipient as _), FAILED)?
        }
    };
    sealed(encryptor, content).map_err(|_| Error::Identity(FAILED.to_owned()))
}

/// Whether a file is opened by a passphrase; `from` names it.
///
/// # Errors
///
/// [`Error::AgeFile`] where it is not an age file.
pub fn needs_passphrase(file: &[u8], from: &str) -> Result<bool, Error> {
    header::read(file).map(|decryptor| decryptor.is_scrypt()).map_err(|error| wrong(from, &error))
}

/// Decrypts a file that needs a passphrase.
///
/// # Errors
///
/// [`Error::Identity`] where the passphrase is wrong, or asks for more work than that of an identity may.
pub fn open_file_with(file: &[u8], from: &str, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, Error> {
    identity::decrypted(file, from, Some(passphrase), u64::MAX)
}

/// Decrypts a file that an identity opens.
///
/// # Errors
///
/// [`Error::AgeFile`] where it doesn't, or the file is damaged; [`Error::Plugin`]; and those of reading the identity.
pub fn open_file(file: &[u8], from: &str, identity: &Identity, plugins: &Plugins) -> Result<Zeroizing<Vec<u8>>, Error> {
    opened(file, &identity.keys(plugins)?).map_err(|error| failure(error, |error| wrong(from, error)))
}

fn wrong(from: &str, error: &age::DecryptError) -> Error {
    Error::AgeFile { path: from.to_owned(), reason: reason(error).to_owned() }
}

//! Random numbers, handed in: the operating system's, except in tests.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A source of random bytes that nobody can foresee.
pub trait Random: Send {
    /// Fills all of it.
    ///
    /// # Errors
    ///
    /// When there are no random numbers to be had.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error>;
}

/// There are no random numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random numbers: {reason}")]
pub struct Error {
    /// Its words.
    pub reason: String,
}

/// The operating system's.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Random for System {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        getrandom::fill(bytes).map_err(|error| Error { reason: error.to_string() })
    }
}

/// Makes the identifiers of requests: UUIDs of version 4 (RFC 9562, section 5.4).
#[derive(Debug, Default)]
pub(super) struct RequestIds(Mutex<Vec<Uuid>>);

/// How many are made at once: asking the operating system costs more than making one.
const REQUEST_IDS: usize = 64;

impl RequestIds {
    /// The next one. It is no secret: without random numbers it is zero.
    pub(super) fn next(&self) -> String {
        let mut unused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if unused.is_empty() {
            let mut bytes = [[0; 16]; REQUEST_IDS];
            if getrandom::fill(bytes.as_flattened_mut()).is_ok() {
                unused.extend(bytes.map(|bytes| uuid::Builder::from_random_bytes(bytes).into_uuid()));
            }
        }
        unused.pop().unwrap_or_default().to_string()
    }
}

/// An identifier as IAM makes them: a prefix, then this many characters of base32.
pub(super) fn id(random: &mut dyn Random, prefix: &str, characters: usize) -> Result<String, Error> {
    let mut bytes = vec![0; characters];
    random.fill(&mut bytes)?;
    let text = base32::encode(base32::Alphabet::Rfc4648 { padding: false }, &bytes);
    Ok(prefix.chars().chain(text.chars().take(characters)).collect())
}

/// 40 characters.
pub(super) fn secret_access_key(random: &mut dyn Random) -> Result<Zeroizing<String>, Error> {
    text(random, 30)
}

/// Base64 of this many bytes.
pub(super) fn text(random: &mut dyn Random, bytes: usize) -> Result<Zeroizing<String>, Error> {
    let mut buffer = Zeroizing::new(vec![0; bytes]);
    random.fill(&mut buffer)?;
    Ok(Zeroizing::new(BASE64_STANDARD.encode(&*buffer)))
}

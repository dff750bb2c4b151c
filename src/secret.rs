//! The shared secret of RFC 4226, section 4 (requirement R6).

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// A shared secret: 1 to 1,024 bytes, wiped from memory when dropped.
///
/// It never prints itself: `Debug` shows the length only, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// Why some bytes can't be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No bytes at all.
    #[error("the secret is empty")]
    Empty,
    /// More than [`Secret::MAX_BYTES`].
    #[error("the secret has {bytes} bytes; at most {max} are taken", max = Secret::MAX_BYTES)]
    TooLong {
        /// How many there were.
        bytes: usize,
    },
}

impl Secret {
    /// The longest secret taken, in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// Takes the bytes over; what can't be a secret is wiped before the error is returned.
    ///
    /// # Errors
    ///
    /// When there are none, or more than [`Secret::MAX_BYTES`].
    pub fn new(mut bytes: Vec<u8>) -> Result<Self, Error> {
        let length = bytes.len();
        if length == 0 || length > Self::MAX_BYTES {
            bytes.zeroize();
            return Err(if length == 0 { Error::Empty } else { Error::TooLong { bytes: length } });
        }
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The bytes. Keep them out of logs, errors and files.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// RFC 4648 base32, upper case, without padding: the form that AWS shows.
    #[must_use]
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(base32::encode(base32::Alphabet::Rfc4648 { padding: false }, self.expose()))
    }

    /// The length in bits, as RFC 4226 counts it: at least 128 are required, 160 recommended.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.0.len().saturating_mul(8)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bits)", self.bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_bytes() {
        let secret = Secret::new(b"12345678901234567890".to_vec()).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(160 bits)");
    }

    #[test]
    fn the_length_is_bounded_on_both_sides() {
        assert_eq!(Secret::new(vec![]), Err(Error::Empty));
        assert!(Secret::new(vec![7; 1]).is_ok());
        assert!(Secret::new(vec![7; 1024]).is_ok());
        assert_eq!(Secret::new(vec![7; 1025]), Err(Error::TooLong { bytes: 1025 }));
    }
}

//! The head of an age file, which anybody may have made.

use std::io::{BufReader, Read as _};

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor};

/// The longest header that is read, in bytes: one of some hundreds of recipients.
const LONGEST: u64 = 64 << 10;

/// Reads a file's header; nothing is decrypted yet.
///
/// The crate parses a header from its beginning again with each line of it, so that one of a megabyte would take minutes.
pub(super) fn read(file: &[u8]) -> Result<Decryptor<ArmoredReader<BufReader<&[u8]>>>, DecryptError> {
    Decryptor::new_buffered(ArmoredReader::new(file).take(LONGEST))?;
    Decryptor::new_buffered(ArmoredReader::new(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_without_end_is_not_read() {
        let file = |recipients| {
            let (recipients, mac) = ("-> X\n\n".repeat(recipients), "A".repeat(43));
            format!("age-encryption.org/v1\n{recipients}--- {mac}\n0123456789abcdef")
        };
        assert!(read(file(500).as_bytes()).is_ok());
        assert!(read(file(11_000).as_bytes()).is_err());
    }
}

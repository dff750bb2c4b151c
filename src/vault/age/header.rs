//! The head of an age file, which anybody may have made.

use std::io::{BufReader, Read as _};

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor};

/// The longest header that is read, in bytes: one of some hundreds of recipients.
const LONGEST: usize = 64 << 10;

/// The most lines of it, each of 64 characters but for the last of a recipient.
const MOST_LINES: usize = 2_000;

/// Reads a file's header; nothing is decrypted yet.
///
/// The crate parses a header from its beginning again with each line of it, so that one of a megabyte would take minutes.
pub(super) fn read(file: &[u8]) -> Result<Decryptor<ArmoredReader<BufReader<&[u8]>>>, DecryptError> {
    let mut head = Vec::new();
    // Where it can't be read, the crate says why.
    let _ = ArmoredReader::new(file).take(u64::try_from(LONGEST).unwrap_or(u64::MAX)).read_to_end(&mut head);
    let end = head.windows(4).position(|bytes| bytes == b"\n---");
    let lines = head.iter().take(end.unwrap_or(head.len())).filter(|byte| **byte == b'\n').count();
    if lines > MOST_LINES || (end.is_none() && head.len() >= LONGEST) {
        return Err(DecryptError::InvalidHeader);
    }
    Decryptor::new_buffered(ArmoredReader::new(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_without_end_is_not_read() {
        let file = |recipient: &str, count| {
            let (recipients, mac) = (recipient.repeat(count), "A".repeat(43));
            format!("age-encryption.org/v1\n{recipients}--- {mac}\n0123456789abcdef")
        };
        let long = format!("-> X\n{}\n\n", "A".repeat(64));
        assert!(read(file("-> X\n\n", 500).as_bytes()).is_ok());
        assert!(read(file(&long, 500).as_bytes()).is_ok());
        assert!(read(file("-> X\n\n", 1_001).as_bytes()).is_err());
        assert!(read(file(&long, 1_000).as_bytes()).is_err());
        assert!(read(&[b'x'; LONGEST]).is_err());
    }
}

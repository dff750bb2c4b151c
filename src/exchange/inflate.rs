//! DEFLATE (RFC 1951) and gzip (RFC 1952) of untrusted files: what comes out is bounded.

use std::io::Read;

use flate2::read::{DeflateDecoder, GzDecoder};
use zeroize::Zeroizing;

use super::{Error, MOST_BYTES};

/// A raw DEFLATE stream.
pub(super) fn deflate(packed: &[u8], expected: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    bounded(DeflateDecoder::new(packed), packed.len(), expected)
}

/// A gzip file, whose last four bytes say how much comes out.
pub(super) fn gzip(packed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let expected = packed.last_chunk::<4>().map_or(0, |size| u32::from_le_bytes(*size));
    bounded(GzDecoder::new(packed), packed.len(), usize::try_from(expected).unwrap_or(usize::MAX))
}

fn bounded(decoder: impl Read, packed: usize, expected: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    /// One byte becomes no more than so many (zlib's technical details).
    const MOST_RATIO: usize = 1032;
    // Room for all of it at once: a vector that grows leaves copies of secrets behind.
    let room = expected.min(packed.saturating_mul(MOST_RATIO)).min(MOST_BYTES);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room.saturating_add(1)));
    let limit = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(limit).read_to_end(&mut bytes).map_err(|_| Error::damaged("its compression is broken"))?;
    if bytes.len() > MOST_BYTES {
        return Err(Error::TooLarge { limit: MOST_BYTES });
    }
    Ok(bytes)
}

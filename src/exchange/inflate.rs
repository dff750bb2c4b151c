//! DEFLATE (RFC 1951) and gzip (RFC 1952) of untrusted files: what comes out is bounded.

use std::io::Read;

use flate2::read::{DeflateDecoder, GzDecoder};
use zeroize::Zeroizing;

use super::{Error, MOST_BYTES};

/// A raw DEFLATE stream that should give `size` bytes, and is read up to one byte more.
pub(super) fn deflate(packed: &[u8], size: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    bounded(DeflateDecoder::new(packed), packed.len(), size, size)
}

/// A gzip file, whose last four bytes say how much comes out.
pub(super) fn gzip(packed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let expected = packed.last_chunk::<4>().map_or(0, |size| u32::from_le_bytes(*size));
    let expected = usize::try_from(expected).unwrap_or(usize::MAX);
    let bytes = bounded(GzDecoder::new(packed), packed.len(), expected, MOST_BYTES)?;
    if bytes.len() > MOST_BYTES { Err(Error::TooLarge { limit: MOST_BYTES }) } else { Ok(bytes) }
}

fn bounded(decoder: impl Read, packed: usize, expected: usize, limit: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    /// The most bytes that one byte becomes (zlib's technical details).
    const MOST_RATIO: usize = 1032;
    // Room for all of it at once: a vector that grows leaves copies of secrets behind.
    let room = expected.min(packed.saturating_mul(MOST_RATIO)).min(limit);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room.saturating_add(1)));
    let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(limit).read_to_end(&mut bytes).map_err(|_| Error::damaged("its compression is broken"))?;
    Ok(bytes)
}

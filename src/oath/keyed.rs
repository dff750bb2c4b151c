//! HOTP for many counters of one secret (RFC 4226, section 5.3), where the counters are searched through.
//!
//! HMAC (RFC 2104, section 2) hashes a block of the key before the message and before the inner hash. Here both
//! are compressed once; each code then costs one block inside and one outside. These are compressed in
//! batches, all inner ones first: neighbours don't wait for each other, so that the processor overlaps them.

use std::fmt;
use std::ops::RangeInclusive;

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::truncation::{reduce, truncate};
use super::{Algorithm, Code, Digits};
use crate::secret::Secret;

/// A secret made ready for many counters. It is wiped when dropped, and never prints itself.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Keyed(Pads);

#[derive(Clone, Zeroize, ZeroizeOnDrop)]
enum Pads {
    Sha1(Pair<[u32; 5]>),
    Sha256(Pair<[u32; 8]>),
    Sha512(Pair<[u64; 8]>),
}

impl Keyed {
    /// Compresses the two blocks of the key.
    #[must_use]
    pub fn new(secret: &Secret, algorithm: Algorithm) -> Self {
        let key = secret.expose();
        Self(match algorithm {
            Algorithm::Sha1 => Pads::Sha1(Pair::new(key)),
            Algorithm::Sha256 => Pads::Sha256(Pair::new(key)),
            Algorithm::Sha512 => Pads::Sha512(Pair::new(key)),
        })
    }

    /// What [`hmac`](super::hotp::hmac) gives.
    #[must_use]
    pub fn hmac(&self, counter: u64) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match &self.0 {
            Pads::Sha1(pads) => pads.hmac(counter),
            Pads::Sha256(pads) => pads.hmac(counter),
            Pads::Sha512(pads) => pads.hmac(counter),
        })
    }

    /// The codes of all `counters` with the counters they belong to, in order.
    pub fn codes(&self, counters: RangeInclusive<u64>, digits: Digits) -> impl Iterator<Item = (u64, Code)> {
        let (first, last) = counters.into_inner();
        let mut rest = (first <= last).then_some(first);
        std::iter::from_fn(move || {
            let first = rest?;
            let end = first.saturating_add(BATCH_END).min(last);
            rest = end.checked_add(1).filter(|next| *next <= last);
            Some((first..=end).zip(self.truncated(first..=end)))
        })
        .flatten()
        .map(move |(counter, number)| (counter, Code { value: reduce(number, digits), digits }))
    }

    /// The truncated numbers of at most [`BATCH`] counters; the rest of the array means nothing.
    fn truncated(&self, counters: RangeInclusive<u64>) -> [u32; BATCH] {
        match &self.0 {
            Pads::Sha1(pads) => pads.truncated(counters),
            Pads::Sha256(pads) => pads.truncated(counters),
            Pads::Sha512(pads) => pads.truncated(counters),
        }
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyed")
    }
}

/// As many blocks as keep a processor busy, and few enough for its first cache.
const BATCH: usize = 16;

/// How far the last counter of a batch is from its first.
const BATCH_END: u64 = 15;

/// The hash after the key's block, inside and outside.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Pair<S: Zeroize> {
    inner: S,
    outer: S,
}

impl<S: Chaining> Pair<S> {
    fn new(key: &[u8]) -> Self {
        let shortened;
        let key = if key.len() > S::ZEROS.as_ref().len() {
            shortened = S::hash(key);
            &shortened
        } else {
            key
        };
        let after = |pad: u8| {
            let mut block = Zeroizing::new(S::ZEROS);
            block.as_mut().iter_mut().zip(key).for_each(|(byte, key)| *byte = *key);
            block.as_mut().iter_mut().for_each(|byte| *byte ^= pad);
            S::INITIAL.with(&block)
        };
        Self { inner: after(0x36), outer: after(0x5c) }
    }

    fn hmac(&self, counter: u64) -> Vec<u8> {
        let inner = self.inner.with(&last_block::<S>(&counter.to_be_bytes()));
        self.outer.with(&last_block::<S>(inner.bytes().as_ref())).bytes().as_ref().to_vec()
    }

    fn truncated(&self, counters: RangeInclusive<u64>) -> [u32; BATCH] {
        // All blocks are written before the first is read: a processor waits where it has to put a load
        // together from stores that are still on their way.
        let mut blocks = [S::ZEROS; BATCH];
        let mut count = 0_usize;
        for (block, counter) in blocks.iter_mut().zip(counters) {
            *block = last_block::<S>(&counter.to_be_bytes());
            count = count.saturating_add(1);
        }
        let mut states = [S::INITIAL; BATCH];
        for (state, block) in states.iter_mut().zip(&blocks).take(count) {
            *state = self.inner.with(block);
        }
        for (block, state) in blocks.iter_mut().zip(&states).take(count) {
            *block = last_block::<S>(state.bytes().as_ref());
        }
        for (state, block) in states.iter_mut().zip(&blocks).take(count) {
            *state = self.outer.with(block);
        }
        states.map(|state| truncate(state.bytes().as_ref()))
    }
}

/// The chaining value of a hash of FIPS 180-4.
trait Chaining: Copy + Zeroize {
    type Block: Copy + AsRef<[u8]> + AsMut<[u8]> + Zeroize;
    type Bytes: AsRef<[u8]>;
    /// Section 5.3.
    const INITIAL: Self;
    const ZEROS: Self::Block;
    /// One block further.
    fn with(self, block: &Self::Block) -> Self;
    /// As the message digest that it is after the last block.
    fn bytes(&self) -> Self::Bytes;
    /// The digest of anything.
    fn hash(message: &[u8]) -> Zeroizing<Vec<u8>>;
}

/// A short message as the block after the key's: padded by section 5.1, its length counting both.
///
/// SHA-512 writes the length with 16 bytes; the upper eight are zeros.
fn last_block<S: Chaining>(message: &[u8]) -> S::Block {
    let mut block = S::ZEROS;
    let bytes = block.as_mut();
    let length = bytes.len().saturating_add(message.len()).saturating_mul(8);
    if let Some((start, rest)) = bytes.split_at_mut_checked(message.len()) {
        start.copy_from_slice(message);
        if let Some(end) = rest.first_mut() {
            *end = 0x80;
        }
        if let (Some(end), Ok(length)) = (rest.last_chunk_mut(), u64::try_from(length)) {
            *end = length.to_be_bytes();
        }
    }
    block
}

/// Every word of a chaining value, the highest byte first.
fn big_endian<const WORDS: usize, const SIZE: usize, const BYTES: usize>(words: [[u8; SIZE]; WORDS]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes.as_chunks_mut().0.iter_mut().zip(words).for_each(|(chunk, word)| *chunk = word);
    bytes
}

impl Chaining for [u32; 5] {
    type Block = [u8; 64];
    type Bytes = [u8; 20];
    const INITIAL: Self = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    const ZEROS: Self::Block = [0; 64];

    fn with(mut self, block: &Self::Block) -> Self {
        sha1::block_api::compress(&mut self, std::slice::from_ref(block));
        self
    }

    fn bytes(&self) -> Self::Bytes {
        big_endian(self.map(u32::to_be_bytes))
    }

    fn hash(message: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Sha1::digest(message).to_vec())
    }
}

impl Chaining for [u32; 8] {
    type Block = [u8; 64];
    type Bytes = [u8; 32];
    const INITIAL: Self =
        [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    const ZEROS: Self::Block = [0; 64];

    fn with(mut self, block: &Self::Block) -> Self {
        sha2::block_api::compress256(&mut self, std::slice::from_ref(block));
        self
    }

    fn bytes(&self) -> Self::Bytes {
        big_endian(self.map(u32::to_be_bytes))
    }

    fn hash(message: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Sha256::digest(message).to_vec())
    }
}

impl Chaining for [u64; 8] {
    type Block = [u8; 128];
    type Bytes = [u8; 64];
    const INITIAL: Self = [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ];
    const ZEROS: Self::Block = [0; 128];

    fn with(mut self, block: &Self::Block) -> Self {
        sha2::block_api::compress512(&mut self, std::slice::from_ref(block));
        self
    }

    fn bytes(&self) -> Self::Bytes {
        big_endian(self.map(u64::to_be_bytes))
    }

    fn hash(message: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Sha512::digest(message).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oath::Parameters;
    use crate::oath::hotp;

    const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];

    #[test]
    fn it_agrees_with_hmac_for_secrets_shorter_and_longer_than_a_block() {
        for algorithm in ALGORITHMS {
            for length in 1..=200 {
                let secret = Secret::new((0..length).map(|byte: u8| byte.wrapping_mul(37) ^ 0xa5).collect()).unwrap();
                let keyed = Keyed::new(&secret, algorithm);
                for counter in [0, 1, 0x0235_23ec, u64::from(length) << 40, u64::MAX] {
                    let (ours, theirs) = (keyed.hmac(counter), hotp::hmac(&secret, counter, algorithm));
                    assert_eq!(ours, theirs, "{algorithm}, {length} bytes, counter {counter}");
                }
            }
        }
    }

    #[test]
    fn a_range_gives_every_counter_once_and_in_order() {
        let secret = Secret::new(b"12345678901234567890".to_vec()).unwrap();
        for algorithm in ALGORITHMS {
            let keyed = Keyed::new(&secret, algorithm);
            for digits in (6..=10).filter_map(Digits::new).chain([Digits::STEAM]) {
                let parameters = Parameters { algorithm, digits, ..Parameters::DEFAULT };
                for (first, last) in
                    [(0, 0), (0, 15), (0, 16), (5, 52), (u64::MAX - 40, u64::MAX), (u64::MAX, u64::MAX)]
                {
                    let wanted: Vec<_> =
                        (first..=last).map(|counter| (counter, hotp::code(&secret, counter, &parameters))).collect();
                    assert_eq!(keyed.codes(first..=last, digits).collect::<Vec<_>>(), wanted, "{first} to {last}");
                }
            }
        }
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "that is the case")]
    fn an_empty_range_gives_nothing_and_debug_shows_no_pad() {
        let keyed = Keyed::new(&Secret::new(vec![7; 20]).unwrap(), Algorithm::Sha1);
        assert_eq!(keyed.codes(1..=0, Digits::SIX).count(), 0);
        assert_eq!(format!("{keyed:?}"), "Keyed");
    }
}

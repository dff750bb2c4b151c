//! HMAC of a short message, block by block (RFC 2104, section 2; FIPS 180-4), in safe Rust.
//!
//! The blocks of the key are compressed once; each message then costs one block inside and one outside. They are
//! compressed in batches, all inner ones first: neighbours don't wait for each other, so that the processor overlaps them.
//!
//! A processor can't hand a load what several stores are still writing; it waits until they are done. So nothing here is
//! read soon after it was written in smaller parts: a batch writes all of its blocks before the first is compressed, words
//! go where they belong without a copy, and only the message of a block is replaced.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::truncation::truncate_words;

/// The hash after the key's block, inside and outside.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct Pair<S: Zeroize> {
    pub(super) inner: S,
    pub(super) outer: S,
}

impl<S: Chaining> Pair<S> {
    /// Compresses the two blocks of the key; a key that is longer than a block is hashed first.
    pub(super) fn new(key: &[u8]) -> Self {
        let shortened;
        let key = if key.len() > S::ZEROS.as_ref().len() {
            shortened = S::hash(key);
            &shortened
        } else {
            key
        };
        let mut block = Zeroizing::new(S::ZEROS);
        block.as_mut().iter_mut().zip(key).for_each(|(byte, key)| *byte = *key);
        let (mut inner, mut outer) = (S::INITIAL, S::INITIAL);
        block.as_mut().iter_mut().for_each(|byte| *byte ^= 0x36);
        inner.compress(&block);
        block.as_mut().iter_mut().for_each(|byte| *byte ^= 0x36 ^ 0x5c);
        outer.compress(&block);
        Self { inner, outer }
    }

    pub(super) fn hmac(&self, counter: u64) -> Vec<u8> {
        let mut hash = self.inner;
        hash.compress(&short::<S>(&counter.to_be_bytes()));
        let mut outer = short::<S>(hash.bytes().as_ref());
        hash = self.outer;
        hash.compress(&outer);
        outer.zeroize();
        hash.bytes().as_ref().to_vec()
    }
}

/// As many blocks as keep a processor busy, and few enough for its first cache.
const BATCH: usize = 16;

/// Room for a batch of HMACs, to be used for many. It is wiped when dropped.
pub(super) struct Batch<S: Chaining> {
    inner: [S::Block; BATCH],
    outer: [S::Block; BATCH],
    states: [S; BATCH],
}

impl<S: Chaining> Batch<S> {
    pub(super) fn new() -> Self {
        let hash = S::INITIAL.bytes();
        Self {
            inner: [short::<S>(&[0; 8]); BATCH],
            outer: [short::<S>(hash.as_ref()); BATCH],
            states: [S::INITIAL; BATCH],
        }
    }

    /// The truncated numbers of consecutive counters, from `first` on; past 64 bits it goes on with 0.
    pub(super) fn counters(&mut self, pads: &Pair<S>, first: u64, numbers: &mut [u32]) {
        let mut counter = first;
        for numbers in numbers.chunks_mut(BATCH) {
            for block in self.inner.iter_mut().take(numbers.len()) {
                write_counter::<S>(block, counter);
                counter = counter.wrapping_add(1);
            }
            self.hash(&[pads; BATCH], numbers);
        }
    }

    /// The truncated numbers of one counter for many keys.
    pub(super) fn keys(&mut self, pads: &[&Pair<S>], counter: u64, numbers: &mut [u32]) {
        for block in &mut self.inner {
            write_counter::<S>(block, counter);
        }
        for (pads, numbers) in pads.chunks(BATCH).zip(numbers.chunks_mut(BATCH)) {
            self.hash(pads, numbers);
        }
    }

    /// The truncated numbers of the inner blocks, each with the key beside it.
    #[inline]
    fn hash(&mut self, pads: &[&Pair<S>], numbers: &mut [u32]) {
        let count = numbers.len();
        for ((state, block), pads) in self.states.iter_mut().zip(&self.inner).zip(pads).take(count) {
            *state = pads.inner;
            state.compress(block);
        }
        for (block, state) in self.outer.iter_mut().zip(&self.states).take(count) {
            state.write(block);
        }
        for ((state, block), pads) in self.states.iter_mut().zip(&self.outer).zip(pads).take(count) {
            *state = pads.outer;
            state.compress(block);
        }
        for (number, state) in numbers.iter_mut().zip(&self.states) {
            *number = state.truncated();
        }
    }
}

impl<S: Chaining> Drop for Batch<S> {
    fn drop(&mut self) {
        self.outer.zeroize();
        self.states.zeroize();
    }
}

/// The chaining value of a hash of FIPS 180-4.
pub(super) trait Chaining: Copy + Zeroize {
    type Block: Copy + AsRef<[u8]> + AsMut<[u8]> + Zeroize;
    type Bytes: AsRef<[u8]>;
    /// Section 5.3.
    const INITIAL: Self;
    const ZEROS: Self::Block;
    /// One block further.
    fn compress(&mut self, block: &Self::Block);
    /// As the message digest that it is after the last block.
    fn bytes(&self) -> Self::Bytes;
    /// The same to the beginning of a block.
    fn write(&self, block: &mut Self::Block);
    /// The digest, truncated (RFC 4226, section 5.3).
    fn truncated(&self) -> u32;
    /// The digest of anything.
    fn hash(message: &[u8]) -> Zeroizing<Vec<u8>>;
}

/// A short message as the block after the key's: padded by section 5.1, its length counting both.
///
/// SHA-512 writes the length with 16 bytes; the upper eight are zeros.
fn short<S: Chaining>(message: &[u8]) -> S::Block {
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

/// Replaces the message of an inner block.
fn write_counter<S: Chaining>(block: &mut S::Block, counter: u64) {
    if let Some(message) = block.as_mut().first_chunk_mut() {
        *message = counter.to_be_bytes();
    }
}

/// What SHA-1 and SHA-2 differ in: the words, and the functions that hash.
macro_rules! chaining {
    (
        [$word:ty; $words:literal], block of $block:literal, digest of $bytes:literal,
        $compress:path, $hash:ty, $initial:expr, |$state:ident| $truncated:expr
    ) => {
        impl Chaining for [$word; $words] {
            type Block = [u8; $block];
            type Bytes = [u8; $bytes];
            const INITIAL: Self = $initial;
            const ZEROS: Self::Block = [0; $block];

            #[inline]
            fn compress(&mut self, block: &Self::Block) {
                $compress(self, std::slice::from_ref(block));
            }

            fn bytes(&self) -> Self::Bytes {
                let mut bytes = [0; $bytes];
                bytes.as_chunks_mut().0.iter_mut().zip(self).for_each(|(chunk, word)| *chunk = word.to_be_bytes());
                bytes
            }

            #[inline]
            fn write(&self, block: &mut Self::Block) {
                block.as_chunks_mut().0.iter_mut().zip(self).for_each(|(chunk, word)| *chunk = word.to_be_bytes());
            }

            #[inline]
            fn truncated(&self) -> u32 {
                let $state = self;
                $truncated
            }

            fn hash(message: &[u8]) -> Zeroizing<Vec<u8>> {
                Zeroizing::new(<$hash>::digest(message).to_vec())
            }
        }
    };
}

chaining!(
    [u32; 5], block of 64, digest of 20, sha1::block_api::compress, Sha1,
    [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0],
    |state| truncate_words([state[0], state[1], state[2], state[3], state[4]], state[4])
);

chaining!(
    [u32; 8], block of 64, digest of 32, sha2::block_api::compress256, Sha256,
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19],
    |state| truncate_words([state[0], state[1], state[2], state[3], state[4]], state[7])
);

chaining!(
    [u64; 8], block of 128, digest of 64, sha2::block_api::compress512, Sha512,
    [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ],
    |state| {
        let ([a, b], [c, d], [e, _]) = (halves(state[0]), halves(state[1]), halves(state[2]));
        truncate_words([a, b, c, d, e], halves(state[7])[1])
    }
);

/// The upper and the lower half.
pub(super) const fn halves(word: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = word.to_be_bytes();
    [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])]
}

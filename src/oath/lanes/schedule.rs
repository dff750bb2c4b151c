//! The words of blocks (FIPS 180-4, section 6.1.2), where they are the same for many hashes.

use super::work::ROOM;
use crate::oath::chaining::halves;

/// FIPS 180-4, section 4.2.1.
pub(super) const K: [u32; 4] = [0x5a82_7999, 0x6ed9_eba1, 0x8f1b_bcdc, 0xca62_c1d6];

/// A word of a block after the first sixteen, from those 3, 8, 14 and 16 before it (FIPS 180-4, section 6.1.2).
pub(super) const fn follow_scalar(w3: u32, w8: u32, w14: u32, w16: u32) -> u32 {
    (w3 ^ w8 ^ w14 ^ w16).rotate_left(1)
}

/// The words of the inner block of a counter, one for each round, and something added to each: the same for all secrets.
pub(super) const fn schedule(counter: u64, added: &[u32; 80]) -> [u32; 80] {
    let [high, low] = halves(counter);
    words([high, low, END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, INNER_BITS], added)
}

/// The words of a block, one for each round, and something added to each.
const fn words(mut w: [u32; 16], added: &[u32; 80]) -> [u32; 80] {
    let mut words = [0; 80];
    let (mut rest, mut added) = (words.as_mut_slice(), added.as_slice());
    while let (Some((now, later)), Some((add, more))) = (rest.split_first_chunk_mut(), added.split_first_chunk()) {
        *now = sum(w, add);
        (rest, added) = (later, more);
        w[0] = follow_scalar(w[13], w[8], w[2], w[0]);
        w[1] = follow_scalar(w[14], w[9], w[3], w[1]);
        w[2] = follow_scalar(w[15], w[10], w[4], w[2]);
        w[3] = follow_scalar(w[0], w[11], w[5], w[3]);
        w[4] = follow_scalar(w[1], w[12], w[6], w[4]);
        w[5] = follow_scalar(w[2], w[13], w[7], w[5]);
        w[6] = follow_scalar(w[3], w[14], w[8], w[6]);
        w[7] = follow_scalar(w[4], w[15], w[9], w[7]);
        w[8] = follow_scalar(w[5], w[0], w[10], w[8]);
        w[9] = follow_scalar(w[6], w[1], w[11], w[9]);
        w[10] = follow_scalar(w[7], w[2], w[12], w[10]);
        w[11] = follow_scalar(w[8], w[3], w[13], w[11]);
        w[12] = follow_scalar(w[9], w[4], w[14], w[12]);
        w[13] = follow_scalar(w[10], w[5], w[15], w[13]);
        w[14] = follow_scalar(w[11], w[6], w[0], w[14]);
        w[15] = follow_scalar(w[12], w[7], w[1], w[15]);
    }
    words
}

#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "places below sixteen")]
const fn sum(mut w: [u32; 16], added: &[u32; 16]) -> [u32; 16] {
    let mut place = 0;
    while place < 16 {
        w[place] = w[place].wrapping_add(added[place]);
        place += 1;
    }
    w
}

/// What each round adds besides.
pub(super) const CONSTANTS: [u32; 80] = constants();

/// The same for shared words alone.
pub(super) const SHARED_CONSTANTS: [u32; 80] = shared_constants();

/// How the words of a counter differ from those of the first of its [`ROOM`]: by groups of two vectors, in each round. The words of a
/// block are exclusive ors of rotated words, so those of an exclusive or are the exclusive or of theirs.
pub(super) type Offsets<const WIDTH: usize, const GROUPS: usize> = [[[[u32; WIDTH]; 80]; 2]; GROUPS];

/// Which rounds' words are the same for all counters of a batch.
pub(super) const SHARED: [bool; 80] = shared();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "computed by the compiler, which checks them"
)]
const fn constants() -> [u32; 80] {
    let mut constants = [0; 80];
    let mut round = 0;
    while round < 80 {
        constants[round] = K[round / 20];
        round += 1;
    }
    constants
}

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "computed by the compiler, which checks them"
)]
pub(super) const fn offsets<const WIDTH: usize, const GROUPS: usize>() -> Offsets<WIDTH, GROUPS> {
    let mut offsets = [[[[0; WIDTH]; 80]; 2]; GROUPS];
    let (mut offset, mut lane) = (0, 0);
    while lane < 2 * WIDTH * GROUPS {
        let words = words([0, offset, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0; 80]);
        let mut round = 0;
        while round < 80 {
            offsets[lane / WIDTH / 2][lane / WIDTH % 2][round][lane % WIDTH] = words[round];
            round += 1;
        }
        lane += 1;
        offset += 1;
    }
    offsets
}

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "computed by the compiler, which checks them"
)]
const fn shared() -> [bool; 80] {
    let offsets = offsets::<{ ROOM / 2 }, 1>();
    let mut shared = [true; 80];
    let mut round = 0;
    while round < 80 {
        let mut lane = 0;
        while lane < ROOM / 2 {
            shared[round] &= offsets[0][0][round][lane] == 0 && offsets[0][1][round][lane] == 0;
            lane += 1;
        }
        round += 1;
    }
    shared
}

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "computed by the compiler, which checks them"
)]
const fn shared_constants() -> [u32; 80] {
    let mut constants = CONSTANTS;
    let mut round = 0;
    while round < 80 {
        if !SHARED[round] {
            constants[round] = 0;
        }
        round += 1;
    }
    constants
}

/// What follows the message (FIPS 180-4, section 5.1.1).
pub(super) const END: u32 = 0x8000_0000;

/// The length of the inner message: the key's block and a counter.
pub(super) const INNER_BITS: u32 = 512 + 64;

/// The length of the outer message: the key's block and an inner hash.
pub(super) const OUTER_BITS: u32 = 512 + 160;

//! Twice eight lanes of AVX2.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_loadu_si256, _mm256_or_si256, _mm256_set1_epi32,
    _mm256_slli_epi32, _mm256_sllv_epi32, _mm256_srai_epi32, _mm256_srli_epi32, _mm256_srlv_epi32, _mm256_storeu_si256,
    _mm256_sub_epi32, _mm256_xor_si256,
};
use std::ops::Range;

use super::schedule::{
    CONSTANTS, END, K, OUTER_BITS, Offsets, SHARED, SHARED_CONSTANTS, follow_scalar, offsets, schedule,
};
use super::work::{ROOM, Work};
use crate::oath::chaining::Chaining;

kernel!("avx2", __m256i, 8);

#[inline]
#[target_feature(enable = "avx2")]
fn load(words: &[u32; 8]) -> __m256i {
    // SAFETY: the reference is to 32 readable bytes; their alignment doesn't matter.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(words: &mut [u32; 8], x: __m256i) {
    // SAFETY: the reference is to 32 writable bytes; their alignment doesn't matter.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), x) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(word: u32) -> __m256i {
    _mm256_set1_epi32(word.cast_signed())
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(x: __m256i, y: __m256i) -> __m256i {
    _mm256_add_epi32(x, y)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor(x: __m256i, y: __m256i) -> __m256i {
    _mm256_xor_si256(x, y)
}

/// Rotates left by `BITS`; `REST` is what 32 lacks.
#[inline]
#[target_feature(enable = "avx2")]
fn rol<const BITS: i32, const REST: i32>(x: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_slli_epi32::<BITS>(x), _mm256_srli_epi32::<REST>(x))
}

/// Ch of FIPS 180-4, section 4.1.1: bits of `yes` where the mask has ones, of `no` where it has zeros.
#[inline]
#[target_feature(enable = "avx2")]
fn choose(mask: __m256i, yes: __m256i, no: __m256i) -> __m256i {
    xor(no, _mm256_and_si256(mask, xor(yes, no)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn majority(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_and_si256(x, y), _mm256_and_si256(z, _mm256_or_si256(x, y)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn parity(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
    xor(xor(x, y), z)
}

/// All bits become the one that is `LEFT` places below the highest.
#[inline]
#[target_feature(enable = "avx2")]
fn spread<const LEFT: i32>(x: __m256i) -> __m256i {
    _mm256_srai_epi32::<31>(_mm256_slli_epi32::<LEFT>(x))
}

/// The words one after the other, from the byte that the lowest two bits of `place` name: 31 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn funnel(x: __m256i, y: __m256i, place: __m256i) -> __m256i {
    let bits = _mm256_slli_epi32::<3>(_mm256_and_si256(place, splat(3)));
    let rest = _mm256_sub_epi32(splat(32), bits);
    let window = _mm256_or_si256(_mm256_sllv_epi32(x, bits), _mm256_srlv_epi32(y, rest));
    _mm256_and_si256(window, splat(0x7fff_ffff))
}

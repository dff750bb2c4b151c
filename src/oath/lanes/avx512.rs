//! Twice sixteen lanes of AVX-512F. Its rotations and its functions of three words are one instruction each.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_and_si512, _mm512_loadu_si512, _mm512_or_si512, _mm512_rol_epi32,
    _mm512_set1_epi32, _mm512_slli_epi32, _mm512_sllv_epi32, _mm512_srai_epi32, _mm512_srlv_epi32, _mm512_storeu_si512,
    _mm512_sub_epi32, _mm512_ternarylogic_epi32, _mm512_xor_si512,
};
use std::ops::Range;

use super::schedule::{
    CONSTANTS, END, K, OUTER_BITS, Offsets, SHARED, SHARED_CONSTANTS, follow_scalar, offsets, schedule,
};
use super::work::{ROOM, Work};
use crate::oath::chaining::Chaining;

kernel!("avx512f", __m512i, 16);

#[inline]
#[target_feature(enable = "avx512f")]
fn load(words: &[u32; 16]) -> __m512i {
    // SAFETY: the reference is to 64 readable bytes; their alignment doesn't matter.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(words: &mut [u32; 16], x: __m512i) {
    // SAFETY: the reference is to 64 writable bytes; their alignment doesn't matter.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), x) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(word: u32) -> __m512i {
    _mm512_set1_epi32(word.cast_signed())
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add(x: __m512i, y: __m512i) -> __m512i {
    _mm512_add_epi32(x, y)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn xor(x: __m512i, y: __m512i) -> __m512i {
    _mm512_xor_si512(x, y)
}

/// Rotates left by `BITS`; the other number is what 32 lacks.
#[inline]
#[target_feature(enable = "avx512f")]
fn rol<const BITS: i32, const REST: i32>(x: __m512i) -> __m512i {
    _mm512_rol_epi32::<BITS>(x)
}

/// Ch of FIPS 180-4, section 4.1.1: bits of `yes` where the mask has ones, of `no` where it has zeros.
#[inline]
#[target_feature(enable = "avx512f")]
fn choose(mask: __m512i, yes: __m512i, no: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0xca>(mask, yes, no)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn majority(x: __m512i, y: __m512i, z: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0xe8>(x, y, z)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn parity(x: __m512i, y: __m512i, z: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0x96>(x, y, z)
}

/// All bits become the one that is `LEFT` places below the highest.
#[inline]
#[target_feature(enable = "avx512f")]
fn spread<const LEFT: u32>(x: __m512i) -> __m512i {
    _mm512_srai_epi32::<31>(_mm512_slli_epi32::<LEFT>(x))
}

/// The words one after the other, from the byte that the lowest two bits of `place` name: 31 bits.
#[inline]
#[target_feature(enable = "avx512f")]
fn funnel(x: __m512i, y: __m512i, place: __m512i) -> __m512i {
    let bits = _mm512_slli_epi32::<3>(_mm512_and_si512(place, splat(3)));
    let rest = _mm512_sub_epi32(splat(32), bits);
    let window = _mm512_or_si512(_mm512_sllv_epi32(x, bits), _mm512_srlv_epi32(y, rest));
    _mm512_and_si512(window, splat(0x7fff_ffff))
}

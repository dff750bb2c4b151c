//! Twice four lanes of NEON, for processors of aarch64 without instructions for SHA-1.

use std::arch::aarch64::{
    uint32x4_t, vaddq_u32, vandq_u32, vbslq_u32, vdupq_n_s32, vdupq_n_u32, veorq_u32, vld1q_u32, vorrq_u32,
    vreinterpretq_s32_u32, vreinterpretq_u32_s32, vshlq_n_s32, vshlq_n_u32, vshlq_u32, vshrq_n_s32, vsriq_n_u32,
    vst1q_u32, vsubq_s32,
};
use std::ops::Range;

use super::schedule::{
    CONSTANTS, END, K, OUTER_BITS, Offsets, SHARED, SHARED_CONSTANTS, follow_scalar, offsets, schedule,
};
use super::work::{ROOM, Work};
use crate::oath::chaining::Chaining;

kernel!("neon", uint32x4_t, 4);

#[inline]
#[target_feature(enable = "neon")]
fn load(words: &[u32; 4]) -> uint32x4_t {
    // SAFETY: the reference is to four readable words.
    unsafe { vld1q_u32(words.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn store(words: &mut [u32; 4], x: uint32x4_t) {
    // SAFETY: the reference is to four writable words.
    unsafe { vst1q_u32(words.as_mut_ptr(), x) }
}

#[inline]
#[target_feature(enable = "neon")]
fn splat(word: u32) -> uint32x4_t {
    vdupq_n_u32(word)
}

#[inline]
#[target_feature(enable = "neon")]
fn add(x: uint32x4_t, y: uint32x4_t) -> uint32x4_t {
    vaddq_u32(x, y)
}

#[inline]
#[target_feature(enable = "neon")]
fn xor(x: uint32x4_t, y: uint32x4_t) -> uint32x4_t {
    veorq_u32(x, y)
}

/// Rotates left by `BITS`; `REST` is what 32 lacks.
#[inline]
#[target_feature(enable = "neon")]
fn rol<const BITS: i32, const REST: i32>(x: uint32x4_t) -> uint32x4_t {
    vsriq_n_u32::<REST>(vshlq_n_u32::<BITS>(x), x)
}

/// Ch of FIPS 180-4, section 4.1.1: bits of `yes` where the mask has ones, of `no` where it has zeros.
#[inline]
#[target_feature(enable = "neon")]
fn choose(mask: uint32x4_t, yes: uint32x4_t, no: uint32x4_t) -> uint32x4_t {
    vbslq_u32(mask, yes, no)
}

/// Where the first two differ, the third decides.
#[inline]
#[target_feature(enable = "neon")]
fn majority(x: uint32x4_t, y: uint32x4_t, z: uint32x4_t) -> uint32x4_t {
    choose(xor(x, y), z, y)
}

#[inline]
#[target_feature(enable = "neon")]
fn parity(x: uint32x4_t, y: uint32x4_t, z: uint32x4_t) -> uint32x4_t {
    xor(xor(x, y), z)
}

/// All bits become the one that is `LEFT` places below the highest.
#[inline]
#[target_feature(enable = "neon")]
fn spread<const LEFT: i32>(x: uint32x4_t) -> uint32x4_t {
    vreinterpretq_u32_s32(vshrq_n_s32::<31>(vshlq_n_s32::<LEFT>(vreinterpretq_s32_u32(x))))
}

/// The words one after the other, from the byte that the lowest two bits of `place` name: 31 bits.
#[inline]
#[target_feature(enable = "neon")]
fn funnel(x: uint32x4_t, y: uint32x4_t, place: uint32x4_t) -> uint32x4_t {
    let bits = vreinterpretq_s32_u32(vshlq_n_u32::<3>(vandq_u32(place, splat(3))));
    // To the right by what 32 lacks: a negative shift to the left.
    let rest = vsubq_s32(bits, vdupq_n_s32(32));
    vandq_u32(vorrq_u32(vshlq_u32(x, bits), vshlq_u32(y, rest)), splat(0x7fff_ffff))
}

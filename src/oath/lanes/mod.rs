//! SHA-1 codes of many counters or many secrets side by side, a lane of a vector register for each.
//!
//! This folder has all of the crate's `unsafe` code, and the feature `lanes` turns it off. A [`Kernel`] is had from
//! [`Kernel::available`] alone, which asks the processor; it stands for the instructions that the functions of its module are compiled
//! with. Time and addresses depend on counters, on how many codes are wanted, and on nothing secret: there are no branches and no tables.

#![cfg_attr(
    all(feature = "lanes", any(target_arch = "x86_64", target_arch = "aarch64")),
    expect(unsafe_code, reason = "vector instructions, which not every processor has")
)]

// Its macros are for the modules below.
#[cfg(all(feature = "lanes", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[macro_use]
mod kernel;

#[cfg(all(feature = "lanes", target_arch = "x86_64"))]
mod avx2;
#[cfg(all(feature = "lanes", target_arch = "x86_64"))]
mod avx512;
#[cfg(all(feature = "lanes", target_arch = "aarch64"))]
mod neon;
#[cfg(all(feature = "lanes", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod schedule;
#[cfg(all(feature = "lanes", target_arch = "x86_64"))]
mod sha_ni;
mod work;

use std::ops::Range;

use self::work::Work;
pub(super) use self::work::{KeyColumns, LOWEST, PadColumns, ROOM};
use super::chaining::Pair;

/// A set of vector instructions that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Kernel(Kind);

/// The fastest first, as measured on AMD's Zen 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
    Avx512,
    #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
    Avx2,
    #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
    ShaNi,
    #[cfg(all(feature = "lanes", target_arch = "aarch64"))]
    Neon,
}

impl Kernel {
    /// Those that this processor has, the fastest first. The standard library asks it once.
    pub(super) fn available() -> impl Iterator<Item = Self> {
        Kind::ALL.iter().filter(|kind| kind.is_detected()).map(|kind| Self(*kind))
    }

    /// Whether it is faster than the crate `sha1`, which has instructions for SHA-1 where the processor does.
    ///
    /// In builds for debugging it isn't: each vector instruction is then a call.
    pub(super) fn beats_portable(self) -> bool {
        !cfg!(debug_assertions) && self.0.beats_portable()
    }

    pub(super) const fn name(self) -> &'static str {
        match self.0 {
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            Kind::Avx512 => "avx512",
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            Kind::ShaNi => "sha-ni",
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            Kind::Avx2 => "avx2",
            #[cfg(all(feature = "lanes", target_arch = "aarch64"))]
            Kind::Neon => "neon",
        }
    }

    /// How many codes it computes side by side; [`ROOM`] is a multiple of it.
    pub(super) const fn lanes(self) -> usize {
        match self.0 {
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            Kind::Avx512 => avx512::LANES,
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            Kind::ShaNi => sha_ni::LANES,
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            Kind::Avx2 => avx2::LANES,
            #[cfg(all(feature = "lanes", target_arch = "aarch64"))]
            Kind::Neon => neon::LANES,
        }
    }

    /// The truncated numbers of the [`ROOM`] counters that differ from `counter` in the lowest bits only, in ascending order. Those outside of
    /// `wanted` mean nothing.
    pub(super) fn counters(self, pads: &Pair<[u32; 5]>, counter: u64, wanted: Range<usize>, numbers: &mut [u32; ROOM]) {
        self.run(&Work::Counters(pads, counter & !LOWEST), wanted, numbers);
    }

    /// The truncated numbers of one counter for the first `count` secrets.
    pub(super) fn pads(self, pads: &PadColumns, counter: u64, count: usize, numbers: &mut [u32; ROOM]) {
        self.run(&Work::Pads(pads, counter), 0..count, numbers);
    }

    /// The same from the keys themselves.
    pub(super) fn keys(self, keys: &KeyColumns, counter: u64, count: usize, numbers: &mut [u32; ROOM]) {
        self.run(&Work::Keys(keys, counter), 0..count, numbers);
    }

    #[cfg_attr(
        not(all(feature = "lanes", any(target_arch = "x86_64", target_arch = "aarch64"))),
        expect(unused_variables, reason = "there are no kernels")
    )]
    fn run(self, work: &Work<'_>, wanted: Range<usize>, numbers: &mut [u32; ROOM]) {
        match self.0 {
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            // SAFETY: a kernel is had from `available` alone, which found AVX-512F in this processor.
            Kind::Avx512 => unsafe { avx512::run(work, wanted, numbers) },
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            // SAFETY: as above, with the SHA extensions, SSSE3 and SSE4.1.
            Kind::ShaNi => unsafe { sha_ni::run(work, wanted, numbers) },
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            // SAFETY: as above, with AVX2.
            Kind::Avx2 => unsafe { avx2::run(work, wanted, numbers) },
            #[cfg(all(feature = "lanes", target_arch = "aarch64"))]
            // SAFETY: as above, with NEON.
            Kind::Neon => unsafe { neon::run(work, wanted, numbers) },
        }
    }
}

impl Kind {
    const ALL: &[Self] = &[
        #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
        Self::Avx512,
        #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
        Self::Avx2,
        #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
        Self::ShaNi,
        #[cfg(all(feature = "lanes", target_arch = "aarch64"))]
        Self::Neon,
    ];

    fn beats_portable(self) -> bool {
        match self {
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 | Self::ShaNi => true,
            #[cfg(all(feature = "lanes", target_arch = "aarch64"))]
            Self::Neon => !std::arch::is_aarch64_feature_detected!("sha2"),
        }
    }

    fn is_detected(self) -> bool {
        match self {
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            Self::Avx512 => is_x86_feature_detected!("avx512f"),
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            Self::ShaNi => {
                is_x86_feature_detected!("sha")
                    && is_x86_feature_detected!("ssse3")
                    && is_x86_feature_detected!("sse4.1")
            }
            #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(all(feature = "lanes", target_arch = "aarch64"))]
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
        }
    }
}

//! What kernels are given to compute.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::oath::chaining::Pair;

/// How many numbers one call makes at most: whole groups of every kernel's lanes.
pub(in crate::oath) const ROOM: usize = 64;

/// The bits of a counter in which the counters of one call differ.
pub(in crate::oath) const LOWEST: u64 = 63;

/// What is to be computed.
#[cfg_attr(
    not(all(feature = "lanes", any(target_arch = "x86_64", target_arch = "aarch64"))),
    expect(dead_code, reason = "there are no kernels")
)]
pub(super) enum Work<'a> {
    /// The [`ROOM`] counters that differ from this one in the lowest bits, of one secret.
    Counters(&'a Pair<[u32; 5]>, u64),
    /// One counter of many secrets.
    Pads(&'a PadColumns, u64),
    /// The same from the keys themselves.
    Keys(&'a KeyColumns, u64),
}

/// Prepared secrets, a column for each. They are wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(in crate::oath) struct PadColumns {
    pub(super) inner: [[u32; ROOM]; 5],
    pub(super) outer: [[u32; ROOM]; 5],
}

impl PadColumns {
    pub(in crate::oath) const fn new() -> Self {
        Self { inner: [[0; ROOM]; 5], outer: [[0; ROOM]; 5] }
    }

    /// Writes a column; there are [`ROOM`] of them.
    pub(in crate::oath) fn set(&mut self, column: usize, pads: &Pair<[u32; 5]>) {
        set(&mut self.inner, column, &pads.inner);
        set(&mut self.outer, column, &pads.outer);
    }
}

/// Keys of at most a block, a column for each. They are wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(in crate::oath) struct KeyColumns {
    pub(super) rows: [[u32; ROOM]; 16],
    /// How many rows have been written; the others are zeros.
    used: usize,
}

impl KeyColumns {
    pub(in crate::oath) const fn new() -> Self {
        Self { rows: [[0; ROOM]; 16], used: 0 }
    }

    /// Writes a column; there are [`ROOM`] of them. What is past a block of the key is left out.
    pub(in crate::oath) fn set(&mut self, column: usize, key: &[u8]) {
        let (whole, rest) = key.as_chunks();
        let mut end = [0; 4];
        end.iter_mut().zip(rest).for_each(|(byte, key)| *byte = *key);
        let mut words = whole.iter().chain((!rest.is_empty()).then_some(&end));
        self.used = self.used.max(key.len().div_ceil(4));
        for row in self.rows.iter_mut().take(self.used) {
            if let Some(place) = row.get_mut(column) {
                *place = words.next().map_or(0, |word| u32::from_be_bytes(*word));
            }
        }
    }
}

fn set(rows: &mut [[u32; ROOM]; 5], column: usize, words: &[u32; 5]) {
    for (row, word) in rows.iter_mut().zip(words) {
        if let Some(place) = row.get_mut(column) {
            *place = *word;
        }
    }
}

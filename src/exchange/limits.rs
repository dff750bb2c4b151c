//! How much of an export is taken.

/// The most bytes of an export, before and after decompression.
pub const MOST_BYTES: usize = 32 << 20;

/// The most entries of an export.
pub const MOST_ENTRIES: usize = 20_000;

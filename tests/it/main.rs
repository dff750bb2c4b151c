//! Behaviour, one module a concern; one crate, so that it is linked once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[cfg(feature = "qr")]
mod qr;

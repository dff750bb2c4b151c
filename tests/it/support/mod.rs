//! What several subjects need.

#[cfg(feature = "cli")]
mod program;

use std::path::{Path, PathBuf};

#[cfg(feature = "cli")]
pub use program::{Home, SEED, tool};

/// A file below `vectors/`.
pub fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name)
}

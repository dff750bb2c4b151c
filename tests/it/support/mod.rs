//! What several subjects need.

#[cfg(feature = "cli")]
mod program;

use std::path::{Path, PathBuf};

#[cfg(feature = "cli")]
pub use program::{Home, Run, SEED, run, tool};

/// A file below `vectors/`.
pub fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name)
}

//! The registry's file, and those beside it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A file whose name goes on.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

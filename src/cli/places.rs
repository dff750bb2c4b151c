//! Words that stand for a place that a source is read from.

use std::path::Path;

/// Whether a word is a source rather than a device's name: `-`, `clipboard`, `screen`, or an existing file.
pub(super) fn is_place(word: &str) -> bool {
    matches!(word, "-" | "clipboard" | "screen") || word.starts_with("file://") || Path::new(word).is_file()
}

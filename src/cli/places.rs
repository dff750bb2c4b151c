//! Words that stand for a place that a source is read from.

use std::path::Path;

/// Whether a word names a place that a source is read from rather than a device: by name, or a file that is there.
pub(super) fn is_place(word: &str) -> bool {
    matches!(word, "-" | "clipboard" | "screen") || word.starts_with("file://") || Path::new(word).is_file()
}

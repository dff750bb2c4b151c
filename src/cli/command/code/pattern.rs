//! Patterns of names: a pool's devices.

/// A pool's pattern: names have none of its characters.
pub(super) fn read(text: &str) -> Option<std::result::Result<glob::Pattern, glob::PatternError>> {
    let class = text.split_once('[').is_some_and(|(_, rest)| rest.contains(']'));
    (class || text.contains(['*', '?'])).then(|| glob::Pattern::new(text))
}

/// `*` doesn't go beyond a `/`, as in a shell; `**` does.
pub(super) const MATCHING: glob::MatchOptions =
    glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

//! What becomes of a prompt.

/// What became of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// There was none: what was asked for is done.
    NotNeeded,
    /// It completed, and nobody refused.
    Completed,
    /// Somebody refused, or nobody was there.
    Refused,
}

//! Why parameters are not taken, or no code can be made.

/// Why parameters are not taken, or no code can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not SHA1, SHA256 or SHA512.
    #[error("algorithm `{0}` isn't one of SHA1, SHA256, SHA512")]
    Algorithm(String),
    /// Not 6 to 10.
    #[error("a code can't have {0} digits: 6 to 10 are possible")]
    Digits(String),
    /// No one-time password; the text isn't repeated, for it may be one with a digit too many.
    #[error("a code has 6 to 10 digits and is at most {max}, or has the 5 characters of Steam Guard", max = i32::MAX)]
    Code,
    /// The device counts, it doesn't tell the time.
    #[error("a counter device (HOTP) has no codes at a time")]
    CounterBased,
    /// RFC 6238 counts from T0 upwards.
    #[error("there are no codes before T0")]
    BeforeT0,
}

/// A short plain word as it is; anything else isn't repeated.
pub(super) fn shown(text: &str) -> String {
    let plain =
        text.len() <= 12 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.' | ' '));
    if plain { text.to_owned() } else { "…".to_owned() }
}

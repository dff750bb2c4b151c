//! How long a command may wait.

use crate::device::issue::LONGEST_WAIT;

/// How long may be waited, in seconds.
pub(in crate::cli::command) fn patience(text: &str) -> std::result::Result<u64, String> {
    let seconds = crate::time::duration(text).filter(|seconds| *seconds <= LONGEST_WAIT);
    seconds.ok_or_else(|| "expected a time up to 1d, such as 0s, 45s or 5m".to_owned())
}

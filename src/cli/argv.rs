//! Secrets in arguments are refused before anything else looks at them: whoever lists processes sees
//! arguments, and the shell's history keeps them.

use std::ffi::OsString;
use std::path::Path;

use super::error::Error;

/// # Errors
///
/// When an argument is, or holds, an otpauth URI, or is what a base32 secret looks like. The error
/// doesn't repeat it.
pub(super) fn refuse_secrets(arguments: &[OsString]) -> Result<(), Error> {
    for (index, argument) in arguments.iter().enumerate().skip(1) {
        let text = argument.to_string_lossy();
        let lower = text.to_ascii_lowercase();
        let what = if lower.contains("base32stringseed") {
            "holds an answer of AWS"
        } else if lower.contains("otpauth://") || lower.contains("otpauth-migration://") {
            "holds an otpauth URI"
        } else if lower.starts_with("--secret") || lower.starts_with("--key=") || lower.starts_with("--seed") {
            "is an option that would take a secret"
        } else if looks_like_secret(&text) && !Path::new(argument).exists() {
            "looks like a secret"
        } else {
            continue;
        };
        return Err(Error::secret_in_argv(index, what));
    }
    Ok(())
}

/// Whether a text could be a secret, with less certainty than is needed to refuse it: enough not to repeat
/// it in a message.
pub(super) fn might_be_secret(text: &str) -> bool {
    let dense = text.chars().filter(|c| c.is_ascii_alphanumeric()).count();
    dense >= 8 && !text.contains(['.', '/']) && crate::provision::base32::parse(text).is_ok()
}

/// Base32 in one case, long enough for a secret, with a digit so that words don't count; or groups of
/// four in upper case as services show them.
fn looks_like_secret(text: &str) -> bool {
    let text = text.trim().trim_end_matches('=');
    let upper = |c: char| matches!(c, 'A'..='Z' | '2'..='7');
    let lower = |c: char| matches!(c, 'a'..='z' | '2'..='7');
    let digit = text.chars().any(|c| c.is_ascii_digit());
    let groups: Vec<&str> = text.split([' ', '-']).collect();
    let grouped = groups.len() >= 4 && groups.iter().all(|group| group.len() == 4);
    let has_digit_or_is_long = |least: usize| (digit && text.len() >= least) || text.len() >= 32;
    if grouped {
        let dense: String = groups.concat();
        return dense.chars().all(upper) || (digit && dense.chars().all(lower));
    }
    (text.chars().all(upper) && has_digit_or_is_long(16)) || (text.chars().all(lower) && digit && text.len() >= 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_names() {
        for secret in [
            "JBSWY3DPEHPK3PXP",
            "JBSWY3DPEHPK3PXP====",
            "JBSW Y3DP EHPK 3PXP",
            "jbsw y3dp ehpk 3pxp",
            "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF",
        ] {
            assert!(looks_like_secret(secret), "{secret}");
        }
        for name in [
            "mfauser",
            "ci-deploy-worker-23",
            "MFAUSER",
            "ADMINISTRATORACCESS",
            "vectors/qr/aws.png",
            "prod-east-blue-team",
            "c0ffee00c0ffee00c0ffee00c0ffee00",
            "--from",
            "2026-11-21T12:00:00Z",
        ] {
            assert!(!looks_like_secret(name), "{name}");
        }
    }
}

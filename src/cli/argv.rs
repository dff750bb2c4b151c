//! Secrets in arguments are refused before anything else looks at them: anybody who lists processes sees
//! arguments, and the shell's history keeps them. So are keys in this program's variables, which messages would repeat.

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
        let value = text.split_once('=').map_or(&*text, |(_, value)| value);
        let before = index.checked_sub(1).and_then(|before| arguments.get(before));
        if (text.starts_with("--claim=") || before.is_some_and(|word| word == "--claim")) && is_claim(value) {
            continue;
        }
        if has_password(&lower) {
            return Err(Error::password_in_argv(index));
        }
        if has_keys(&lower) {
            return Err(Error::keys_in_argv(index));
        }
        if is_identity(&text) {
            let as_file = before.is_some_and(|word| word == "--identity-file" || word == "--use-identity")
                || lower.starts_with("--identity-file=")
                || lower.starts_with("--use-identity=");
            return Err(Error::identity_in_argv(index, as_file));
        }
        let what = if lower.contains("base32stringseed") {
            "holds an answer of AWS"
        } else if lower.contains("otpauth:") || lower.contains("otpauth-migration:") {
            "holds an otpauth URI"
        } else if lower.starts_with("--secret") || lower.starts_with("--key=") || lower.starts_with("--seed") {
            "is an option that would take a secret"
        } else if (looks_like_secret(&text) || looks_like_secret(value)) && !Path::new(argument).exists() {
            "looks like a secret"
        } else {
            continue;
        };
        return Err(Error::secret_in_argv(index, what));
    }
    Ok(())
}

/// # Errors
///
/// When one of this program's variables holds a key or an otpauth URI instead of a path, a word or an address.
pub(super) fn refuse_secrets_in(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<(), Error> {
    for (name, value) in variables {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        if name != "VMFA_IDENTITY" && (is_identity(&value) || has(&value, "otpauth:")) {
            return Err(Error::secret_in_variable(&name));
        }
    }
    Ok(())
}

/// Whether a text holds an age identity, a plugin's too, or an SSH key as OpenSSH keeps it.
pub(super) fn is_identity(text: &str) -> bool {
    let in_pem = has(text, "-----BEGIN") && has(text, "PRIVATE");
    let of_plugin = text.split_once("AGE-PLUGIN-").is_some_and(|(_, rest)| rest.contains('1'));
    has(text, "AGE-SECRET-KEY-") || of_plugin || in_pem
}

/// Whether a text has another in it, in whichever case, without a copy of what may be a secret.
fn has(text: &str, other: &str) -> bool {
    text.as_bytes().windows(other.len()).any(|part| part.eq_ignore_ascii_case(other.as_bytes()))
}

/// Whether a text has the URL of a database, and a password in it.
fn has_password(lower: &str) -> bool {
    let url = lower.split_once("postgres://").or_else(|| lower.split_once("postgresql://"));
    url.is_some_and(|(_, rest)| {
        let (who, _) = rest.split_once('@').unwrap_or_default();
        who.contains(':') || rest.contains("password=")
    })
}

/// Whether a text has the URL of a table, and keys in it.
fn has_keys(lower: &str) -> bool {
    lower.split_once("dynamodb://").is_some_and(|(_, rest)| rest.contains('@'))
}

/// Whether a text has the form of a claim's number: by chance, one in a hundred has only what base32 has.
fn is_claim(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a text could be a secret, with far less certainty than is needed to refuse it: enough not to
/// repeat it in a message. A name of a file has a dot.
pub(super) fn might_be_secret(text: &str) -> bool {
    let text = text.trim_start_matches("./");
    text.chars().filter(|c| c.is_ascii_alphanumeric()).count() >= 10 && !text.contains('.')
}

/// Base32 with a digit inside, in one case and long enough for a secret; or groups of four or eight as
/// services show them, with more digits, since names have groups too.
pub(super) fn looks_like_secret(text: &str) -> bool {
    let text = text.trim().trim_end_matches('=');
    let groups: Vec<&str> = text.split([' ', '-', '\t']).filter(|group| !group.is_empty()).collect();
    let dense = groups.concat();
    let upper = dense.chars().all(|c| matches!(c, 'A'..='Z' | '2'..='7'));
    let lower = dense.chars().all(|c| matches!(c, 'a'..='z' | '2'..='7'));
    if dense.len() < 16 || !(upper || lower) {
        return false;
    }
    // A year or number at the end makes no secret of a name.
    let pairs = dense.chars().zip(dense.chars().skip(1));
    let inside = pairs.filter(|(one, next)| one.is_ascii_digit() && next.is_ascii_alphabetic()).count();
    let least = match groups.as_slice() {
        [_] if upper => 1,
        [_] => 2,
        groups if groups.iter().all(|group| group.len() == 4) || groups.iter().all(|group| group.len() == 8) => 2,
        _ => return false,
    };
    inside >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_no_secret_where_one_belongs() {
        let refused = |words: &[&str]| refuse_secrets(&words.iter().map(OsString::from).collect::<Vec<_>>()).is_err();
        let claim = "a2b3c4d5e6f7a2b3";
        assert!(!refused(&["vmfa", "release", "x", "--claim", claim]));
        assert!(!refused(&["vmfa", "release", "x", &format!("--claim={claim}")]));
        assert!(refused(&["vmfa", "release", "x", claim]));
        assert!(refused(&["vmfa", "release", "x", "--claim", "jbswy3dpehpk3pxp"]));
    }

    #[test]
    fn the_password_of_a_database_is_refused() {
        for url in [
            "postgres://ci:hunter2@db/vmfa",
            "--registry=postgresql://ci:hunter2@db/vmfa",
            "postgres://db/vmfa?PASSWORD=hunter2",
            "POSTGRES://ci:@db",
        ] {
            let refused = refuse_secrets(&["vmfa".into(), url.into()]).unwrap_err();
            assert!(!refused.message().contains("hunter2"), "{url}");
        }
        for url in ["postgres://ci@db:5432/vmfa", "postgres://[::1]:5432/vmfa", "--registry=postgres://db"] {
            refuse_secrets(&["vmfa".into(), url.into()]).unwrap();
        }
    }

    #[test]
    fn keys_of_a_table_are_refused() {
        for url in ["dynamodb://AKIAEXAMPLE:hunter2@vmfa", "--registry=DYNAMODB://vmfa?endpoint=http://a:hunter2@b"] {
            let refused = refuse_secrets(&["vmfa".into(), url.into()]).unwrap_err();
            assert!(!refused.message().contains("hunter2"), "{url}");
        }
        for url in ["dynamodb://vmfa?region=eu-central-1", "--registry=dynamodb://vmfa?endpoint=http://[::1]:80"] {
            refuse_secrets(&["vmfa".into(), url.into()]).unwrap();
        }
    }

    #[test]
    fn secrets_are_told_from_names() {
        for secret in [
            "JBSWY3DPEHPK3PXP",
            "JBSWY3DPEHPK3PXP====",
            "JBSW Y3DP EHPK 3PXP",
            "jbsw y3dp ehpk 3pxp",
            "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
            "jbswy3dpehpk3pxp",
            "JBSWY3DP EHPK3PXP",
            "JBSW\tY3DP\tEHPK\t3PXP",
        ] {
            assert!(looks_like_secret(secret), "{secret}");
        }
        for name in [
            "mfauser",
            "ci-deploy-worker-23",
            "MFAUSER",
            "ADMINISTRATORACCESS",
            "ADMINISTRATOR2345",
            "PROD-EAST-BLUE-TEAM",
            "MAIN ACCT TEAM BLUE",
            "test-user-db23-east",
            "integrationtestsworker23",
            "APPLICATIONINTEGRATIONTESTWORKER",
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

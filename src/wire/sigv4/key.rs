use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{TERMINATOR, date};
use crate::time::Timestamp;

/// What a client signs with. `Debug` shows the access key id only.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The access key id, `AKIA…` for long-term and `ASIA…` for temporary credentials.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Zeroizing<String>,
    /// The session token of temporary credentials.
    pub session_token: Option<Zeroizing<String>>,
}

/// For which day, region and service a signature counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// `YYYYMMDD`, UTC.
    pub date: String,
    /// The region, `us-east-1` for IAM.
    pub region: String,
    /// The service, `iam` or `sts`.
    pub service: String,
}

/// A key derived from a secret access key for one [`Scope`]: a verifier may keep it for the day.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Zeroizing<[u8; 32]>);

impl Credentials {
    /// From their parts.
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: &str, session_token: Option<&str>) -> Self {
        Self {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: Zeroizing::new(secret_access_key.to_owned()),
            session_token: session_token.map(|token| Zeroizing::new(token.to_owned())),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl Scope {
    /// The scope of a request that is signed at `time`.
    #[must_use]
    pub fn new(time: Timestamp, region: &str, service: &str) -> Self {
        Self { date: date::day(time), region: region.to_owned(), service: service.to_owned() }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}

impl SigningKey {
    /// The key of a secret access key for a scope.
    #[must_use]
    pub fn derive(secret_access_key: &str, scope: &Scope) -> Self {
        let start = Zeroizing::new(format!("AWS4{secret_access_key}"));
        let date = keyed(start.as_bytes(), &scope.date);
        let region = keyed(date.as_slice(), &scope.region);
        let service = keyed(region.as_slice(), &scope.service);
        Self(keyed(service.as_slice(), TERMINATOR))
    }

    /// The signature of a string to sign, as hexadecimal text.
    pub(super) fn sign(&self, string_to_sign: &str) -> String {
        hex(&keyed(self.0.as_slice(), string_to_sign))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

fn keyed(key: &[u8], message: &str) -> Zeroizing<[u8; 32]> {
    // HMAC takes keys of every length, so this error doesn't exist.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Zeroizing::default() };
    mac.update(message.as_bytes());
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// A hash as hexadecimal text, in small letters.
pub(super) fn hex(hash: &[u8; 32]) -> String {
    let digit = |nibble: u8| nibble.saturating_add(if nibble < 10 { b'0' } else { b'a' - 10 });
    let mut text = [0; 64];
    for (digits, byte) in text.chunks_exact_mut(2).zip(hash) {
        digits.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
    }
    str::from_utf8(&text).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_that_of_the_documentation() {
        // AWS General Reference, "Calculate the signature for AWS Signature Version 4".
        let scope = Scope::new(Timestamp::from_unix(1_440_938_160), "us-east-1", "iam");
        assert_eq!(scope.to_string(), "20150830/us-east-1/iam/aws4_request");
        let key = SigningKey::derive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", &scope);
        assert_eq!(hex(&key.0), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn debug_never_shows_a_secret() {
        let credentials = Credentials::new("AKIDEXAMPLE", "hidden-key", Some("hidden-token"));
        assert_eq!(format!("{credentials:?}"), r#"Credentials { access_key_id: "AKIDEXAMPLE", .. }"#);
        let key = SigningKey::derive("hidden-key", &Scope::new(Timestamp::from_unix(0), "r", "s"));
        assert_eq!(format!("{key:?}"), "SigningKey(…)");
    }
}

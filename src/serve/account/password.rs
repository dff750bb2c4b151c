//! Console passwords: kept as scrypt hashes (RFC 7914), compared in constant time.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A salted hash of a password.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::serve) struct Hash {
    salt: [u8; 16],
    hash: [u8; 32],
}

/// N of RFC 7914 as a power of two, r, p. Passwords of a stand-in: some milliseconds, so that a test suite with many
/// sign-ins stays quick.
const COST: (u8, u32, u32) = (12, 8, 1);

impl Hash {
    /// Of a password, with sixteen random bytes.
    pub(in crate::serve) fn new(password: &str, salt: [u8; 16]) -> Self {
        Self { salt, hash: *derive(password, &salt) }
    }

    pub(in crate::serve) fn matches(&self, password: &str) -> bool {
        derive(password, &self.salt).ct_eq(&self.hash).into()
    }
}

fn derive(password: &str, salt: &[u8]) -> Zeroizing<[u8; 32]> {
    let (log_n, r, p) = COST;
    let mut hash = Zeroizing::new([0; 32]);
    // Both calls fail for parameters out of range only, and these are constants: a test holds them to it.
    if let Ok(parameters) = scrypt::Params::new(log_n, r, p, 32) {
        let _ = scrypt::scrypt(password.as_bytes(), salt, &parameters, hash.as_mut());
    }
    hash
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_itself_only_and_never_by_an_empty_hash() {
        let hash = Hash::new("correct horse", [7; 16]);
        assert!(hash.matches("correct horse"));
        assert!(!hash.matches("correct horsf") && !hash.matches(""));
        assert_ne!(hash.hash, [0; 32]);
        assert_ne!(Hash::new("correct horse", [8; 16]).hash, hash.hash);
    }
}

//! Console passwords: kept as scrypt hashes (RFC 7914), compared in constant time.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A salted hash of a password.
///
/// The passwords that a user has one after the other are derived with the same salt, and hashed again with one of their
/// own each: so one derivation tells whether a password is among
/// [all that are remembered](super::PasswordPolicy::MOST_REMEMBERED), and equal passwords still have unequal hashes.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::serve) struct Hash {
    /// Of the derivation.
    shared: [u8; 16],
    salt: [u8; 16],
    hash: [u8; 32],
}

/// What a password was derived to, at some cost: from here on, hashes are cheap.
pub(in crate::serve) struct Derived {
    shared: [u8; 16],
    key: Zeroizing<[u8; 32]>,
}

/// N of RFC 7914 as a power of two, r, p. Passwords of a stand-in: some milliseconds, so that a test suite with many
/// sign-ins stays quick.
const COST: (u8, u32, u32) = (12, 8, 1);

impl Hash {
    /// Of a user's first password, with sixteen random bytes.
    pub(in crate::serve) fn new(password: &str, salt: [u8; 16]) -> Self {
        Derived { shared: salt, key: derive(password, &salt) }.hash(salt)
    }

    /// Derives what may be the same password, or another one of the same user.
    pub(in crate::serve) fn derive(&self, password: &str) -> Derived {
        Derived { shared: self.shared, key: derive(password, &self.shared) }
    }

    pub(in crate::serve) fn matches(&self, password: &str) -> bool {
        self.is(&self.derive(password))
    }

    /// Whether it is of the password that was derived.
    pub(in crate::serve) fn is(&self, derived: &Derived) -> bool {
        self.shared == derived.shared && self.hash.ct_eq(&derived.hash(self.salt).hash).into()
    }
}

impl Derived {
    /// The hash, with sixteen random bytes.
    pub(in crate::serve) fn hash(&self, salt: [u8; 16]) -> Hash {
        // Both are of one length each, and the key is as good as random: nothing else than a plain hash is needed.
        let hash = Sha256::new().chain_update(salt).chain_update(self.key.as_slice()).finalize();
        Hash { shared: self.shared, salt, hash: hash.into() }
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

    #[test]
    fn one_derivation_tells_former_passwords_and_equal_ones_have_unequal_hashes() {
        let first = Hash::new("correct horse", [7; 16]);
        let second = first.derive("battery staple").hash([8; 16]);
        let again = first.derive("correct horse");
        assert!(first.is(&again) && !second.is(&again) && second.matches("battery staple"));
        assert_ne!(again.hash([9; 16]).hash, first.hash);
        assert!(!Hash::new("correct horse", [8; 16]).is(&again), "another user's");
    }
}

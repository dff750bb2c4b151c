//! How secrets travel between a program and the Secret Service: `dh-ietf1024-sha256-aes128-cbc-pkcs7`
//! of its API, draft 0.2, section "Transfer of Secrets".
//!
//! Diffie-Hellman in the second Oakley group (RFC 2409, section 6.2), the 1024 bits of its result hashed by HKDF
//! (RFC 5869) with SHA-256, neither salt nor info, to a key for AES-128 in CBC mode. It keeps secrets out of the
//! message bus's memory and of anything that records its messages; nobody is authenticated by it.

use std::fmt;

use aes::Aes128;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use crypto_bigint::modular::{ConstMontyForm, ConstMontyParams as _};
use crypto_bigint::{U256, U1024, const_monty_params};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// Its name in the API.
pub(super) const ALGORITHM: &str = "dh-ietf1024-sha256-aes128-cbc-pkcs7";

const_monty_params!(
    Oakley2,
    U1024,
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74\
     020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437\
     4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
     ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff"
);

type Element = ConstMontyForm<Oakley2, { U1024::LIMBS }>;

fn modulus() -> &'static U1024 {
    Oakley2::PARAMS.modulus().as_ref()
}

/// This side's private number. 256 bits are twice and more what the group resists (RFC 3526, section 8, counts 80
/// bits for a larger one), at a quarter of the work of 1,024.
pub(super) struct Private(U256);

/// What both sides have computed.
pub(super) struct Key(Zeroizing<[u8; 16]>);

/// Why a transfer fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("the system gives no random numbers")]
    NoRandomNumbers,
    #[error("its public key is no key")]
    PublicKey,
    #[error("a secret came damaged")]
    Damaged,
    /// What both sides have computed begins with a zero byte, which KWallet leaves out of what it makes the key from.
    #[error("the two sides derived different keys")]
    LeadingZero,
}

impl Private {
    pub(super) fn random() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(|_| Error::NoRandomNumbers)?;
        Ok(Self(U256::from_be_slice(&*bytes)))
    }

    /// The public key, two to the power of the private one.
    pub(super) fn public(&self) -> [u8; 128] {
        Element::new(&U1024::from_u8(2)).pow(&self.0).retrieve().to_be_bytes().into()
    }

    /// The key that follows from the other side's public one.
    pub(super) fn agree(&self, public: &[u8]) -> Result<Key, Error> {
        // Sent without leading zeros, or with some.
        let public = public.get(public.iter().take_while(|byte| **byte == 0).count()..).unwrap_or_default();
        let mut padded = [0; 128];
        let start = padded.len().checked_sub(public.len()).ok_or(Error::PublicKey)?;
        padded.get_mut(start..).ok_or(Error::PublicKey)?.copy_from_slice(public);
        let public = U1024::from_be_slice(&padded);
        // 0, 1 and -1 would agree with everybody on one of two keys.
        if public <= U1024::ONE || public >= modulus().wrapping_sub(&U1024::ONE) {
            return Err(Error::PublicKey);
        }
        let shared = Zeroizing::new(Element::new(&public).pow(&self.0).retrieve().to_be_bytes());
        if shared.first() == Some(&0) {
            return Err(Error::LeadingZero);
        }
        let mut key = Zeroizing::new([0; 16]);
        Hkdf::<Sha256>::new(None, &shared).expand(&[], &mut *key).map_err(|_| Error::PublicKey)?;
        Ok(Key(key))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Key {
    /// An initialization vector, and the secret encrypted.
    pub(super) fn seal(&self, secret: &[u8]) -> Result<([u8; 16], Vec<u8>), Error> {
        let mut vector = [0; 16];
        getrandom::fill(&mut vector).map_err(|_| Error::NoRandomNumbers)?;
        let cipher = cbc::Encryptor::<Aes128>::new((&*self.0).into(), (&vector).into());
        Ok((vector, cipher.encrypt_padded_vec::<Pkcs7>(secret)))
    }

    /// The secret decrypted.
    pub(super) fn open(&self, vector: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let cipher =
            cbc::Decryptor::<Aes128>::new_from_slices(self.0.as_slice(), vector).map_err(|_| Error::Damaged)?;
        cipher.decrypt_padded_vec::<Pkcs7>(sealed).map(Zeroizing::new).map_err(|_| Error::Damaged)
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(..)")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_providers_disagree_on_is_not_agreed_on() {
        // 2 to the power of 3 × 300 is a number of 901 bits.
        let (ours, theirs) = (Private(U256::from_u16(300)), Private(U256::from_u8(3)));
        assert_eq!(ours.agree(&theirs.public()).unwrap_err(), Error::LeadingZero);
    }

    #[test]
    fn both_sides_agree_and_a_secret_comes_through() {
        let (ours, theirs) = (Private::random().unwrap(), Private::random().unwrap());
        let key = ours.agree(&theirs.public()).unwrap();
        let other = theirs.agree(&ours.public()).unwrap();
        let (vector, sealed) = key.seal(b"JBSWY3DPEHPK3PXP").unwrap();
        assert_eq!(other.open(&vector, &sealed).unwrap().as_slice(), b"JBSWY3DPEHPK3PXP");
        assert_eq!(other.open(&vector, &sealed[1..]).unwrap_err(), Error::Damaged);
        assert_eq!(other.open(&vector[1..], &sealed).unwrap_err(), Error::Damaged);
    }

    #[test]
    fn leading_zeros_of_a_public_key_may_be_left_out() {
        let (ours, theirs) = (Private::random().unwrap(), Private(U256::from_u8(3)));
        assert_eq!(theirs.public()[127], 8);
        let (vector, sealed) = ours.agree(&[8]).unwrap().seal(b"x").unwrap();
        assert_eq!(theirs.agree(&ours.public()).unwrap().open(&vector, &sealed).unwrap().as_slice(), b"x");
    }

    #[test]
    fn public_keys_that_give_the_shared_one_away_are_refused() {
        let ours = Private::random().unwrap();
        let modulus = *modulus();
        let minus_one = modulus.wrapping_sub(&U1024::ONE).to_be_bytes();
        for key in [&[][..], &[0; 128], &[1], &minus_one, &modulus.to_be_bytes(), &[255; 128], &[7; 129]] {
            assert_eq!(ours.agree(key).unwrap_err(), Error::PublicKey);
        }
    }
}

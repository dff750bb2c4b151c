//! HOTP: an HMAC-based one-time password (RFC 4226, section 5).

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

pub use super::backend::Backend;
pub use super::fleet::{codes_of, codes_of_by, codes_of_secrets, codes_of_secrets_by};
pub use super::keyed::Keyed;
use super::truncation::reduce;
pub use super::truncation::truncate;
use super::{Algorithm, Code, Parameters};
use crate::secret::Secret;

/// The code for one counter (RFC 4226) or step (RFC 6238 is HOTP with the step as counter).
#[must_use]
pub fn code(secret: &Secret, counter: u64, parameters: &Parameters) -> Code {
    let hash = hmac(secret, counter, parameters.algorithm);
    Code { value: reduce(truncate(&hash), parameters.digits), digits: parameters.digits }
}

/// Step 1 of RFC 4226, section 5.3: HMAC of the counter as eight bytes, the highest first.
#[must_use]
pub fn hmac(secret: &Secret, counter: u64, algorithm: Algorithm) -> Zeroizing<Vec<u8>> {
    let counter = counter.to_be_bytes();
    match algorithm {
        Algorithm::Sha1 => keyed::<Sha1>(secret, counter),
        Algorithm::Sha256 => keyed::<Sha256>(secret, counter),
        Algorithm::Sha512 => keyed::<Sha512>(secret, counter),
    }
}

fn keyed<H: EagerHash>(secret: &Secret, message: [u8; 8]) -> Zeroizing<Vec<u8>>
where
    Hmac<H>: KeyInit + Mac,
{
    #[expect(clippy::expect_used, reason = "RFC 2104 takes keys of any length; the crate's error is for other MACs")]
    let mut mac = <Hmac<H> as KeyInit>::new_from_slice(secret.expose()).expect("HMAC takes any key");
    mac.update(&message);
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

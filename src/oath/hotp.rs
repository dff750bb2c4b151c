//! HOTP: an HMAC-based one-time password (RFC 4226, section 5).

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

pub use super::keyed::Keyed;
use super::{Algorithm, Code, Digits, Parameters};
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

/// Step 2, the dynamic truncation: 31 bits from the place that the last byte's low half names.
///
/// Longer hashes than SHA-1's truncate alike (the reference code of RFC 6238, appendix A). What is
/// too short to be an HMAC gives 0.
#[must_use]
pub fn truncate(hash: &[u8]) -> u32 {
    let offset = hash.last().map_or(0, |last| usize::from(last & 0x0f));
    let window = hash.get(offset..).and_then(|rest| rest.first_chunk::<4>());
    u32::from_be_bytes(window.copied().unwrap_or_default()) & 0x7fff_ffff
}

/// Step 3: the number modulo 10^digits. With ten digits that is all of its 31 bits.
///
/// Each modulus is written out: by a constant, a remainder is a multiplication.
pub(super) const fn reduce(number: u32, digits: Digits) -> u32 {
    match digits.count() {
        6 => number % 1_000_000,
        7 => number % 10_000_000,
        8 => number % 100_000_000,
        9 => number % 1_000_000_000,
        _ => number,
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

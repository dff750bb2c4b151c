//! Steps 2 and 3 of RFC 4226, section 5.3: from an HMAC to the digits of a code.

use super::code::{Digits, STEAM_CODES};

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

/// Step 3: the number modulo 10^digits. With ten digits that is all of its 31 bits; Steam Guard's five characters are
/// its five lowest places in base 26.
///
/// Each modulus is written out: by a constant, a remainder is a multiplication.
pub(super) const fn reduce(number: u32, digits: Digits) -> u32 {
    match digits.count() {
        5 => number % STEAM_CODES,
        6 => number % 1_000_000,
        7 => number % 10_000_000,
        8 => number % 100_000_000,
        9 => number % 1_000_000_000,
        _ => number,
    }
}

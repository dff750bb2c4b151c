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

/// The same of a hash's first five words, which the window doesn't leave, and its last word; without a branch or an address
/// that depends on them.
#[inline]
pub(super) const fn truncate_words([a, b, c, d, e]: [u32; 5], last: u32) -> u32 {
    // Of the place's bits, 3 skips two words, 2 one word, and the rest skip bytes.
    let two = (last >> 3 & 1).wrapping_neg();
    let (a, b, c) = (choose(two, c, a), choose(two, d, b), choose(two, e, c));
    let one = (last >> 2 & 1).wrapping_neg();
    let (a, b) = (choose(one, b, a), choose(one, c, b));
    let bits = (last & 3) << 3;
    // Nothing comes from the second word if no byte is skipped: a shift by 32 in two steps.
    (a << bits | b >> 1 >> (31 ^ bits)) & 0x7fff_ffff
}

/// The bits of `yes` where the mask has ones, those of `no` where it has zeros.
const fn choose(mask: u32, yes: u32, no: u32) -> u32 {
    no ^ (mask & (yes ^ no))
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

/// Step 3 for all of them.
pub(super) fn reduce_all(numbers: &mut [u32], digits: Digits) {
    // A loop for each modulus, in which it is a constant.
    match digits.count() {
        5 => numbers.iter_mut().for_each(|number| *number %= STEAM_CODES),
        6 => numbers.iter_mut().for_each(|number| *number %= 1_000_000),
        7 => numbers.iter_mut().for_each(|number| *number %= 10_000_000),
        8 => numbers.iter_mut().for_each(|number| *number %= 100_000_000),
        9 => numbers.iter_mut().for_each(|number| *number %= 1_000_000_000),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_truncate_as_bytes_do_at_every_place() {
        for last in 0..=255_u8 {
            let mut hash: Vec<u8> = (0..20).map(|byte: u8| byte.wrapping_mul(91) ^ 0xc7).collect();
            hash[19] = last;
            let words: Vec<u32> = hash.as_chunks().0.iter().map(|word| u32::from_be_bytes(*word)).collect();
            let words = <[u32; 5]>::try_from(words).unwrap();
            assert_eq!(truncate_words(words, words[4]), truncate(&hash), "{last}");
        }
    }

    #[test]
    fn many_numbers_are_reduced_as_each_of_them() {
        let numbers = [0, 1, 999_999, 1_000_000, STEAM_CODES, 1_999_999_999, 0x7fff_ffff];
        for digits in (6..=10).filter_map(Digits::new).chain([Digits::STEAM]) {
            let mut all = numbers;
            reduce_all(&mut all, digits);
            assert_eq!(all, numbers.map(|number| reduce(number, digits)), "{digits}");
        }
    }
}

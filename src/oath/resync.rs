//! Resynchronization: which moving factors can have given a run of consecutive codes.
//!
//! RFC 4226, section 7.4 and appendix E.4, has a server ask for two or more codes in a row where one code isn't
//! enough to tell how far a device has gone; RFC 6238, section 6, does the same with clocks. The whole window is
//! looked through, every answer is returned, and which of them is right is never guessed.

use std::ops::RangeInclusive;

use subtle::ConstantTimeEq;

use super::backend::Backend;
use super::keyed::{Keyed, Search};
use super::lanes::ROOM;
use super::{Code, Digits, Parameters};
use crate::secret::Secret;

/// How far from a moving factor others are looked for, itself included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Moving factors before it.
    pub behind: u64,
    /// Moving factors after it.
    pub ahead: u64,
}

/// What a run of codes says about where a device stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "only one candidate of a long enough run is an answer"]
pub struct Solution {
    /// Every moving factor of the window that the run can end at, in ascending order.
    pub candidates: Vec<u64>,
    /// What [`codes_needed`] says of the window.
    pub codes_needed: usize,
    /// Whether there is one candidate, and codes enough that it isn't there by chance.
    pub sure: bool,
}

/// All that a run of consecutive codes, the oldest first, says about where a device stands: the
/// [`candidates`], and what they are worth.
pub fn solve(secret: &Secret, parameters: &Parameters, codes: &[Code], centre: u64, window: Window) -> Solution {
    let candidates = candidates(secret, parameters, codes, centre, window);
    let codes_needed = codes_needed(window, parameters.digits);
    let sure = candidates.len() == 1 && codes.len() >= codes_needed;
    Solution { candidates, codes_needed, sure }
}

/// Every moving factor of the window around `centre` at which a run of consecutive codes, the oldest first, can
/// end, in ascending order.
///
/// It is the *last* code whose moving factor lies in the window; those before it may lie outside, but not below
/// 0. No codes, or one with another number of digits than the parameters', have no candidates. The code of each
/// moving factor is computed once and compared in constant time.
#[must_use]
pub fn candidates(secret: &Secret, parameters: &Parameters, codes: &[Code], centre: u64, window: Window) -> Vec<u64> {
    Sightings::of(secret, parameters, codes, window.around(centre)).consecutive()
}

/// How many consecutive codes it takes until a match in the window is by chance in no more than six of 10⁹ cases.
///
/// The chance is the window's size times 10^−(digits · codes); of ten digits only the 31 bits of a
/// truncated HMAC count, and Steam Guard has 26⁵ codes. With six digits two codes are enough for a day of 30-second steps to either side.
#[must_use]
pub fn codes_needed(window: Window, digits: Digits) -> usize {
    let one_of = u128::from(digits.codes());
    let needed = window.size().saturating_mul(CHANCE_OF);
    let (mut codes, mut worth) = (1_usize, one_of.saturating_mul(CHANCE));
    while worth < needed {
        codes = codes.saturating_add(1);
        worth = worth.saturating_mul(one_of);
    }
    codes
}

impl Window {
    /// As far to both sides.
    #[must_use]
    pub const fn even(each: u64) -> Self {
        Self { behind: each, ahead: each }
    }

    /// The moving factors around `centre`; there are none below 0 or past 64 bits.
    #[must_use]
    pub const fn around(self, centre: u64) -> RangeInclusive<u64> {
        centre.saturating_sub(self.behind)..=centre.saturating_add(self.ahead)
    }

    /// How many moving factors it holds.
    fn size(self) -> u128 {
        u128::from(self.behind).saturating_add(u128::from(self.ahead)).saturating_add(1)
    }
}

/// A match by chance is borne in six cases …
const CHANCE: u128 = 6;

/// … of a thousand million.
const CHANCE_OF: u128 = 1_000_000_000;

/// How many steps the codes of one run may be apart for [`Sightings::skipped`] to see it: five minutes of the
/// default period. More would make a lucky match likelier, and would help nobody: people miss one code, or a few.
const FARTHEST_SKIP: u64 = 10;

/// Where each code of a run was seen, the moving factors of each in ascending order.
///
/// What is looked through begins as far before the window of the last code as the run is long, so that no run in it
/// ends before the window.
pub(super) struct Sightings(Vec<Vec<u64>>);

impl Sightings {
    pub(super) fn of(secret: &Secret, parameters: &Parameters, codes: &[Code], window: RangeInclusive<u64>) -> Self {
        let digits = parameters.digits;
        let mut seen = vec![Vec::new(); codes.len()];
        if !codes.is_empty() && codes.iter().all(|code| code.digits() == digits) {
            let first = earlier(*window.start(), codes.len().saturating_sub(1)).unwrap_or(0);
            let keyed = Keyed::new(secret, parameters.algorithm);
            let counters = first..=*window.end();
            let mut search = Search::new(&keyed, Backend::for_counters(&counters), counters, digits);
            let mut batch = [0; ROOM];
            while let Some((counter, values)) = search.next_batch(&mut batch) {
                for (code, factors) in codes.iter().zip(&mut seen) {
                    // Most batches don't have the code. All of a batch is looked at before that is known.
                    let least = values.iter().fold(u32::MAX, |least, value| least.min(value ^ code.value));
                    if least.ct_eq(&0).into() {
                        let numbered = (counter..=u64::MAX).zip(values);
                        let equal = numbered.filter(|(_, value)| value.ct_eq(&code.value).into());
                        factors.extend(equal.map(|(factor, _)| factor));
                    }
                }
            }
        }
        Self(seen)
    }

    /// Moving factors of the window that the run can end at.
    pub(super) fn consecutive(&self) -> Vec<u64> {
        runs(self.0.iter().rev())
    }

    /// Whether the run is there with its last code first.
    pub(super) fn reversed(&self) -> bool {
        !runs(self.0.iter()).is_empty()
    }

    /// Whether the codes are there in their order, and not farther apart than [`FARTHEST_SKIP`]: where they aren't
    /// consecutive, there are others between them.
    pub(super) fn skipped(&self) -> bool {
        let mut seen = self.0.iter();
        let mut reached = seen.next().cloned().unwrap_or_default();
        for factors in seen {
            let follows = |factor: &u64| {
                reached.iter().any(|before| matches!(factor.checked_sub(*before), Some(1..=FARTHEST_SKIP)))
            };
            reached = factors.iter().copied().filter(follows).collect();
        }
        !reached.is_empty()
    }
}

/// Where a run ends, whose sightings are given from its end to its beginning.
fn runs<'a>(mut backwards: impl Iterator<Item = &'a Vec<u64>> + Clone) -> Vec<u64> {
    let Some(ends) = backwards.next() else { return Vec::new() };
    let whole = |end: &u64| {
        backwards
            .clone()
            .zip(1..)
            .all(|(factors, before)| earlier(*end, before).is_some_and(|factor| factors.binary_search(&factor).is_ok()))
    };
    ends.iter().copied().filter(whole).collect()
}

/// This many moving factors earlier; `None` if that is below 0.
pub(super) fn earlier(factor: u64, by: usize) -> Option<u64> {
    factor.checked_sub(u64::try_from(by).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oath::hotp;

    const NONE: [u64; 0] = [];

    fn secret() -> Secret {
        Secret::new(b"12345678901234567890".to_vec()).unwrap()
    }

    fn codes(factors: &[u64]) -> Vec<Code> {
        factors.iter().map(|factor| hotp::code(&secret(), *factor, &Parameters::DEFAULT)).collect()
    }

    fn found(factors: &[u64], centre: u64, window: Window) -> Vec<u64> {
        candidates(&secret(), &Parameters::DEFAULT, &codes(factors), centre, window)
    }

    #[test]
    fn it_is_the_last_code_that_lies_in_the_window() {
        assert_eq!(found(&[7, 8], 18, Window { behind: 10, ahead: 0 }), [8]);
        assert_eq!(found(&[6, 7], 18, Window { behind: 10, ahead: 0 }), NONE);
        assert_eq!(found(&[17, 18, 19], 18, Window { behind: 0, ahead: 1 }), [19]);
        assert_eq!(found(&[18, 19, 20], 18, Window { behind: 0, ahead: 1 }), NONE);
    }

    #[test]
    fn both_ends_of_the_count_are_in_reach() {
        let everything_near = Window::even(50);
        assert_eq!(found(&[0], 3, everything_near), [0]);
        assert_eq!(found(&[0, 1], 3, everything_near), [1]);
        assert_eq!(found(&[u64::MAX - 1, u64::MAX], u64::MAX - 9, everything_near), [u64::MAX]);
        assert_eq!(found(&[u64::MAX], u64::MAX, Window::even(0)), [u64::MAX]);
        assert_eq!(found(&[u64::MAX, 0], 0, everything_near), NONE);
        assert_eq!(found(&[u64::MAX, 0], u64::MAX, everything_near), NONE);
    }

    #[test]
    fn every_candidate_of_one_code_is_told_and_none_is_sure() {
        // By the birthday rule some of 20,000 six-digit codes are there twice.
        let parameters = Parameters::DEFAULT;
        let window = Window { behind: 0, ahead: 19_999 };
        let mut all: Vec<_> = (0..20_000).map(|factor| (hotp::code(&secret(), factor, &parameters), factor)).collect();
        all.sort_by_key(|(code, factor)| (code.to_string(), *factor));
        let pair = all.windows(2).find(|pair| pair[0].0 == pair[1].0).unwrap();
        let factors: Vec<u64> = all.iter().filter(|(code, _)| *code == pair[0].0).map(|(_, factor)| *factor).collect();
        let solution = solve(&secret(), &parameters, &[pair[0].0], 0, window);
        assert_eq!(solution, Solution { candidates: factors.clone(), codes_needed: 3, sure: false });
        // The next code tells which it was.
        let solution = solve(&secret(), &parameters, &codes(&[factors[0], factors[0] + 1]), 0, window);
        assert_eq!(solution, Solution { candidates: vec![factors[0] + 1], codes_needed: 3, sure: false });
        let run = codes(&[factors[0], factors[0] + 1, factors[0] + 2]);
        let solution = solve(&secret(), &parameters, &run, 0, window);
        assert_eq!(solution, Solution { candidates: vec![factors[0] + 2], codes_needed: 3, sure: true });
    }

    #[test]
    fn no_codes_and_codes_of_another_length_match_nothing() {
        let window = Window::even(10);
        assert_eq!(found(&[], 5, window), NONE);
        let eight = Parameters { digits: Digits::new(8).unwrap(), ..Parameters::DEFAULT };
        let mixed = [hotp::code(&secret(), 4, &Parameters::DEFAULT), hotp::code(&secret(), 5, &eight)];
        assert_eq!(candidates(&secret(), &Parameters::DEFAULT, &mixed, 5, window), NONE);
        assert_eq!(candidates(&secret(), &eight, &mixed, 5, window), NONE);
        assert_eq!(candidates(&secret(), &eight, &mixed[1..], 5, window), [5]);
    }

    #[test]
    fn two_codes_are_enough_for_a_day_and_three_for_more() {
        let needed = |each, digits| codes_needed(Window::even(each), Digits::new(digits).unwrap());
        assert_eq!(needed(2_880, 6), 2);
        assert_eq!(needed(2_999, 6), 2);
        assert_eq!(codes_needed(Window { behind: 2_999, ahead: 3_000 }, Digits::SIX), 2, "exactly six");
        assert_eq!(needed(3_000, 6), 3, "6,001 factors are 6.001 of 10⁹ cases");
        assert_eq!(needed(1_051_200, 6), 3);
        assert_eq!(needed(0, 6), 2);
        assert_eq!(needed(2, 8), 2);
        assert_eq!(needed(1_051_200, 8), 2);
        assert_eq!(needed(2, 9), 1);
        assert_eq!(needed(3, 9), 2);
        assert_eq!(needed(5, 10), 1, "eleven of 2³¹ cases, and thirteen are too many");
        assert_eq!(needed(6, 10), 2);
        assert_eq!(codes_needed(Window::even(2_880), Digits::STEAM), 2);
        assert_eq!(codes_needed(Window { behind: u64::MAX, ahead: u64::MAX }, Digits::SIX), 5);
    }

    #[test]
    fn reversed_and_skipped_runs_are_told_from_wrong_ones() {
        let seen = |factors: &[u64]| {
            let sightings = Sightings::of(&secret(), &Parameters::DEFAULT, &codes(factors), 100..=200);
            (sightings.consecutive(), sightings.reversed(), sightings.skipped())
        };
        assert_eq!(seen(&[150, 149]), (vec![], true, false));
        assert_eq!(seen(&[150, 149, 148]), (vec![], true, false));
        assert_eq!(seen(&[150, 152]), (vec![], false, true));
        assert_eq!(seen(&[150, 160]), (vec![], false, true));
        assert_eq!(seen(&[150, 151, 153]), (vec![], false, true));
        assert_eq!(seen(&[150, 161]), (vec![], false, false));
        assert_eq!(seen(&[150, 148]), (vec![], false, false));
        assert_eq!(seen(&[150, 9_000]), (vec![], false, false));
        assert_eq!(seen(&[199, 201]), (vec![], false, false), "ends outside");
        assert_eq!(seen(&[98, 99]), (vec![], false, false), "ends outside");
    }
}

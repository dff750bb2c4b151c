//! What AWS was measured to do, a test for each rule, and where the RFCs' rules differ.

use std::collections::VecDeque;

use vmfa::oath::relying_party::{Refusal, Rules};
use vmfa::oath::{Algorithm, Digits, hotp};
use vmfa::time::{Step, Timestamp};

use super::{Party, at, seed};

const EIGHT: Digits = Digits::new(8).unwrap();

/// A step that begins one of the windows of attempts: a multiple of six.
const NOW: u64 = 59_640_480;

fn shifted(drift: i64) -> u64 {
    NOW.checked_add_signed(drift).unwrap()
}

fn used(step: u64) -> Refusal {
    Refusal::Used { step, drift: i64::try_from(i128::from(step) - i128::from(NOW)).unwrap() }
}

#[test]
fn a_single_code_may_lie_two_steps_behind_or_ahead_and_no_further() {
    for drift in -4..=4 {
        let mut party = Party::new(Rules::AWS);
        let found = party.presented(at(NOW), &[shifted(drift)]).map(|found| found.drift);
        assert_eq!(found, if drift.abs() <= 2 { Ok(drift) } else { Err(Refusal::NoMatch) });
    }
}

#[test]
fn the_second_code_may_lie_998_steps_behind_and_1000_ahead_and_no_further() {
    for (drift, accepted) in [(-999, false), (-998, true), (1_000, true), (1_001, false)] {
        let mut party = Party::new(Rules::AWS);
        let found = party.presented(at(NOW), &[shifted(drift - 1), shifted(drift)]);
        assert_eq!(found.map(|found| found.drift), if accepted { Ok(drift) } else { Err(Refusal::NoMatch) });
        assert_eq!(party.state.adjustment(), if accepted { drift } else { 0 });
    }
}

#[test]
fn previous_and_current_are_accepted_at_once_and_leave_the_clock_where_it_was() {
    let mut party = Party::new(Rules::AWS);
    let found = party.presented(at(NOW), &[NOW - 1, NOW]).unwrap();
    assert_eq!((found.moving_factor, found.drift, found.adjustment), (NOW, 0, 0));
    let mut party = Party::new(Rules::AWS);
    assert_eq!(party.presented(at(NOW), &[NOW, NOW + 1]).unwrap().adjustment, 1);
}

#[test]
fn the_window_of_single_codes_follows_a_pair() {
    let mut party = Party::new(Rules::AWS);
    assert!(party.presented(at(NOW), &[NOW + 499, NOW + 500]).is_ok());
    assert_eq!(party.presented(at(NOW), &[NOW]), Err(Refusal::NoMatch));
    assert_eq!(party.presented(at(NOW), &[NOW + 497]), Err(Refusal::NoMatch));
    assert_eq!(party.presented(at(NOW), &[NOW + 498]).unwrap().drift, 498);
    assert_eq!(party.presented(at(NOW + 100), &[NOW + 602]).unwrap().drift, 502);
}

#[test]
fn a_resync_searches_around_the_adjustment_that_there_is() {
    let mut party = Party::new(Rules::AWS);
    assert!(party.presented(at(NOW), &[NOW + 999, NOW + 1_000]).is_ok());
    assert!(party.presented(at(NOW), &[NOW + 1_999, NOW + 2_000]).is_ok());
    assert_eq!(party.state.adjustment(), 2_000);
    assert_eq!(party.presented(at(NOW), &[NOW + 3_000, NOW + 3_001]), Err(Refusal::NoMatch));
    // The adjustment counts in steps, so it goes with the time: −998 around it is 1,002 ahead.
    let later = NOW + 2_000;
    assert_eq!(party.presented(at(later), &[later + 1_000, later + 1_001]), Err(Refusal::NoMatch));
    assert_eq!(party.presented(at(later), &[later + 1_001, later + 1_002]).unwrap().adjustment, 1_002);
}

#[test]
fn unused_steps_of_the_window_are_accepted_in_any_order_and_once_each() {
    let mut party = Party::new(Rules::AWS);
    for drift in [1, -2, 2, 0, -1] {
        assert_eq!(party.presented(at(NOW), &[shifted(drift)]).unwrap().drift, drift);
        assert_eq!(party.state.adjustment(), 0, "a success doesn't move the window");
    }
    let mut party = Party::new(Rules::AWS);
    assert!(party.presented(at(NOW), &[NOW]).is_ok());
    assert_eq!(party.presented(at(NOW), &[NOW]), Err(used(NOW)));
    let again = party.presented(at(NOW + 1), &[NOW]);
    assert_eq!(again, Err(Refusal::Used { step: NOW, drift: -1 }));
}

#[test]
fn a_pair_does_not_use_its_codes_up() {
    let mut party = Party::new(Rules::AWS);
    assert!(party.presented(at(NOW), &[NOW - 1, NOW]).is_ok());
    assert!(party.presented(at(NOW), &[NOW]).is_ok());
    assert!(party.presented(at(NOW), &[NOW - 1]).is_ok());
    assert_eq!(party.presented(at(NOW), &[NOW]), Err(used(NOW)));
}

#[test]
fn a_used_code_may_be_part_of_a_pair_and_stays_used() {
    let mut party = Party::new(Rules::AWS);
    assert!(party.presented(at(NOW), &[NOW]).is_ok());
    assert!(party.presented(at(NOW), &[NOW - 1, NOW]).is_ok());
    assert_eq!(party.presented(at(NOW), &[NOW]), Err(used(NOW)));
}

#[test]
fn both_codes_of_a_pair_are_newer_than_the_last_pair() {
    let mut party = Party::new(Rules::AWS);
    assert!(party.presented(at(NOW), &[NOW - 1, NOW]).is_ok());
    let not_newer = Err(Refusal::NotNewer { last: NOW });
    assert_eq!(party.presented(at(NOW), &[NOW - 1, NOW]), not_newer, "sent again");
    assert_eq!(party.presented(at(NOW), &[NOW, NOW + 1]), not_newer, "the first is the last one's second");
    assert_eq!(party.presented(at(NOW + 900), &[NOW - 3, NOW - 2]), not_newer, "older");
    assert_eq!(party.state.last_pair(), Some(Step::new(NOW)));
    assert!(party.presented(at(NOW), &[NOW + 1, NOW + 2]).is_ok());
}

#[test]
fn equal_reversed_and_skipped_codes_are_told_apart_from_wrong_ones() {
    for (pair, refusal) in [
        ([NOW, NOW], Refusal::Equal),
        ([NOW, NOW - 1], Refusal::Reversed),
        ([NOW - 2, NOW], Refusal::Skipped),
        ([NOW, NOW + 5_000], Refusal::NoMatch),
        ([NOW + 5_000, NOW + 5_001], Refusal::NoMatch),
    ] {
        for rules in [Rules::AWS, Rules::RFC_6238] {
            let mut party = Party::new(rules);
            assert_eq!(party.presented(at(NOW), &pair), Err(refusal), "{pair:?}");
        }
    }
}

#[test]
fn the_tenth_attempt_in_three_minutes_is_refused_whatever_it_is() {
    let mut party = Party::new(Rules::AWS);
    for attempt in 0..9 {
        // Successes, replays and wrong codes count alike.
        let step = [NOW, NOW, NOW + 77][attempt % 3];
        let _ = party.presented(at(NOW), &[step]);
    }
    let until = at(NOW + 6);
    for step in [NOW + 1, NOW, NOW + 77] {
        assert_eq!(party.presented(at(NOW), &[step]), Err(Refusal::TooManyAttempts { until }));
    }
    let last_second = Timestamp::from_unix(until.as_unix() - 1);
    assert_eq!(party.presented(last_second, &[NOW + 5]), Err(Refusal::TooManyAttempts { until }));
    assert!(party.presented(until, &[NOW + 5]).is_ok(), "windows are those of the clock");
}

#[test]
fn the_ninth_attempt_is_verified() {
    let mut party = Party::new(Rules::AWS);
    for _ in 0..8 {
        assert_eq!(party.presented(at(NOW), &[NOW + 77]), Err(Refusal::NoMatch));
    }
    assert!(party.presented(at(NOW), &[NOW]).is_ok());
}

#[test]
fn pairs_and_codes_of_another_length_cost_no_attempt() {
    let mut party = Party::new(Rules::AWS);
    for _ in 0..20 {
        assert_eq!(party.presented(at(NOW), &[NOW, NOW + 77]), Err(Refusal::NoMatch));
        assert_eq!(party.presented(at(NOW), &[]), Err(Refusal::NoCodes));
        let long = party.given(at(NOW), &["12345678".parse().unwrap()]);
        assert_eq!(long, Err(Refusal::WrongLength { given: EIGHT, expected: Digits::SIX }));
    }
    for _ in 0..9 {
        assert_eq!(party.presented(at(NOW), &[NOW + 77]), Err(Refusal::NoMatch));
    }
    assert!(party.presented(at(NOW), &[NOW - 1, NOW]).is_ok(), "nor does an empty budget hold a pair back");
}

#[test]
fn a_new_seed_inherits_the_attempts() {
    let mut party = Party::new(Rules::AWS);
    for step in [NOW; 9] {
        let _ = party.presented(at(NOW), &[step]);
    }
    assert!(party.presented(at(NOW), &[NOW + 9, NOW + 10]).is_ok());
    party.state = party.state.reseeded();
    assert_eq!((party.state.adjustment(), party.state.last_pair()), (0, None));
    assert!(!party.state.is_used(Step::new(NOW)));
    assert_eq!(party.presented(at(NOW), &[NOW]), Err(Refusal::TooManyAttempts { until: at(NOW + 6) }));
    assert!(party.presented(at(NOW), &[NOW - 1, NOW]).is_ok());
}

#[test]
fn by_the_rfc_a_single_code_moves_the_window_and_no_step_comes_twice_however_it_comes() {
    let mut party = Party::new(Rules::RFC_6238);
    assert_eq!(party.presented(at(NOW), &[NOW + 1]).unwrap().adjustment, 1);
    assert_eq!(party.presented(at(NOW), &[NOW + 2]).unwrap().adjustment, 2);
    assert_eq!(party.presented(at(NOW), &[NOW]), Err(Refusal::NoMatch));
    assert_eq!(party.presented(at(NOW), &[NOW + 2, NOW + 3]), Err(used(NOW + 2)));
    assert_eq!(party.presented(at(NOW), &[NOW + 3, NOW + 4]).unwrap().adjustment, 4);
    assert_eq!(party.presented(at(NOW), &[NOW + 3]), Err(used(NOW + 3)));
    assert_eq!(party.presented(at(NOW), &[NOW + 4]), Err(used(NOW + 4)));
    // What is older than a pair, and unused, may be part of another.
    assert_eq!(party.presented(at(NOW), &[NOW - 1, NOW]).unwrap().adjustment, 0);
    for _ in 0..20 {
        assert_eq!(party.presented(at(NOW), &[NOW + 77]), Err(Refusal::NoMatch), "there is no budget");
    }
}

#[test]
fn three_codes_are_taken_as_two_are() {
    for rules in [Rules::AWS, Rules::RFC_6238] {
        let mut party = Party::new(rules);
        assert_eq!(party.presented(at(NOW), &[NOW + 8, NOW + 9, NOW + 10]).unwrap().adjustment, 10);
        assert_eq!(party.state.is_used(Step::new(NOW + 8)), rules == Rules::RFC_6238);
        assert_eq!(party.presented(at(NOW), &[NOW + 20, NOW + 22, NOW + 23]), Err(Refusal::Skipped));
    }
}

#[test]
fn of_a_code_that_two_steps_have_the_unused_one_is_taken_then_the_nearer_then_the_earlier() {
    // Two steps of one window with the same code: looked for, since they are rare.
    let mut last = VecDeque::new();
    let (first, second) = hotp::Keyed::new(&seed(), Algorithm::Sha1)
        .codes(0..=u64::MAX, Digits::SIX)
        .find_map(|(step, code)| {
            let twin = last.iter().find(|(_, other)| *other == code).map(|(twin, _)| *twin);
            last.push_back((step, code));
            last.drain(..last.len().saturating_sub(4));
            twin.map(|twin| (twin, step))
        })
        .unwrap();
    for centre in second.saturating_sub(2)..=first + 2 {
        let mut party = Party::new(Rules::AWS);
        let (nearer, farther) =
            if second.abs_diff(centre) < first.abs_diff(centre) { (second, first) } else { (first, second) };
        assert_eq!(party.presented(at(centre), &[first]).unwrap().moving_factor, nearer);
        assert_eq!(party.presented(at(centre), &[first]).unwrap().moving_factor, farther);
        let refusal = party.presented(at(centre), &[first]).unwrap_err();
        assert!(matches!(refusal, Refusal::Used { step, .. } if step == nearer));
    }
}

#[test]
fn refusals_have_words_and_messages_of_their_own() {
    let refusals = [
        Refusal::NoCodes,
        Refusal::WrongLength { given: EIGHT, expected: Digits::SIX },
        Refusal::NoMatch,
        used(NOW),
        Refusal::Passed { counter: 3, next: 5 },
        Refusal::Equal,
        Refusal::Reversed,
        Refusal::Skipped,
        Refusal::NotNewer { last: NOW },
        Refusal::TooManyAttempts { until: at(NOW) },
        Refusal::BeforeT0,
    ];
    let mut words: Vec<_> = refusals.iter().map(Refusal::code).collect();
    let mut messages: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    words.sort_unstable();
    words.dedup();
    messages.sort_unstable();
    messages.dedup();
    assert_eq!((words.len(), messages.len()), (refusals.len(), refusals.len()));
    assert!(words.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')));
}

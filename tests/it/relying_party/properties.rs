//! What holds whatever is presented, and whenever.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::json;
use vmfa::oath::relying_party::{Rules, State, Verdict, accept};
use vmfa::oath::{Algorithm, Code, Digits, MovingFactor, Parameters, hotp};
use vmfa::time::{Period, Timestamp};

use super::{PERIOD, Party, codes, counter_parameters, seed, without_attempts};

const START: u64 = 59_640_480;

fn rules() -> impl Strategy<Value = Rules> {
    prop_oneof![Just(Rules::AWS), Just(Rules::RFC_6238)]
}

/// A party whose codes have ten digits, so that no two steps of a window have the same: with six it happens once
/// in some thousand histories.
fn party(rules: Rules) -> Party {
    let ten = Parameters { digits: Digits::new(10).unwrap(), ..Parameters::DEFAULT };
    Party { parameters: ten, ..Party::new(rules) }
}

/// Steps of time that pass, what the device is off, and whether it shows one code or two.
fn logins() -> impl Strategy<Value = Vec<(u64, i64, bool)>> {
    prop::collection::vec((0..4_u64, -4..=4_i64, prop::bool::weighted(0.2)), 1..40)
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..3_000_u64, u64::MAX - 3_000..=u64::MAX, any::<u64>()]
}

fn signed() -> impl Strategy<Value = i64> {
    prop_oneof![-3_000..3_000_i64, Just(i64::MIN), Just(i64::MAX), any::<i64>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_accepted_step_is_never_accepted_again(rules in rules(), logins in logins()) {
        let mut party = party(rules);
        let (mut singly, mut in_pairs) = (HashSet::new(), HashSet::new());
        let mut reference = START;
        for (passed, drift, pair) in logins {
            reference += passed;
            let step = reference.checked_add_signed(drift).unwrap();
            let steps = if pair { vec![step - 1, step] } else { vec![step] };
            // Twice: what was accepted is sent again at once.
            for _ in 0..2 {
                let verdict = party.presented(Timestamp::from_unix(reference * PERIOD), &steps);
                let Ok(found) = verdict else { continue };
                prop_assert_eq!(found.moving_factor, step);
                prop_assert_eq!(found.drift, drift);
                for step in &steps {
                    let fresh = if pair { in_pairs.insert(*step) } else { singly.insert(*step) };
                    prop_assert!(fresh, "step {step} twice");
                }
            }
        }
        if rules == Rules::RFC_6238 {
            prop_assert!(singly.is_disjoint(&in_pairs));
        }
    }

    #[test]
    fn nothing_outside_the_window_is_accepted_and_only_what_may_moves_the_adjustment(
        rules in rules(), logins in logins()
    ) {
        let mut party = party(rules);
        let mut reference = START;
        for (passed, drift, pair) in logins {
            reference += passed;
            let before = party.state.adjustment();
            let step = reference.checked_add_signed(drift).unwrap();
            let steps = if pair { vec![step - 1, step] } else { vec![step] };
            let verdict = party.presented(Timestamp::from_unix(reference * PERIOD), &steps);
            let after = party.state.adjustment();
            let Ok(found) = verdict else {
                prop_assert_eq!(after, before);
                continue;
            };
            prop_assert_eq!(after, found.adjustment);
            let window = if pair { rules.pair } else { rules.single };
            let off = i128::from(found.drift) - i128::from(before);
            prop_assert!(-i128::from(window.behind) <= off && off <= i128::from(window.ahead));
            let moves = pair || rules == Rules::RFC_6238;
            prop_assert_eq!(after, if moves { drift } else { before });
        }
    }

    #[test]
    fn aws_takes_the_five_steps_of_its_window_in_any_order(
        order in Just(vec![-2, -1, 0, 1, 2_i64]).prop_shuffle(), adjustment in -3_000..3_000_i64
    ) {
        let mut party = party(Rules::AWS);
        party.state = serde_json::from_value(json!({ "adjustment": adjustment })).unwrap();
        for drift in order {
            let step = START.checked_add_signed(adjustment + drift).unwrap();
            let found = party.presented(Timestamp::from_unix(START * PERIOD), &[step]).unwrap();
            prop_assert_eq!((found.moving_factor, found.adjustment), (step, adjustment));
        }
    }

    #[test]
    fn counters_only_go_up(counters in prop::collection::vec((0..40_u64, 1..4_u64), 1..30)) {
        let mut party = party(Rules::RFC_6238);
        party.parameters.factor = counter_parameters().factor;
        for (counter, run) in counters {
            let before = party.state.next();
            let run: Vec<u64> = (counter..counter + run).collect();
            let last = counter + run.len() as u64 - 1;
            match party.presented(Timestamp::from_unix(0), &run) {
                Ok(found) => {
                    prop_assert!(counter >= before && (run.len() > 1 || counter <= before + 10));
                    prop_assert_eq!(found.moving_factor, last);
                    prop_assert_eq!(party.state.next(), last + 1);
                }
                Err(_) => {
                    prop_assert!(counter < before || (run.len() == 1 && counter > before + 10));
                    prop_assert_eq!(party.state.next(), before);
                }
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_number_at_the_end_of_its_range_is_too_much(
        rules in rules(),
        (now, period) in (number(), prop_oneof![Just(1_u64), Just(30), 1..=u64::MAX]),
        (adjustment, used, forgotten) in (signed(), prop::collection::btree_set(number(), 0..4), number()),
        (pair, next) in (prop::option::of(number()), number()),
        (since, count) in (number(), 0..12_u32),
        (counts, digits, algorithm) in (any::<bool>(), 6..=10_u8, 0..3_usize),
        (length, off, apart) in (0..4_u64, prop_oneof![-3..=3_i64, -1_002..=1_002_i64], 0..3_u64),
        wrong in prop::option::of("[0-9]{6,9}"),
    ) {
        let algorithm = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512][algorithm];
        let factor = if counts {
            MovingFactor::Counter { next: 0 }
        } else {
            MovingFactor::Time { period: Period::new(period).unwrap() }
        };
        let parameters = Parameters { algorithm, digits: Digits::new(digits).unwrap(), factor };
        let state: State = serde_json::from_value(json!({
            "adjustment": adjustment, "used": used, "forgotten": forgotten, "pair": pair, "next": next,
            "attempts": { "since": since, "count": count },
        })).unwrap();
        // Right codes, mostly, so that what follows a match is reached too.
        let centre = if counts { next } else { (now / period).saturating_add_signed(adjustment) };
        let start = centre.wrapping_add_signed(off);
        let factors: Vec<u64> = (0..length).map(|index| start.wrapping_add(index * apart)).collect();
        let mut codes = codes(&seed(), &parameters, &factors);
        codes.extend(wrong.map(|wrong| wrong.parse::<Code>().unwrap()));
        let (after, verdict) = accept(&rules, &seed(), &parameters, &state, Timestamp::from_unix(now), &codes);
        match verdict {
            Verdict::Accepted(found) => {
                let made = hotp::code(&seed(), found.moving_factor, &parameters);
                prop_assert_eq!(Some(&made), codes.last());
                prop_assert!(!counts || (found.moving_factor >= next && after.next() == found.moving_factor + 1));
                prop_assert_ne!(&after, &state);
            }
            Verdict::Refused(_) => prop_assert_eq!(without_attempts(&after), without_attempts(&state)),
        }
        let again: State = serde_json::from_str(&serde_json::to_string(&after).unwrap()).unwrap();
        prop_assert_eq!(again, after);
    }
}

#[test]
fn a_counter_is_not_a_time_and_leaves_the_clock_alone() {
    let parameters = counter_parameters();
    let codes = codes(&seed(), &parameters, &[0]);
    let (state, verdict) =
        accept(&Rules::AWS, &seed(), &parameters, &State::default(), Timestamp::from_unix(u64::MAX), &codes);
    assert!(matches!(verdict, Verdict::Accepted(found) if found.moving_factor == 0 && found.adjustment == 0));
    assert_eq!((state.next(), state.adjustment(), state.last_pair()), (1, 0, None));
}

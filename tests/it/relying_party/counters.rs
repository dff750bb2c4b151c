//! Counters, with the ten rows of RFC 4226, appendix D.

use vmfa::oath::Code;
use vmfa::oath::relying_party::{Match, Refusal, Rules, State};
use vmfa::oath::resync::{self, Window};

use super::{Party, at, counter_parameters};
use crate::oath::{rfc_secret, rows};

/// RFC 4226, section 7.4: s, as this house has it.
const LOOK_AHEAD: u64 = 10;

fn appendix_d() -> Vec<(u64, Code)> {
    let rows: Vec<(u64, Code)> = rows("rfc4226-appendix-d.txt")
        .into_iter()
        .map(|row| (row[0].parse().unwrap(), row[4].parse().unwrap()))
        .collect();
    assert_eq!(rows.len(), 10);
    rows
}

fn expecting(next: u64) -> Party {
    Party {
        parameters: counter_parameters(),
        secret: rfc_secret(20),
        state: State::counter(next),
        ..Party::new(Rules::RFC_6238)
    }
}

#[test]
fn a_row_is_accepted_where_its_counter_is_expected_or_at_most_ten_ahead() {
    let mut cases = 0;
    for (counter, code) in appendix_d() {
        for next in 0..=counter + 12 {
            let mut party = expecting(next);
            let verdict = party.given(at(0), &[code]);
            if next <= counter && counter - next <= LOOK_AHEAD {
                let drift = i64::try_from(counter - next).unwrap();
                assert_eq!(verdict, Ok(Match { moving_factor: counter, drift, adjustment: 0 }));
                assert_eq!(party.state.next(), counter + 1);
                assert_eq!(party.given(at(0), &[code]), Err(Refusal::Passed { counter, next: counter + 1 }));
            } else if next - counter <= 10 {
                assert_eq!(verdict, Err(Refusal::Passed { counter, next }));
            } else {
                assert_eq!(verdict, Err(Refusal::NoMatch));
            }
            cases += 1;
        }
    }
    assert_eq!(cases, (13..=22).sum::<u64>());
}

#[test]
fn two_rows_resynchronize_and_a_device_too_far_ahead_needs_them() {
    let rows = appendix_d();
    for pair in rows.windows(2) {
        let codes = [pair[0].1, pair[1].1];
        let last = pair[1].0;
        for next in 0..=last {
            let mut party = expecting(next);
            let verdict = party.given(at(0), &codes);
            if next < last {
                assert_eq!(
                    verdict.map(|found| (found.moving_factor, found.drift)),
                    Ok((last, i64::try_from(last - next).unwrap()))
                );
                assert_eq!(party.state.next(), last + 1);
            } else {
                assert_eq!(verdict, Err(Refusal::Passed { counter: last - 1, next }), "never below the expected");
            }
        }
        assert_eq!(resync::candidates(&rfc_secret(20), &counter_parameters(), &codes, 0, Window::even(1_000)), [last]);
    }
    // The larger window, to its edge.
    for (last, accepted) in [(1_000, true), (1_001, false)] {
        let mut party = expecting(0);
        assert_eq!(party.presented(at(0), &[last]), Err(Refusal::NoMatch));
        assert_eq!(party.presented(at(0), &[last - 1, last]).is_ok(), accepted);
    }
}

#[test]
fn a_single_code_looks_ten_counters_ahead_and_no_further() {
    for (counter, accepted) in [(99, false), (100, true), (110, true), (111, false)] {
        assert_eq!(expecting(100).presented(at(0), &[counter]).is_ok(), accepted, "{counter}");
    }
}

#[test]
fn a_run_in_the_wrong_order_is_told() {
    assert_eq!(expecting(5).presented(at(0), &[9, 8]), Err(Refusal::Reversed));
    assert_eq!(expecting(5).presented(at(0), &[8, 10]), Err(Refusal::Skipped));
    assert_eq!(expecting(5).presented(at(0), &[8, 8]), Err(Refusal::Equal));
}

#[test]
fn the_last_counter_of_all_is_never_accepted() {
    let mut party = expecting(u64::MAX - 1);
    assert_eq!(party.presented(at(0), &[u64::MAX - 1]).unwrap().moving_factor, u64::MAX - 1);
    assert_eq!(party.state.next(), u64::MAX);
    assert_eq!(party.presented(at(0), &[u64::MAX]), Err(Refusal::NoMatch));
    assert_eq!(expecting(u64::MAX - 5).presented(at(0), &[u64::MAX - 1, u64::MAX]), Err(Refusal::NoMatch));
}

#[test]
fn counters_have_a_budget_where_the_rules_do() {
    let mut party = Party { rules: Rules::AWS, ..expecting(0) };
    for _ in 0..9 {
        assert_eq!(party.presented(at(0), &[500]), Err(Refusal::NoMatch));
    }
    assert_eq!(party.presented(at(0), &[0]), Err(Refusal::TooManyAttempts { until: at(6) }));
    assert!(party.presented(at(6), &[0]).is_ok());
}

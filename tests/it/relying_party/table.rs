//! The eighteen rows of RFC 6238, appendix B, presented at every drift.

use vmfa::oath::relying_party::{Match, Refusal, Rules, State, Verdict, accept};
use vmfa::oath::resync::{self, Window};
use vmfa::oath::{Algorithm, Code, Digits, Parameters, hotp};
use vmfa::secret::Secret;
use vmfa::time::Timestamp;

use super::PERIOD;
use crate::oath::{rfc_secret, rows};

struct Row {
    secret: Secret,
    parameters: Parameters,
    time: u64,
    step: u64,
    code: Code,
}

fn appendix_b() -> Vec<Row> {
    let rows: Vec<Row> = rows("rfc6238-appendix-b.txt")
        .into_iter()
        .map(|row| {
            let algorithm = row[3].parse().unwrap();
            Row {
                secret: rfc_secret(match algorithm {
                    Algorithm::Sha1 => 20,
                    Algorithm::Sha256 => 32,
                    Algorithm::Sha512 => 64,
                }),
                parameters: Parameters { algorithm, digits: Digits::new(8).unwrap(), ..Parameters::DEFAULT },
                time: row[0].parse().unwrap(),
                step: u64::from_str_radix(&row[1], 16).unwrap(),
                code: row[2].parse().unwrap(),
            }
        })
        .collect();
    assert_eq!(rows.len(), 18);
    rows
}

impl Row {
    /// A time of the relying party at which the device's row is so many steps ahead; `None` before 1970.
    fn reference(&self, drift: i64) -> Option<Timestamp> {
        let step = self.step.checked_add_signed(-drift)?;
        let second = (self.time + drift.unsigned_abs() * 7) % PERIOD;
        Some(Timestamp::from_unix(step * PERIOD + second))
    }

    fn verdict(&self, rules: &Rules, now: Timestamp, codes: &[Code]) -> Verdict {
        accept(rules, &self.secret, &self.parameters, &State::default(), now, codes).1
    }

    fn pair(&self) -> [Code; 2] {
        [hotp::code(&self.secret, self.step - 1, &self.parameters), self.code]
    }
}

fn wanted(row: &Row, drift: i64, accepted: bool, adjusts: bool) -> Verdict {
    if !accepted {
        return Verdict::Refused(Refusal::NoMatch);
    }
    Verdict::Accepted(Match { moving_factor: row.step, drift, adjustment: if adjusts { drift } else { 0 } })
}

#[test]
fn a_row_is_accepted_at_exactly_the_drifts_of_the_window() {
    let (mut cases, mut before_the_epoch, mut accepted) = (0, 0, 0);
    for (rules, each) in [(Rules::AWS, 2), (Rules::RFC_6238, 1)] {
        for row in appendix_b() {
            for drift in -1_000..=1_000 {
                let Some(now) = row.reference(drift) else {
                    before_the_epoch += 1;
                    continue;
                };
                let within = (-each..=each).contains(&drift);
                let verdict = row.verdict(&rules, now, &[row.code]);
                let wanted = wanted(&row, drift, within, rules == Rules::RFC_6238);
                assert_eq!(verdict, wanted, "{}: step {} at a drift of {drift}", rules.name(), row.step);
                cases += 1;
                accepted += u32::from(within);
            }
        }
    }
    // Of the three rows of step 1, 999 drifts each lie before the epoch.
    assert_eq!((cases, before_the_epoch), (2 * (18 * 2_001 - 3 * 999), 2 * 3 * 999));
    assert_eq!(accepted, 18 * 5 - 3 + 18 * 3);
}

/// How far apart the drifts are at which a row's pair is presented, beside those at the edges. A pair makes the
/// acceptor search through 2,000 codes: without optimization the rows share the drifts among them, so that each is
/// there for one row at least; with it, every row has them all.
const STRIDE: i64 = if cfg!(debug_assertions) { 18 } else { 1 };

/// The drifts at which the pair of one of the eighteen rows is presented, two of each edge outside all windows.
fn drifts(row: usize) -> impl Iterator<Item = i64> {
    let shift = i64::try_from(row).unwrap();
    (-1_002..=1_002).filter(move |drift: &i64| {
        let edge = drift.abs() <= 1 || drift.abs() >= 997;
        edge || (drift + shift).rem_euclid(STRIDE) == 0
    })
}

#[test]
fn the_rows_have_every_drift_among_them() {
    let mut seen: Vec<i64> = (0..18).flat_map(drifts).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 2_005);
}

#[test]
fn a_pair_ending_with_a_row_is_accepted_at_exactly_the_drifts_of_the_larger_window() {
    let (mut cases, mut before_the_epoch, mut accepted) = (0, 0, 0);
    for (rules, behind, ahead) in [(Rules::AWS, -998, 1_000), (Rules::RFC_6238, -1_000, 1_000)] {
        for (index, row) in appendix_b().iter().enumerate() {
            let pair = row.pair();
            for drift in drifts(index) {
                let Some(now) = row.reference(drift) else {
                    before_the_epoch += 1;
                    continue;
                };
                let within = (behind..=ahead).contains(&drift);
                let verdict = row.verdict(&rules, now, &pair);
                let wanted = wanted(row, drift, within, true);
                assert_eq!(verdict, wanted, "{}: step {} at a drift of {drift}", rules.name(), row.step);
                cases += 1;
                accepted += u32::from(within);
            }
        }
    }
    let counted = (cases, before_the_epoch, accepted);
    assert_eq!(counted, if STRIDE == 1 { FULL } else { SHARED });
}

/// Cases, those before 1970, and pairs accepted: 2 · (18 · 2,005 − 3 · 1,001), and the same for the drifts shared.
const FULL: (u32, u32, u32) = (66_174, 6_006, 66_006);
const SHARED: (u32, u32, u32) = (4_154, 366, 3_986);

#[test]
fn the_search_finds_the_step_of_a_row_at_every_drift() {
    let mut cases = 0;
    for (index, row) in appendix_b().iter().enumerate() {
        for drift in drifts(index) {
            let Some(centre) = row.step.checked_add_signed(-drift) else { continue };
            let found = resync::candidates(&row.secret, &row.parameters, &row.pair(), centre, Window::even(1_000));
            let wanted: &[u64] = if drift.abs() <= 1_000 { &[row.step] } else { &[] };
            assert_eq!(found, wanted, "step {} at a drift of {drift}", row.step);
            cases += 1;
        }
    }
    assert_eq!(cases, if STRIDE == 1 { FULL.0 / 2 } else { SHARED.0 / 2 });
}

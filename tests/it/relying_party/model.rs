//! The rules once more, as plainly as they can be said, against the acceptor over random histories.
//!
//! Nothing of the acceptor's is used here but its types: steps are tried one after the other, nearest first, codes are
//! made one by one, and everything that was ever used is kept in a list.

use std::cell::RefCell;
use std::collections::HashMap;

use proptest::prelude::*;
use vmfa::oath::relying_party::{Match, Refusal, Rules};
use vmfa::oath::{Code, Parameters, hotp};
use vmfa::time::{Step, Timestamp};

use super::{PERIOD, Party, seed};

const START: u64 = 59_640_480 * PERIOD;

thread_local! {
    static CODES: RefCell<HashMap<u64, Code>> = RefCell::new(HashMap::new());
}

fn code(step: u64) -> Code {
    let make = || hotp::code(&seed(), step, &Parameters::DEFAULT);
    CODES.with_borrow_mut(|codes| *codes.entry(step).or_insert_with(make))
}

fn drift(step: u64, reference: u64) -> i64 {
    i64::try_from(step).unwrap() - i64::try_from(reference).unwrap()
}

#[derive(Default)]
struct Model {
    rfc: bool,
    adjustment: i64,
    used: Vec<u64>,
    forgotten: u64,
    pair: Option<u64>,
    /// For each attempt the number of its window of three minutes.
    attempts: Vec<u64>,
}

impl Model {
    fn verify(&mut self, now: u64, codes: &[Code]) -> Result<Match, Refusal> {
        let reference = now / 30;
        let centre = reference.checked_add_signed(self.adjustment).unwrap();
        match codes {
            [code] => self.single(now, reference, centre, *code),
            [first, second] => self.pair(reference, centre, *first, *second),
            _ => unreachable!("the histories have one or two codes"),
        }
    }

    fn single(&mut self, now: u64, reference: u64, centre: u64, given: Code) -> Result<Match, Refusal> {
        if !self.rfc {
            let window = now / 180;
            if self.attempts.iter().rev().take_while(|attempt| **attempt == window).count() == 9 {
                return Err(Refusal::TooManyAttempts { until: Timestamp::from_unix((window + 1) * 180) });
            }
            self.attempts.push(window);
        }
        let each = if self.rfc { 1 } else { 2 };
        let mut used = None;
        for distance in 0..=each {
            for step in [centre - distance, centre + distance] {
                if code(step) != given {
                    continue;
                }
                let drift = drift(step, reference);
                if self.is_used(step) {
                    used = used.or(Some(Refusal::Used { step, drift }));
                    continue;
                }
                if self.rfc {
                    self.adjustment = drift;
                }
                self.use_up(&[step], reference);
                return Ok(Match { moving_factor: step, drift, adjustment: self.adjustment });
            }
        }
        Err(used.unwrap_or(Refusal::NoMatch))
    }

    fn pair(&mut self, reference: u64, centre: u64, first: Code, second: Code) -> Result<Match, Refusal> {
        let window = if self.rfc { centre - 1_000..=centre + 1_000 } else { centre - 998..=centre + 1_000 };
        let mut objection = None;
        for distance in 0..=1_000 {
            for step in [centre - distance, centre + distance] {
                if !window.contains(&step) || code(step - 1) != first || code(step) != second {
                    continue;
                }
                if let Some(refusal) = self.objection(reference, step) {
                    objection = objection.or(Some(refusal));
                    continue;
                }
                let drift = drift(step, reference);
                self.adjustment = drift;
                self.pair = Some(step);
                if self.rfc {
                    self.use_up(&[step - 1, step], reference);
                }
                return Ok(Match { moving_factor: step, drift, adjustment: drift });
            }
        }
        if let Some(refusal) = objection {
            return Err(refusal);
        }
        if first == second {
            return Err(Refusal::Equal);
        }
        if window.clone().any(|step| code(step) == first && code(step - 1) == second) {
            return Err(Refusal::Reversed);
        }
        for step in window.clone().filter(|step| code(*step) == second) {
            for before in (2..=10).map(|gap| step - gap).filter(|before| *before >= window.start() - 1) {
                if code(before) == first {
                    return Err(Refusal::Skipped);
                }
            }
        }
        Err(Refusal::NoMatch)
    }

    fn objection(&self, reference: u64, step: u64) -> Option<Refusal> {
        if self.rfc {
            let step = [step - 1, step].into_iter().find(|step| self.is_used(*step))?;
            return Some(Refusal::Used { step, drift: drift(step, reference) });
        }
        let last = self.pair?;
        (step - 1 <= last || step <= last).then_some(Refusal::NotNewer { last })
    }

    fn is_used(&self, step: u64) -> bool {
        self.used.contains(&step) || step < self.forgotten
    }

    fn use_up(&mut self, steps: &[u64], reference: u64) {
        self.used.extend(steps);
        let adjusted = reference.checked_add_signed(self.adjustment).unwrap();
        for step in &self.used {
            if *step + 4_000 < reference && *step + 4_000 < adjusted && *step >= self.forgotten {
                self.forgotten = *step + 1;
            }
        }
    }

    fn reseed(&mut self) {
        *self = Self { rfc: self.rfc, attempts: std::mem::take(&mut self.attempts), ..Self::default() };
    }
}

#[derive(Debug, Clone)]
enum Event {
    /// Time goes on, or is set back a little.
    Passes(i64),
    /// A code so far from the adjusted time.
    Single(i64),
    /// More of them than the budget has.
    Burst(i64),
    /// A pair: where its second code lies, and how far before that the first one.
    Pair(i64, i64),
    /// What was presented before, from its end.
    Replay(usize),
    /// Codes out of the air.
    Wrong(Vec<u32>),
    /// A new seed under the same number; the old one's codes go on, as if it had the same.
    Reseed,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let passes = prop_oneof![4 => 0..70_i64, 2 => 150..400_i64, 2 => 0..60_000_i64, 1 => -200..0_i64];
    let place = prop_oneof![4 => -4..=4_i64, 1 => -1_002..=-995_i64, 1 => 996..=1_002_i64, 1 => -1_100..=1_100_i64];
    // 1 is right, 0 equal, −1 reversed, and the rest skipped.
    let apart = prop_oneof![6 => Just(1_i64), 1 => Just(0), 1 => Just(-1), 1 => 2..=12_i64, 1 => -3..=-2_i64];
    let event = prop_oneof![
        5 => passes.prop_map(Event::Passes),
        6 => (-4..=4_i64).prop_map(Event::Single),
        1 => (-2..=2_i64).prop_map(Event::Burst),
        5 => (place, apart).prop_map(|(place, apart)| Event::Pair(place, apart)),
        4 => (0..6_usize).prop_map(Event::Replay),
        1 => prop::collection::vec(0..1_000_000_u32, 1..=2).prop_map(Event::Wrong),
        1 => Just(Event::Reseed),
    ];
    prop::collection::vec(event, 1..50)
}

/// What came of a history: verdicts by their words.
type Outcomes = HashMap<&'static str, u32>;

fn lives_through(rules: Rules, events: Vec<Event>, outcomes: &mut Outcomes) -> Result<(), TestCaseError> {
    let mut party = Party::new(rules);
    let mut model = Model { rfc: rules == Rules::RFC_6238, ..Model::default() };
    let mut now = START;
    let mut presented: Vec<Vec<Code>> = Vec::new();
    for event in events {
        let adjusted = (now / PERIOD).checked_add_signed(model.adjustment).unwrap();
        let near = |by: i64| code(adjusted.checked_add_signed(by).unwrap());
        let (codes, times) = match &event {
            Event::Passes(seconds) => {
                now = now.checked_add_signed(*seconds).unwrap();
                continue;
            }
            Event::Reseed => {
                party.state = party.state.reseeded();
                model.reseed();
                continue;
            }
            Event::Single(by) => (vec![near(*by)], 1),
            Event::Burst(by) => (vec![near(*by)], 12),
            Event::Pair(place, apart) => (vec![near(place - apart), near(*place)], 1),
            Event::Replay(back) => match presented.iter().rev().nth(*back) {
                Some(codes) => (codes.clone(), 1),
                None => continue,
            },
            Event::Wrong(numbers) => {
                (numbers.iter().map(|number| format!("{number:06}").parse().unwrap()).collect(), 1)
            }
        };
        for _ in 0..times {
            let verdict = party.given(Timestamp::from_unix(now), &codes);
            prop_assert_eq!(&verdict, &model.verify(now, &codes), "{:?} at {}", event, now);
            *outcomes.entry(verdict.as_ref().map_or_else(Refusal::code, |_| "accepted")).or_default() += 1;
        }
        prop_assert_eq!(party.state.adjustment(), model.adjustment);
        prop_assert_eq!(party.state.last_pair().map(Step::value), model.pair);
        for step in adjusted - 3..=adjusted + 3 {
            prop_assert_eq!(party.state.is_used(Step::new(step)), model.is_used(step), "step {}", step);
        }
        presented.push(codes);
    }
    Ok(())
}

/// Runs histories, and sees to it that the verdicts named came in them.
fn agree(rules: Rules, expected: &[&str]) {
    let outcomes = RefCell::new(Outcomes::new());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let result = runner.run(&events(), |events| lives_through(rules, events, &mut outcomes.borrow_mut()));
    result.unwrap_or_else(|error| panic!("{error}"));
    let outcomes = outcomes.into_inner();
    for word in expected {
        assert!(outcomes.contains_key(word), "no `{word}` among {outcomes:?}");
    }
}

#[test]
fn by_the_rules_of_aws_acceptor_and_model_agree_on_every_history() {
    let words = ["accepted", "no-match", "used", "not-newer", "equal", "reversed", "skipped", "too-many-attempts"];
    agree(Rules::AWS, &words);
}

#[test]
fn by_the_rules_of_the_rfc_acceptor_and_model_agree_on_every_history() {
    agree(Rules::RFC_6238, &["accepted", "no-match", "used", "equal", "reversed", "skipped"]);
}

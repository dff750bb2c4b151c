//! Twenty processes at once, killed at random: no code twice, none lost but for those of the killed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use vmfa::registry::{Registry as _, sqlite::Sqlite};
use vmfa::time::Step;

use super::{T, aws, seed_for};
use crate::support::Home;

const PROCESSES: u64 = 20;
const EACH: u64 = 50;

/// What all processes wrote, those included that were killed while or after they wrote; and how many were killed.
struct Given {
    answers: Vec<Value>,
    killed: usize,
}

/// How time goes on.
#[derive(Clone, Copy)]
enum Pace {
    /// By so many seconds when a process is told that there is nothing.
    WhenEmpty(u64),
    /// By so many seconds at every question.
    Always(u64),
}

/// Lets twenty at a time ask until each has had its answers.
fn ask(home: &Home, arguments: &[&str], pace: Pace) -> Given {
    let time = AtomicU64::new(T);
    let given = Mutex::new(Given { answers: Vec::new(), killed: 0 });
    thread::scope(|scope| {
        for process in 0..PROCESSES {
            let (time, given) = (&time, &given);
            scope.spawn(move || {
                let mut dice = Dice(process + 1);
                let mut had = 0;
                while had < EACH {
                    let now = match pace {
                        Pace::WhenEmpty(_) => time.load(Ordering::Relaxed),
                        Pace::Always(seconds) => time.fetch_add(seconds, Ordering::Relaxed),
                    };
                    let mut command = home.command();
                    command.args(arguments).args(["--json", "--at", &now.to_string()]);
                    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
                    let killed = dice.roll(12) == 0;
                    if killed {
                        thread::sleep(Duration::from_micros(dice.roll(40_000)));
                        let _ = child.kill();
                    }
                    let mut answer = String::new();
                    child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
                    let mut errors = String::new();
                    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
                    let status = child.wait().unwrap();
                    let mut given = given.lock().unwrap();
                    given.killed += usize::from(killed && status.code().is_none());
                    // A line that ends was handed out, whatever became of the process.
                    match serde_json::from_str(&answer) {
                        Ok(answer) => {
                            given.answers.push(answer);
                            had += 1;
                        }
                        Err(_) if status.code().is_none() => {}
                        Err(_) => {
                            assert!(errors.contains("no-free-step") || errors.contains("no-pair-yet"), "{errors}");
                            if let Pace::WhenEmpty(seconds) = pace {
                                let later = now + seconds;
                                let _ = time.compare_exchange(now, later, Ordering::Relaxed, Ordering::Relaxed);
                            }
                        }
                    }
                }
            });
        }
    });
    given.into_inner().unwrap()
}

/// A generator that gives the same numbers at every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Each device's steps that are written down as handed out.
fn written(home: &Home) -> BTreeMap<String, BTreeSet<u64>> {
    let registry = Sqlite::open(&home.path().join("home/registry.sqlite3")).unwrap();
    let steps = |ledger| registry.claimed(ledger, Step::new(0), Step::new(1 << 60)).unwrap();
    let devices = registry.list().unwrap().into_iter();
    devices
        .map(|device| (device.name.to_string(), steps(device.ledger.unwrap()).into_iter().map(Step::value).collect()))
        .collect()
}

fn no_step_twice(home: &Home, given: &Given) {
    let mut seen = BTreeSet::new();
    for answer in &given.answers {
        let (device, step) = (answer["device"].as_str().unwrap(), answer["step"].as_u64().unwrap());
        assert!(seen.insert((device.to_owned(), step)), "step {step} of {device} was handed out twice");
        assert_eq!(answer["repeated"], false);
    }
    assert!(seen.len() as u64 >= PROCESSES * EACH);
    let written = written(home);
    let lost: usize = written.values().map(BTreeSet::len).sum::<usize>() - seen.len();
    assert!(seen.iter().all(|(device, step)| written[device].contains(step)), "a step was given and not written down");
    assert!(lost <= given.killed, "{lost} steps lost, {} processes killed", given.killed);
    assert!(given.killed > 20, "only {} were killed", given.killed);
}

#[test]
fn no_code_of_one_device_is_leased_twice() {
    let home = Home::new();
    aws(&home, "x");
    no_step_twice(&home, &ask(&home, &["code", "x", "--fresh", "--window"], Pace::WhenEmpty(150)));
}

#[test]
fn no_code_of_a_pool_is_leased_twice() {
    let home = Home::new();
    for number in 0..8 {
        let name = format!("ci/{number}");
        home.run_with(&["add", &name, "-", "--no-code"], seed_for(&name).as_bytes()).expect(0);
    }
    no_step_twice(&home, &ask(&home, &["code", "ci/*", "--fresh", "--window", "2"], Pace::WhenEmpty(150)));
}

#[test]
fn no_two_pairs_share_a_step_and_each_is_newer() {
    // By the rules of AWS pairs are kept apart by a high-water mark, by the RFC's by each step too.
    for rules in ["aws", "rfc"] {
        let home = Home::new();
        aws(&home, "x");
        let given = ask(&home, &["pair", "x", "--rules", rules], Pace::Always(60));
        let step = |answer: &Value, place: usize| answer["codes"][place]["step"].as_u64().unwrap();
        let mut pairs: Vec<(u64, u64)> =
            given.answers.iter().map(|answer| (step(answer, 0), step(answer, 1))).collect();
        pairs.sort_unstable();
        assert!(pairs.len() as u64 >= PROCESSES * EACH);
        for (one, two) in pairs.iter().zip(&pairs[1..]) {
            assert!(one.1 == one.0 + 1 && two.0 > one.1, "{one:?} and {two:?} share a step");
        }
        assert!(given.killed > 20, "only {} were killed", given.killed);
        let written = written(&home).remove("x").unwrap();
        if rules == "aws" {
            assert!(written.is_empty(), "a pair left its codes for single use");
            continue;
        }
        assert!(pairs.iter().all(|(one, two)| written.contains(one) && written.contains(two)));
        let lost = written.len() - 2 * pairs.len();
        assert!(lost <= 2 * given.killed, "{lost} steps lost, {} processes killed", given.killed);
    }
}

//! What one process took, no other gives back.

use super::waiting::{interrupt, waiting};
use super::{add, at, refused};
use crate::support::{Home, SEED};

/// A time in the middle of a step of 15,000 seconds.
fn slow(home: &Home, name: &str) {
    add(home, name, &format!("otpauth://totp/x?secret={SEED}&period=15000"));
}

fn codes(pair: &serde_json::Value) -> [String; 2] {
    ["authentication_code1", "authentication_code2"].map(|code| pair[code].as_str().unwrap().to_owned())
}

#[test]
fn a_pair_that_somebody_waits_for_is_given_back_by_nobody_else() {
    for rules in ["aws", "rfc"] {
        let home = Home::new();
        slow(&home, "x");
        let first = home.run(&["pair", "x", "--rules", rules, "--json"]).expect(0).json();
        let wait = ["pair", "x", "--wait", "--timeout", "1d", "--rules", rules, "--json"];
        let second = waiting(&home, &wait, "a new pair of x");
        // By no name: the last one is the other's.
        assert_eq!(home.run(&["release", "x", "--pair", "--json"]).expect(1).error_code(), "not-handed-out");
        // By its own codes: it isn't the last any more.
        let [one, two] = codes(&first);
        assert_eq!(home.run(&["release", "x", &one, &two, "--json"]).expect(1).error_code(), "not-handed-out");
        // Nor step by step.
        let now = first["codes"][1]["step"].as_u64().unwrap();
        for step in [now + 1, now + 2] {
            home.run(&["release", "x", "--step", &step.to_string()]).expect(1);
        }
        let third = home.run(&["pair", "x", "--at", "+60000s", "--rules", rules, "--json"]).expect(0).json();
        assert!(third["codes"][0]["step"].as_u64().unwrap() > now + 2, "{rules}: {third}");
        interrupt(second, "INT", 130);
    }
}

#[test]
fn a_step_that_was_given_back_and_taken_by_another_stays_the_others() {
    let home = Home::new();
    add(&home, "x", SEED);
    let now = 1_800_000_015;
    let pair = at(&home, now, &["pair", "x"]);
    let [one, two] = codes(&pair);
    home.run(&["release", "x", &one]).expect(0);
    let fresh = at(&home, now, &["code", "x", "--fresh", "--window", "1"]);
    assert_eq!(fresh["code"], one.as_str());
    // The pair goes back without the step that isn't its own any more.
    home.run(&["release", "x", &one, &two]).expect(0);
    let other = at(&home, now, &["code", "x", "--fresh", "--window", "1"]);
    assert_eq!(other["code"], two.as_str());
    assert_ne!(at(&home, now, &["code", "x", "--fresh", "--window", "1"])["code"], one.as_str());
}

#[test]
fn a_code_that_two_were_shown_is_given_back_by_neither() {
    let home = Home::new();
    add(&home, "x", SEED);
    let now = 1_800_000_015;
    let fresh = at(&home, now, &["code", "x", "--fresh"]);
    assert_eq!(at(&home, now, &["code", "x"])["repeated"], true);
    let run = home.run(&["release", "x", fresh["code"].as_str().unwrap(), "--json"]).expect(1);
    assert_eq!(run.error_code(), "shared");
    assert_eq!(refused(&home, now, &["code", "x", "--fresh"]), "no-free-step");
}

#[test]
fn a_step_that_somebody_waits_for_is_given_back_by_nobody_else() {
    let home = Home::new();
    slow(&home, "x");
    let now = home.run(&["code", "x", "--fresh", "--json"]).expect(0).json()["step"].as_u64().unwrap();
    let lease = waiting(&home, &["code", "x", "--fresh", "--timeout", "1d"], "an unused code of x");
    let next = (now + 1).to_string();
    assert_eq!(home.run(&["release", "x", "--step", &next, "--json"]).expect(1).error_code(), "shared");
    let other = home.run(&["code", "x", "--fresh", "--at", "+15000s", "--window", "1", "--json"]).expect(0).json();
    assert_eq!(other["step"].as_u64(), Some(now + 2));
    interrupt(lease, "INT", 130);
    // What was waited for is free again, and what the other took isn't.
    let step = |seconds: &str| {
        let run = home.run(&["code", "x", "--fresh", "--at", seconds, "--json"]);
        (run.code == 0).then(|| run.json()["step"].as_u64())
    };
    assert_eq!(step("+15000s"), Some(Some(now + 1)));
    assert_eq!(step("+30000s"), None);
}

#[test]
fn a_pair_that_was_given_back_and_taken_by_another_stays_the_others() {
    let home = Home::new();
    add(&home, "x", SEED);
    let now = 1_700_000_015;
    let first = at(&home, now, &["pair", "x"]);
    home.run(&["release", "x", "--pair"]).expect(0);
    assert_eq!(at(&home, now, &["pair", "x"]), first);
    let [one, two] = codes(&first);
    for again in [&["release", "x", "--pair", "--json"][..], &["release", "x", &one, &two, "--json"]] {
        assert_eq!(home.run(again).expect(1).error_code(), "not-handed-out");
    }
    assert_eq!(refused(&home, now, &["pair", "x"]), "no-pair-yet");
}

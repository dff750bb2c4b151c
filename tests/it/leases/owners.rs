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

/// The claim that an answer names.
fn claim(home: &Home, arguments: &[&str]) -> (String, serde_json::Value) {
    let answer = home.run(&[arguments, &["--at", "1700000015", "--json"]].concat()).expect(0).json();
    (answer["claim"].as_str().unwrap_or_default().to_owned(), answer)
}

#[test]
fn a_claim_gives_back_exactly_what_it_has() {
    let home = Home::new();
    add(&home, "x", SEED);
    let release = |claim: &str| home.run(&["release", "x", "--claim", claim, "--json"]);
    let fresh = ["code", "x", "--fresh"];
    let (first, given) = claim(&home, &fresh);
    assert_eq!(given["codes"][0]["claim"], first.as_str());
    assert_eq!(release(&first).expect(0).json()["steps"], serde_json::json!([given["step"]]));
    // Another has it now, and the first can't take it away.
    let (second, again) = claim(&home, &fresh);
    assert_eq!(again["code"], given["code"]);
    assert_eq!(release(&first).expect(1).error_code(), "not-handed-out");
    assert_eq!(refused(&home, 1_700_000_015, &fresh), "no-free-step");
    // By its step it would be refused, since a step doesn't tell whose it is.
    let step = given["step"].to_string();
    assert_eq!(home.run(&["release", "x", "--step", &step, "--json"]).expect(1).error_code(), "shared");
    release(&second).expect(0);
    let (third, _) = claim(&home, &fresh);
    // Shown to another, it is nobody's to give back, and the other has no claim.
    let (none, shown) = claim(&home, &["code", "x"]);
    assert_eq!((none.as_str(), &shown["repeated"]), ("", &true.into()));
    assert_eq!(release(&third).expect(1).error_code(), "shared");
}

#[test]
fn a_claim_of_several_codes_gives_back_all_that_are_its_own() {
    let home = Home::new();
    add(&home, "x", SEED);
    claim(&home, &["code", "x", "--next"]);
    let (several, given) = claim(&home, &["code", "x", "--count", "3"]);
    let claims: Vec<bool> =
        given["codes"].as_array().unwrap().iter().map(|code| code["claim"] == several.as_str()).collect();
    assert_eq!(claims, [true, false, true]);
    let back = home.run(&["release", "x", "--claim", &several, "--json"]).expect(0).json();
    assert_eq!(back["steps"].as_array().unwrap().len(), 2, "{back}");
    home.run(&["release", "x", "--claim", &several]).expect(1);
}

#[test]
fn a_claim_gives_back_its_pair_and_no_other() {
    for rules in ["aws", "rfc"] {
        let home = Home::new();
        add(&home, "x", SEED);
        let pair = ["pair", "x", "--rules", rules];
        let (first, given) = claim(&home, &pair);
        assert_eq!(given["codes"][1]["claim"], first.as_str());
        let release = |claim: &str| home.run(&["release", "x", "--claim", claim, "--json"]);
        assert_eq!(release(&first).expect(0).json()["released"], "pair");
        let (second, again) = claim(&home, &pair);
        assert_eq!(again["authentication_code1"], given["authentication_code1"]);
        assert_eq!(release(&first).expect(1).error_code(), "not-handed-out");
        assert_eq!(refused(&home, 1_700_000_015, &pair), "no-pair-yet");
        release(&second).expect(0);
        claim(&home, &pair);
    }
}

#[test]
fn what_is_no_claim_is_refused() {
    let home = Home::new();
    add(&home, "x", SEED);
    home.run(&["code", "x"]).expect(0);
    for text in ["", "1", "0000000000000000", "+123456789abcdef", "123456789abcdefg", "00123456789abcdef"] {
        home.run(&["release", "x", "--claim", text]).expect(2);
    }
    home.run(&["release", "x", "123456", "--claim", "0123456789abcdef"]).expect(2);
    assert_eq!(
        home.run(&["release", "x", "--claim", "0123456789abcdef", "--json"]).expect(1).error_code(),
        "not-handed-out"
    );
}

//! Pairs, by the rules that AWS was measured to have: the program hands them out, and the relying party that has those
//! rules takes them.

use serde_json::Value;

use super::{T, add, at, aws, refused, without_claims};
use crate::support::{Home, SEED};

/// What the relying party with the rules of AWS says to codes at a time.
fn verified(home: &Home, time: u64, codes: &[&Value]) -> Value {
    let time = time.to_string();
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str().unwrap()).collect();
    let run = home.run(&[&["verify", "x"], codes.as_slice(), &["--rules", "aws", "--at", &time, "--json"]].concat());
    let answer = run.json();
    assert_eq!(run.code, i32::from(answer["accepted"] != true), "{run:#?}");
    answer
}

fn of(pair: &Value) -> [&Value; 2] {
    [&pair["authentication_code1"], &pair["authentication_code2"]]
}

fn steps(pair: &Value) -> [u64; 2] {
    [0, 1].map(|place| pair["codes"][place]["step"].as_u64().unwrap())
}

#[test]
fn previous_and_current_are_given_and_taken_at_once_and_leave_the_adjustment_at_zero() {
    let home = Home::new();
    aws(&home, "x");
    let pair = at(&home, T, &["pair", "x"]);
    assert_eq!(steps(&pair), [T / 30 - 1, T / 30]);
    let verdict = verified(&home, T, &of(&pair));
    assert_eq!((&verdict["accepted"], &verdict["adjustment_steps"]), (&true.into(), &0.into()), "{verdict}");
}

#[test]
fn a_pair_right_after_a_pair_shares_no_step_with_it_and_waits_for_two() {
    let home = Home::new();
    aws(&home, "x");
    let first = at(&home, T, &["pair", "x"]);
    assert_eq!(refused(&home, T, &["pair", "x"]), "no-pair-yet");
    // One step on, (previous, current) would begin with a step of the last pair, which AWS refuses.
    assert_eq!(refused(&home, T + 30, &["pair", "x"]), "no-pair-yet");
    let json = home.run(&["pair", "x", "--at", &(T + 30).to_string(), "--json"]).expect(1).stderr;
    assert!(
        json.contains(r#""available_at":"2027-01-15T08:01:00Z""#) && json.contains(r#""wait_seconds":15"#),
        "{json}"
    );
    let run = home.run(&["pair", "x", "--at", &(T + 30).to_string()]).expect(1);
    assert!(run.stderr.contains("in 15 s") && run.stderr.contains("--wait"), "it says when: {run:#?}");
    let second = at(&home, T + 60, &["pair", "x"]);
    assert_eq!(steps(&second), [T / 30 + 1, T / 30 + 2]);
    verified(&home, T, &of(&first));
    assert_eq!(verified(&home, T + 60, &of(&second))["accepted"], true);
}

#[test]
fn both_codes_of_a_pair_are_newer_than_the_last_accepted_pair() {
    let home = Home::new();
    aws(&home, "x");
    let pair = at(&home, T, &["pair", "x"]);
    assert_eq!(verified(&home, T, &of(&pair))["accepted"], true);
    assert_eq!(verified(&home, T, &of(&pair))["reason"], "not-newer", "sent again");
    let next = at(&home, T + 30, &["code", "x"]);
    let overlapping = verified(&home, T + 30, &[of(&pair)[1], &next["code"]]);
    assert_eq!(overlapping["reason"], "not-newer", "the first code ended the last pair");
}

#[test]
fn wrong_pairs_are_refused_each_for_its_reason() {
    let home = Home::new();
    aws(&home, "x");
    let codes = at(&home, T, &["code", "x", "--previous", "--count", "4"]);
    let code = |place: usize| &codes["codes"][place]["code"];
    for (pair, reason) in
        [([code(1), code(0)], "reversed"), ([code(1), code(1)], "equal"), ([code(0), code(2)], "skipped")]
    {
        assert_eq!(verified(&home, T, &pair)["reason"], reason);
    }
    assert_eq!(verified(&home, T, &[code(0), code(1)])["accepted"], true, "a refusal cost nothing");
}

#[test]
fn a_pair_does_not_use_its_codes_up_for_single_use() {
    let home = Home::new();
    aws(&home, "x");
    let pair = at(&home, T, &["pair", "x"]);
    verified(&home, T, &of(&pair));
    // So the lease gives the very code of the pair, and it is accepted.
    let lease = at(&home, T, &["code", "x", "--fresh"]);
    assert_eq!(&lease["code"], of(&pair)[1]);
    assert_eq!(verified(&home, T, &[&lease["code"]])["accepted"], true);
    assert_eq!(verified(&home, T, &[&lease["code"]])["reason"], "used");
}

#[test]
fn a_used_code_may_be_part_of_a_pair_and_stays_used() {
    let home = Home::new();
    aws(&home, "x");
    let lease = at(&home, T, &["code", "x", "--fresh"]);
    assert_eq!(verified(&home, T, &[&lease["code"]])["accepted"], true);
    let pair = at(&home, T, &["pair", "x"]);
    assert_eq!(of(&pair)[1], &lease["code"]);
    assert_eq!(verified(&home, T, &of(&pair))["accepted"], true);
    assert_eq!(verified(&home, T, &[&lease["code"]])["reason"], "used");
    assert_eq!(refused(&home, T, &["code", "x", "--fresh"]), "no-free-step");
}

#[test]
fn current_and_next_leave_the_adjustment_one_step_ahead() {
    let home = Home::new();
    aws(&home, "x");
    let codes = at(&home, T, &["code", "x", "--count", "2"]);
    let verdict = verified(&home, T, &[&codes["codes"][0]["code"], &codes["codes"][1]["code"]]);
    assert_eq!((&verdict["accepted"], &verdict["adjustment_steps"]), (&true.into(), &1.into()), "{verdict}");
}

#[test]
fn where_a_service_takes_each_step_once_a_pair_uses_its_codes_up() {
    let home = Home::new();
    add(&home, "x", SEED);
    at(&home, T, &["pair", "x"]);
    assert_eq!(refused(&home, T, &["code", "x", "--fresh"]), "no-free-step");
    // The other way round: steps given singly are in no pair.
    at(&home, T + 300, &["code", "x", "--fresh"]);
    assert_eq!(refused(&home, T + 300, &["pair", "x"]), "no-pair-yet");
    let pair = at(&home, T + 360, &["pair", "x"]);
    assert_eq!(steps(&pair), [T / 30 + 11, T / 30 + 12]);
    let [one, two] = of(&pair).map(|code| code.as_str().unwrap());
    home.run(&["release", "x", one, two]).expect(0);
    assert_eq!(steps(&at(&home, T + 360, &["pair", "x"])), [T / 30 + 11, T / 30 + 12]);
}

#[test]
fn a_pair_that_could_not_be_had_leaves_everything_as_it_was() {
    let home = Home::new();
    add(&home, "x", SEED);
    at(&home, T, &["code", "x", "--fresh"]);
    assert_eq!(refused(&home, T, &["pair", "x"]), "no-pair-yet");
    // There is no pair to give back, and so the code stays taken.
    home.run(&["release", "x", "--pair"]).expect(1);
    assert_eq!(refused(&home, T, &["code", "x", "--fresh"]), "no-free-step");
    // Only the step before was given singly: the pair after it is possible one step on, and no later.
    let run = home.run(&["pair", "x", "--at", &T.to_string()]).expect(1);
    assert!(run.stderr.contains("in 45 s"), "{run:#?}");
    assert_eq!(steps(&at(&home, T + 60, &["pair", "x"])), [T / 30 + 1, T / 30 + 2]);
    at(&home, T + 300, &["code", "x", "--previous"]);
    assert_eq!(refused(&home, T + 300, &["pair", "x"]), "no-pair-yet");
    assert_eq!(steps(&at(&home, T + 330, &["pair", "x"])), [T / 30 + 10, T / 30 + 11]);
}

#[test]
fn giving_a_pair_back_frees_what_it_took_and_nothing_else() {
    let home = Home::new();
    add(&home, "x", SEED);
    at(&home, T, &["pair", "x", "--rules", "aws"]);
    at(&home, T, &["code", "x", "--fresh"]);
    home.run(&["release", "x", "--pair"]).expect(0);
    assert_eq!(refused(&home, T, &["code", "x", "--fresh"]), "no-free-step");
    // A step of a pair that somebody was shown singly meanwhile stays taken, too.
    at(&home, T + 300, &["pair", "x"]);
    at(&home, T + 300, &["code", "x"]);
    home.run(&["release", "x", "--pair"]).expect(0);
    assert_eq!(refused(&home, T + 300, &["code", "x", "--fresh"]), "no-free-step");
}

#[test]
fn a_pair_is_written_as_the_aws_cli_takes_it() {
    let home = Home::new();
    aws(&home, "x");
    let pair = at(&home, T, &["pair", "x"]);
    let [one, two] = of(&pair).map(|code| code.as_str().unwrap());
    let run = |form: &str| {
        let home = Home::new();
        aws(&home, "x");
        home.run(&["pair", "x", "--at", &T.to_string(), "--as", form]).expect(0).stdout
    };
    assert_eq!(run("aws-cli"), format!("--authentication-code1 {one} --authentication-code2 {two}\n"));
    assert_eq!(run("plain"), format!("{one}\n{two}\n"));
    assert_eq!(without_claims(serde_json::from_str(&run("json")).unwrap()), pair);
    let issued =
        format!(r#"{{"VirtualMFADevice":{{"SerialNumber":"arn:aws:iam::1:mfa/y","Base32StringSeed":"{SEED}"}}}}"#);
    home.run_with(&["add", "y", "-", "--no-code"], issued.as_bytes()).expect(0);
    let run = home.run(&["pair", "y", "--as", "aws-cli"]).expect(0);
    assert!(run.stdout.starts_with("--serial-number arn:aws:iam::1:mfa/y --authentication-code1 "), "{run:#?}");
    // Without a device nothing is written down, and nothing refused.
    let source = home.file("source", format!("otpauth://hotp/x?secret={SEED}&counter=4"));
    let pair = home.run(&["pair".as_ref(), "--from".as_ref(), source.as_os_str()]).expect(0);
    assert_eq!(pair.stdout, "338314\n254676\n");
    for option in ["--live", "--wait"] {
        home.run(&["pair".as_ref(), "--from".as_ref(), source.as_os_str(), option.as_ref()]).expect(2);
    }
    home.run(&["code".as_ref(), "--from".as_ref(), source.as_os_str(), "--fresh".as_ref()]).expect(2);
}

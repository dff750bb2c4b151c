//! `vmfa verify`: the verdict, what it says of the code, and what is remembered of it.

use serde_json::Value;

use crate::leases::{T, add, at, aws};
use crate::support::{Home, Run, SEED};

fn verify(home: &Home, arguments: &[&str]) -> Value {
    let run = home.run(&[&["verify", "--json"], arguments].concat());
    let answer = run.json();
    assert_eq!(run.code, i32::from(answer["accepted"] != true), "{run:#?}");
    answer
}

/// The code so many steps from that of T.
fn code(home: &Home, steps: i64) -> String {
    at(home, T.checked_add_signed(steps * 30).unwrap(), &["code", "x"])["code"].as_str().unwrap().to_owned()
}

#[test]
fn a_verdict_says_step_drift_and_whether_the_code_was_used() {
    let home = Home::new();
    aws(&home, "x");
    let at = T.to_string();
    let behind = code(&home, -2);
    let answer = verify(&home, &["x", &behind, "--at", &at]);
    let expected = serde_json::json!({
        "device": "x", "rules": "aws", "accepted": true, "step": T / 30 - 2, "drift_steps": -2, "drift_seconds": -60,
        "adjustment_steps": 0, "used": false, "reason": null, "message": answer["message"],
    });
    assert_eq!(answer, expected);
    let again = verify(&home, &["x", &behind, "--at", &at]);
    assert_eq!((&again["reason"], &again["used"], &again["drift_steps"]), (&"used".into(), &true.into(), &(-2).into()));
    // Any order.
    for steps in [2, -1, 0, 1] {
        assert_eq!(verify(&home, &["x", &code(&home, steps), "--at", &at])["drift_steps"], steps);
    }
    let far = verify(&home, &["x", &code(&home, 3), "--at", &at]);
    assert_eq!(
        (&far["reason"], &far["drift_steps"], &far["used"]),
        (&"outside-window".into(), &3.into(), &false.into())
    );
    let run = home.run(&["verify", "x", &code(&home, 4), "--at", &at]).expect(1);
    assert!(run.stdout.starts_with("refused: outside the window, probably step") && run.stderr.is_empty(), "{run:#?}");
    assert!(run.stdout.contains("120 s ahead (4 steps)"), "{run:#?}");
}

#[test]
fn the_tenth_attempt_in_three_minutes_is_refused_by_the_rules_of_aws_only() {
    let home = Home::new();
    aws(&home, "x");
    let at = (T / 180 * 180 + 7).to_string();
    for _ in 0..9 {
        assert_eq!(verify(&home, &["x", "000000", "--at", &at])["reason"], "no-match");
    }
    assert_eq!(verify(&home, &["x", "000000", "--at", &at])["reason"], "too-many-attempts");
    assert_eq!(verify(&home, &["x", "000000", "--at", &at, "--rules", "rfc"])["reason"], "no-match");
    let later = (T / 180 * 180 + 180).to_string();
    assert_eq!(verify(&home, &["x", "000000", "--at", &later])["reason"], "no-match");
}

#[test]
fn the_rules_of_the_rfc_look_one_step_around_and_follow_the_drift() {
    let home = Home::new();
    add(&home, "x", SEED);
    let at = T.to_string();
    assert_eq!(verify(&home, &["x", &code(&home, 2), "--at", &at])["rules"], "rfc");
    assert_eq!(verify(&home, &["x", &code(&home, 2), "--at", &at])["reason"], "outside-window");
    assert_eq!(verify(&home, &["x", &code(&home, 1), "--at", &at])["adjustment_steps"], 1);
    assert_eq!(verify(&home, &["x", &code(&home, 2), "--at", &at])["adjustment_steps"], 2);
    assert_eq!(verify(&home, &["x", &code(&home, 0), "--at", &at])["reason"], "outside-window");
}

#[test]
fn a_dry_run_and_a_source_remember_nothing() {
    let home = Home::new();
    aws(&home, "x");
    let at = T.to_string();
    let code = code(&home, 0);
    for _ in 0..2 {
        assert_eq!(verify(&home, &["x", &code, "--at", &at, "--dry-run"])["accepted"], true);
    }
    assert_eq!(verify(&home, &["x", &code, "--at", &at])["accepted"], true);
    assert_eq!(verify(&home, &["x", &code, "--at", &at, "--dry-run"])["reason"], "used");
    let uri = home.run(&["uri", "x", "--reveal"]).expect(0).stdout;
    let source = home.file("source", uri);
    let source = source.to_str().unwrap();
    for _ in 0..2 {
        let answer = verify(&home, &["--from", source, &code, "--at", &at]);
        assert_eq!(
            (&answer["accepted"], &answer["rules"], &answer["device"]),
            (&true.into(), &"aws".into(), &Value::Null)
        );
    }
}

#[test]
fn a_reset_forgets_codes_drift_and_attempts() {
    let home = Home::new();
    aws(&home, "x");
    let at = T.to_string();
    let ahead = [code(&home, 20), code(&home, 21)];
    assert_eq!(verify(&home, &["x", &ahead[0], &ahead[1], "--at", &at])["adjustment_steps"], 21);
    let run = home.run(&["verify", "x", &code(&home, 0), "--at", &at]).expect(1);
    assert!(run.stdout.contains("since the last pair, +10 min 30 s is expected"), "{run:#?}");
    home.run(&["verify", "x", "--reset"]).expect(0);
    assert_eq!(verify(&home, &["x", &code(&home, 0), "--at", &at])["accepted"], true);
    assert_eq!(verify(&home, &["x", &code(&home, 0), "--at", &at])["reason"], "used");
    home.run(&["verify", "x", "--reset"]).expect(0);
    assert_eq!(verify(&home, &["x", &code(&home, 0), "--at", &at])["accepted"], true);
    home.run(&["verify", "x", "123456", "--reset"]).expect(2);
}

#[test]
fn two_names_of_one_secret_are_one_device_to_the_relying_party() {
    let home = Home::new();
    add(&home, "x", SEED);
    add(&home, "y", SEED);
    let at = T.to_string();
    let code = code(&home, 0);
    assert_eq!(verify(&home, &["x", &code, "--at", &at])["accepted"], true);
    assert_eq!(verify(&home, &["y", &code, "--at", &at])["reason"], "used");
}

#[test]
fn codes_come_as_arguments_or_by_stdin() {
    let home = Home::new();
    aws(&home, "x");
    let at = T.to_string();
    let pair = [code(&home, -1), code(&home, 0)];
    let by_stdin = |arguments: &[&str], stdin: &str| -> Run {
        home.run_with(&[&["verify", "x", "--at", &at], arguments].concat(), stdin.as_bytes())
    };
    by_stdin(&["--dry-run"], &format!("{}\n{}\n", pair[0], pair[1])).expect(0);
    by_stdin(&["--dry-run", "-"], &pair.join(" ")).expect(0);
    let spaced = format!("{} {}", &pair[1][..3], &pair[1][3..]);
    by_stdin(&["--dry-run", &spaced], "").expect(0);
    for (arguments, stdin, code) in [
        (&[][..], "", "code"),
        (&["12345"], "", "code"),
        (&["12345a"], "", "code"),
        (&["١٢٣٤٥٦"], "", "code"),
        (&["-"], "\u{fffd}", "code"),
        (&[], &"123456 ".repeat(17), "code"),
    ] {
        let run = by_stdin(&[arguments, &["--json"]].concat(), stdin).expect(5);
        assert_eq!(run.error_code(), code, "{run:#?}");
        assert!(run.stdout.is_empty(), "{run:#?}");
    }
    assert_eq!(by_stdin(&["1234567", "--json"], "").expect(1).json()["reason"], "wrong-length");
    home.run(&["verify"]).expect(2);
    home.run(&["verify", "--from", "-"]).expect(2);
}

#[test]
fn a_counter_is_looked_for_ahead_and_resynchronized_by_two_codes() {
    let home = Home::new();
    add(&home, "x", &format!("otpauth://hotp/Example:x?secret={SEED}&counter=0"));
    let next = || home.run(&["code", "x"]).expect(0).stdout.trim().to_owned();
    let first = next();
    let answer = verify(&home, &["x", &first]);
    assert_eq!((&answer["accepted"], &answer["counter"], &answer["drift_steps"]), (&true.into(), &0.into(), &0.into()));
    assert_eq!((&answer["step"], &answer["drift_seconds"]), (&Value::Null, &Value::Null));
    let replay = verify(&home, &["x", &first]);
    assert_eq!((&replay["reason"], &replay["used"]), (&"passed".into(), &Value::Null));
    assert_eq!((&replay["counter"], &replay["drift_steps"]), (&0.into(), &(-1).into()));
    // The button pressed ten times for nothing: still found. The relying party expects the one after.
    let codes: Vec<String> = (1..=11).map(|_| next()).collect();
    assert_eq!(verify(&home, &["x", &codes[10]])["drift_steps"], 10);
    assert_eq!(verify(&home, &["x", &codes[9]])["reason"], "passed");
    // Pressed 100 times: one code is refused, and told where it would be; two are accepted, and one again.
    home.run(&["code", "x", "--count", "100"]).expect(0);
    let (one, two) = (next(), next());
    let refused = verify(&home, &["x", &one]);
    assert_eq!((&refused["reason"], &refused["counter"]), (&"outside-window".into(), &112.into()));
    assert_eq!(verify(&home, &["x", &two, &one])["reason"], "reversed");
    assert_eq!(verify(&home, &["x", &one, &two])["counter"], 113);
    assert_eq!(verify(&home, &["x", &next()])["counter"], 114);
}

//! `vmfa code`: time-based codes, from a source, and counters.

use std::process::Stdio;

use serde_json::Value;

use crate::support::{Home, SEED, keys, uris};

/// RFC 6238, Appendix B, by its last six digits: SEED is the RFC's secret.
const AT: &str = "1111111109";
const CODE: &str = "081804";

#[test]
fn code_gives_the_code_and_nothing_else_on_stdout() {
    let home = Home::new();
    home.add("x");
    let at = |more: &[&str]| home.run(&[&["code", "x", "--at", AT], more].concat()).expect(0);
    assert_eq!(at(&[]).stdout, format!("{CODE}\n"));
    assert_eq!(at(&[]).stderr, "");
    assert_eq!(at(&["--next"]).stdout, "050471\n");
    assert_eq!(at(&["--count", "2"]).stdout, format!("{CODE}\n050471\n"));
    let one_later = home.run(&["code", "x", "--at", "1111111139", "--previous"]).expect(0);
    assert_eq!(one_later.stdout, format!("{CODE}\n"));
    let rfc3339 = home.run(&["code", "x", "--at", "2005-03-18T01:58:29Z"]).expect(0);
    assert_eq!(rfc3339.stdout, format!("{CODE}\n"));
}

#[test]
fn code_in_json_tells_the_step_and_how_long_it_is_its_turn() {
    let home = Home::new();
    home.add("x");
    let json = home.run(&["code", "x", "--at", AT, "--json"]).expect(0).json();
    assert_eq!(
        keys(&json),
        [
            "account",
            "claim",
            "code",
            "codes",
            "device",
            "issuer",
            "repeated",
            "step",
            "valid_from",
            "valid_until",
            "validity_seconds"
        ]
    );
    assert_eq!(json["code"], CODE);
    assert_eq!(json["step"], 0x023_523ec);
    assert_eq!(json["valid_from"], "2005-03-18T01:58:00Z");
    assert_eq!(json["valid_until"], "2005-03-18T01:58:30Z");
    assert_eq!(json["validity_seconds"], 1);
}

#[test]
fn code_from_a_source_stores_nothing() {
    let home = Home::new();
    let run = home.run_with(&["code", "--from", "-", "--at", AT], SEED.as_bytes()).expect(0);
    assert_eq!(run.stdout, format!("{CODE}\n"));
    assert!(!home.path().join("home").exists());
    let several = uris(&["Example:alice", "Example:bob"]);
    let run = home.run_with(&["code", "--from", "-"], several.as_bytes()).expect(1);
    assert!(run.stderr.contains("--account 'alice'") && run.stdout.is_empty(), "{run:#?}");
    home.run_with(&["code", "--from", "-", "--account", "bob"], several.as_bytes()).expect(0);
}

#[test]
fn a_counter_device_never_gives_a_counter_twice() {
    let home = Home::new();
    let uri = format!("otpauth://hotp/x?secret={SEED}&counter=0");
    let added = home.run_with(&["add", "h", "-", "--json"], uri.as_bytes()).expect(0).json();
    assert_eq!(added["added"][0]["first_code"]["code"], "755224");
    assert_eq!(home.run(&["code", "h"]).expect(0).stdout, "287082\n");
    assert_eq!(home.run(&["code", "h", "--count", "2"]).expect(0).stdout, "359152\n969429\n");
    assert_eq!(home.run(&["code", "h", "--json"]).expect(0).json()["counter"], 4);
    assert_eq!(home.run(&["code", "h", "--next"]).expect(2).stdout, "");
    home.add_from("plain", SEED);
    assert!(home.run(&["uri", "plain", "--reveal"]).expect(0).stdout.starts_with("otpauth://totp/plain?"));
    assert!(home.run(&["uri", "h", "--reveal"]).expect(0).stdout.contains("counter=5"));

    // Ten processes at once.
    let children: Vec<_> = (0..10)
        .map(|_| {
            let mut command = home.command();
            command.args(["code", "h", "--json"]).stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut counters: Vec<u64> = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            serde_json::from_slice::<Value>(&output.stdout).unwrap()["counter"].as_u64().unwrap()
        })
        .collect();
    counters.sort_unstable();
    assert_eq!(counters, (5..15).collect::<Vec<_>>());
}

#[test]
fn the_last_counter_of_all_is_given_once_and_then_none() {
    let home = Home::new();
    home.add_from("h", &format!("otpauth://hotp/x?secret={SEED}&counter={}", u64::MAX - 2));
    home.run(&["code", "h"]).expect(0);
    let run = home.run(&["code", "h", "--json"]).expect(1);
    assert_eq!(run.error_code(), "counter-exhausted");
}

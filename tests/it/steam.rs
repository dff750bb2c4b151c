//! Steam Guard: five characters of an alphabet of its own, in every command that has to do with codes.

use serde_json::Value;

use crate::leases::at;
use crate::support::{Home, SEED};

/// A time of vectors/steam/codes.txt, and the code of it.
const T: u64 = 1_700_000_000;
const CODE: &str = "R87JJ";

fn steam() -> Home {
    let home = Home::new();
    let uri = format!("otpauth://steam/Steam:joe?secret={SEED}&issuer=Steam");
    home.run_with(&["add", "myvpn", "-", "--no-code"], uri.as_bytes()).expect(0);
    home
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["codes"].as_array().unwrap().iter().map(|code| code["code"].as_str().unwrap()).collect()
}

#[test]
fn a_device_gives_codes_pairs_and_leases_and_verifies_them_in_either_case() {
    let home = steam();
    let time = T.to_string();
    assert_eq!(at(&home, T, &["code", "myvpn"])["code"], CODE);
    let pair = at(&home, T + 3_000, &["pair", "myvpn"]);
    let pair = codes(&pair);
    assert!(pair.iter().all(|code| code.len() == 5), "{pair:?}");
    let leased = at(&home, T + 6_000, &["code", "myvpn", "--fresh", "--window", "1"]);
    assert_eq!(leased["code"].as_str().unwrap().len(), 5, "{leased}");

    for code in ["r87jj", CODE] {
        let run = home.run(&["verify", "myvpn", code, "--at", &time, "--dry-run", "--json"]).expect(0);
        assert_eq!(run.json()["accepted"], true, "{run:#?}");
    }
    let run = home.run(&["verify", "myvpn", "R87JK", "--at", &time, "--json"]).expect(1);
    assert_eq!(run.json()["reason"], "no-match");
    let run = home.run(&["verify", "myvpn", "123456", "--at", &time, "--json"]).expect(1);
    assert_eq!(run.json()["reason"], "wrong-length");
    assert_eq!(run.json()["message"], "a code has 6 digits, and the device's have 5 characters");
    let run = home.run(&["verify", "myvpn", "R87J", "--at", &time, "--json"]).expect(5);
    assert_eq!(run.error_code(), "code");
}

#[test]
fn other_devices_refuse_codes_of_steam_and_say_what_they_have() {
    let home = Home::new();
    home.run_with(&["add", "x", "-", "--no-code"], SEED.as_bytes()).expect(0);
    let verdict = |code: &str| home.run(&["verify", "x", code, "--at", "1700000000", "--json"]).expect(1).json();
    assert_eq!(verdict(CODE)["message"], "a code has 5 characters, and the device's have 6 digits");
    let digits = verdict("23456");
    assert!(digits["message"].as_str().unwrap().ends_with("is a leading zero missing?"), "{digits}");
}

#[test]
fn it_is_listed_shown_and_written_as_what_it_is() {
    let home = steam();
    let shown = home.run(&["show", "myvpn", "--json"]).expect(0).json();
    assert_eq!((&shown["type"], &shown["digits"], &shown["period"]), (&"steam".into(), &5.into(), &30.into()));
    let shown = home.run(&["show", "myvpn"]).expect(0).stdout;
    assert!(shown.contains("Steam Guard, SHA1, 5 characters, every 30 s"), "{shown}");
    assert!(home.run(&["list"]).expect(0).stdout.contains(" steam "));
    let uri = home.run(&["uri", "myvpn", "--reveal"]).expect(0).stdout;
    assert_eq!(uri.trim(), format!("otpauth://steam/Steam:joe?secret={SEED}&issuer=Steam"));
}

#[test]
fn two_codes_tell_how_far_its_clock_is_off() {
    let home = steam();
    let two = at(&home, T + 600, &["code", "myvpn", "--count", "2"]);
    let two = codes(&two);
    let measured = home.run(&["drift", "myvpn", two[0], two[1], "--at", &T.to_string(), "--json"]).expect(0).json();
    assert_eq!(measured["drift_seconds"], 630, "{measured}");
}

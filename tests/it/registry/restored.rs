//! A registry that knows less than was handed out: restored, replaced, or with another key to find secrets by.

use std::path::PathBuf;

use serde_json::Value;

use super::files::in_the_way::{add, device};
use crate::support::{Home, SEED, at_clock, run};

const FILES: [&str; 3] = ["registry.sqlite3", "registry.sqlite3-wal", "registry.sqlite3-shm"];

fn place(home: &Home, name: &str) -> PathBuf {
    home.path().join("home").join(name)
}

/// The registry's files as they are now.
struct Copy([Option<Vec<u8>>; 3]);

impl Copy {
    fn of(home: &Home) -> Self {
        Self(FILES.map(|name| std::fs::read(place(home, name)).ok()))
    }

    /// Puts them back.
    fn restore(self, home: &Home) {
        remove(home);
        for (name, bytes) in FILES.iter().zip(self.0) {
            if let Some(bytes) = bytes {
                std::fs::write(place(home, name), bytes).unwrap();
            }
        }
    }
}

fn remove(home: &Home) {
    for name in FILES {
        let _ = std::fs::remove_file(place(home, name));
    }
}

/// What `vmfa doctor --restored` says, by a clock that is so many seconds ahead.
fn accept(home: &Home, ahead: i64) -> String {
    let answer = run(at_clock(home, ahead).args(["doctor", "--restored", "--json"]), b"").expect(0).json();
    let check = answer["checks"].as_array().unwrap().iter().find(|check| check["what"] == "restored").unwrap();
    assert_eq!(check["status"], "ok", "{check}");
    format!("{} {}", check["detail"].as_str().unwrap(), check["mend"])
}

const NOW: [&str; 7] = ["code", "x", "--fresh", "--window", "--timeout", "0s", "--json"];

#[test]
fn an_older_copy_hands_nothing_out_until_it_is_accepted() {
    let home = device();
    let copy = Copy::of(&home);
    let given = home.run(&NOW).expect(0).json();
    copy.restore(&home);
    let refused = home.run(&NOW).expect(3);
    assert_eq!(refused.error_code(), "registry-restored");
    assert!(refused.stderr.contains("vmfa doctor --restored"), "{refused:#?}");
    home.run(&["doctor"]).expect(3);
    home.run(&["list"]).expect(0);
    let told = accept(&home, 0);
    assert!(told.contains("count as handed out") && !told.contains("you said so"), "{told}");
    home.run(&["doctor"]).expect(0);
    let refused = home.run(&NOW).expect(1);
    assert_eq!(refused.error_code(), "no-free-step");
    // Nobody was given these codes, as far as anybody knows: the reason is another one.
    assert!(refused.stderr.contains("the registry was restored, so codes of `x`"), "{refused:#?}");
    assert!(!refused.stderr.contains("--window"), "{refused:#?}");
    let later = home.run(&["code", "x", "--fresh", "--at", "+20m", "--json"]).expect(0).json();
    assert!(later["step"].as_u64() > given["step"].as_u64());
    // A file that was moved away, with another one in its place.
    remove(&home);
    add(&home, "x2");
    let now = [&["code", "x2"], &NOW[2..]].concat();
    assert_eq!(home.run(&now).expect(3).error_code(), "registry-restored");
    accept(&home, 0);
    assert_eq!(home.run(&now).expect(1).error_code(), "no-free-step");
    home.run(&["code", "x2", "--fresh", "--at", "+60m"]).expect(0);
}

/// What was handed out after the copy was made: of a clock that runs ahead, and counters.
#[test]
fn nothing_that_an_older_copy_does_not_know_is_given_again() {
    let home = device();
    let hotp = format!("otpauth://hotp/h?secret={SEED}&counter=0");
    for name in ["h", "h2"] {
        home.run_with(&["add", name, "-", "--no-code"], hotp.as_bytes()).expect(0);
    }
    home.run(&["rename", "h2", "other"]).expect(0);
    for (clock, restored) in [("+1h", true), ("+5h", false)] {
        let copy = Copy::of(&home);
        let ahead = ["code", "x", "--fresh", "--clock", clock, "--window", "3", "--timeout", "0s", "--json"];
        let step = home.run(&ahead).expect(0).json()["step"].as_u64().unwrap();
        let counters = |count: &str| -> Vec<u64> {
            let answer = home.run(&["code", "h", "--count", count, "--json"]).expect(0).json();
            answer["codes"].as_array().unwrap().iter().map(|code| code["counter"].as_u64().unwrap()).collect()
        };
        let given = counters("3");
        if restored {
            copy.restore(&home);
        } else {
            remove(&home);
            add(&home, "x");
            home.run_with(&["add", "h", "-", "--no-code"], hotp.as_bytes()).expect(0);
        }
        assert_eq!(home.run(&["code", "h", "--json"]).expect(3).error_code(), "registry-restored");
        // Said twice, it doesn't lose what the first time knew.
        for _ in 0..2 {
            accept(&home, 0);
        }
        let later = counters("1");
        assert!(later[0] > *given.last().unwrap(), "{later:?} after {given:?}, {clock}");
        let next = home.run(&ahead);
        assert!(next.code == 1 || next.json()["step"].as_u64().unwrap() > step, "{next:#?} after {step}");
    }
}

/// A whole home that was restored is noticed by nobody but its user.
#[test]
fn whoever_knows_that_a_registry_was_restored_can_say_so() {
    let home = device();
    home.run_with(&["add", "h", "-", "--no-code"], format!("otpauth://hotp/h?secret={SEED}&counter=3").as_bytes())
        .expect(0);
    let told = accept(&home, 0);
    assert!(told.contains("because you said so") && told.contains("--count N"), "{told}");
    assert_eq!(home.run(&NOW).expect(1).error_code(), "no-free-step");
    assert_eq!(home.run(&["pair", "x", "--json"]).expect(1).error_code(), "no-pair-yet");
    assert_eq!(home.run(&["code", "h", "--json"]).expect(0).json()["counter"], 3);
    // Also of a secret that is added later.
    home.run_with(&["add", "y", "-", "--no-code"], b"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").expect(0);
    assert_eq!(home.run(&["code", "y", "--fresh", "--timeout", "0s", "--json"]).expect(1).error_code(), "no-free-step");
    for name in ["x", "y"] {
        home.run(&["code", name, "--fresh", "--at", "+20m"]).expect(0);
        home.run(&["pair", name, "--at", "+30m"]).expect(0);
    }
}

#[test]
fn a_clock_that_ran_ahead_then_locks_codes_only_until_it_is_said_again() {
    let home = device();
    let day = 86_400;
    // Something is written down before, and while it is locked.
    home.run(&["pair", "x", "--at", "59"]).expect(0);
    let told = accept(&home, 30 * day);
    assert!(told.contains("if that time is wrong"), "{told}");
    for at in ["+1h", "+29d"] {
        for command in [&["code", "x", "--fresh"][..], &["pair", "x"]] {
            home.run(&[command, &["--at", at]].concat()).expect(1);
        }
    }
    home.run(&["verify", "x", "000000"]).expect(1);
    assert!(home.run(&["doctor"]).expect(3).stdout.contains("`vmfa doctor --restored`"));
    let told = accept(&home, 0);
    assert!(told.contains("(before: up to "), "{told}");
    home.run(&["doctor"]).expect(0);
    home.run(&["code", "x", "--fresh", "--at", "+20m"]).expect(0);
    home.run(&["pair", "x", "--at", "+30m"]).expect(0);
    // The pair that counted all the time is not forgotten.
    home.run(&["pair", "x", "--at", "59"]).expect(1);
}

#[test]
fn what_was_accepted_since_an_older_copy_is_not_accepted_again() {
    let home = device();
    home.run(&["verify", "x", "000000"]).expect(1);
    let copy = Copy::of(&home);
    let code = home.run(&["code", "x", "--fresh"]).expect(0).stdout;
    home.run(&["verify", "x", code.trim()]).expect(0);
    copy.restore(&home);
    assert_eq!(home.run(&["verify", "x", code.trim(), "--json"]).expect(3).error_code(), "registry-restored");
    accept(&home, 0);
    let again = home.run(&["verify", "x", code.trim(), "--json"]).expect(1).json();
    assert_eq!((&again["reason"], &again["used"]), (&"used".into(), &true.into()), "{again}");
    let dry = home.run(&["verify", "x", code.trim(), "--dry-run", "--json"]).expect(1).json();
    assert_eq!(dry["reason"], "used");
    let at = |command: &[&str]| home.run(&[command, &["--at", "+20m"]].concat()).expect(0).stdout;
    let later = at(&["code", "x", "--fresh"]);
    at(&["verify", "x", later.trim()]);
}

#[test]
fn a_counter_that_was_accepted_since_an_older_copy_is_not_accepted_again() {
    let home = Home::new();
    home.run_with(&["add", "h", "-", "--no-code"], format!("otpauth://hotp/h?secret={SEED}&counter=0").as_bytes())
        .expect(0);
    let next = || home.run(&["code", "h"]).expect(0).stdout.trim().to_owned();
    home.run(&["verify", "h", &next()]).expect(0);
    let copy = Copy::of(&home);
    let codes = [next(), next()];
    for code in &codes {
        home.run(&["verify", "h", code]).expect(0);
    }
    copy.restore(&home);
    accept(&home, 0);
    for code in &codes {
        home.run(&["verify", "h", code]).expect(1);
    }
    home.run(&["verify", "h", &next()]).expect(0);
}

/// The file that holds the age vault's own key.
fn key(home: &Home) -> PathBuf {
    let files = std::fs::read_dir(place(home, "items")).unwrap().map(|entry| entry.unwrap().path());
    let mut keys = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("vault-key-"));
    keys.next().expect("a vault's own key")
}

fn has_key(home: &Home) -> bool {
    let names = std::fs::read_dir(place(home, "items")).unwrap().map(|entry| entry.unwrap().file_name());
    names.into_iter().any(|name| name.to_str().unwrap().starts_with("vault-key-"))
}

/// Another key for the same identity.
fn other_key(home: &Home) -> Vec<u8> {
    let elsewhere = home.path().join("elsewhere");
    let made = |arguments: &[&str]| {
        let mut command = home.command();
        run(command.env("VMFA_HOME", &elsewhere).args(arguments), SEED.as_bytes()).expect(0)
    };
    made(&["add", "z", "-"]);
    let names = std::fs::read_dir(elsewhere.join("items")).unwrap().map(|entry| entry.unwrap().path());
    let key = names.into_iter().find(|path| path.to_str().unwrap().contains("vault-key-")).unwrap();
    std::fs::read(key).unwrap()
}

#[test]
fn without_the_key_that_finds_secrets_again_none_is_given_codes_twice() {
    for replaced in [false, true] {
        let home = device();
        let fresh = |name: &str| home.run(&[&["code", name], &NOW[2..]].concat());
        // Near the end of a step, a window of one has two codes, and these are three.
        let wide = |name: &str| home.run(&["code", name, "--fresh", "--window=3", "--timeout=0s", "--json"]);
        let step = |run: Value| run["step"].as_u64().unwrap();
        let given = step(wide("x").expect(0).json());
        let (path, other) = (key(&home), other_key(&home));
        let saved = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        if replaced {
            std::fs::write(&path, &other).unwrap();
        }
        // Whoever has its ledger needs no key.
        let other_name = format!("again-{replaced}");
        wide("x").expect(0);
        add(&home, &other_name);
        let refused = fresh(&other_name).expect(3);
        assert_eq!(refused.error_code(), "vault-key", "{refused:#?}");
        assert!(refused.stderr.contains("vmfa doctor --restored") && refused.stdout.is_empty(), "{refused:#?}");
        assert_eq!(has_key(&home), replaced, "none is made that would stand in the way of the old one");
        let doctor = home.run(&["doctor"]).expect(3);
        assert!(doctor.stdout.contains("own key"), "{doctor:#?}");
        // The old one is back, and everything is as before.
        std::fs::write(&path, &saved).unwrap();
        assert_ne!(step(wide(&other_name).expect(0).json()), given);
        home.run(&["doctor"]).expect(0);
        home.run(&["remove", &other_name, "--yes"]).expect(0);
        // It is lost for good.
        std::fs::remove_file(&path).unwrap();
        if replaced {
            std::fs::write(&path, &other).unwrap();
        }
        add(&home, &other_name);
        assert_eq!(fresh(&other_name).expect(3).error_code(), "vault-key");
        let told = accept(&home, 0);
        assert!(!told.contains("you said so"), "{told}");
        home.run(&["doctor"]).expect(0);
        assert_eq!(fresh(&other_name).expect(1).error_code(), "no-free-step");
        // Both devices of the secret share a ledger again, whichever is used first.
        let names = if replaced { [&*other_name, "x"] } else { ["x", &*other_name] };
        let at = |name: &str| home.run(&["code", name, "--fresh", "--at", "+20m", "--json"]);
        at(names[0]).expect(0);
        assert_eq!(at(names[1]).expect(1).error_code(), "no-free-step");
        // Accepted once, it is the key.
        add(&home, "third");
        assert_eq!(at("third").expect(1).error_code(), "no-free-step");
    }
}

#[test]
fn counters_go_on_where_they_were_under_a_new_key() {
    let home = Home::new();
    let add = |name: &str| {
        let uri = format!("otpauth://hotp/h?secret={SEED}&counter=0");
        home.run_with(&["add", name, "-", "--no-code"], uri.as_bytes()).expect(0);
    };
    let counter = |name: &str| home.run(&["code", name, "--json"]).expect(0).json()["counter"].as_u64().unwrap();
    add("one");
    assert_eq!([counter("one"), counter("one")], [0, 1]);
    std::fs::remove_file(key(&home)).unwrap();
    add("two");
    assert_eq!(home.run(&["code", "two", "--json"]).expect(3).error_code(), "vault-key");
    assert!(accept(&home, 0).contains("starts at its source's counter"));
    assert_eq!(counter("one"), 2, "its ledger is found again");
    assert_eq!(counter("two"), 3);
    home.run(&["remove", "one", "--yes"]).expect(0);
    assert_eq!(counter("two"), 4);
}

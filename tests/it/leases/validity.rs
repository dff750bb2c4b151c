//! `--min-validity`: codes that are still good by the time somebody has typed them.

use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vmfa::device::issue::lasting_from;
use vmfa::provision::{Limits, read};
use vmfa::time::Timestamp;

use super::{T, add, at, aws, refused};
use crate::serve::socket::Server;
use crate::support::{Home, SEED};

#[test]
fn a_code_that_ends_too_soon_is_not_given() {
    let home = Home::new();
    add(&home, "x", SEED);
    let code = |time: u64, fresh: &[&str]| {
        let time = (T + time).to_string();
        home.run(&[&["code", "x", "--min-validity", "5s", "--json", "--at", &time], fresh].concat())
    };
    // Ten seconds into a step of which fifteen are left.
    assert_eq!(code(10, &[]).expect(0).json()["validity_seconds"], 5);
    let late = code(11, &[]).expect(1);
    assert_eq!(late.error_code(), "expires-soon");
    assert!(late.stderr.contains("\"wait_seconds\":4"), "{late:?}");
    assert_eq!(code(13, &["--fresh"]).expect(1).error_code(), "no-free-step");
    assert_eq!(code(15, &["--fresh"]).expect(0).json()["validity_seconds"], 30);
    // What wasn't given wasn't written down.
    assert_eq!(at(&home, T + 29, &["code", "x"])["repeated"], true);
    assert_eq!(at(&home, T + 45, &["code", "x", "--fresh"])["repeated"], false);
}

#[test]
fn a_pool_gives_the_code_of_the_device_that_has_one_for_long_enough() {
    let home = Home::new();
    // One whose clock is ahead, and so is at the beginning of its step where the other is at the end.
    for name in ["ci/a", "ci/b"] {
        add(
            &home,
            name,
            &format!("otpauth://totp/{name}?secret={SEED}&period={}", if name == "ci/a" { 30 } else { 40 }),
        );
    }
    let leased = at(&home, 1_800_000_028, &["code", "ci/*", "--fresh", "--min-validity", "5s"]);
    assert_eq!((&leased["device"], &leased["validity_seconds"]), (&"ci/b".into(), &12.into()), "{leased}");
}

#[test]
fn with_a_window_counts_how_long_the_service_looks_back() {
    let home = Home::new();
    aws(&home, "x");
    let now = T / 30;
    // Fifteen seconds are left of the current step: those before last 45 and 15 s more.
    let arguments = ["code", "x", "--fresh", "--window", "--min-validity", "45s"];
    let steps: Vec<_> = (0..4).map(|_| at(&home, T, &arguments)["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [now, now - 1, now + 1, now + 2]);
    assert_eq!(refused(&home, T, &arguments), "no-free-step");
}

#[test]
fn who_wants_more_than_a_code_can_last_is_told_so() {
    let home = Home::new();
    add(&home, "x", SEED);
    for arguments in [&["code", "x", "--min-validity", "31s"][..], &["code", "x", "--fresh", "--min-validity", "31s"]] {
        let run = home.run(&[arguments, &["--json"]].concat()).expect(2);
        assert!(run.error_code() == "min-validity" && run.stderr.contains("at most 30 s"), "{run:?}");
    }
    // At the beginning of a step, the one after it is taken for the longest time there is.
    let step = T / 30;
    let longest = at(&home, step * 30, &["code", "x", "--fresh", "--window", "1", "--min-validity", "90s"]);
    assert_eq!(longest["step"], step + 1);
    home.run(&["code", "x", "--next", "--min-validity", "5s"]).expect(2);
    add(&home, "c", &format!("otpauth://hotp/x?secret={SEED}&counter=0"));
    home.run(&["code", "c", "--min-validity", "5s"]).expect(2);
}

/// A short period is no reason to refuse the codes of the others.
#[test]
fn a_pool_gives_what_its_members_can() {
    let home = Home::new();
    for (name, period) in [("p/a", 15), ("p/b", 30)] {
        add(&home, name, &format!("otpauth://totp/{name}?secret={SEED}&period={period}"));
    }
    let leased = at(&home, T + 15, &["code", "p/*", "--fresh", "--min-validity", "20s"]);
    assert_eq!(leased["device"], "p/b");
    let none = home.run(&["code", "p/*", "--fresh", "--min-validity", "31s", "--json"]).expect(2);
    assert!(none.stderr.contains("at most 30 s"), "{none:?}");
}

/// A clock that rounds down may show up to a second more than is left.
#[test]
fn a_rounded_clock_needs_a_second_more() {
    let found = read(SEED.as_bytes(), &Limits::default()).unwrap();
    let enrolment = &found.enrolments[0];
    let waits = |gone: u64, validity: u64, rounding: u64| {
        let time = Timestamp::from_unix(T / 30 * 30 + gone);
        lasting_from(enrolment, time, validity, rounding).unwrap().0
    };
    assert_eq!((waits(25, 5, 0), waits(25, 5, 1), waits(24, 5, 1)), (0, 5, 0));
    // A whole step can only be had at its beginning.
    assert_eq!((waits(0, 30, 1), waits(1, 30, 1)), (0, 29));
    // Nothing was asked for.
    assert_eq!(waits(29, 0, 1), 0);
}

/// Another process has the registry while the code runs out. The clock is shifted so that twelve seconds are left at first.
#[test]
fn a_code_that_runs_out_while_the_registry_is_waited_for_is_not_printed() {
    let home = Home::new();
    add(&home, "x", SEED);
    let registry = rusqlite::Connection::open(home.path().join("home/registry.sqlite3")).unwrap();
    registry.execute_batch("BEGIN IMMEDIATE").unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let shift = format!("--clock=+{}s", (18 + 30 - now.as_secs() % 30) % 30);
    let mut command = home.command();
    command.args(["code", "x", &shift, "--min-validity", "10s", "--timeout", "1s", "--json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while SystemTime::now().duration_since(UNIX_EPOCH).unwrap() < now + Duration::from_secs(3) {
        std::thread::sleep(Duration::from_millis(20));
    }
    registry.execute_batch("ROLLBACK").unwrap();
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(1) && done.stdout.is_empty() && said.contains("expires-soon"), "{said}");
    // And it is nobody's.
    assert_eq!(home.run(&["code", "x", &shift, "--json"]).expect(0).json()["repeated"], false);
}

#[test]
fn the_next_code_is_waited_for() {
    let server = Server::start(&["--time", "virtual=2027-01-15T08:00:28Z"]);
    let home = &server.home;
    add(home, "x", SEED);
    let source = home.file("source", SEED);
    let wait = ["--min-validity", "5s", "--clock", server.endpoint(), "--json"];
    let stands = home.run(&[&["code", "x"], &wait[..]].concat()).expect(1);
    assert_eq!(stands.error_code(), "time-stands-still");
    let jumped = home.run(&[&["code", "x", "--jump"], &wait[..]].concat()).expect(0).json();
    assert_eq!((&jumped["validity_seconds"], &jumped["valid_from"]), (&30.into(), &"2027-01-15T08:00:30Z".into()));
    server.wait(27);
    let short = home.run(&[&["code", "x", "--timeout", "2s"], &wait[..]].concat()).expect(1);
    assert_eq!(short.error_code(), "expires-soon");
    let from = ["code", "--jump", "--from", source.to_str().unwrap()];
    let jumped = home.run(&[&from[..], &wait[..]].concat()).expect(0).json();
    assert_eq!(jumped["valid_from"], "2027-01-15T08:01:00Z");
}

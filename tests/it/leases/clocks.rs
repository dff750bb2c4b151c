//! Clocks that ran ahead and were put right.

use serde_json::Value;

use super::add;
use crate::support::{Home, SEED, at_clock, run};

/// The answer to a command by a system clock that is so many seconds ahead.
fn when(home: &Home, ahead: i64, arguments: &[&str]) -> Value {
    let run = run(at_clock(home, ahead).args(arguments).arg("--json"), b"");
    if run.code == 0 { run.json() } else { Value::String(run.error_code()) }
}

const DAY: i64 = 86_400;

#[test]
fn a_clock_that_ran_a_month_ahead_and_was_put_right_stands_in_nobodys_way() {
    let home = Home::new();
    add(&home, "x", SEED);
    when(&home, 0, &["code", "x", "--fresh"]);
    // Long enough that what was given there is old by that clock.
    for hours in [0, 1, 40, 80] {
        assert!(when(&home, 30 * DAY + hours * 3_600, &["code", "x", "--fresh"])["code"].is_string());
    }
    let fresh = when(&home, 60, &["code", "x", "--fresh", "--window", "--timeout", "0s"]);
    assert!(fresh["code"].is_string(), "{fresh}");
    // What was given ahead is given to nobody when its time has come.
    let then = when(&home, 30 * DAY, &["code", "x"]);
    assert_eq!(then["repeated"], true, "{then}");
    assert_eq!(when(&home, 60, &["doctor"])["checks"][2]["status"], "ok");
}

#[test]
fn what_was_handed_out_for_later_is_not_given_again_after_the_device_is_enrolled_anew() {
    let home = Home::new();
    let other = "otpauth://totp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    add(&home, "x", SEED);
    let later = when(&home, 0, &["code", "x", "--at", "+10d"]);
    // Removed, with every sweep long after; and replaced and back.
    home.run(&["remove", "x", "--yes"]).expect(0);
    for (name, source) in [("a", SEED), ("b", other)] {
        let add = run(at_clock(&home, 3 * DAY).args(["add", name, "-", "--no-code"]), source.as_bytes());
        add.expect(0);
    }
    run(at_clock(&home, 5 * DAY).args(["add", "a", "-", "--no-code", "--replace"]), other.as_bytes()).expect(0);
    run(at_clock(&home, 8 * DAY).args(["add", "a", "-", "--no-code", "--replace"]), SEED.as_bytes()).expect(0);
    let at = later["valid_from"].as_str().unwrap();
    assert_eq!(when(&home, 8 * DAY, &["code", "a", "--fresh", "--at", at]), "no-free-step");
    assert_eq!(when(&home, 8 * DAY, &["code", "a", "--at", at])["repeated"], true);
}

/// A mark of the version before, up to which everything counts as handed out: nobody knows what lies below it.
#[test]
fn the_doctor_tells_of_a_device_that_has_no_code_for_weeks() {
    let home = Home::new();
    add(&home, "x", SEED);
    let step = when(&home, 0, &["code", "x"])["step"].as_u64().unwrap();
    let registry = rusqlite::Connection::open(home.path().join("home/registry.sqlite3")).unwrap();
    registry.execute("UPDATE ledger SET runs = ?1", [format!("0-{}", step + 86_400)]).unwrap();
    let fresh = home.run(&["code", "x", "--fresh", "--json"]).expect(1);
    assert_eq!(fresh.error_code(), "no-free-step");
    let doctor = home.run(&["doctor", "--json"]).expect(3).json();
    let check = doctor["checks"].as_array().unwrap().iter().find(|check| check["what"] == "codes").unwrap();
    assert!(check["detail"].as_str().unwrap().contains("`x`"), "{check}");
    assert!(check["mend"][0].as_str().unwrap().contains("--replace"), "{check}");
}

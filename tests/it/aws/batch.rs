//! Many users at once, by the program itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::kill::Stage;
use super::proxy::{Act, Fate, Proxy};
use crate::serve::support::ALLOW_ALL;

const USERS: usize = 500;

/// A stage whose keys are the administrator's, with users.
fn with_users(count: usize) -> (Stage, String) {
    let mut stage = Stage::new(ALLOW_ALL);
    stage.keys = stage.server.administrator();
    let names: Vec<String> = (0..count).map(|number| format!("user-{number:03}")).collect();
    for name in &names {
        assert_eq!(stage.server.call(&stage.keys, "CreateUser", &[("UserName", name)]).status, 200);
    }
    (stage, names.join("\n"))
}

/// A number that looks random, and is the same in every run.
fn scattered(number: usize) -> u64 {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
}

#[test]
fn five_hundred_users_are_enrolled_each_once_though_every_twentieth_request_goes_wrong() {
    let (stage, names) = with_users(USERS);
    let list = stage.home.file("users.txt", format!("# all of them\n{names}\n"));
    let faults = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&faults);
    let proxy = Proxy::start(stage.server.address, move |number, _| {
        let chance = scattered(number);
        if !chance.is_multiple_of(20) {
            return Act::Fate(Fate::Good);
        }
        counted.fetch_add(1, Ordering::SeqCst);
        match chance / 20 % 6 {
            0 => Act::Fate(Fate::FailsBefore),
            1 => Act::Fate(Fate::FailsAfter),
            2 => Act::Fate(Fate::LostAfter),
            3 => Act::Fate(Fate::LostBefore),
            4 => Act::Silence,
            _ => Act::Fate(Fate::Throttled),
        }
    });
    let arguments =
        ["enable", "ci/", "--users-from", list.to_str().unwrap(), "--jobs", "16", "--timeout", "1s", "--json"];
    let mut report = Value::Null;
    // What failed too often for one run, the next takes up.
    for _ in 0..3 {
        let run = crate::support::run(&mut stage.command(&proxy.url(), &arguments), b"");
        report = run.json();
        if run.code == 0 {
            break;
        }
    }
    assert_eq!(report["enabled"], Value::from(USERS), "{report:#}");
    let there = stage.there();
    let of_users: BTreeSet<&str> = there.iter().map(|(_, user)| user.as_deref().expect("an orphan")).collect();
    assert_eq!((there.len(), of_users.len()), (USERS, USERS));
    let here = stage.here();
    assert_eq!(here.len(), USERS);
    assert!(here.iter().all(|name| name.starts_with("ci/user-")));
    let sent = proxy.sent.lock().unwrap().len();
    let faults = faults.load(Ordering::SeqCst);
    assert!(sent > 3 * USERS && faults * 25 > sent, "{faults} faults in {sent} requests");
    // The codes of some are what AWS takes.
    stage.server.wait(60);
    for name in here.iter().step_by(100) {
        let user = name.strip_prefix("ci/").unwrap();
        let key = stage.server.call(&stage.keys, "CreateAccessKey", &[("UserName", user)]);
        let mut command = stage.command(stage.server.endpoint(), &["session", name, "--json"]);
        command.env("AWS_ACCESS_KEY_ID", key.text("AccessKeyId"));
        command.env("AWS_SECRET_ACCESS_KEY", key.text("SecretAccessKey"));
        crate::support::run(&mut command, b"").expect(0);
    }
    let again = stage.run(&arguments).expect(0).json();
    assert_eq!(again["already"], Value::from(USERS));
}

#[test]
fn a_report_names_those_that_failed_and_why() {
    let (stage, _) = with_users(3);
    let run = stage.run(&["enable", "--for-user", "user-000,nobody,user-002", "--json"]).expect(1);
    let report = run.json();
    let outcome = |index: usize| report["users"][index]["outcome"].as_str().unwrap().to_owned();
    assert_eq!([outcome(0), outcome(1), outcome(2)], ["new", "failed", "new"]);
    assert_eq!(report["users"][1]["error"]["code"], Value::from("aws-refused"));
    assert_eq!((&report["enabled"], &report["failed"]), (&Value::from(2), &Value::from(1)));
    let table = stage.run(&["enable", "--for-user", "user-000", "--for-user", "nobody"]).expect(1);
    assert!(table.stdout.contains("user-000  user-000  already"), "{table:#?}");
    assert!(table.stderr.contains("1 enabled (1 were before), 1 failed"), "{table:#?}");
}

#[test]
fn keys_that_nobody_knows_stop_the_batch_at_once() {
    let (mut stage, _) = with_users(0);
    stage.keys = vmfa::wire::sigv4::Credentials::new("AKIAEXAMPLE000000001", "wrong", None);
    stage.run(&["enable", "--for-user", "a,b,c", "--json"]).expect(4);
    assert!(stage.here().is_empty());
}

#[test]
fn lists_that_cannot_be_meant_enrol_nobody() {
    let (stage, _) = with_users(1);
    for (text, code) in [("", 5), ("user-000 no/such", 5), ("# nobody", 5)] {
        let list = stage.home.file("users.txt", text);
        stage.run(&["enable", "--users-from", list.to_str().unwrap()]).expect(code);
    }
    stage.run(&["enable", "mfauser", "--for-user", "user-000"]).expect(2);
    stage.run(&["enable", "--for-user", "user-000", "--user", "user-000"]).expect(2);
    assert!(stage.here().is_empty() && stage.there().is_empty());
}

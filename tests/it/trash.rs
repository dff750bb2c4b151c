//! `vmfa remove` and `vmfa trash`: what was removed comes back as it was, for thirty days.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use crate::support::{Home, SEED, at_clock, run};

const DAY: i64 = 24 * 60 * 60;

fn items(home: &Home) -> usize {
    let entries = fs::read_dir(home.path().join("home/items")).unwrap();
    let is_device = |path: &Path| {
        path.extension().is_some_and(|extension| extension == "age") && !path.to_string_lossy().contains("vault-key")
    };
    entries.filter(|entry| is_device(&entry.as_ref().unwrap().path())).count()
}

fn names(home: &Home, arguments: &[&str]) -> Vec<String> {
    let listed = home.run(&[arguments, &["--json"]].concat()).expect(0).json();
    listed["devices"].as_array().unwrap().iter().map(|device| device["name"].as_str().unwrap().to_owned()).collect()
}

fn seconds_from_now(time: &serde_json::Value) -> i64 {
    let at = vmfa::time::Timestamp::parse(time.as_str().unwrap(), vmfa::time::Timestamp::from_unix(0)).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    at.as_unix().cast_signed() - now.cast_signed()
}

#[test]
fn a_removed_device_comes_back_with_what_it_gave() {
    let home = Home::new();
    home.add("x");
    home.run(&["drift", "x", "--set", "95s"]).expect(0);
    home.run(&["code", "x", "--fresh", "--at", "59"]).expect(0);
    let before = home.run(&["show", "x", "--json"]).expect(0).json();
    let removed = home.run(&["remove", "x"]).expect(0);
    assert_eq!(removed.stdout, "removed x\n");
    assert!(removed.stderr.contains("to bring it back, vmfa trash restore x"), "{removed:#?}");
    assert_eq!(items(&home), 1);

    let failed = home.run(&["code", "x"]).expect(1);
    assert!(failed.stderr.contains("it is in the trash: vmfa trash restore x"), "{failed:#?}");
    assert!(names(&home, &["list"]).is_empty());
    let listed = home.run(&["trash", "list", "--json"]).expect(0).json();
    let trashed = &listed["devices"][0];
    assert_eq!((&trashed["name"], &trashed["id"]), (&before["name"], &before["id"]));
    assert!((-60..=0).contains(&seconds_from_now(&trashed["removed"])), "{trashed}");
    let month = 30 * DAY;
    assert!((month - 60..=month).contains(&seconds_from_now(&trashed["kept_until"])), "{trashed}");
    assert!(home.run(&["trash", "list"]).expect(0).stdout.starts_with("NAME  ISSUER"));

    assert_eq!(home.run(&["trash", "restore", "x"]).expect(0).stdout, "restored x\n");
    assert!(names(&home, &["trash", "list"]).is_empty());
    assert_eq!(home.run(&["show", "x", "--json"]).expect(0).json(), before);
    let used = home.run(&["code", "x", "--fresh", "--at", "59", "--timeout", "0s", "--json"]).expect(1);
    assert_eq!(used.error_code(), "no-free-step");
}

#[test]
fn of_several_with_one_name_the_last_removed_comes_back_first() {
    let home = Home::new();
    home.add_from("x", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
    let first = home.run(&["show", "x", "--json"]).expect(0).json()["id"].as_str().unwrap().to_owned();
    // A replacement puts the old one into the trash.
    home.run_with(&["add", "x", "-", "--replace", "--no-code"], SEED.as_bytes()).expect(0);
    let taken = home.run(&["trash", "restore", "x", "--json"]).expect(1);
    assert_eq!(taken.error_code(), "name-taken");
    assert!(taken.stderr.contains("vmfa trash restore x --as NEW"), "{taken:#?}");
    run(at_clock(&home, DAY).args(["remove", "x"]), b"").expect(0);
    assert_eq!(names(&home, &["trash", "list"]), ["x", "x"]);

    let restored = home.run(&["trash", "restore", "x", "--as", "y", "--json"]).expect(0).json();
    assert_eq!((&restored["old_name"], &restored["name"], &restored["more"]), (&"x".into(), &"y".into(), &1.into()));
    assert!(home.run(&["uri", "y", "--reveal"]).expect(0).stdout.contains(SEED));
    assert_eq!(home.run(&["trash", "restore", &first[..8]]).expect(0).stdout, "restored x\n");
    assert!(home.run(&["uri", "x", "--reveal"]).expect(0).stdout.contains("JBSWY3DPEHPK3PXP"));
}

#[test]
fn the_trash_is_emptied_only_when_told_and_by_name_or_as_a_whole() {
    let home = Home::new();
    for name in ["a", "b", "c"] {
        home.add(name);
        home.run(&["remove", name]).expect(0);
    }
    let asked = home.run(&["trash", "empty"]).expect(2);
    assert!(asked.stderr.contains("would delete 3 secrets for good") && asked.stderr.contains("--yes"), "{asked:#?}");
    let unknown = home.run(&["trash", "empty", "a", "z", "--yes", "--json"]).expect(1);
    assert_eq!(unknown.error_code(), "not-in-trash");
    assert_eq!(items(&home), 3, "all names are looked up before anything is deleted");
    assert_eq!(home.run(&["trash", "empty", "b", "b", "--yes"]).expect(0).stdout, "deleted b\n");
    assert_eq!(items(&home), 2);
    home.run(&["trash", "empty", "--yes"]).expect(0);
    assert_eq!(items(&home), 0);
    assert!(home.run(&["trash", "empty"]).expect(0).stderr.contains("the trash is empty"));
}

#[test]
fn after_thirty_days_the_next_change_or_doctor_deletes_it() {
    let home = Home::new();
    home.add("x");
    home.add("y");
    home.run(&["remove", "x"]).expect(0);
    let look = |days| run(at_clock(&home, days * DAY).arg("doctor"), b"").expect(0).stdout;
    assert!(look(29).contains("1 removed device; secrets are deleted after 30 days, the first after"), "{}", look(29));
    assert_eq!(items(&home), 2);
    assert!(look(31).contains("1 cleared up"));
    assert_eq!(items(&home), 1);
    assert!(!look(31).contains("trash"));

    home.run(&["remove", "y"]).expect(0);
    // What only looks deletes nothing.
    run(at_clock(&home, 31 * DAY).args(["list"]), b"").expect(0);
    assert_eq!(items(&home), 1);
    run(at_clock(&home, 31 * DAY).args(["add", "z", "-", "--no-code"]), SEED.as_bytes()).expect(0);
    assert_eq!((items(&home), names(&home, &["trash", "list"]).len()), (1, 0));
}

/// kill -9 at all moments of moving to the trash and back: the device is on one side or the other, and gives codes.
#[test]
fn a_killed_move_leaves_the_device_on_one_side() {
    let home = Home::new();
    home.add("x");
    let (mut out, mut back) = (0, 0);
    for round in 0..80_u32 {
        let there = !names(&home, &["list"]).is_empty();
        let arguments: &[&str] = if there { &["remove", "x"] } else { &["trash", "restore", "x"] };
        let mut command = home.command();
        command.args(arguments).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        // A moment in the life of a process: 0 to 20 ms.
        std::thread::sleep(Duration::from_micros(u64::from(round) * 250));
        child.kill().unwrap();
        child.wait().unwrap();
        let (listed, trashed) = (names(&home, &["list"]).len(), names(&home, &["trash", "list"]).len());
        assert_eq!((listed + trashed, items(&home)), (1, 1), "round {round}");
        match (there, listed) {
            (true, 0) => out += 1,
            (false, 1) => back += 1,
            _ => {}
        }
    }
    assert!(out > 3 && back > 3, "{out} out, {back} back");
    if names(&home, &["list"]).is_empty() {
        home.run(&["trash", "restore", "x"]).expect(0);
    }
    home.run(&["code", "x"]).expect(0);
}

#[test]
fn a_registry_of_the_version_before_has_an_empty_trash() {
    let home = Home::new();
    home.add("x");
    let registry = home.path().join("home/registry.sqlite3");
    let connection = Connection::open(&registry).unwrap();
    connection
        .execute_batch(
            "ALTER TABLE device DROP COLUMN trashed; ALTER TABLE device DROP COLUMN note; DROP TABLE access_token;
            PRAGMA user_version = 4;",
        )
        .unwrap();
    drop(connection);
    assert!(names(&home, &["trash", "list"]).is_empty());
    home.run(&["remove", "x"]).expect(0);
    home.run(&["trash", "restore", "x"]).expect(0);
    home.run(&["code", "x"]).expect(0);
}

#[test]
fn a_name_with_spaces_is_quoted_in_the_commands_that_are_advised() {
    let home = Home::new();
    home.add("two words");
    let removed = home.run(&["remove", "two words"]).expect(0);
    assert!(removed.stderr.contains("vmfa trash restore 'two words'"), "{removed:#?}");
    let gone = home.run(&["code", "two words"]).expect(1);
    assert!(gone.stderr.contains("vmfa trash restore 'two words'"), "{gone:#?}");
}

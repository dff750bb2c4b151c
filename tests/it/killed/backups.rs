//! Backups: the file is whole or not there, and what it brings back is all or nothing.

use std::fs;

use vmfa::vault::age::{Identity, recipient_of};

use super::calls::killed_at_every_call;
use super::{LATER, There, again, stays_used, tidy};
use crate::support::{Home, Run};

const OTHER: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// Two devices and one in the trash. One gave a code.
fn filled() -> Home {
    let home = Home::new();
    home.add("x");
    home.add_from("y", OTHER);
    home.add("gone");
    home.run(&["remove", "gone"]).expect(0);
    home.run(&["code", "x", "--fresh", "--at", LATER]).expect(0);
    home
}

/// The options of a backup for a home's own identity.
fn recipient(home: &Home) -> [String; 4] {
    let identity = home.identity();
    let text = Identity::Text(fs::read_to_string(&identity).unwrap().into());
    let recipient = recipient_of(&text).unwrap().remove(0);
    ["-r".to_owned(), recipient, "--identity".to_owned(), identity.to_str().unwrap().to_owned()]
}

fn back_up(home: &Home, file: &str, more: &[&str]) -> Run {
    let recipient = recipient(home);
    let mut arguments = vec!["backup", file];
    arguments.extend(recipient.iter().map(String::as_str));
    arguments.extend(more);
    home.run(&arguments)
}

#[test]
fn a_backup_is_whole_or_not_there() {
    let home = filled();
    let before = There::of(&home);
    let recipient = recipient(&home);
    let file = home.path().join("mfa.age");
    let path = file.to_str().unwrap();
    // Over another one, which stays until the new one is whole.
    for over in [false, true] {
        let mut arguments = vec!["backup", path];
        arguments.extend(recipient.iter().map(String::as_str));
        if over {
            back_up(&home, "mfa.age", &[]).expect(0);
            arguments.push("--force");
        }
        killed_at_every_call(&home, &arguments, |moment| {
            assert_eq!(There::of(&home), before, "{moment}");
            assert!(file.exists() || !over, "{moment}: the old one is gone");
            let read = || home.run(&["restore", path, "--dry-run", "--json"]).expect(0).json();
            if file.exists() {
                assert_eq!(read()["devices"].as_array().unwrap().len(), 3, "{moment}");
            }
            if over || !file.exists() {
                again(&home, &arguments).expect(0);
            }
            assert_eq!(read()["devices"].as_array().unwrap().len(), 3, "{moment}");
            stays_used(&home, "x", moment);
        });
        let _ = fs::remove_file(&file);
    }
}

#[test]
fn a_restoration_brings_all_or_nothing() {
    let old = filled();
    back_up(&old, "mfa.age", &[]).expect(0);
    let before = There::of(&old);
    let new = Home::new();
    fs::copy(old.path().join("mfa.age"), new.path().join("mfa.age")).unwrap();
    fs::copy(old.identity(), new.path().join("old.txt")).unwrap();
    let arguments = ["restore", "mfa.age", "--identity", "old.txt", "--json"];
    killed_at_every_call(&new, &arguments, |moment| {
        let there = There::of(&new);
        assert!(there.active.is_empty() || there.active == before.active, "{moment}: {there:?}");
        if !there.active.is_empty() {
            stays_used(&new, "x", moment);
        }
        let told = again(&new, &arguments).expect(0).json();
        assert_eq!(told["devices"].as_array().unwrap().len(), 3, "{moment}");
        assert_eq!(There::of(&new), before, "{moment}");
        tidy(&new, moment);
        stays_used(&new, "x", moment);
    });
}

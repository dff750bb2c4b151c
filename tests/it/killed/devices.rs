//! Adding many, removing, and what the trash gives back or loses.

use super::calls::killed_at_every_call;
use super::{LATER, There, again, items, stays_used, tidy};
use crate::support::{Home, SEED};

const OTHER: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// Two devices, of which one gave a code.
fn filled() -> Home {
    let home = Home::new();
    home.add("x");
    home.add_from("y", OTHER);
    home.run(&["code", "x", "--fresh", "--at", LATER]).expect(0);
    home
}

#[test]
fn a_removal_leaves_the_device_on_one_side() {
    let home = filled();
    let before = There::of(&home);
    killed_at_every_call(&home, &["remove", "x"], |moment| {
        let there = There::of(&home);
        let all: Vec<(&String, &String)> = there.active.iter().chain(&there.trashed).collect();
        assert!(all.len() == 2 && all.iter().all(|(name, uri)| before.active[*name] == **uri), "{moment}: {there:?}");
        let told = again(&home, &["remove", "x", "--json"]);
        let (code, error) = if there.trashed.is_empty() { (0, "no JSON error") } else { (1, "no-such-device") };
        assert_eq!((told.code, told.error_code().as_str()), (code, error), "{moment}: {told:#?}");
        let there = There::of(&home);
        assert_eq!(there.names(), (vec!["y"], vec!["x"]), "{moment}");
        tidy(&home, moment);
        again(&home, &["trash", "restore", "x"]).expect(0);
        assert_eq!(There::of(&home), before, "{moment}");
        stays_used(&home, "x", moment);
    });
}

#[test]
fn what_comes_out_of_the_trash_is_on_one_side() {
    let home = filled();
    let before = There::of(&home);
    home.run(&["remove", "x"]).expect(0);
    killed_at_every_call(&home, &["trash", "restore", "x"], |moment| {
        let there = There::of(&home);
        let all: Vec<(&String, &String)> = there.active.iter().chain(&there.trashed).collect();
        assert!(all.len() == 2 && all.iter().all(|(name, uri)| before.active[*name] == **uri), "{moment}: {there:?}");
        let told = again(&home, &["trash", "restore", "x", "--json"]);
        let (code, error) = if there.trashed.is_empty() { (1, "not-in-trash") } else { (0, "no JSON error") };
        assert_eq!((told.code, told.error_code().as_str()), (code, error), "{moment}: {told:#?}");
        assert_eq!(There::of(&home), before, "{moment}");
        tidy(&home, moment);
        stays_used(&home, "x", moment);
    });
}

#[test]
fn an_emptied_trash_loses_nothing_else() {
    let home = filled();
    home.add("z");
    for name in ["y", "z"] {
        home.run(&["remove", name]).expect(0);
    }
    let before = There::of(&home);
    killed_at_every_call(&home, &["trash", "empty", "--yes"], |moment| {
        let there = There::of(&home);
        assert_eq!(there.active, before.active, "{moment}");
        assert!(there.trashed.iter().all(|(name, uri)| before.trashed[name] == *uri), "{moment}: {there:?}");
        again(&home, &["trash", "empty", "--yes"]).expect(0);
        tidy(&home, moment);
        assert_eq!(There::of(&home).names(), (vec!["x"], vec![]), "{moment}");
        assert_eq!(items(&home), (1, vec![]), "{moment}");
        // It has the secret of one that is gone: what that secret gave stays used.
        stays_used(&home, "x", moment);
    });
}

#[test]
fn an_import_adds_all_or_none() {
    let home = filled();
    let before = There::of(&home);
    let secret = |last: char| format!("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ{last}");
    let uris: String =
        "ABCDE".chars().map(|last| format!("otpauth://totp/Example:{last}?secret={}\n", secret(last))).collect();
    home.file("five.txt", uris + &format!("otpauth://totp/Example:x?secret={SEED}&issuer=Example\n"));
    killed_at_every_call(&home, &["import", "five.txt", "--json"], |moment| {
        let there = There::of(&home);
        assert!([2, 7].contains(&there.active.len()) && there.trashed.is_empty(), "{moment}: {there:?}");
        assert!(before.active.iter().all(|(name, uri)| there.active[name] == *uri), "{moment}: {there:?}");
        let told = again(&home, &["import", "five.txt", "--json"]);
        // An add whose secrets were all stored is finished; then all are skipped.
        assert!(told.code == 0, "{moment}: {told:#?}");
        let there = There::of(&home);
        assert_eq!(there.active.len(), 7, "{moment}: {there:?}");
        for last in "ABCDE".chars() {
            assert!(there.active[&format!("Example/{last}")].contains(&secret(last)), "{moment}: {there:?}");
        }
        tidy(&home, moment);
        assert_eq!(items(&home).1, Vec::<String>::new(), "{moment}");
        stays_used(&home, "x", moment);
    });
}

//! Recipients of the age vault: who opens what after they changed, and what an interrupted change leaves.

use std::fs;
use std::path::PathBuf;

use vmfa::vault::age;

use crate::support::{Home, Run, SEED, run};

const OTHER: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// A step that no clock reaches while this runs.
const AT: &str = "4000000000";

/// The files of items and the configuration, with their contents.
fn stored(home: &Home) -> Vec<(PathBuf, Vec<u8>)> {
    let items = fs::read_dir(home.path().join("home/items")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = items.filter(|path| path.extension().is_some()).collect();
    paths.push(home.path().join("home/config.toml"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap_or_default())).collect()
}

/// Another identity's file, and its recipient.
fn another(home: &Home, name: &str) -> (PathBuf, String) {
    let (identity, recipient) = age::generate();
    let path = home.path().join(name);
    age::write_new_file(&path, identity.as_bytes()).unwrap();
    (path, recipient)
}

/// A command with another identity than the home's own.
fn by(home: &Home, identity: &std::path::Path, arguments: &[&str]) -> Run {
    run(home.command().args(arguments).env("VMFA_IDENTITY_FILE", identity), b"")
}

#[test]
fn those_who_are_added_open_everything_and_no_code_comes_twice() {
    let home = Home::new();
    home.add("x");
    home.add_from("gone", OTHER);
    home.run(&["remove", "gone"]).expect(0);
    let code = home.run(&["code", "x", "--fresh", "--at", AT]).expect(0).stdout;
    let (identity, recipient) = another(&home, "second.txt");
    assert_eq!(by(&home, &identity, &["code", "x"]).expect(3).code, 3);
    let added = home.run(&["recipients", "add", &recipient, "--json"]).expect(0).json();
    // Two devices, and the vault's key under two names.
    assert_eq!((&added["files"], added["recipients"].as_array().unwrap().len()), (&4.into(), 2));
    assert_eq!(home.run(&["recipients", "list"]).expect(0).stdout.lines().last(), Some(recipient.as_str()));
    for identity in [&home.identity(), &identity] {
        assert_eq!(by(&home, identity, &["code", "x", "--at", AT]).expect(0).stdout, code);
        let again = by(&home, identity, &["code", "x", "--fresh", "--at", AT, "--json"]).expect(1);
        assert_eq!(again.error_code(), "no-free-step");
    }
    // The same secret under another name is known by the fingerprint that the vault's key makes.
    home.run_with(&["add", "same", "-", "--no-code"], SEED.as_bytes()).expect(0);
    let same = by(&home, &identity, &["code", "same", "--fresh", "--at", AT, "--json"]).expect(1);
    assert_eq!(same.error_code(), "no-free-step");
    by(&home, &identity, &["trash", "restore", "gone"]).expect(0);
    by(&home, &identity, &["code", "gone"]).expect(0);
    // Nothing changes when it is given again.
    home.run(&["recipients", "add", &recipient]).expect(0);
    assert_eq!(home.run(&["recipients", "list"]).expect(0).stdout.lines().count(), 2);
}

#[test]
fn those_who_are_removed_open_nothing_that_is_there() {
    let home = Home::new();
    home.add("x");
    let (identity, recipient) = another(&home, "second.txt");
    home.run(&["recipients", "add", &recipient]).expect(0);
    let first = home.run(&["recipients", "list"]).expect(0).stdout.lines().next().unwrap().to_owned();
    let removed = home.run(&["recipients", "remove", &recipient]).expect(0);
    assert!(removed.stderr.contains("may have read the secrets before"), "{removed:#?}");
    assert_eq!(home.run(&["recipients", "list"]).expect(0).stdout, format!("{first}\n"));
    let refused = by(&home, &identity, &["code", "x"]).expect(3);
    assert!(refused.stderr.contains("another identity"), "{refused:#?}");
    home.run(&["code", "x"]).expect(0);
}

#[test]
fn nobody_locks_himself_out() {
    let home = Home::new();
    home.add("x");
    let first = home.run(&["recipients", "list"]).expect(0).stdout.trim().to_owned();
    let before = stored(&home);
    assert_eq!(home.run(&["recipients", "remove", &first, "--json"]).expect(1).error_code(), "last-recipient");
    let (identity, recipient) = another(&home, "second.txt");
    assert_eq!(home.run(&["recipients", "remove", &recipient, "--json"]).expect(1).error_code(), "no-such-recipient");
    assert_eq!(stored(&home), before);
    home.run(&["recipients", "add", &recipient]).expect(0);
    let before = stored(&home);
    let own = home.run(&["recipients", "remove", &first]).expect(3);
    assert!(own.stderr.contains("fits none of the recipients"), "{own:#?}");
    assert_eq!(stored(&home), before);
    // The other one may: its own stays.
    by(&home, &identity, &["recipients", "remove", &first]).expect(0);
    by(&home, &identity, &["code", "x"]).expect(0);
    assert_eq!(home.run(&["code", "x"]).expect(3).code, 3);
    for wrong in ["age1", "AGE-SECRET-KEY-1", "me"] {
        home.run(&["recipients", "add", wrong]).expect(2);
    }
}

#[test]
fn a_file_that_cannot_be_read_stays_and_is_told() {
    let home = Home::new();
    home.add("x");
    home.add_from("y", OTHER);
    let id = home.run(&["show", "y", "--json"]).expect(0).json()["id"].as_str().unwrap().to_owned();
    let file = home.path().join(format!("home/items/{id}.age"));
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 10]).unwrap();
    let (identity, recipient) = another(&home, "second.txt");
    let told = home.run(&["recipients", "add", &recipient]).expect(1);
    assert!(told.stderr.contains(&id), "{told:#?}");
    assert_eq!(fs::read(&file).unwrap(), &whole[..whole.len() - 10]);
    by(&home, &identity, &["code", "x"]).expect(0);
    let listed = home.run(&["recipients", "list"]).expect(0);
    assert!(listed.stderr.contains("again"), "{listed:#?}");
    fs::write(&file, whole).unwrap();
    home.run(&["recipients", "add", &recipient]).expect(0);
    assert_eq!(home.run(&["recipients", "list", "--json"]).expect(0).json()["complete"], true);
    by(&home, &identity, &["code", "y"]).expect(0);
}

/// A file is easily given where its content belongs, and the other way round.
#[test]
fn a_recipient_is_told_from_files_and_identities() {
    let home = Home::new();
    home.add("x");
    let (identity, recipient) = vmfa::vault::age::generate();
    home.file("key.txt", identity.as_bytes());
    home.file("pub.txt", format!("{recipient}\n"));
    let said = |arguments: &[&str], parts: &[&str]| {
        let run = home.run(arguments);
        assert!(run.code != 0 && parts.iter().all(|part| run.stderr.contains(part)), "{run:#?}");
        assert!(!run.stderr.contains(&identity[16..]), "{run:#?}");
    };
    said(&["recipients", "add", "pub.txt"], &["not a recipient", "-R FILE"]);
    for arguments in [&["recipients", "add", "key.txt"][..], &["recipients", "add", "-R", "key.txt"]] {
        said(arguments, &["key.txt holds an identity", "age-keygen -y key.txt"]);
    }
    said(&["backup", "all.age", "-r", "key.txt"], &["holds an identity"]);
    said(&["code", "x", "--identity-file", "pub.txt"], &["a recipient in it", "an identity begins with"]);
    // Another file's permissions aren't what is wrong with it.
    home.file("README.md", "# A heading\n\nA text.\n");
    said(&["code", "x", "--identity-file", "README.md"], &["neither an age identity nor an SSH key", "begins with"]);
}

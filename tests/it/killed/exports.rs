//! Exports in clear text: nothing of one that was killed is left.

use std::fs;

use super::calls::killed_at_first;
use crate::support::Home;

/// The names in the home's directory.
fn names(home: &Home) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_killed_export_leaves_no_secret() {
    let home = Home::new();
    home.add("x");
    let path = home.path().join("x.txt");
    let export = ["export", path.to_str().unwrap(), "--format", "uris", "--plaintext"];
    let before = names(&home);
    for call in ["fsync", "linkat"] {
        killed_at_first(&home, &export, call);
        assert_eq!(names(&home), before, "killed at {call}");
    }
    home.run(&export).expect(0);
    let exported = fs::read(&path).unwrap();
    // Nothing takes the place of a file that is there, unless it is asked to.
    fs::write(&path, "another").unwrap();
    let before = names(&home);
    home.run(&export).expect(1);
    assert_eq!(fs::read(&path).unwrap(), b"another");
    let over: Vec<&str> = export.into_iter().chain(["--force"]).collect();
    killed_at_first(&home, &over, "linkat");
    assert_eq!((fs::read(&path).unwrap().as_slice(), names(&home)), (b"another".as_slice(), before.clone()));
    home.run(&over).expect(0);
    assert_eq!((fs::read(&path).unwrap(), names(&home)), (exported, before));
}

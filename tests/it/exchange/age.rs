//! Our own JSON under a passphrase: Debian's `age` opens it, and closes one for us.

use super::PASSWORD;
use crate::export::{filled, uris};
use crate::support::terminal::Terminal;
use crate::support::{Home, tool};

/// Runs `age`, which reads passphrases from a terminal alone.
fn age(home: &Home, arguments: &[&str], prompts: &[&str]) {
    tool("age", "age");
    let mut command = home.other("age");
    let mut terminal = Terminal::start(command.args(arguments), 100, 24);
    for prompt in prompts {
        terminal.expect(prompt);
        terminal.type_in(&format!("{PASSWORD}\n"));
    }
    assert_eq!(terminal.ended(), 0, "{}", terminal.text());
}

#[test]
fn age_decrypts_ours_and_what_it_encrypts_is_imported() {
    let home = filled(true, true);
    home.run_with(&["export", "ours.age", "--format", "vmfa", "--password-fd", "0"], PASSWORD.as_bytes()).expect(0);
    age(&home, &["-d", "-o", "plain.json", "ours.age"], &["Enter passphrase"]);
    let plain = std::fs::read(home.path().join("plain.json")).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&plain).unwrap();
    assert_eq!((&document["format"], document["entries"].as_array().unwrap().len()), (&"vmfa-export".into(), 5));

    for (armour, name) in [(&[][..], "theirs.age"), (&["-a"], "theirs.asc")] {
        let arguments = [&["-p", "-o", name][..], armour, &["plain.json"]].concat();
        age(&home, &arguments, &["Enter passphrase", "Confirm passphrase"]);
        let there = Home::new();
        let file = home.path().join(name);
        there.run_with(&["import", file.to_str().unwrap(), "--password-fd", "0"], PASSWORD.as_bytes()).expect(0);
        assert_eq!(uris(&there), uris(&home), "{name}");
    }
}

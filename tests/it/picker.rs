//! `vmfa code` without a name, on a terminal.

use std::fs::File;
use std::process::Stdio;

use crate::support::terminal::Terminal;
use crate::support::{Home, SEED};

fn home() -> Home {
    let home = Home::new();
    for (name, seed) in [("alice", SEED), ("ci/worker-1", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR")] {
        home.add_from(name, &format!("otpauth://totp/x?secret={seed}"));
    }
    home
}

#[test]
fn a_device_is_chosen_by_typing_and_only_its_code_is_on_stdout() {
    let home = home();
    let answer = home.path().join("answer");
    let mut command = home.command();
    command.args(["code", "--at", "59"]).env("TERM", "xterm");
    let stdout = Stdio::from(File::create(&answer).unwrap());
    let mut terminal = Terminal::start_with(&command, 60, 20, Some(stdout));
    terminal.expect("> alice");
    assert!(!terminal.is_as_it_was());
    terminal.type_in("wk1");
    terminal.expect("> ci/worker-1");
    terminal.forget();
    terminal.resize(40, 10);
    terminal.type_in("\r");
    assert_eq!(terminal.ended(), 0, "{}", terminal.text());
    let expected = home.run(&["code", "ci/worker-1", "--at", "59"]).expect(0).stdout;
    assert_eq!(std::fs::read_to_string(answer).unwrap(), expected);
    assert!(!terminal.text().contains(expected.trim()), "{:?}", terminal.text());
    assert!(terminal.is_as_it_was());
}

#[test]
fn whoever_cancels_or_is_interrupted_gets_the_terminal_back_and_no_code() {
    let home = home();
    for (keys, code) in [("\u{1b}", 1), ("\u{3}", 130)] {
        let mut command = home.command();
        command.arg("code").env("TERM", "xterm");
        let mut terminal = Terminal::start(&command, 80, 24);
        terminal.expect("> alice");
        terminal.type_in(keys);
        assert_eq!(terminal.ended(), code, "{}", terminal.text());
        assert!(terminal.is_as_it_was());
    }
    // No terminal to choose at, or one that can't move its cursor.
    assert!(home.run(&["code"]).expect(2).stderr.contains("no device given"));
    let mut command = home.command();
    command.arg("code").env("TERM", "dumb");
    let mut terminal = Terminal::start(&command, 80, 24);
    assert_eq!(terminal.ended(), 2);
    terminal.expect("no device given");
}

#[test]
fn a_terminal_that_is_closed_ends_it() {
    let home = home();
    let mut command = home.command();
    command.arg("code").env("TERM", "xterm");
    let mut terminal = Terminal::start(&command, 80, 24);
    terminal.expect("> alice");
    terminal.hang_up();
    assert_ne!(terminal.ended(), 0);
    // Where the signal goes to a shell that ignores it, too.
    let mut shell = home.other("sh");
    let script = r#"trap '' HUP; "$0" code; exit 3"#;
    shell.args(["-c", script, env!("CARGO_BIN_EXE_vmfa")]).env("TERM", "xterm");
    let mut terminal = Terminal::start(&shell, 80, 24);
    terminal.expect("> alice");
    terminal.hang_up();
    assert_eq!(terminal.ended(), 3);
}

#[test]
fn one_of_several_enrolments_of_a_source_is_chosen() {
    let home = Home::new();
    let uris = format!("otpauth://totp/Ex:ann?secret={SEED}\notpauth://totp/Ex:bob?secret={SEED}&digits=8\n");
    let file = home.file("uris.txt", &uris);
    let mut command = home.command();
    command.args(["add", "mine"]).arg(&file).args(["--pick", "--no-code"]).env("TERM", "xterm");
    let mut terminal = Terminal::start(&command, 80, 24);
    terminal.expect("> 1.  Ex  ann");
    terminal.type_in("bob");
    terminal.expect("> 2.  Ex  bob");
    terminal.type_in("\r");
    assert_eq!(terminal.ended(), 0, "{}", terminal.text());
    let shown = home.run(&["show", "mine", "--json"]).expect(0).json();
    assert_eq!((&shown["account"], &shown["digits"]), (&"bob".into(), &8.into()));
    assert!(home.run(&["code", "--from", file.to_str().unwrap(), "--pick"]).expect(2).stderr.contains("--pick"));
}

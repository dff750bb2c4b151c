//! Waiting for a step: what is told meanwhile, and what is given back.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use super::add;
use crate::support::{Home, SEED};

/// A device whose step lasts a day, so that whoever has to wait for the next one certainly waits.
fn slow(home: &Home) {
    add(home, "x", &format!("otpauth://totp/Example:x?secret={SEED}&period=86400"));
}

#[test]
fn who_would_wait_too_long_is_told_when_and_not_kept() {
    let home = Home::new();
    slow(&home);
    home.run(&["code", "x"]).expect(0);
    for arguments in [&["code", "x", "--fresh", "--timeout", "0s"][..], &["code", "x", "--fresh", "--at", "+1s"]] {
        let run = home.run(arguments).expect(1);
        assert!(run.stderr.contains("the next is at") && run.stdout.is_empty(), "{run:#?}");
    }
    home.run(&["code", "x", "--fresh", "--timeout", "soon"]).expect(2);
    home.run(&["code", "x", "--timeout", "1s"]).expect(2);
}

/// A process that has said that it waits.
pub fn waiting(home: &Home, arguments: &[&str], told: &str) -> Child {
    let mut command = home.command();
    let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("waiting ") && line.contains(told), "{line}");
    child
}

pub fn interrupt(mut child: Child, signal: &str, code: i32) {
    Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(code));
    let mut answer = String::new();
    child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "");
}

#[test]
fn who_is_interrupted_gives_back_its_own_and_nothing_that_others_have() {
    let home = Home::new();
    // Of two who wait for pairs, the first is interrupted: the second's pair stays the second's.
    add(&home, "p", &format!("otpauth://totp/x?secret={SEED}&period=15000"));
    home.run(&["pair", "p", "--rules", "aws"]).expect(0);
    let wait = ["pair", "p", "--wait", "--timeout", "1d", "--rules", "aws"];
    let first = waiting(&home, &wait, "a new pair of p");
    let second = waiting(&home, &wait, "a new pair of p");
    interrupt(first, "TERM", 143);
    let next = home.run(&["pair", "p", "--at", "+90000s", "--rules", "aws", "--json"]).expect(0).json();
    let now = home.run(&["code", "p", "--json"]).expect(0).json()["step"].as_u64().unwrap();
    assert!(next["codes"][0]["step"].as_u64().unwrap() > now + 4, "{next}");
    interrupt(second, "HUP", 129);
    // A step that is waited for is shown to somebody else meanwhile: it isn't fresh any more.
    add(&home, "x", &format!("otpauth://totp/x?secret={SEED}&period=40000"));
    home.run(&["code", "x"]).expect(0);
    let lease = waiting(&home, &["code", "x", "--fresh", "--timeout", "1d"], "an unused code of x");
    let shown = home.run(&["code", "x", "--next", "--json"]).expect(0).json();
    assert_eq!(shown["repeated"], true);
    interrupt(lease, "INT", 130);
    let at = shown["valid_from"].as_str().unwrap();
    home.run(&["code", "x", "--fresh", "--at", at]).expect(1);
}

#[test]
fn who_is_interrupted_while_waiting_gives_back_what_was_taken() {
    let home = Home::new();
    slow(&home);
    home.run(&["pair", "x"]).expect(0);
    let given_back = |arguments: &[&str], told: &str| interrupt(waiting(&home, arguments, told), "INT", 130);
    let tomorrow = home.run(&["code", "x", "--at", "+1d", "--json"]).expect(0).json();
    let step = tomorrow["step"].to_string();
    home.run(&["release", "x", "--step", &step]).expect(0);
    given_back(&["code", "x", "--fresh", "--timeout", "1d"], "an unused code of x");
    assert_eq!(home.run(&["code", "x", "--at", "+1d", "--fresh", "--json"]).expect(0).json()["step"], tomorrow["step"]);
    // Two days are needed for a pair after a pair: more than may be waited for, and so nothing is taken.
    home.run(&["pair", "x", "--wait", "--timeout", "1d"]).expect(1);
    add(&home, "y", "otpauth://totp/Example:y?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&period=40000");
    home.run(&["pair", "y"]).expect(0);
    given_back(&["pair", "y", "--wait", "--timeout", "1d"], "a new pair of y");
    let next = home.run(&["pair", "y", "--at", "+80000s", "--json"]).expect(0).json();
    let first = home.run(&["code", "y", "--json"]).expect(0).json()["step"].as_u64().unwrap();
    assert_eq!(next["codes"][0]["step"].as_u64(), Some(first + 1));
}

#[test]
fn a_live_pair_shows_the_first_code_while_the_second_is_to_come() {
    let home = Home::new();
    add(&home, "x", &format!("otpauth://totp/Example:x?secret={SEED}&period=80000"));
    let mut command = home.command();
    let mut child =
        command.args(["pair", "x", "--live"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let current = home.run(&["code", "x"]).expect(0).stdout;
    let _ = child.kill();
    child.wait().unwrap();
    assert_eq!(line, current);
    home.run(&["pair", "x", "--live", "--at", "59"]).expect(2);
}

/// The shortest step there is, of one second, so that what is waited for comes.
#[test]
fn what_was_waited_for_comes() {
    let home = Home::new();
    add(&home, "x", &format!("otpauth://totp/Example:x?secret={SEED}&period=1"));
    let codes: Vec<serde_json::Value> =
        (0..2).map(|_| home.run(&["code", "x", "--fresh", "--json"]).expect(0).json()).collect();
    assert_ne!(codes[0]["step"], codes[1]["step"]);
    let live = home.run(&["pair", "x", "--live", "--json"]).expect(0).json();
    assert_eq!(live["codes"][0]["step"].as_u64().unwrap() + 1, live["codes"][1]["step"].as_u64().unwrap());
}

/// What happened to the registry meanwhile is no reason to take an interruption for something else.
#[test]
fn an_interruption_after_the_first_code_of_a_live_pair_is_told_as_one() {
    for lost in [false, true] {
        let home = Home::new();
        add(&home, "x", &format!("otpauth://totp/Example:x?secret={SEED}&period=80000"));
        let mut command = home.command();
        command.args(["pair", "x", "--live"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut code = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut code).unwrap();
        assert!(told.next().unwrap().starts_with("waiting "));
        if lost {
            let registry = rusqlite::Connection::open(home.path().join("home/registry.sqlite3")).unwrap();
            registry.execute("DELETE FROM ledger", []).unwrap();
        }
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let told: Vec<String> = told.collect();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{told:?}");
        assert_eq!(told[0], "vmfa: interrupted: the codes that it took count as handed out");
        let release = told.get(1).and_then(|hint| hint.split_once("`vmfa ")?.1.split_once('`'));
        assert_eq!(release.is_some(), !lost, "{told:?}");
        if let Some((release, _)) = release {
            home.run(&release.split(' ').collect::<Vec<_>>()).expect(0);
        }
    }
}

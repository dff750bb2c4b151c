//! How it begins and ends: what it can't begin with, and that nothing stays taken.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::client::{Client, add, next_step, slow};
use crate::support::{Home, SEED, run};

/// A server with a code and a pair that are waited for.
fn waiting(home: &Home) -> Client {
    home.run(&["code", "ci/x"]).expect(0);
    let mut client = Client::start(home);
    client.wait(&json!(1), "get_code", &json!({ "timeout": 86_400 }));
    client
}

#[test]
fn nothing_stays_taken_and_nothing_is_said_when_stdin_or_a_signal_ends_it() {
    for signal in [None, Some(Signal::TERM), Some(Signal::INT), Some(Signal::HUP)] {
        let home = slow("ci/x");
        let mut client = waiting(&home);
        match signal {
            Some(signal) => client.signal(signal),
            None => client.close(),
        }
        assert!(client.is_silent());
        assert_eq!(client.ended(), (Some(0), String::new()));
        let now = home.run(&["code", "ci/x", "--json"]).expect(0).json()["step"].as_u64().unwrap();
        assert_eq!(next_step(&home, "ci/x"), now + 1, "{signal:?}");
    }
}

#[test]
fn a_server_that_is_killed_costs_a_code_and_repeats_none() {
    let home = slow("ci/x");
    let mut client = waiting(&home);
    client.child.kill().unwrap();
    assert!(client.is_silent());
    let now = home.run(&["code", "ci/x", "--json"]).expect(0).json()["step"].as_u64().unwrap();
    home.run(&["code", "ci/x", "--fresh", "--at", "+40000s"]).expect(1);
    let later = home.run(&["code", "ci/x", "--fresh", "--at", "+80000s", "--json"]).expect(0).json();
    assert_eq!(later["step"], now + 2);
}

/// As a shell does it: what needs no wait is answered, though nothing more is said.
#[test]
fn what_was_asked_before_stdin_ended_is_answered() {
    let home = Home::new();
    add(&home, "ci/x", &format!("otpauth://totp/Example:x?secret={SEED}"));
    let hello =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "sh", "version": "1" } });
    let lines = [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": "get_code" } }),
    ];
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let run = home.run_with(&["mcp", "--allow", "ci/x"], input.as_bytes()).expect(0);
    let answer: serde_json::Value = serde_json::from_str(run.stdout.lines().nth(1).unwrap()).unwrap();
    assert_eq!(answer["result"]["structuredContent"]["device"], "ci/x", "{run:?}");
}

#[test]
fn answers_that_cannot_be_written_are_an_error() {
    let home = Home::new();
    let mut command = home.other("sh");
    command.args(["-c", r#"exec "$0" mcp --allow x >/dev/full"#, env!("CARGO_BIN_EXE_vmfa")]);
    let run = run(&mut command, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n").expect(3);
    assert!(run.stderr.contains("vmfa: stdout: No space left"), "{run:?}");
}

/// Wake-ups are counted rather than time, so that a loaded machine changes nothing: a loop that polls has many.
#[test]
fn a_server_that_has_nothing_to_do_sleeps_and_one_that_waits_wakes_once_a_second() {
    const SECONDS: u64 = 3;
    let wakes = |client: &Client| -> u64 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", client.child.id())).unwrap();
        let of_thread = |path: std::path::PathBuf| {
            let status = std::fs::read_to_string(path.join("status")).unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            line.unwrap().trim().parse::<u64>().unwrap()
        };
        threads.map(|thread| of_thread(thread.unwrap().path())).sum()
    };
    // Threads may still be on their way to where they sleep.
    let settled = |client: &Client| {
        let twice = || {
            let first = wakes(client);
            std::thread::sleep(Duration::from_millis(200));
            (wakes(client) == first).then_some(first)
        };
        (0..50).find_map(|_| twice()).expect("it doesn't come to rest")
    };
    let home = slow("ci/x");
    let mut idle = Client::start(&home);
    idle.ask("ping", &json!({}));
    let waits = waiting(&home);
    let before = [settled(&idle), settled(&waits)];
    std::thread::sleep(Duration::from_secs(SECONDS));
    let woken = [wakes(&idle) - before[0], wakes(&waits) - before[1]];
    assert!(woken[0] == 0, "idle: {woken:?}");
    assert!((1..=SECONDS + 2).contains(&woken[1]), "waiting: {woken:?}");
}

#[test]
fn what_it_cannot_begin_with_is_told_at_once() {
    let home = Home::new();
    let said = |arguments: &[&str]| home.run(&[&["mcp"], arguments].concat()).expect(2).stderr;
    assert!(said(&[]).contains("missing: --allow PATTERN"), "{}", said(&[]));
    assert!(said(&["--allow", "a**"]).contains("--allow: `a**` is no pattern"));
    assert!(said(&["--allow", "/a"]).contains("--allow: a device's name can't have '/'"));
    assert!(said(&["--allow", "a", "--exit-with-stdin"]).contains("ends with stdin by itself"));
    assert!(said(&["--allow", "a", "--passphrase-fd", "0"]).contains("on which the client speaks"));
    assert!(said(&["--allow", "a", "--identity-file", "/dev/stdin"]).contains("on which the client speaks"));
    home.run(&["mcp", "--allow", "a", "--clock", "http://127.0.0.1:1"]).expect(4);
    let none = home.run(&["mcp", "--allow", "a"]).expect(0);
    assert!(none.stdout.is_empty() && none.stderr.starts_with("warning: no device matches --allow yet\n"), "{none:#?}");
    assert!(none.stderr.contains("VMFA_HOME is ") && none.stderr.contains("doesn't exist"), "{none:#?}");
}

/// Nobody is asked for a passphrase; by a descriptor it comes once, and is good
/// for all calls.
#[test]
fn a_passphrase_comes_by_a_descriptor_or_not_at_all() {
    let home = Home::new();
    add(&home, "ci/x", &format!("otpauth://totp/Example:x?secret={SEED}"));
    add(&home, "ci/y", "otpauth://totp/y?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
    let plain = zeroize::Zeroizing::new(std::fs::read_to_string(home.identity()).unwrap());
    let passphrase = zeroize::Zeroizing::new("a passphrase".to_owned());
    let sealed = vmfa::vault::age::encrypt_identity(&plain, &passphrase, Some(2)).unwrap();
    std::fs::write(home.identity(), sealed).unwrap();
    let refused = home.run(&["mcp", "--allow", "ci/*"]).expect(3);
    assert!(refused.stderr.contains("is protected by a passphrase"), "{refused:?}");
    assert!(refused.stderr.contains("--passphrase-fd 3"), "{refused:?}");
    let wrong = home.file("wrong", "another");
    let script = r#"exec "$0" mcp --allow 'ci/*' --passphrase-fd 9 9<"$1""#;
    let with = |file: &std::path::Path| {
        let mut command = home.other("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_vmfa")]).arg(file);
        command
    };
    let refused = run(&mut with(&wrong), b"").expect(3);
    assert!(refused.stderr.contains("the passphrase is wrong"), "{refused:?}");
    let right = home.file("right", "a passphrase\n");
    let mut client = Client::begin(&mut with(&right));
    for name in ["ci/x", "ci/y"] {
        assert_eq!(client.given("get_code", &json!({ "device": name }))["device"], name);
    }
}

//! Clients that mean harm, or that are broken.

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::{Client, add, next_step, slow};
use crate::support::Home;

/// How much memory a process has, in MiB.
fn memory(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[test]
fn a_long_line_is_refused_without_being_held() {
    let home = Home::new();
    let mut client = Client::start(&home);
    let before = memory(client.child.id());
    let piece = vec![b'['; 1 << 20];
    for _ in 0..100 {
        client.raw(&piece);
    }
    let grown = memory(client.child.id()).saturating_sub(before);
    client.raw(b"\n");
    let refused = client.read();
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(null), &json!(-32_600)), "{refused}");
    assert!(grown < 16, "{grown} MiB more");
    // The longest that is read.
    let start = r#"{"jsonrpc":"2.0","id":9,"method":"ping""#;
    client.raw(format!("{start}{}}}\n", " ".repeat((1 << 20) - start.len() - 1)).as_bytes());
    assert_eq!(client.read()["result"], json!({}));
    for nested in ["[", "{\"a\":"] {
        client.raw(format!("{}\n", nested.repeat((1 << 20) / nested.len())).as_bytes());
        assert_eq!(client.read()["error"]["code"], -32_700);
    }
}

/// It is not read from any more, and doesn't grow; a signal ends it all the same, and gives back what is waited for.
#[test]
fn a_client_that_never_reads_is_waited_for() {
    let home = slow("ci/x");
    home.run(&["code", "ci/x"]).expect(0);
    let mut command = home.command();
    command.args(["mcp", "--allow", "ci/*"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let hello = json!({ "protocolVersion": "2025-11-25", "clientInfo": { "name": "deaf", "version": "1" } });
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello });
    let call = json!({ "name": "get_code", "arguments": { "timeout": 86_400 } });
    let call = json!({ "jsonrpc": "2.0", "id": "waits", "method": "tools/call", "params": call });
    write!(stdin, "{hello}\n{call}\n").unwrap();
    let written = std::thread::spawn(move || {
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let lines = format!("{list}\n").repeat(1000);
        (0..1000).take_while(|_| stdin.write_all(lines.as_bytes()).is_ok()).count()
    });
    // Until it has stopped to read: the pipe is full.
    std::thread::sleep(Duration::from_secs(3));
    assert!(memory(child.id()) < 64, "{} MiB", memory(child.id()));
    assert!(!written.is_finished());
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(written.join().unwrap() < 1000);
    let now = home.run(&["code", "ci/x", "--json"]).expect(0).json()["step"].as_u64().unwrap();
    assert_eq!(next_step(&home, "ci/x"), now + 1);
}

/// A pattern that takes long to tell that nothing matches would keep a thread busy for nothing.
#[test]
fn a_pattern_that_would_take_long_is_refused_or_quick() {
    let home = Home::new();
    add(&home, &format!("{}/b", "a".repeat(100)), "otpauth://totp/y?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
    let mut client = Client::start_with(&home, &["--allow", "**"]);
    let start = Instant::now();
    let few = client.failure("get_code", &json!({ "device": format!("{}c/b", "*a".repeat(4)) }));
    assert_eq!(few["kind"], "no-such-device");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let many = client.failure("get_code", &json!({ "device": format!("{}c/b", "*a".repeat(30)) }));
    assert_eq!(many["kind"], "usage");
}

/// Its client is gone without a word on stdin.
#[test]
fn a_client_that_closes_its_ear_ends_it() {
    let home = Home::new();
    let mut command = home.command();
    command.args(["mcp", "--allow", "ci/*"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

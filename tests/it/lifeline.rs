//! `--exit-with-stdin`: nothing is left behind by a program that was killed.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Home, SEED};

/// Until a process has ended, for two seconds; one that nobody has waited for yet counts.
fn gone(id: u32) -> bool {
    let patience = Instant::now() + Duration::from_secs(2);
    let state = || std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let alive = || state().rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z"));
    while alive() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(20));
    }
    !alive()
}

fn waits(home: &Home) -> Command {
    home.add_from("x", &format!("otpauth://totp/x?secret={SEED}&period=80000"));
    home.run(&["code", "x"]).expect(0);
    let mut command = home.command();
    command.args(["code", "x", "--fresh", "--timeout", "1d", "--exit-with-stdin"]);
    command
}

fn said(child: &mut Child) -> String {
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stderr.as_mut().unwrap()), &mut line).unwrap();
    line
}

#[test]
fn a_code_that_is_waited_for_is_given_back() {
    let home = Home::new();
    let mut child = waits(&home).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(said(&mut child).starts_with("waiting "));
    drop(child.stdin.take());
    let said = said(&mut child);
    assert!(said.contains("nothing was used up"), "{said}");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn a_stand_in_ends_with_a_program_that_is_killed() {
    let home = Home::new();
    // The shell holds the pipe's other end, and a descriptor that the test reads the number from.
    let script = r#"mkfifo pipe; vmfa serve --json --exit-with-stdin <pipe & exec 3>pipe; echo "$!" >&2; wait"#;
    let path = std::path::Path::new(env!("CARGO_BIN_EXE_vmfa")).parent().unwrap();
    let mut shell = home
        .other("sh")
        .args(["-c", script])
        .env("PATH", format!("{}:/usr/bin:/bin", path.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let server: u32 = said(&mut shell).trim().parse().unwrap();
    let mut ready = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(shell.stdout.as_mut().unwrap()), &mut ready).unwrap();
    assert!(ready.contains("endpoint"), "{ready}");
    shell.kill().unwrap();
    shell.wait().unwrap();
    assert!(gone(server), "{server} goes on");
}

#[test]
fn stdin_is_a_source_or_a_lifeline() {
    let home = Home::new();
    let run = home.run(&["code", "--from", "-", "--exit-with-stdin"]).expect(2);
    assert!(run.stderr.contains("`-` reads stdin"), "{run:?}");
    let run = home.run(&["list", "--passphrase-fd", "0", "--exit-with-stdin"]).expect(2);
    assert!(run.stderr.contains("--passphrase-fd 0 reads stdin"), "{run:?}");
}

/// What reads it by another way finds nothing, and nothing is swallowed.
#[test]
fn a_lifeline_is_no_input() {
    let home = Home::new();
    home.add_from("x", &format!("otpauth://totp/x?secret={SEED}"));
    for arguments in [&["verify", "x"][..], &["code", "--from", "/dev/stdin"]] {
        let mut command = home.command();
        let mut child = command
            .args(arguments)
            .arg("--exit-with-stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut &input, b"123456\n").unwrap();
        let done = child.wait_with_output().unwrap();
        drop(input);
        assert_eq!(done.status.code(), Some(5), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

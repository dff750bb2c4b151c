//! What `vmfa serve --state` has answered is there after kill -9, a full disk and a restart.

use std::io::Write as _;
use std::time::{Duration, Instant};

use vmfa::wire::sigv4::Credentials;

use super::socket::*;
use crate::support::Home;

#[test]
fn what_was_answered_survives_kill_9() {
    let home = Home::new();
    let state = home.path().join("state");
    let directory = state.to_str().unwrap().to_owned();
    let arguments = ["--time", "virtual", "--state", directory.as_str()];
    let mut server = Server::start_in(home, &arguments);
    let (keys, device) = enrolled(&server, "alice");
    let now = server.now();
    let (serial, code) = (device.text("SerialNumber"), code(&device, now));
    let parameters = [("SerialNumber", serial.as_str()), ("TokenCode", code.as_str())];
    let session = server.call(&keys, "GetSessionToken", &parameters);
    let session = Credentials::new(
        &session.text("AccessKeyId"),
        &session.text("SecretAccessKey"),
        Some(&session.text("SessionToken")),
    );
    let administrator = server.administrator();
    server.child.kill().unwrap();
    server.child.wait().unwrap();

    let home = std::mem::replace(&mut server.home, Home::new());
    let server = Server::start_in(home, &arguments);
    assert_eq!(server.now(), now, "virtual time goes on where it stood");
    assert_eq!(server.administrator().access_key_id, administrator.access_key_id);
    let identity = server.call(&session, "GetCallerIdentity", &[]);
    assert_eq!(identity.text("Arn"), "arn:aws:iam::123456789012:user/alice");
    // A code that was used stays used.
    let again = server.call(&keys, "GetSessionToken", &parameters);
    assert!(again.body.contains("invalid MFA one time pass code"), "{}", again.body);

    // Nobody else reads it, and nobody else writes it meanwhile.
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    for entry in std::fs::read_dir(&state).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let second = server.home.run(&["serve", "--state", directory.as_str()]).expect(3);
    assert!(second.stderr.contains("another server uses the state"), "{}", second.stderr);
    let mut server = server;
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let other = server.home.run(&["serve", "--state", directory.as_str(), "--account", "999999999999"]).expect(3);
    assert!(other.stderr.contains("is of account 123456789012, not of 999999999999"), "{}", other.stderr);
}

/// At once: the open of a FIFO would wait for ever.
#[test]
fn a_state_that_is_no_file_or_open_to_others_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let state = home.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let database = state.join("account.sqlite");
    let refused = || home.run(&["serve", "--state", state.to_str().unwrap()]).expect(3).stderr;
    assert!(std::process::Command::new("mkfifo").arg(&database).status().unwrap().success());
    assert!(refused().contains("account.sqlite is not a file"), "{}", refused());
    std::fs::remove_file(&database).unwrap();
    std::fs::create_dir(&database).unwrap();
    assert!(refused().contains("account.sqlite is not a file"), "{}", refused());
    std::fs::remove_dir(&database).unwrap();
    std::fs::write(&database, "").unwrap();
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refused().contains("can be read by other users: run chmod 600 on it"), "{}", refused());
    // Nothing was written to it.
    assert_eq!(std::fs::metadata(&database).unwrap().len(), 0);
}

#[test]
fn what_a_full_disk_refused_is_not_done_later() {
    let home = Home::new();
    let state = home.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let mut command = home.other("unshare");
    let script = "mount -t tmpfs -o size=2m small state; exec \"$@\"";
    command.args(["--map-root-user", "--mount", "sh", "-e", "-c", script, "sh", env!("CARGO_BIN_EXE_vmfa")]);
    let server = Server::start_by(home, command, &["--time", "virtual", "--state", "state"]);
    let admin = server.administrator();
    let create = |name: &str| server.call(&admin, "CreateUser", &[("UserName", name)]);
    assert_eq!(create("before").status, 200);
    let (keys, device) = enrolled(&server, "alice");
    let stood = server.now();

    let inside = format!("/proc/{}/root{}", server.child.id(), state.display());
    let rest = std::path::Path::new(&inside).join("rest");
    let mut file = std::fs::File::create(&rest).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    assert_eq!((create("meanwhile").status, create("meanwhile").text("Code").as_str()), (500, "ServiceFailure"));
    let pair = [("SerialNumber", device.text("SerialNumber")), ("TokenCode", code(&device, stood))];
    let pair: Vec<(&str, &str)> = pair.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(server.call(&keys, "GetSessionToken", &pair).status, 500);
    for wanted in ["{\"advance\": \"1h\"}", "{\"set\": \"2999-01-01T00:00:00Z\"}"] {
        let reply = server.post("/_vmfa/time", "application/json", wanted);
        assert_eq!(reply.status, 500, "{}", reply.body);
        assert!(reply.body.contains("the time wasn't moved"), "{}", reply.body);
        assert_eq!(server.now(), stood);
    }

    drop(file);
    std::fs::remove_file(&rest).unwrap();
    assert_eq!(create("after").status, 200);
    let users = server.call(&admin, "ListUsers", &[]).body;
    assert!(users.contains("before") && users.contains("after") && !users.contains("meanwhile"), "{users}");
    assert_eq!(server.call(&keys, "GetSessionToken", &pair).status, 200, "no code was used up");
    server.wait(3_600);
    assert_eq!(server.now(), stood + 3_600);
}

#[test]
fn virtual_time_goes_on_where_it_stood_or_later_where_that_is_said() {
    let home = Home::new();
    let state = home.path().join("state").to_str().unwrap().to_owned();
    let mut server = Server::start_in(home, &["--state", &state, "--time", "virtual=2020-01-01T00:00:00Z"]);
    server.wait(5);
    let stood = server.now();
    for (time, expected) in [
        ("virtual", stood),
        ("virtual=2019-01-01T00:00:00Z", stood),
        ("virtual=2021-01-01T00:00:00Z", 1_609_459_200),
        ("virtual", 1_609_459_200),
    ] {
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        let home = std::mem::replace(&mut server.home, Home::new());
        server = Server::start_in(home, &["--state", &state, "--time", time]);
        assert_eq!(server.now(), expected, "{time}");
    }
}

#[test]
fn kills_in_the_midst_lose_nothing_that_was_answered() {
    let home = Home::new();
    let directory = home.path().join("state").to_str().unwrap().to_owned();
    let mut server = Server::start_in(home, &["--state", &directory]);
    for round in 0..5_u32 {
        let admin = server.administrator();
        let mut answered = Vec::new();
        let start = Instant::now();
        let mut number = 0;
        while start.elapsed() < Duration::from_millis(100) {
            let name = format!("u{round}-{number}");
            number += 1;
            let now = server.now();
            let request = server.signed(&admin, "CreateUser", &[("UserName", &name)], now);
            assert_eq!(server.raw(&request).unwrap().status, 200);
            answered.push(name);
        }
        // One more is under way while it dies.
        let mut last = server.connect();
        let now = server.now();
        last.write_all(&server.signed(&admin, "CreateUser", &[("UserName", "last")], now)).unwrap();
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        let home = std::mem::replace(&mut server.home, Home::new());
        server = Server::start_in(home, &["--state", &directory]);
        for name in &answered {
            let found = server.call(&server.administrator(), "GetUser", &[("UserName", name)]);
            assert_eq!(found.status, 200, "{name}: {}", found.body);
        }
        server.call(&server.administrator(), "DeleteUser", &[("UserName", "last")]);
    }
}

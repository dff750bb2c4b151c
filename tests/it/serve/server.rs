//! `vmfa serve` as people and test suites run it: start, stop, time, events, state.

use std::io::{BufRead as _, Write as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use vmfa::wire::sigv4::Credentials;

use super::socket::*;
use crate::support::Home;

#[test]
fn the_line_of_json_says_what_a_client_needs() {
    let server = Server::start(&["--account", "000000000042", "--alias", "wonderland", "--time", "virtual"]);
    assert_eq!(server.ready["account"], "000000000042");
    assert_eq!(server.ready["time"], "virtual");
    assert_eq!(server.ready["console"], format!("{}/console", server.endpoint()));
    let identity = server.call(&server.administrator(), "GetCallerIdentity", &[]);
    assert_eq!(identity.text("Arn"), "arn:aws:iam::000000000042:user/administrator");
    let aliases = server.call(&server.administrator(), "ListAccountAliases", &[]);
    assert_eq!(aliases.text("member"), "wonderland");
}

#[test]
fn people_get_what_to_export() {
    let home = Home::new();
    let mut child = home.command().arg("serve").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("export AWS_ENDPOINT_URL=http://127.0.0.1:"), "{line}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn on_virtual_time_the_clock_is_exported_too() {
    for (time, exported) in [("virtual", true), ("real", false)] {
        let home = Home::new();
        let mut command = home.command();
        let mut child =
            command.args(["serve", "--time", time]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // Where nothing follows, the line before is the last.
        let lines: Vec<String> = lines.take(if exported { 6 } else { 5 }).collect();
        let endpoint = lines[0].split_once('=').unwrap().1;
        assert_eq!(lines.contains(&format!("export VMFA_CLOCK={endpoint}")), exported, "{lines:#?}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn time_moves_by_a_number_of_seconds_too() {
    let server = Server::start(&["--time", "virtual=2030-01-01T00:00:00Z"]);
    let moved = |body: &str| server.post("/_vmfa/time", "application/json", body);
    assert!(moved(r#"{"advance": 10}"#).body.contains("2030-01-01T00:00:10Z"));
    assert!(moved(r#"{"advance": "10s"}"#).body.contains("2030-01-01T00:00:20Z"));
    assert!(moved(r#"{"set": 1893456060}"#).body.contains("2030-01-01T00:01:00Z"));
    let refused = moved(r#"{"advance": 1.5}"#);
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("expected"), "{}", refused.body);
}

#[test]
fn health_and_ways_that_lead_nowhere() {
    let server = Server::start(&[]);
    assert_eq!((server.get("/healthz").status, server.get("/healthz").body), (200, "ok\n".to_owned()));
    let home = server.get("/");
    assert_eq!(home.status, 303);
    assert!(home.head.contains("location: /console"), "{}", home.head);
    assert_eq!(server.get("/_vmfa/nothing").status, 404);
    let unsigned = server.post("/", "application/x-www-form-urlencoded", "Action=ListUsers&Version=2010-05-08");
    assert_eq!((unsigned.status, unsigned.text("Code").as_str()), (403, "MissingAuthenticationToken"));
    assert_eq!(unsigned.text("Message"), "Request is missing Authentication Token");
}

#[test]
fn a_signal_ends_it_well_and_open_requests_are_answered() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&[]);
        let mut slow = server.connect();
        let request = server.signed(&server.administrator(), "GetUser", &[], server.now());
        let (first, rest) = request.split_at(request.len() - 5);
        slow.write_all(first).unwrap();
        // The request is under way once an answer to a later one is there.
        server.get("/healthz");
        let pid = server.child.id().to_string();
        std::process::Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap();
        // It is ending once nobody else gets in.
        let patience = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(server.address).is_ok() {
            assert!(Instant::now() < patience, "{signal} doesn't end it");
            std::thread::yield_now();
        }
        slow.write_all(rest).unwrap();
        let reply = read_reply(&mut std::io::BufReader::new(slow)).unwrap();
        assert_eq!(reply.status, 200);
        let status = server.child.wait().unwrap();
        assert!(status.success(), "{signal}: {status}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    use std::os::unix::process::ExitStatusExt as _;

    let mut server = Server::start(&[]);
    let mut slow = server.connect();
    slow.write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nhalf").unwrap();
    // Under way, as above.
    server.get("/healthz");
    let pid = rustix::process::Pid::from_child(&server.child);
    let kill = || rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    kill();
    let patience = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(server.address).is_ok() {
        assert!(Instant::now() < patience, "it doesn't end");
    }
    kill();
    assert_eq!(server.child.wait().unwrap().signal(), Some(15));
}

#[test]
fn the_line_goes_to_a_file_descriptor_too() {
    let home = Home::new();
    let fifo = home.path().join("ready");
    std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    let script = format!("exec {} serve --ready-fd 7 7>{}", env!("CARGO_BIN_EXE_vmfa"), fifo.display());
    let mut child =
        home.other("bash").args(["-c", &script]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufReader::new(std::fs::File::open(&fifo).unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(ready["access_key_id"].as_str().unwrap().starts_with("AKIA"));
}

#[test]
fn listening_where_others_reach_it_is_warned_of() {
    let home = Home::new();
    let mut child = home
        .command()
        .args(["serve", "--listen", "0.0.0.0:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    std::io::BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said.starts_with("warning: ") && said.contains("reachable from other machines"), "{said}");
}

#[test]
fn wrong_options_are_named() {
    let home = Home::new();
    for (arguments, code, words) in [
        (vec!["--account", "12"], 2, "`12` is no account number"),
        (vec!["--alias", "Wonderland"], 2, "`Wonderland` is no account alias"),
        (vec!["--time", "yesterday"], 2, "neither `real` nor `virtual`"),
        (vec!["--time", "virtual=soon"], 2, "`soon` isn't a time"),
        (vec!["--listen", "nowhere"], 2, "no address to listen on"),
        (vec!["--upstream", "https://moto"], 2, "no upstream"),
        (vec!["--scenario", "missing.toml"], 5, "missing.toml: "),
        (vec!["--state", "/dev/null/x"], 3, "the state directory /dev/null/x can't be used"),
    ] {
        let mut all = vec!["serve"];
        all.extend(arguments);
        let run = home.run(&all).expect(code);
        assert!(run.stderr.contains(words), "{all:?}: {}", run.stderr);
    }
    // What can't be said when it is ready is no reason to make an account.
    let state = home.path().join("state").display().to_string();
    home.run(&["serve", "--ready-fd", "77", "--state", &state]).expect(2);
    assert!(!std::path::Path::new(&state).exists());
    let server = Server::start(&[]);
    let taken = home.run(&["serve", "--listen", &server.address.to_string()]).expect(4);
    assert!(taken.stderr.contains("can't be listened on"), "{}", taken.stderr);
}

#[test]
fn virtual_time_is_told_and_moved_by_command_and_by_http() {
    let server = Server::start(&["--time", "virtual=2030-01-01T00:00:00Z"]);
    let endpoint = server.endpoint().to_owned();
    let time = |arguments: &[&str]| {
        let mut all = vec!["serve", "time", "--endpoint", &endpoint];
        all.extend(arguments);
        server.home.run(&all)
    };
    assert_eq!(time(&[]).expect(0).stdout, "2030-01-01T00:00:00Z\n");
    assert_eq!(time(&["+90s"]).expect(0).stdout, "2030-01-01T00:01:30Z\n");
    assert_eq!(time(&["2030-01-02T00:00:00Z"]).expect(0).stdout, "2030-01-02T00:00:00Z\n");
    let back = time(&["-1s"]).expect(1);
    assert!(back.stderr.contains("hint: ") && back.stderr.contains("--force"), "{}", back.stderr);
    assert_eq!(time(&["-1d", "--force"]).expect(0).stdout, "2030-01-01T00:00:00Z\n");
    time(&["soon"]).expect(2);
    assert_eq!(time(&["2030-01-01T00:00:07.5Z"]).expect(0).stdout, "2030-01-01T00:00:07.500Z\n");
    assert_eq!(time(&["2030-01-01T00:00:00Z", "--force"]).expect(0).stdout, "2030-01-01T00:00:00Z\n");
    let date = server.get("/healthz");
    assert!(date.head.contains("date: tue, 01 jan 2030 00:00:00 gmt"), "{}", date.head);
    // So that a device follows it.
    server.home.add("alice");
    let shown = server.home.run(&["code", "alice", "--clock", &endpoint, "--json"]).expect(0).json();
    let at = server.home.run(&["code", "alice", "--at", "2030-01-01T00:00:00Z", "--json"]).expect(0).json();
    assert_eq!(shown["codes"][0]["code"], at["codes"][0]["code"]);

    let real = Server::start(&[]);
    let refused = real.home.run(&["serve", "time", "+1s", "--endpoint", real.endpoint()]).expect(1);
    assert!(refused.stderr.contains("runs on real time"), "{}", refused.stderr);
    let nobody = real.home.run(&["serve", "time", "--endpoint", "http://127.0.0.1:1"]).expect(4);
    assert!(nobody.stderr.contains("hint: start `vmfa serve` there"), "{}", nobody.stderr);
    real.home.run(&["serve", "time"]).expect(2);
}

#[test]
fn clients_sign_by_their_own_clock_also_on_virtual_time() {
    let server = Server::start(&["--time", "virtual=2030-01-01T00:00:00Z"]);
    let admin = server.administrator();
    let system = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let signed_at = |time: u64| server.raw(&server.signed(&admin, "GetUser", &[], time)).unwrap();
    for time in [system, system - 890, server.now(), server.now() + 890] {
        assert_eq!(signed_at(time).status, 200, "{time}");
    }
    for time in [system - 910, system + 1_000, server.now() - 910] {
        let reply = signed_at(time);
        assert_eq!((reply.status, reply.text("Code").as_str()), (403, "SignatureDoesNotMatch"), "{time}");
    }
}

#[test]
fn other_sites_pages_move_no_clock() {
    let server = Server::start(&["--time", "virtual"]);
    let body = "{\"advance\": \"1h\"}";
    for headers in
        ["origin: http://evil.example", "sec-fetch-site: cross-site\r\nhost: evil.example", "host: [::1]evil.com"]
    {
        let host = if headers.contains("host:") { String::new() } else { format!("host: {}\r\n", server.address) };
        let request =
            format!("POST /_vmfa/time HTTP/1.1\r\n{host}{headers}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        assert_eq!(server.raw(request.as_bytes()).unwrap().status, 403, "{headers}");
    }
}

#[test]
fn events_say_why() {
    let server = Server::start(&["--time", "virtual"]);
    let (keys, device) = enrolled(&server, "alice");
    let serial = device.text("SerialNumber");
    let refused = server.call(&keys, "GetSessionToken", &[("SerialNumber", &serial), ("TokenCode", "000000")]);
    assert_eq!(refused.status, 403);
    server.call(&keys, "ListUsers", &[]);
    let reply = server.get("/_vmfa/events?after=0");
    let events: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    let last: Vec<(&str, &str)> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .take(2)
        .map(|event| (event["action"].as_str().unwrap(), event["why"].as_str().unwrap()))
        .collect();
    assert_eq!(last[1], ("GetSessionToken", "the code is wrong or lies outside the window"));
    assert!(last[0].1.contains("implicitly denied: no identity policy allows it"), "{last:?}");
    let shown = server.home.run(&["serve", "events", "--endpoint", server.endpoint()]).expect(0);
    assert!(
        shown.stdout.contains("sts:GetSessionToken  refused  arn:aws:iam::123456789012:user/alice"),
        "{}",
        shown.stdout
    );
    // Nor what a request with a wrong signature asks with: its canonical form is shown, its values aren't.
    let now = server.now();
    let mut get = String::from_utf8(server.signed(&keys, "GetUser", &[], now)).unwrap();
    get = get.replacen("POST / ", "GET /?Action=GetSessionToken&Version=2011-06-15&TokenCode=918273 ", 1);
    assert_eq!(server.raw(get.as_bytes()).unwrap().status, 403);
    assert!(!server.get("/_vmfa/events").body.contains("918273"));
    // No seed, key or code in it.
    let secret = keys.secret_access_key.as_str();
    let all = server.get("/_vmfa/events").body;
    for text in [secret, device.text("Base32StringSeed").as_str(), "000000"] {
        assert!(!all.contains(text), "{text}");
    }
}

/// A server that answers every question about events with the same ones.
fn events_of(numbers: &[u64], count: u64) -> crate::support::Run {
    let event = |number: &u64| {
        format!(
            "{{\"number\":{number},\"time\":\"2026-01-01T00:00:00Z\",\"request_id\":\"\",\"service\":\"iam\",\"action\":\"GetUser\",\
             \"outcome\":\"accepted\"}}"
        )
    };
    let events: Vec<String> = numbers.iter().map(event).collect();
    let body = format!("{{\"count\":{count},\"events\":[{}]}}", events.join(","));
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let web = crate::support::web::Web::new(move || answer.clone());
    Home::new().run(&["serve", "events", "--json", "--endpoint", web.url.trim_end_matches('/')])
}

#[test]
fn events_end_where_a_server_tells_the_same_ones_again() {
    for (numbers, count) in [(vec![1, 2], 3), (vec![2, 1], 2), (vec![1, 1], 1), (vec![0], 1)] {
        let run = events_of(&numbers, count).expect(4);
        assert!(run.stderr.contains("it tells events twice or out of order"), "{run:#?}");
    }
    // What comes while they are read is for the next time; what was forgotten isn't waited for.
    assert_eq!(events_of(&[1, 2], 2).expect(0).json()["events"].as_array().unwrap().len(), 2);
    assert_eq!(events_of(&[], 20).expect(0).json()["events"].as_array().unwrap().len(), 0);
}

#[test]
fn the_devices_of_a_scenario_tell_their_secrets() {
    let home = Home::new();
    let file = home.path().join("scenario.toml");
    std::fs::write(&file, "[[user]]\nname = \"alice\"\naccess_key = true\n[[user.device]]\nname = \"alice\"\n")
        .unwrap();
    let server = Server::start_in(home, &["--time", "virtual", "--scenario", file.to_str().unwrap()]);
    let device = &server.ready["devices"][0];
    assert_eq!((device["user"].as_str(), server.ready["devices"].as_array().unwrap().len()), (Some("alice"), 1));
    let told: serde_json::Value = serde_json::from_str(&server.get("/_vmfa/devices").body).unwrap();
    assert_eq!(told["devices"], server.ready["devices"]);
    assert_eq!(server.post("/_vmfa/devices", "application/json", "{}").status, 405);
    // From there to a session.
    let serial = device["serial_number"].as_str().unwrap();
    let clock = ["--clock", server.endpoint()];
    let add = [&["add", "alice", "-", "--no-code", "--serial", serial], clock.as_slice()].concat();
    server.home.run_with(&add, device["secret"].as_str().unwrap().as_bytes()).expect(0);
    let shown = server.home.run(&["show", "alice", "--json"]).expect(0).json();
    assert_eq!(shown["serial_number"], serial);
    let code = server.home.run(&[&["code", "alice", "--fresh"], clock.as_slice()].concat()).expect(0).stdout;
    let keys = &server.ready["users"]["alice"];
    let text = |name: &str| keys[name].as_str().unwrap();
    let keys = Credentials::new(text("access_key_id"), text("secret_access_key"), None);
    let session = [("SerialNumber", serial), ("TokenCode", code.trim())];
    assert_eq!(server.call(&keys, "GetSessionToken", &session).status, 200);
}

#[test]
fn of_two_hundred_calls_at_once_with_one_code_exactly_one_succeeds() {
    let server = Server::start(&["--time", "virtual"]);
    let (keys, device) = enrolled(&server, "alice");
    let now = server.now();
    let (serial, code) = (device.text("SerialNumber"), code(&device, now));
    let request = server.signed(&keys, "GetSessionToken", &[("SerialNumber", &serial), ("TokenCode", &code)], now);
    let barrier = std::sync::Barrier::new(200);
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..200)
            .map(|_| {
                scope.spawn(|| {
                    let mut stream = server.connect();
                    barrier.wait();
                    stream.write_all(&request).unwrap();
                    read_reply(&mut std::io::BufReader::new(stream)).unwrap()
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let successes = replies.iter().filter(|reply| reply.status == 200).count();
    let used = replies.iter().filter(|reply| reply.body.contains("invalid MFA one time pass code")).count();
    let budget = replies.iter().filter(|reply| reply.body.contains("unable to validate MFA code")).count();
    assert_eq!((successes, used, budget), (1, 8, 191));
}

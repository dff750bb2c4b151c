//! A server's clock that stands, that is moved, and that goes: what a test suite with several workers meets.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use vmfa::wire::sigv4::Credentials;

use super::{add, seed_for};
use crate::serve::socket::Server;
use crate::support::web::Web;
use crate::support::{Home, Run, SEED, run};

const WORKERS: usize = 8;
const USERS: [&str; 3] = ["u0", "u1", "u2"];
const SECRET: &str = "secret-of-a-test-and-of-nothing-else-00";

/// Who would wait in real time waits for half a minute at least; a machine with much to do takes some seconds.
const AT_ONCE: Duration = Duration::from_secs(12);

/// A stand-in whose time stands at the beginning of a step, with three users and their devices, and a home that has these.
struct Suite {
    server: Server,
    home: Home,
}

impl Suite {
    fn start() -> Self {
        let home = Home::new();
        let users = USERS.map(|name| {
            format!(
                "[[user]]\nname = \"{name}\"\naccess_key = {{ id = \"{}\", secret = \"{SECRET}\" }}\n\
                 [[user.device]]\nname = \"{name}\"\nsecret = \"{}\"\n",
                key(name),
                seed_for(name)
            )
        });
        let scenario = home.file("scenario.toml", users.concat());
        let arguments = ["--time", "virtual=2030-01-01T00:00:00Z", "--scenario", scenario.to_str().unwrap()];
        let server = Server::start_in(home, &arguments);
        let home = Home::new();
        for name in USERS {
            let seed = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, seed_for(name));
            let answer = format!(
                r#"{{"VirtualMFADevice": {{"SerialNumber": "{}", "Base32StringSeed": "{seed}"}}}}"#,
                serial(name)
            );
            home.run_with(&["add", name, "-", "--no-code"], answer.as_bytes()).expect(0);
        }
        Self { server, home }
    }

    /// A command that has the stand-in's clock, and how long it took.
    fn run(&self, arguments: &[&str]) -> (Run, Duration) {
        let start = Instant::now();
        let mut command = self.home.command();
        command.args(arguments).args(["--clock", self.server.endpoint(), "--json"]);
        (run(&mut command, b""), start.elapsed())
    }

    /// Signs in with a code; the status of the answer.
    fn sign_in(&self, name: &str, code: &str) -> u16 {
        let keys = Credentials::new(&key(name), SECRET, None);
        let token = [("SerialNumber", serial(name)), ("TokenCode", code.to_owned())];
        let token: Vec<(&str, &str)> = token.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.server.call(&keys, "GetSessionToken", &token).status
    }
}

fn key(name: &str) -> String {
    format!("AKIAEXAMPLE0000000{}", name.to_ascii_uppercase())
}

fn serial(name: &str) -> String {
    format!("arn:aws:iam::123456789012:mfa/{name}")
}

fn error(run: &Run) -> Value {
    serde_json::from_str::<Value>(run.stderr.lines().last().unwrap_or_default()).unwrap()["error"].clone()
}

#[test]
fn eight_workers_get_all_codes_of_a_time_that_stands_and_are_told_at_once_that_there_are_no_more() {
    let suite = Suite::start();
    for round in 0..2 {
        let workers = |worker: usize| {
            let suite = &suite;
            move || {
                let name = USERS[worker % USERS.len()];
                let mut accepted = 0;
                loop {
                    let (ran, took) = suite.run(&["code", name, "--fresh", "--window"]);
                    assert!(took < AT_ONCE, "{took:?}: {ran:#?}");
                    if ran.code != 0 {
                        let error = error(&ran);
                        assert_eq!(error["code"], "time-stands-still", "{ran:#?}");
                        let hint = error["hints"].to_string();
                        let seconds = error["wait_seconds"].as_u64().unwrap();
                        assert!(hint.contains(&format!("vmfa serve time +{seconds}s")), "{error}");
                        assert!(hint.contains("--jump"), "{error}");
                        return accepted;
                    }
                    assert_eq!(suite.sign_in(name, ran.json()["code"].as_str().unwrap()), 200, "{ran:#?}");
                    accepted += 1;
                }
            }
        };
        let accepted: usize = thread::scope(|scope| {
            let all: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(workers(worker))).collect();
            all.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert_eq!(accepted, 5 * USERS.len(), "AWS takes two steps to either side: round {round}");
        // What was taken for a wait that never was is given back: moved by what it said, there is a code.
        let (ran, _) = suite.run(&["code", "u0", "--fresh", "--window"]);
        let seconds = error(&ran)["wait_seconds"].as_u64().unwrap();
        assert!((1..=30).contains(&seconds), "{ran:#?}");
        suite.server.wait(seconds);
        let (ran, _) = suite.run(&["code", "u0", "--fresh", "--window"]);
        assert_eq!(suite.sign_in("u0", ran.expect(0).json()["code"].as_str().unwrap()), 200);
        // Everything is over, and so is the time that AWS counts codes by.
        suite.server.wait(360 - seconds);
    }
}

#[test]
fn workers_that_jump_to_the_same_time_move_it_once_and_their_codes_are_accepted() {
    let suite = Suite::start();
    let begin = suite.server.now();
    for name in USERS {
        suite.run(&["code", name, "--fresh"]).0.expect(0);
    }
    let all_have_theirs = Barrier::new(USERS.len());
    let jumps = |name: &str| {
        let (ran, took) = suite.run(&["code", name, "--fresh", "--jump"]);
        assert!(took < AT_ONCE, "{took:?}: {ran:#?}");
        all_have_theirs.wait();
        assert_eq!(suite.sign_in(name, ran.expect(0).json()["code"].as_str().unwrap()), 200);
    };
    thread::scope(|scope| {
        USERS
            .map(|name| {
                scope.spawn({
                    let jumps = &jumps;
                    move || jumps(name)
                })
            })
            .map(|worker| worker.join().unwrap())
    });
    assert_eq!(suite.server.now() - begin, 30);
    // Time is everybody's: who moves it and who uses a code take turns.
    let turn = Mutex::new(());
    let worker = |number: usize| {
        let name = USERS[number % USERS.len()];
        for _ in 0..2 {
            let _turn = turn.lock().unwrap();
            let code = suite.run(&["code", name, "--fresh", "--jump"]).0.expect(0).json();
            assert_eq!(suite.sign_in(name, code["code"].as_str().unwrap()), 200, "{code}");
        }
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..WORKERS)
            .map(|number| {
                scope.spawn({
                    let worker = &worker;
                    move || worker(number)
                })
            })
            .collect();
        all.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

#[test]
fn a_pair_and_a_session_say_the_same() {
    let suite = Suite::start();
    suite.run(&["pair", "u0"]).0.expect(0);
    for arguments in [&["pair", "u0", "--wait"][..], &["pair", "u1", "--live"]] {
        let (ran, took) = suite.run(arguments);
        assert!(took < AT_ONCE && ran.stdout.is_empty(), "{ran:#?}");
        assert_eq!((ran.code, error(&ran)["code"].as_str()), (1, Some("time-stands-still")), "{ran:#?}");
        suite.run(&[arguments, &["--jump"]].concat()).0.expect(0);
    }
    let session = |more: &[&str]| {
        let start = Instant::now();
        let mut command = suite.home.command();
        command.args(["aws", "session", "u2", "--fresh", "--json"]).args(more);
        command.env("AWS_ENDPOINT_URL", suite.server.endpoint()).env("HOME", suite.home.path());
        command.env("AWS_ACCESS_KEY_ID", key("u2")).env("AWS_SECRET_ACCESS_KEY", SECRET);
        let ran = run(&mut command, b"");
        assert!(start.elapsed() < AT_ONCE, "{:?}: {ran:#?}", start.elapsed());
        ran
    };
    let clock = ["--clock", suite.server.endpoint()];
    for _ in 0..5 {
        session(&[]).expect(0);
    }
    for clock in [&[][..], &clock] {
        let ran = session(clock).expect(1);
        assert_eq!(error(&ran)["code"], "time-stands-still", "{ran:#?}");
        let seconds = error(&ran)["wait_seconds"].as_u64().unwrap();
        assert!(error(&ran)["hints"].to_string().contains(&format!("vmfa serve time +{seconds}s")), "{ran:#?}");
    }
    // Time that jumps is seen by a clock that was named, too.
    session(&["--jump", clock[0], clock[1]]).expect(0);
    session(&["--jump"]).expect(0);
}

#[test]
fn a_clock_that_stands_without_saying_so_is_seen_to_stand() {
    let home = Home::new();
    add(&home, "x", SEED);
    let web = Web::standing_at(super::T);
    home.run(&["code", "x", "--fresh", "--clock", &web.url]).expect(0);
    let start = Instant::now();
    let ran = home.run(&["code", "x", "--fresh", "--clock", &web.url, "--json"]).expect(1);
    assert_eq!(error(&ran)["code"], "time-stands-still", "{ran:#?}");
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

/// Both would take hours by the clock as it was.
#[test]
fn a_wait_follows_a_clock_that_is_moved() {
    let home = Home::new();
    add(&home, "x", &format!("otpauth://totp/x?secret={SEED}&period=40000"));
    let moved = Arc::new(AtomicI64::new(0));
    let by = Arc::clone(&moved);
    let web = Web::new(move || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let date = UNIX_EPOCH + Duration::from_secs(now.saturating_add_signed(by.load(Ordering::SeqCst)));
        let date = httpdate::fmt_http_date(date);
        format!("HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n")
    });
    let first = home.run(&["code", "x", "--fresh", "--clock", &web.url, "--json"]).expect(0).json();
    let mut command = home.command();
    command.args(["code", "x", "--fresh", "--clock", &web.url, "--timeout", "1d", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("waiting "), "{line}");
    moved.store(40_000, Ordering::SeqCst);
    let mut answer = String::new();
    child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert!(child.wait().unwrap().success());
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["step"].as_u64().unwrap(), first["step"].as_u64().unwrap() + 1);
}

#[test]
fn who_was_shown_the_first_code_of_a_pair_is_not_told_that_it_is_given_back() {
    let home = Home::new();
    add(&home, "x", &format!("otpauth://totp/Example:x?secret={SEED}&period=86400"));
    let mut command = home.command();
    command.args(["pair", "x", "--live", "--timeout", "1d"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut shown = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut shown).unwrap();
    assert_eq!(shown.trim().len(), 6);
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.starts_with("waiting "), "{line}");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    line.clear();
    said.read_to_string(&mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!line.contains("nothing was used up") && line.contains("count as handed out"), "{line}");
    assert!(line.contains("vmfa release x --claim "), "{line}");
}

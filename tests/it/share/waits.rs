//! Requests that have to wait, and what ends their wait.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::service::{Service, add, read};
use crate::serve::socket::Server;

const ASK: &str = r#"{"device":"ci/1","timeout":600}"#;

/// Waits until a server has so many requests under way.
fn until_waiting(service: &Service, count: u64) {
    for _ in 0..400 {
        if service.metric("vmfa_requests_in_progress") == count {
            return;
        }
        thread::sleep(Duration::from_millis(25));
    }
    panic!("{count} requests should wait: {}", service.get("/metrics").text);
}

/// With a code that is taken already, of a step that has just begun and lasts an hour.
fn with_nothing_free() -> Service {
    let service = Service::start(&[]);
    add(&service.home, "ci/hour", "otpauth://totp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&period=3600");
    let hour = r#"{"device":"ci/hour","timeout":0}"#;
    for _ in 0..200 {
        if service.post("/v1/codes", hour).code() == "no-free-step" {
            return service;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("the device isn't there");
}

const HOUR: &str = r#"{"device":"ci/hour","timeout":3600}"#;

/// Begins a request that has to wait.
fn wait_in(service: &Service) -> TcpStream {
    let authorization = format!("Bearer {}", service.token);
    let request = service.request("POST", "/v1/codes", &[("authorization", &authorization)], HOUR);
    let mut stream = service.connect();
    stream.write_all(request.as_bytes()).unwrap();
    until_waiting(service, 1);
    stream
}

/// The steps that are taken and waited for.
fn taken(service: &Service) -> usize {
    let doctor = service.home.run(&["doctor", "--fleet", "--json"]).json();
    let ahead = doctor["checks"].as_array().unwrap().iter().find(|check| check["what"] == "fleet").unwrap();
    usize::from(ahead["detail"].as_str().unwrap().contains("of later"))
}

#[test]
fn a_client_that_goes_away_leaves_its_code_to_others() {
    let service = with_nothing_free();
    let stream = wait_in(&service);
    let before = next_free(&service);
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    until_waiting(&service, 0);
    for _ in 0..400 {
        if next_free(&service) < before {
            return;
        }
        thread::sleep(Duration::from_millis(25));
    }
    panic!("the step is still taken: {before}");
}

/// In how many seconds the next free code is, if one hour is too long to wait.
fn next_free(service: &Service) -> u64 {
    let refused = service.post("/v1/codes", r#"{"device":"ci/hour","timeout":0}"#).expect(409);
    refused.json["error"]["wait_seconds"].as_u64().unwrap() / 60 / 50
}

#[test]
fn when_it_ends_those_who_wait_are_told_and_give_back() {
    let mut service = with_nothing_free();
    let stream = wait_in(&service);
    let pid = service.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(read(stream).expect(503).code(), "server-ends");
    assert!(service.child.wait().unwrap().success(), "{}", service.said());
    assert_eq!(taken(&service), 0);
}

#[test]
fn waiters_get_one_code_each_when_time_comes() {
    let stand_in = Server::start(&["--time", "virtual=2030-01-01T00:00:00Z"]);
    let service = Service::start(&["--clock", stand_in.endpoint(), "--jump"]);
    // Virtual time is moved for those who wait.
    let codes: Vec<_> = (0..5).map(|_| service.post("/v1/codes", ASK).expect(200).json).collect();
    let mut steps: Vec<_> = codes.iter().map(|code| code["step"].as_u64().unwrap()).collect();
    steps.dedup();
    assert_eq!(steps.len(), 5, "{codes:?}");
    assert!(codes.iter().all(|code| code["repeated"] == false));
}

#[test]
fn who_waits_with_a_token_that_is_removed_gets_nothing() {
    let service = with_nothing_free();
    let stream = wait_in(&service);
    service.home.run(&["share", "token", "remove", "ci"]).expect(0);
    assert_eq!(read(stream).expect(401).code(), "unauthorized");
    assert_eq!(taken(&service), 0);
}

#[test]
fn who_wants_a_whole_step_keeps_nobody_from_what_is_left_of_one() {
    let stand_in = Server::start(&["--time", "virtual=2030-01-01T00:00:10Z"]);
    let service = Service::start(&["--clock", stand_in.endpoint()]);
    for _ in 0..3 {
        let whole = service.post("/v1/codes", r#"{"device":"ci/*","timeout":0,"min_validity":30}"#);
        assert_eq!(whole.expect(409).code(), "no-free-step");
    }
    for _ in 0..4 {
        service.post("/v1/codes", r#"{"device":"ci/*","timeout":0}"#).expect(200);
    }
}

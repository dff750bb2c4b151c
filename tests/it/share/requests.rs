//! What each path answers.

use std::io::{Read as _, Write as _};

use super::service::{Service, add, home, token};
use crate::serve::socket::Server;
use crate::support::{keys, run, set_clock};

#[test]
fn codes_are_handed_out_once_here_and_there() {
    let stand_in = Server::start(&["--time", "virtual=2030-01-01T00:00:00Z"]);
    let service = Service::start(&["--clock", stand_in.endpoint()]);
    let ask = r#"{"device":"ci/*","timeout":0}"#;
    let mut had = Vec::new();
    for _ in 0..2 {
        let code = service.post("/v1/codes", ask).expect(200).json;
        assert_eq!(code["repeated"], false);
        had.push(code);
    }
    // The command line has the same registry, and so the next two.
    for _ in 0..2 {
        let mut command = service.home.command();
        command.args(["code", "ci/*", "--fresh", "--timeout", "0s", "--json", "--clock", stand_in.endpoint()]);
        had.push(run(&mut command, b"").expect(0).json());
    }
    // Both say the same, by the same keys.
    assert_eq!(keys(&had[0]), keys(&had[2]));
    let mut names: Vec<_> = had.iter().map(|code| code["device"].as_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["ci/1", "ci/2", "ci/3", "ci/4"]);
    let none = service.post("/v1/codes", ask).expect(409);
    assert_eq!(none.code(), "no-free-step");
    assert!(none.head.contains("retry-after: 30\r\n"), "{}", none.head);
    assert_eq!(none.json["error"]["available_at"], "2030-01-01T00:00:30Z");
    let one = service.post("/v1/codes", r#"{"device":"ci/2","timeout":0}"#).expect(409);
    assert_eq!(one.json["error"]["wait_seconds"], 30);
    // A code before or after is one, too.
    let near = service.post("/v1/codes", r#"{"device":"ci/*","timeout":0,"window":1,"min_validity":20}"#).expect(200);
    assert!(near.json["step"].as_u64() != had[0]["step"].as_u64(), "{near:?}");
    assert_eq!(service.metric("vmfa_codes_total"), 3);
    assert_eq!((service.metric("vmfa_devices"), service.metric("vmfa_free_steps")), (5, 1));
    stand_in.wait(30);
    service.post("/v1/codes", ask).expect(200);
}

#[test]
fn what_was_handed_out_can_be_given_back_once() {
    let stand_in = Server::start(&["--time", "virtual=2030-01-01T00:00:00Z"]);
    let service = Service::start(&["--clock", stand_in.endpoint()]);
    let ask = r#"{"device":"ci/1","timeout":0}"#;
    let code = service.post("/v1/codes", ask).expect(200).json;
    let give_back = format!(r#"{{"device":"ci/1","claim":{}}}"#, code["claim"]);
    let released = service.post("/v1/release", &give_back).expect(200).json;
    assert_eq!((&released["step"], released["released"].as_str()), (&code["step"], Some("code")));
    assert_eq!(service.post("/v1/release", &give_back).expect(409).code(), "not-handed-out");
    assert_eq!(service.post("/v1/codes", ask).expect(200).json["code"], code["code"]);
    let pair = service.post("/v1/pairs", r#"{"device":"ci/2","timeout":0}"#).expect(200).json;
    assert_ne!(pair["authentication_code1"], pair["authentication_code2"]);
    assert_eq!(service.post("/v1/pairs", r#"{"device":"ci/2","timeout":0}"#).expect(409).code(), "no-pair-yet");
    let give_back = format!(r#"{{"device":"ci/2","claim":{}}}"#, pair["claim"]);
    assert_eq!(service.post("/v1/release", &give_back).expect(200).json["released"], "pair");
    assert_eq!(service.metric("vmfa_pairs_total"), 1);
    assert_eq!(service.metric("vmfa_releases_total"), 2);
}

#[test]
fn devices_come_and_go_while_it_runs() {
    let service = Service::start(&[]);
    let named = |name: &str| format!(r#"{{"device":"{name}","timeout":0}}"#);
    add(&service.home, "ci/5", "otpauth://totp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
    // The same second may still have the old list, by which it is busy being added.
    let mut added = service.post("/v1/codes", &named("ci/5"));
    for _ in 0..100 {
        if added.status == 200 || added.code() == "no-free-step" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        added = service.post("/v1/codes", &named("ci/5"));
    }
    assert_ne!(added.code(), "no-such-device");
    service.home.run(&["remove", "ci/5", "--yes"]).expect(0);
    for _ in 0..400 {
        if service.post("/v1/codes", &named("ci/5")).code() == "no-such-device" {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("a removed device still gives codes");
}

#[test]
fn each_code_is_written_down_before_it_is_given() {
    let service = Service::start(&["--audit", "audit.jsonl"]);
    let code = service.post("/v1/codes", r#"{"device":"ci/3"}"#).expect(200).json;
    let path = service.home.path().join("audit.jsonl");
    let line: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(line["token"], "ci");
    assert_eq!(
        (&line["device"], &line["path"], &line["peer"]),
        (&"ci/3".into(), &"/v1/codes".into(), &"127.0.0.1".into())
    );
    assert_eq!(line["step"], code["step"]);
    assert!(!line.to_string().contains(code["code"].as_str().unwrap()) && !line.to_string().contains(&service.token));
    // Moved away, as those do who rotate logs: another is made.
    std::fs::rename(&path, service.home.path().join("audit.1")).unwrap();
    service.post("/v1/codes", r#"{"device":"ci/4"}"#).expect(200);
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let refused = service.post("/v1/codes", r#"{"device":"ci/1"}"#).expect(503);
    assert_eq!(refused.code(), "audit");
    assert!(refused.text.contains("nothing was handed out or used up"), "{}", refused.text);
    assert!(!refused.text.contains("audit.jsonl"), "{}", refused.text);
    // Whoever balances the load is told.
    service.send(&service.request("GET", "/healthz", &[], "")).expect(503);
}

#[test]
fn health_is_told_to_everybody_and_the_rest_to_those_with_a_token() {
    let service = Service::start(&[]);
    let open = |path: &str| service.send(&service.request("GET", path, &[], ""));
    assert_eq!(open("/healthz").expect(200).json["status"], "ok");
    assert_eq!(open("/v1/openapi.json").expect(200).json["openapi"], "3.1.0");
    for path in ["/v1/devices", "/metrics"] {
        let refused = open(path).expect(401);
        assert!(refused.head.contains("www-authenticate: Bearer"), "{}", refused.head);
    }
    let devices = service.get("/v1/devices").expect(200).json;
    let names: Vec<_> = devices["devices"].as_array().unwrap().iter().map(|device| &device["name"]).collect();
    assert_eq!(names, ["ci/1", "ci/2", "ci/3", "ci/4"]);
    assert!(!devices.to_string().contains("secret"), "{devices}");
    let mut stream = service.connect();
    write!(stream, "HEAD /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut head = String::new();
    stream.read_to_string(&mut head).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn a_registry_that_is_gone_is_told_and_it_goes_on_when_it_is_back() {
    let home = home();
    let token = token(home.command(), "ci", &["ci/*"]);
    let command = home.command();
    let service = Service::start_by(home, command, token, &[]);
    let registry = service.home.path().join("home/registry.sqlite3");
    let away = service.home.path().join("away");
    std::fs::rename(&registry, &away).unwrap();
    // Where the registry is, is for the operator.
    let refused = service.post("/v1/codes", r#"{"device":"ci/1"}"#).expect(503);
    assert!(refused.code().starts_with("registry") && !refused.text.contains("sqlite"), "{refused:?}");
    let health = |status: u16| {
        let told = || service.send(&service.request("GET", "/healthz", &[], ""));
        (0..600).map(|_| told()).find(|told| told.status == status || pause()).unwrap()
    };
    let told = health(503);
    assert!(told.code() == "unavailable" && !told.text.contains('/'), "{told:?}");
    assert!(service.said().contains("registry.sqlite3"), "{}", service.said());
    std::fs::rename(&away, &registry).unwrap();
    service.post("/v1/codes", r#"{"device":"ci/1"}"#).expect(200);
    health(200);
}

/// Never the end.
fn pause() -> bool {
    std::thread::sleep(std::time::Duration::from_millis(50));
    false
}

/// Its pool has others: they give their codes, and are waited for.
#[test]
fn a_device_without_a_secret_is_left_out_of_its_pool() {
    let stand_in = Server::start(&["--time", "virtual=2030-01-01T00:00:00Z"]);
    let service = Service::start(&["--clock", stand_in.endpoint(), "--jump"]);
    let id = service.home.run(&["show", "ci/2", "--json"]).expect(0).json()["id"].as_str().unwrap().to_owned();
    let vault = service.home.path().join("home/items");
    let mut items = std::fs::read_dir(vault).unwrap().map(|entry| entry.unwrap().path());
    let item = items.find(|path| path.file_name().unwrap().to_string_lossy().starts_with(&id)).unwrap();
    std::fs::remove_file(item).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..7 {
        let code = service.post("/v1/codes", r#"{"device":"ci/*"}"#).expect(200).json;
        names.insert(code["device"].as_str().unwrap().to_owned());
    }
    assert_eq!(Vec::from_iter(names), ["ci/1", "ci/3", "ci/4"]);
    assert!(service.said().contains("ci/2: "), "{}", service.said());
    assert_eq!(service.post("/v1/codes", r#"{"device":"ci/2"}"#).expect(503).code(), "secret-not-there");
    // And on the command line.
    let mut command = service.home.command();
    command.args(["code", "ci/*", "--fresh", "--json", "--jump", "--clock", stand_in.endpoint()]);
    for _ in 0..4 {
        assert_ne!(run(&mut command, b"").expect(0).json()["device"], "ci/2");
    }
    let alone = service.home.run(&["code", "ci/2*", "--fresh", "--json"]).expect(3);
    assert_eq!(alone.error_code(), "secret-not-there");
}

/// A clock that ran ahead and was set back leaves nothing behind that the server would go by.
#[test]
fn a_pool_gives_codes_after_the_clock_was_set_back() {
    let home = home();
    let token = token(home.command(), "ci", &["ci/*"]);
    let time = home.path().join("time");
    let set = |ahead: i64| std::fs::write(&time, format!("{ahead:+}")).unwrap();
    set(7_200);
    let mut command = home.command();
    set_clock(&mut command, 0);
    command.env_remove("FAKETIME").env("FAKETIME_TIMESTAMP_FILE", &time).env("FAKETIME_NO_CACHE", "1");
    let service = Service::start_by(home, command, token, &[]);
    let ask = || service.post("/v1/codes", r#"{"device":"ci/*","timeout":0}"#);
    for _ in 0..4 {
        ask().expect(200);
    }
    ask().expect(409);
    set(0);
    for _ in 0..4 {
        ask().expect(200);
    }
}

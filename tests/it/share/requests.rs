//! What each path answers.

use std::io::{Read as _, Write as _};

use super::service::{Service, add, home, token};
use crate::serve::socket::Server;
use crate::support::{keys, run};

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
    std::fs::remove_file(&path).unwrap();
    let refused = service.post("/v1/codes", r#"{"device":"ci/4"}"#).expect(503);
    assert_eq!(refused.code(), "audit");
    assert!(refused.text.contains("nothing was handed out or used up"), "{}", refused.text);
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
    let told = service.send(&service.request("GET", "/healthz", &[], ""));
    std::fs::rename(&away, &registry).unwrap();
    assert_eq!(told.status, 503, "{told:?}");
    service.post("/v1/codes", r#"{"device":"ci/1"}"#).expect(200);
}

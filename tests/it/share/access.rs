//! Access tokens: who may ask, and for which devices.

use super::service::{Service, token};
use crate::support::Home;

const ASK: &str = r#"{"device":"ci/*","timeout":0}"#;

#[test]
fn only_those_with_a_token_are_answered() {
    let service = Service::start(&[]);
    for headers in [
        vec![],
        vec![("authorization", "Bearer vmfa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned())],
        vec![("authorization", format!("Basic {}", service.token))],
        vec![("authorization", service.token.clone())],
        vec![("authorization", format!("Bearer {}x", service.token))],
        vec![("authorization", format!("Bearer {}", &service.token[..20]))],
        vec![("authorization", "Bearer ".to_owned())],
        vec![
            ("authorization", format!("Bearer {}", service.token)),
            ("authorization", format!("Bearer {}", service.token)),
        ],
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let refused = service.send(&service.request("POST", "/v1/codes", &headers, ASK)).expect(401);
        assert_eq!(refused.code(), "unauthorized");
        assert!(!refused.text.contains(&service.token));
    }
    let lower = format!("bearer {}", service.token);
    service.send(&service.request("POST", "/v1/codes", &[("Authorization", &lower)], ASK)).expect(200);
    assert!(service.metric("vmfa_refusals_total{code=\"unauthorized\"}") >= 8);
}

#[test]
fn a_token_is_for_its_devices_alone() {
    let service = Service::start(&[]);
    let other = token(service.home.command(), "prod", &["prod/*", "ci/2"]);
    let names = |token: &str| {
        let headers = [("authorization", format!("Bearer {token}"))];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let listed = service.send(&service.request("GET", "/v1/devices", &headers, "")).expect(200).json;
        let devices = listed["devices"].as_array().unwrap().clone();
        devices.iter().map(|device| device["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&other), ["ci/2", "prod/1"]);
    // A pattern has those that both it and the token name.
    for _ in 0..2 {
        let code = service.post_as(&other, "/v1/codes", r#"{"device":"**","timeout":0}"#);
        if code.status == 200 {
            assert!(["ci/2", "prod/1"].contains(&code.json["device"].as_str().unwrap()), "{code:?}");
        }
    }
    for name in ["prod/1", "nobody", "prod/*"] {
        let refused = service.post("/v1/codes", &format!(r#"{{"device":"{name}"}}"#)).expect(404);
        assert_eq!(refused.code(), "no-such-device");
        assert!(!refused.text.contains("did you mean `prod"), "{}", refused.text);
    }
    service.post("/v1/pairs", r#"{"device":"prod/1"}"#).expect(404);
    service.post("/v1/release", r#"{"device":"prod/1","claim":"0123456789abcdef"}"#).expect(404);
}

#[test]
fn one_that_is_removed_or_expired_is_refused() {
    let service = Service::start(&[]);
    let mut command = service.home.command();
    command.args(["share", "token", "add", "short", "--allow", "ci/*", "--expires", "1s"]);
    let short = crate::support::run(&mut command, b"").expect(0).stdout.trim().to_owned();
    let refused = |token: &str, words: &str| {
        (0..400).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let reply = service.post_as(token, "/v1/codes", ASK);
            reply.status == 401 && reply.text.contains(words)
        })
    };
    assert!(refused(&short, "has expired"));
    service.home.run(&["share", "token", "remove", "ci"]).expect(0);
    assert!(refused(&service.token, "was removed"));
}

#[test]
fn who_asks_too_often_is_told_to_wait() {
    let service = Service::start(&["--rate", "3"]);
    let other = token(service.home.command(), "other", &["prod/*"]);
    let replies: Vec<_> = (0..20).map(|_| service.post("/v1/codes", "{}")).collect();
    let limited: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert!(!limited.is_empty() && limited[0].head.contains("retry-after: 1\r\n"), "{replies:?}");
    // It keeps nobody else waiting.
    service.post_as(&other, "/v1/codes", r#"{"device":"prod/1"}"#).expect(200);
}

#[test]
fn tokens_are_shown_once_and_kept_as_hashes() {
    let home = Home::new();
    assert!(home.run(&["share", "token", "list"]).expect(0).stderr.contains("vmfa share token add"));
    let made = home.run(&["share", "token", "add", "ci", "--allow", "ci/*", "--allow", "x", "--json"]).expect(0).json();
    let secret = made["token"].as_str().unwrap();
    assert!(secret.starts_with("vmfa_") && secret.len() == 48, "{secret}");
    assert_eq!(
        home.run(&["share", "token", "add", "ci", "--allow", "y", "--json"]).expect(1).error_code(),
        "name-taken"
    );
    let listed = home.run(&["share", "token", "list", "--json"]).expect(0);
    assert!(!listed.stdout.contains(secret));
    let token = &listed.json()["access_tokens"][0];
    assert_eq!((token["name"].as_str(), &token["allow"]), (Some("ci"), &serde_json::json!(["ci/*", "x"])));
    assert_eq!(token["expired"], false);
    for file in std::fs::read_dir(home.path().join("home")).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let found = bytes.windows(43).any(|window| window == &secret.as_bytes()[5..]);
        assert!(!found, "{}", path.display());
    }
    for arguments in [
        vec!["share", "token", "add", "a", "--allow", "["],
        vec!["share", "token", "add", "a", "--allow", "x", "--expires", "soon"],
        vec!["share", "token", "add", "a"],
        vec!["share", "token", "add", "a b/", "--allow", "x"],
    ] {
        let refused = home.run(&arguments);
        assert!(refused.code == 2 || refused.code == 0, "{refused:?}");
    }
    assert_eq!(home.run(&["share", "token", "remove", "other", "--json"]).expect(1).error_code(), "no-such-token");
    assert_eq!(home.run(&["share", "token", "remove", "ci"]).expect(0).stdout, "removed ci\n");
    assert_eq!(home.run(&["share", "token", "list", "--json"]).expect(0).stdout, "{\"access_tokens\":[]}\n");
}

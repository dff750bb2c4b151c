//! Requests that are wrong, too large, too many, or never end.

use std::io::Write as _;
use std::thread;

use super::service::{Service, read};

#[test]
fn what_is_wrong_is_refused_and_the_server_goes_on() {
    let service = Service::start(&[]);
    let authorization = format!("Bearer {}", service.token);
    let with = |method: &str, path: &str, more: &[(&str, &str)], body: &str| {
        let headers = [&[("authorization", authorization.as_str())], more].concat();
        service.send(&service.request(method, path, &headers, body))
    };
    assert_eq!(with("GET", "/v1/codes", &[], "").expect(405).code(), "method");
    assert!(with("PUT", "/v1/codes", &[], "{}").expect(405).head.contains("allow: POST"));
    assert_eq!(with("POST", "/v1/nothing", &[], "{}").expect(404).code(), "no-such-path");
    assert_eq!(with("GET", "/../../etc/passwd", &[], "").status, 404);
    for body in ["", "{", "[]", "null", r#"{"device":"ci/1","x":1}"#, &"[".repeat(5_000), r#"{"device":"\u0000"}"#] {
        let refused = with("POST", "/v1/codes", &[], body);
        assert!([400, 404].contains(&refused.status), "{body:.40}: {refused:?}");
    }
    let long = format!(r#"{{"device":"{}"}}"#, "x".repeat(20_000));
    assert_eq!(with("POST", "/v1/codes", &[], &long).expect(413).code(), "too-large");
    let other = service.request("POST", "/v1/codes", &[("authorization", &authorization)], r#"{"device":"ci/1"}"#);
    let form = other.replace("application/json", "application/x-www-form-urlencoded");
    assert_eq!(service.send(&form).expect(415).code(), "content-type");
    assert_eq!(
        service.send(&other.replace("content-type: application/json\r\n", "")).expect(415).code(),
        "content-type"
    );
    for claim in ["", "x", "../", "9f2c4e6ab01d7358f"] {
        let body = format!(r#"{{"device":"ci/1","claim":"{claim}"}}"#);
        with("POST", "/v1/release", &[], &body).expect(400);
    }
    let unknown = r#"{"device":"ci/1","claim":"9f2c4e6ab01d7358"}"#;
    assert_eq!(with("POST", "/v1/release", &[], unknown).expect(409).code(), "not-handed-out");
    // Nonsense ends its own connection.
    let nonsense = service.send("\u{16}\u{3}\u{1}hello\r\n\r\n");
    assert!([0, 400].contains(&nonsense.status));
    with("POST", "/v1/codes", &[], r#"{"device":"ci/1"}"#).expect(200);
    assert!(!service.said().contains("panicked"), "{}", service.said());
}

#[test]
fn slow_and_half_requests_keep_nobody_waiting() {
    let service = Service::start(&[]);
    let authorization = format!("Bearer {}", service.token);
    let whole =
        service.request("POST", "/v1/codes", &[("authorization", &authorization)], r#"{"device":"ci/1","timeout":0}"#);
    let mut halves = Vec::new();
    for length in [1, 20, whole.len() - 3] {
        for _ in 0..50 {
            let mut stream = service.connect();
            stream.write_all(&whole.as_bytes()[..length]).unwrap();
            halves.push(stream);
        }
    }
    let answered = service.post("/v1/codes", r#"{"device":"ci/*","timeout":0}"#);
    assert!([200, 409].contains(&answered.status), "{answered:?}");
    // The body's rest, and so the whole request, may come later.
    let mut late = halves.pop().unwrap();
    late.write_all(&whole.as_bytes()[whole.len() - 3..]).unwrap();
    assert!([200, 409].contains(&read(late).status));
}

#[test]
fn many_at_once_get_each_code_once() {
    let service = Service::start(&[]);
    let ask = r#"{"device":"ci/*","timeout":0,"window":20}"#;
    let codes: Vec<_> = thread::scope(|scope| {
        let asking: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| (0..12).map(|_| service.post("/v1/codes", ask)).collect::<Vec<_>>()))
            .collect();
        asking.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let given: Vec<_> = codes.iter().filter(|reply| reply.status == 200).map(|reply| &reply.json).collect();
    assert!(codes.iter().all(|reply| reply.status == 200 || reply.code() == "no-free-step"), "{codes:?}");
    let different: std::collections::BTreeSet<_> =
        given.iter().map(|code| (code["device"].to_string(), code["step"].to_string())).collect();
    // Four devices, with twenty steps on either side of the current one.
    assert!(different.len() == given.len() && given.len() >= 4 * 39, "{} of {}", different.len(), given.len());
}

#[test]
fn nothing_secret_is_in_its_arguments_variables_or_memory_dumps() {
    let service = Service::start(&[]);
    service.post("/v1/codes", r#"{"device":"ci/1"}"#).expect(200);
    let process = format!("/proc/{}", service.child.id());
    let arguments = std::fs::read(format!("{process}/cmdline")).unwrap();
    assert!(!String::from_utf8_lossy(&arguments).contains(&service.token));
    // Core files are off, and the user's other programs can't look.
    let limits = std::fs::read_to_string(format!("{process}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    assert_eq!(service.said(), "");
}

#[test]
fn those_who_guess_tokens_keep_nobody_waiting() {
    let service = Service::start(&[]);
    let guesses: Vec<_> = (0..600)
        .map(|number| {
            let guess = format!("Bearer vmfa_{number:043}");
            let mut stream = service.connect();
            let request = service.request("GET", "/v1/devices", &[("authorization", &guess)], "");
            stream.write_all(request.as_bytes()).unwrap();
            stream
        })
        .collect();
    service.send(&service.request("GET", "/healthz", &[], "")).expect(200);
    service.post("/v1/codes", r#"{"device":"ci/1"}"#).expect(200);
    assert!(guesses.into_iter().all(|stream| read(stream).status == 401));
}

#[test]
fn what_is_refused_unread_ends_its_connection() {
    let service = Service::start(&[]);
    let refused = service.send(&service.request("POST", "/v1/codes", &[], r#"{"device":"ci/1"}"#)).expect(401);
    assert!(refused.head.contains("connection: close"), "{}", refused.head);
    let long = format!(r#"{{"device":"{}"}}"#, "x".repeat(200));
    assert_eq!(service.post("/v1/codes", &long).expect(404).code(), "no-such-device");
}

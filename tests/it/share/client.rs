//! The program as a client, where VMFA_URL names a server.

use std::process::Command;

use super::service::Service;
use crate::serve::socket::Server;
use crate::support::{Home, Run, keys, run};

/// A worker without vault and registry.
fn worker(home: &Home, url: &str, token: &str, arguments: &[&str]) -> Run {
    let mut command: Command = home.command();
    command.env_remove("VMFA_IDENTITY_FILE").env_remove("VMFA_VAULT");
    command.env("VMFA_URL", url).env("VMFA_TOKEN", token).args(arguments);
    let run = run(&mut command, b"");
    assert!(!run.stdout.contains(token) && !run.stderr.contains(token), "{run:?}");
    run
}

#[test]
fn codes_pairs_and_lists_come_from_the_server_with_the_same_answers() {
    let stand_in = Server::start(&["--time", "virtual=2030-01-01T00:00:00Z"]);
    let service = Service::start(&["--clock", stand_in.endpoint()]);
    let home = Home::new();
    let ask = |arguments: &[&str]| worker(&home, &service.url(), &service.token, arguments);
    let code = ask(&["code", "ci/1", "--json"]).expect(0).json();
    let local = |arguments: &[&str]| service.home.run(arguments).expect(0).json();
    let same = local(&["code", "ci/2", "--fresh", "--json", "--clock", stand_in.endpoint()]);
    assert_eq!(keys(&code), keys(&same));
    let again = ask(&["code", "ci/1", "--fresh", "--timeout", "0s", "--json"]).expect(1);
    assert_eq!(again.error_code(), "no-free-step");
    assert!(again.stderr.contains("\"wait_seconds\":30"), "{again:?}");
    let claim = code["claim"].as_str().unwrap();
    assert!(ask(&["release", "ci/1", "--claim", claim]).expect(0).stdout.contains("gave back the code"));
    assert_eq!(ask(&["release", "ci/1", "--claim", claim, "--json"]).expect(1).error_code(), "not-handed-out");
    assert_eq!(ask(&["release", "ci/1", "123456"]).expect(2).stdout, "");
    let pair = ask(&["pair", "ci/3", "--json"]).expect(0).json();
    let same = local(&["pair", "prod/1", "--json", "--clock", stand_in.endpoint()]);
    assert_eq!(keys(&pair), keys(&same));
    let text = ask(&["code", "ci/*", "--fresh", "--timeout", "0s"]).expect(0).stdout;
    assert!(text.len() == 7 && text.trim().bytes().all(|byte| byte.is_ascii_digit()), "{text:?}");
    stand_in.wait(120);
    assert_eq!(ask(&["pair", "ci/3"]).expect(0).stdout.lines().count(), 2);
    let listed = ask(&["list", "--json"]).expect(0).json();
    assert_eq!(listed["devices"].as_array().unwrap().len(), 4);
    let table = ask(&["list", "ci/2"]).expect(0).stdout;
    assert!(table.starts_with("NAME") && table.lines().count() == 2, "{table}");
    assert_eq!(ask(&["list", "none", "--json"]).expect(1).error_code(), "no-such-device");
    assert_eq!(ask(&["code", "prod/1", "--json"]).expect(1).error_code(), "no-such-device");
    for refused in [
        vec!["code", "ci/1", "--next"],
        vec!["code", "ci/1", "--count", "2"],
        vec!["code", "ci/1", "--at", "0"],
        vec!["code", "ci/1", "--clock", "+5s"],
        vec!["pair", "ci/1", "--live"],
        vec!["list", "--codes"],
        vec!["list", "--sort", "added"],
    ] {
        assert!(ask(&refused).expect(2).stderr.contains("VMFA_URL"), "{refused:?}");
    }
    // Nothing was made here.
    assert!(!home.path().join("home").exists());
}

#[test]
fn a_server_that_is_not_there_or_is_another_is_told() {
    let home = Home::new();
    let ask = |url: &str| worker(&home, url, "vmfa_x", &["code", "ci/1", "--json"]);
    assert_eq!(ask("http://127.0.0.1:1").expect(4).error_code(), "server-unreachable");
    let other = Server::start(&[]);
    assert_eq!(ask(other.endpoint()).expect(4).error_code(), "server-answer");
    for url in ["", "ftp://x", "http://", "x"] {
        let run = ask(url);
        assert!(run.code == 2 || (url.is_empty() && run.code != 0), "{url}: {run:?}");
    }
    assert!(ask("http://user:hunter2@127.0.0.1:1").expect(2).stderr.contains("password"));
    // Clear text stays on this machine.
    let far = ask("http://192.0.2.7:9").expect(4);
    assert!(far.stderr.contains("isn't this machine"), "{far:?}");
    let mut command = home.command();
    command.env("VMFA_URL", "http://127.0.0.1:1").args(["code", "x"]);
    assert!(run(&mut command, b"").expect(2).stderr.contains("VMFA_TOKEN"));
    let service = Service::start(&[]);
    assert_eq!(
        worker(&home, &service.url(), "vmfa_x", &["code", "ci/1", "--json"]).expect(4).error_code(),
        "unauthorized"
    );
    let file = home.file("token", format!("{}\n", service.token));
    let mut command = home.command();
    command.env("VMFA_URL", service.url()).env("VMFA_TOKEN_FILE", file).args(["code", "ci/1"]);
    run(&mut command, b"").expect(0);
}

#[test]
fn over_tls_with_a_certificate_that_is_trusted() {
    let home = super::service::home();
    let token = super::service::token(home.command(), "ci", &["ci/*"]);
    let (certificate, key) = (home.path().join("cert.pem"), home.path().join("key.pem"));
    let mut openssl = crate::support::tool("openssl", "openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
    openssl.args([
        "-subj",
        "/CN=localhost",
        "-addext",
        "basicConstraints=CA:FALSE",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
    ]);
    let made = openssl.arg(&key).arg("-out").arg(&certificate).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (cert, private) = (certificate.to_str().unwrap().to_owned(), key.to_str().unwrap().to_owned());
    let command = home.command();
    let service = Service::start_by(home, command, token, &["--tls-cert", &cert, "--tls-key", &private]);
    let worker_home = Home::new();
    let url = format!("https://{}", service.address);
    let untrusted = worker(&worker_home, &url, &service.token, &["code", "ci/1", "--json"]).expect(4);
    assert_eq!(untrusted.error_code(), "server-unreachable");
    let mut command = worker_home.command();
    command.env("VMFA_URL", &url).env("VMFA_TOKEN", &service.token).env("VMFA_CA_BUNDLE", &cert);
    run(command.args(["code", "ci/1"]), b"").expect(0);
    // Clear text gets nothing out of it.
    let plain = worker(&worker_home, &url.replace("https", "http"), &service.token, &["code", "ci/2", "--json"]);
    assert_eq!(plain.code, 4);
    // What all can read is no private key.
    std::fs::set_permissions(&private, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let refused = service.home.run(&["share", "--listen", "127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &private]);
    assert!(refused.expect(5).stderr.contains("chmod"));
}

#[test]
fn clear_text_on_a_network_has_to_be_wanted() {
    let home = Home::new();
    let refused = home.run(&["share", "--listen", "0.0.0.0:0", "--json"]).expect(2);
    assert_eq!(refused.error_code(), "clear-text");
    let service = Service::start(&[]);
    let taken = home.run(&["share", "--listen", &service.address.to_string(), "--json"]).expect(4);
    assert_eq!(taken.error_code(), "listen");
}

/// Answers each connection with one text, as JSON with the status 200.
fn impostor(answer: &'static str) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
            // What it sends is read, so that the answer isn't lost with the connection.
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    url
}

#[test]
fn an_answer_without_a_code_is_no_code() {
    let home = Home::new();
    for answer in [
        "{}",
        r#"{"device":"x","code":null}"#,
        r#"{"device":"x","code":123456}"#,
        r#"{"device":"x","code":""}"#,
        r#"{"device":"x","code":"$(reboot)"}"#,
        r#"{"device":"x","code":"123456 "}"#,
        r#"{"error":{}}"#,
        r#"{"devices":{"name":"x"}}"#,
        r#"{"devices":[1]}"#,
    ] {
        let url = impostor(answer);
        for arguments in [
            vec!["code", "x", "--fresh", "--json"],
            vec!["pair", "x", "--json"],
            vec!["release", "x", "--claim", "0123456789abcdef", "--json"],
            vec!["list", "--json"],
        ] {
            let told = worker(&home, &url, "vmfa_x", &arguments).expect(4);
            assert_eq!((told.error_code().as_str(), told.stdout.as_str()), ("server-answer", ""), "{answer}");
        }
    }
}

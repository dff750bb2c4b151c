//! The way into a database: where the password comes from, which it never comes from, and what protects it on the way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::Machine;
use crate::support::postgres::{OWNER, PASSWORD, Server};
use crate::support::{Home, Run, run, tool};

fn with(home: &Home, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let run = run(home.command().args(arguments).envs(variables.iter().copied()), b"");
    assert!(!run.stdout.contains(PASSWORD) && !run.stderr.contains(PASSWORD), "{run:#?}");
    run
}

#[test]
fn the_password_comes_from_the_environment_or_a_file_and_never_from_arguments() {
    let server = Server::start("");
    let machine = Machine::first(&server);
    let (home, url) = (&machine.home, machine.url.as_str());
    let database = url.rsplit('/').next().unwrap();
    let secret_url = server.url(database);
    with(home, &["list"], &[("PGPASSWORD", PASSWORD)]).expect(0);
    with(home, &["list"], &[("VMFA_REGISTRY", &secret_url)]).expect(0);
    let line = format!("127.0.0.1:{}:{database}:{OWNER}:{PASSWORD}\n", server.port());
    let file = home.file("pgpass", line);
    let named = [("PGPASSFILE", file.to_str().unwrap())];
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(with(home, &["list", "--json"], &named).expect(3).error_code(), "registry-credentials");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    with(home, &["list"], &named).expect(0);
    fs::rename(&file, home.path().join(".pgpass")).unwrap();
    with(home, &["list"], &[("HOME", home.path().to_str().unwrap())]).expect(0);
    // No password, and a wrong one.
    for variables in [[].as_slice(), &[("PGPASSWORD", "wrong")]] {
        let refused = with(home, &["list", "--json"], variables).expect(3);
        assert_eq!(refused.error_code(), "registry-refused");
        assert!(refused.stderr.contains("PGPASSWORD") && !refused.stderr.contains("wrong"), "{refused:#?}");
    }
    for arguments in [["list", "--registry", &secret_url], ["init", "--registry", &secret_url]] {
        assert_eq!(
            with(home, &[arguments.as_slice(), &["--json"]].concat(), &[]).expect(2).error_code(),
            "secret-in-argv"
        );
    }
    // A name that was mistyped, and something else.
    for (url, code) in [("postgres://h/d?sslmod=x", "registry-url"), ("mysql://h", "registry-url")] {
        assert_eq!(with(home, &["list", "--json", "--registry", url], &[]).expect(2).error_code(), code);
    }
    // By the socket, as itself.
    let by_socket = {
        let directory = server.sockets().to_str().unwrap().replace('/', "%2F");
        format!("postgres://{OWNER}@{directory}:{}/{database}", server.port())
    };
    with(home, &["list", "--registry", &by_socket], &[("PGPASSWORD", PASSWORD)]).expect(0);
}

/// Certificates are verified, names included; and another machine is never reached in clear text unless that is said.
#[test]
fn a_server_elsewhere_is_reached_by_tls_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let certify = |name: &str, host: &str| {
        let mut openssl = tool("openssl", "openssl");
        openssl.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ]);
        openssl.args(["-subj", "/CN=test", "-addext", &format!("subjectAltName=DNS:{host}")]);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        let made =
            openssl.args(["-keyout", &path(&format!("{name}.key")), "-out", &path(&format!("{name}.pem"))]).output();
        assert!(made.unwrap().status.success());
    };
    certify("server", "localhost");
    certify("other", "localhost");
    let server = Server::start("");
    let machine = Machine::first(&server);
    let (home, database) = (&machine.home, machine.url.rsplit('/').next().unwrap());
    let variables = [("PGPASSWORD", PASSWORD)];
    let list = |url: &str| with(home, &["list", "--json", "--registry", url], &variables);
    let at =
        |host: &str, parameters: &str| format!("postgres://{OWNER}@{host}:{}/{database}?{parameters}", server.port());
    let refused = list(&at("localhost", "sslmode=require")).expect(3);
    assert!(refused.error_code() == "registry-refused" && refused.stderr.contains("no TLS"), "{refused:#?}");
    server.protect(&path("server.pem"), &path("server.key"));
    let trusting = |name: &str| format!("sslmode=verify-full&sslrootcert={}", path(name));
    list(&at("localhost", &trusting("server.pem"))).expect(0);
    let refusals = [
        at("localhost", &trusting("other.pem")),
        at("127.0.0.1", &trusting("server.pem")),
        at("localhost", "sslmode=require"),
    ];
    for url in refusals {
        let refused = list(&url).expect(3);
        assert!(refused.error_code() == "registry-refused" && refused.stderr.contains("certificate"), "{refused:#?}");
    }
    let elsewhere = format!("postgres://{OWNER}@db.invalid/{database}?sslmode=disable");
    assert_eq!(list(&elsewhere).expect(2).error_code(), "registry-clear-text");
}

//! The description of the server against the server: schemathesis, from PyPI, makes requests of what `openapi.json` says.

use std::process::Command;

use super::service::Service;
use crate::serve::socket::Server;

#[test]
fn it_answers_as_it_is_described() {
    // Virtual time is moved for those who wait.
    let stand_in = Server::start(&["--time", "virtual=2030-01-01T00:00:00Z"]);
    let service = Service::start(&["--rate", "100000", "--clock", stand_in.endpoint(), "--jump"]);
    let program = crate::support::installed("schemathesis");
    let mut command = Command::new(program);
    command.args(["run", &format!("{}/v1/openapi.json", service.url()), "--url", &service.url()]);
    command.args(["--header", &format!("Authorization: Bearer {}", service.token), "--no-color"]);
    command.args(["--max-examples", "40", "--seed", "7", "--phases", "examples,coverage,fuzzing"]);
    // A token isn't told from its absence by what is described: both are strings.
    command.current_dir(service.home.path()).env("PYTHONDONTWRITEBYTECODE", "1").env("HOME", service.home.path());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(!service.said().contains("panicked"), "{}", service.said());
}

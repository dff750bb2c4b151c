//! What a message says is the way out.

use std::fs;

use crate::serve::socket::Server;
use crate::support::{Home, Run, run, vector};

/// A user who may manage a device of the user's own name, and whose keys the home's profile `base` has.
fn alice() -> (Server, Home) {
    let home = Home::new();
    let policy = vector("iam/own-mfa-device.json");
    let scenario = home.file(
        "scenario.toml",
        format!("[[policy]]\nname = \"P\"\ndocument = {policy:?}\n\n[[user]]\nname = \"alice\"\npolicies = [\"P\"]\naccess_key = true\n"),
    );
    let server = Server::start(&["--time", "virtual", "--scenario", scenario.to_str().unwrap()]);
    let keys = &server.ready["users"]["alice"];
    let (id, secret) = (keys["access_key_id"].as_str().unwrap(), keys["secret_access_key"].as_str().unwrap());
    let role = "role_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = base\n";
    fs::create_dir_all(home.path().join(".aws")).unwrap();
    let config = format!(
        "[profile base]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\nregion = us-east-1\n\
         mfa_serial = arn:aws:iam::123456789012:mfa/alice\n\
         [profile inherits]\n{role}\n[profile user-arn]\n{role}mfa_serial = arn:aws:iam::123456789012:user/alice\n\
         [profile elsewhere]\n{role}mfa_serial = arn:aws:iam::123456789012:mfa/other\n"
    );
    fs::write(home.path().join(".aws/config"), config).unwrap();
    (server, home)
}

fn vmfa(server: &Server, home: &Home, profile: &str, arguments: &[&str]) -> Run {
    let mut command = home.command();
    command.env("HOME", home.path()).env("AWS_ENDPOINT_URL", server.endpoint()).env("AWS_PROFILE", profile);
    run(command.args(arguments), b"")
}

#[test]
fn another_name_than_the_users_is_told_to_be_what_is_denied() {
    let (server, home) = alice();
    let run = vmfa(&server, &home, "base", &["aws", "enable", "--device-name", "phone", "--jump"]).expect(1);
    let first = run.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap();
    assert!(first.contains("leave --device-name out"), "{run:#?}");
    vmfa(&server, &home, "base", &["aws", "enable", "--jump"]).expect(0);
}

#[test]
fn an_mfa_serial_that_does_not_count_is_told() {
    let (server, home) = alice();
    let run = vmfa(&server, &home, "inherits", &["aws", "status"]);
    assert!(run.code != 0, "{run:#?}");
    assert!(run.stderr.contains("move `mfa_serial` from profile `base` to profile `inherits`"), "{run:#?}");
    let run = vmfa(&server, &home, "user-arn", &["aws", "status"]).expect(1);
    assert!(
        run.stderr.contains("the ARN of an identity, not of an MFA device") && run.stderr.contains(":mfa/"),
        "{run:#?}"
    );
    let run = vmfa(&server, &home, "elsewhere", &["aws", "status"]).expect(1);
    assert!(
        run.stderr.contains("no device here has the serial number") && run.stderr.contains("`elsewhere`"),
        "{run:#?}"
    );
}

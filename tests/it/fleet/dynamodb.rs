//! One registry in DynamoDB for many machines: the commands over it, where the keys come from, what an engine or a network that
//! fails does to workers, and what its files have.

use super::many::leased;
use super::shared::shared_by_machines;
use super::{Machine, copied_and_back, every_command};
use crate::support::dynamodb::{ENGINES, Engine, KEY_ID, SECRET, Server};
use crate::support::{Home, Run, SEED, run, set_clock};

#[test]
fn every_command_works_over_a_table_and_none_makes_a_file() {
    for engine in ENGINES {
        let server = Server::start(engine);
        every_command(&Machine::making(server.url()));
    }
}

#[test]
fn a_registry_is_copied_to_a_table_and_back() {
    for engine in ENGINES {
        let server = Server::start(engine);
        copied_and_back(&Machine::making(server.url()));
    }
}

/// Workers whose clocks are off, even by more than a day, agree on the step by the date that the engine's answers have; and
/// whatever their clocks say, none gets what another has.
#[test]
fn workers_with_wrong_clocks_agree_by_that_of_the_table() {
    let server = Server::start(Engine::Dynoxide);
    let machine = Machine::making(server.url());
    machine.run_with(&["add", "x", "-", "--no-code"], SEED.as_bytes()).expect(0);
    let at_clock = |ahead: i64, arguments: &[&str]| {
        let mut command = machine.command();
        set_clock(&mut command, ahead);
        run(command.args(arguments), b"").expect(0).json()
    };
    let seconds = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for ahead in [60, -60, 0, 90_000] {
        // Dates are exact to a second.
        let first = (seconds() - 1) / 30;
        let code = at_clock(ahead, &["code", "x", "--clock", "registry", "--json"]);
        let step = code["codes"][0]["step"].as_u64().or(code["step"].as_u64()).unwrap();
        assert!((first..=(seconds() + 1) / 30).contains(&step), "{ahead} s ahead: step {step}");
    }
    let mut seen = std::collections::BTreeSet::new();
    for (ahead, clock) in
        [(60, "registry"), (-60, "registry"), (60, "system"), (-60, "system"), (0, "system"), (0, "registry")]
    {
        let code = at_clock(ahead, &["code", "x", "--fresh", "--window", "9", "--clock", clock, "--json"]);
        assert!(seen.insert(code["step"].as_u64().unwrap()), "{ahead} s ahead, by {clock}");
    }
}

/// `VMFA_FLEET=32x100` is the long one.
#[test]
fn nothing_is_handed_out_twice_whatever_becomes_of_engine_and_connections() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let first = Machine::making(server.url());
        let interrupt = || {
            server.kill();
            server.go_on();
        };
        let written = || {
            let items = server.items(&first.url);
            let is_taken = |item: &&serde_json::Value| {
                item["sk"]["S"].as_str().unwrap().starts_with("claimed:") && item["released"]["BOOL"] == false
            };
            items.iter().filter(is_taken).count()
        };
        leased(&first, server.port(), &interrupt, &written);
    }
}

fn with(home: &Home, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let run = run(home.command().args(arguments).envs(variables.iter().copied()), b"");
    assert!(!run.stdout.contains(SECRET) && !run.stderr.contains(SECRET), "{run:#?}");
    run
}

#[test]
fn the_keys_come_from_the_environment_or_a_profile_and_never_from_the_url() {
    let server = Server::start(Engine::Dynoxide);
    let machine = Machine::making(server.url());
    let (home, url) = (&machine.home, machine.url.as_str());
    let keys = [("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    with(home, &["list"], &keys).expect(0);
    let file =
        home.file("credentials", format!("[ci]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"));
    let file = ("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap());
    with(home, &["list"], &[file, ("AWS_PROFILE", "ci")]).expect(0);
    with(home, &["list", "--registry", &format!("{url}&profile=ci")], &[file]).expect(0);
    assert_eq!(with(home, &["list", "--json"], &[]).expect(2).error_code(), "aws-no-credentials");
    let (table, rest) = url.strip_prefix("dynamodb://").unwrap().split_once('?').unwrap();
    let secret_url = format!("dynamodb://{KEY_ID}:{SECRET}@{table}?{rest}");
    for command in ["list", "init"] {
        let refused = with(home, &[command, "--json", "--registry", &secret_url], &keys).expect(2);
        assert_eq!(refused.error_code(), "secret-in-argv");
    }
    let in_variable = [&keys[..], &[("VMFA_REGISTRY", secret_url.as_str())]].concat();
    assert_eq!(with(home, &["list", "--json"], &in_variable).expect(2).error_code(), "registry-url");
    // Where the table is comes from AWS's own settings too.
    let endpoint = format!("http://127.0.0.1:{}", server.port());
    let bare = format!("dynamodb://{table}");
    let of_aws = |name| [&keys[..], &[(name, endpoint.as_str()), ("AWS_REGION", "eu-central-1")]].concat();
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"] {
        with(home, &["list", "--registry", &bare], &of_aws(name)).expect(0);
    }
    for (url, code) in [
        (bare.as_str(), "registry-url"),
        ("dynamodb://vmfa?zone=x", "registry-url"),
        ("dynamodb://x", "registry-url"),
        ("dynamodb://vmfa?region=eu-central-1&endpoint=http://192.0.2.7", "registry-clear-text"),
    ] {
        let refused = with(home, &["list", "--json", "--registry", url], &keys).expect(2);
        assert_eq!(refused.error_code(), code, "{url}");
    }
    // A table that isn't there.
    let missing = format!("dynamodb://nowhere?{rest}");
    assert_eq!(
        with(home, &["list", "--json", "--registry", &missing], &keys).expect(3).error_code(),
        "registry-missing"
    );
}

/// And no file of the engine has a secret.
#[test]
fn machines_with_nothing_but_the_address_and_an_identity_share_devices() {
    for engine in ENGINES {
        let server = Server::start(engine);
        shared_by_machines(&server.url(), &server.data());
    }
}

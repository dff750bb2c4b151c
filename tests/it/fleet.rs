//! One registry for many machines: the commands over a database, how its password comes in, and what a server or a network
//! that fails does to workers.

#[cfg(feature = "dynamodb")]
mod dynamodb;
mod many;
#[cfg(feature = "dynamodb")]
mod permissions;
mod shared;
mod way;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::postgres::{PASSWORD, Server};
use crate::support::{Home, Run, SEED, run, set_clock};

/// A machine: a home of its own, and the registry that it shares.
pub struct Machine {
    pub home: Home,
    pub url: String,
}

impl Machine {
    /// The first machine of a database, which makes the registry.
    pub fn first(server: &Server) -> Self {
        Self::making(server.open_url(&server.database()))
    }

    /// The first machine of a registry that isn't there yet.
    pub fn making(url: String) -> Self {
        let machine = Self { home: Home::new(), url };
        machine.run(&["init", "--registry", &machine.url]).expect(0);
        machine
    }

    /// Another one with the same vault and configuration.
    pub fn another(&self) -> Self {
        let home = Home::new();
        fs::copy(self.home.identity(), home.identity()).unwrap();
        copy(&self.home.path().join("home"), &home.path().join("home"));
        Self { home, url: self.url.clone() }
    }

    pub fn command(&self) -> Command {
        let mut command = self.home.command();
        give_keys(&mut command);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, b"")
    }

    /// Whatever it does, it shows no password.
    pub fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Run {
        let run = run(self.command().args(arguments), stdin);
        assert!(!run.stdout.contains("hunter2") && !run.stderr.contains("hunter2"), "{run:#?}");
        run
    }
}

/// Gives a program what gets it into every registry of these tests.
fn give_keys(command: &mut Command) {
    command.env("PGPASSWORD", PASSWORD);
    #[cfg(feature = "dynamodb")]
    {
        use crate::support::dynamodb::{KEY_ID, SECRET};
        command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.as_ref().unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

#[test]
fn every_command_works_over_a_database_and_none_makes_a_file() {
    let server = Server::start("");
    every_command(&Machine::first(&server));
}

/// The commands over a registry that is elsewhere, and that is new.
pub fn every_command(machine: &Machine) {
    let none = machine.run(&["code", "ci/1"]).expect(1);
    let scheme = machine.url.split("://").next().unwrap();
    assert!(none.stderr.contains(&format!("looked for in {scheme}://")), "{none:#?}");
    let uri = |name: &str| format!("otpauth://totp/{name}?secret={SEED}&algorithm=SHA1");
    for name in ["ci/1", "ci/2"] {
        let uri = uri(name).replace(SEED, if name == "ci/1" { SEED } else { "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" });
        machine.run_with(&["add", name, "-", "--no-code"], uri.as_bytes()).expect(0);
    }
    machine
        .run_with(&["add", "count", "-", "--no-code"], format!("otpauth://hotp/c?secret={SEED}&counter=0").as_bytes())
        .expect(0);
    let at = ["--at", "2026-11-21T12:00:00Z"];
    let first = machine.run(&[&["code", "ci/1", "--fresh", "--json"], at.as_slice()].concat()).expect(0).json();
    // The first code made the key that fingerprints are made with, and a copy of the vault has it.
    let other = machine.another();
    // What one machine has, no other gets.
    assert_eq!(
        other.run(&[&["code", "ci/1", "--fresh", "--json"], at.as_slice()].concat()).expect(1).error_code(),
        "no-free-step"
    );
    let pool = other.run(&[&["code", "ci/*", "--fresh", "--json"], at.as_slice()].concat()).expect(0).json();
    assert_eq!(pool["device"], "ci/2");
    let claim = first["claim"].as_str().unwrap();
    other.run(&["release", "ci/1", "--claim", claim]).expect(0);
    let again = machine.run(&[&["code", "ci/1", "--fresh", "--json"], at.as_slice()].concat()).expect(0).json();
    assert_eq!((&again["code"], &again["step"]), (&first["code"], &first["step"]));
    assert_eq!(machine.run(&["code", "count"]).expect(0).stdout, "755224\n");
    assert_eq!(other.run(&["code", "count"]).expect(0).stdout, "287082\n");
    // A pair is newer than the code that was given.
    machine.run(&["pair", "ci/2", "--json", "--at", "2026-11-21T12:05:00Z"]).expect(0);
    machine.run(&["rename", "ci/2", "ci/two"]).expect(0);
    other.run(&["edit", "ci/two", "--note", "on the shelf"]).expect(0);
    other.run(&["drift", "ci/two", "--set", "90"]).expect(0);
    let listed = other.run(&["list", "--json"]).expect(0).json();
    let names: Vec<&str> = listed["devices"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ci/1", "ci/two", "count"]);
    assert_eq!(machine.run(&["show", "ci/two", "--json"]).expect(0).json()["note"], "on the shelf");
    machine.run(&["verify", "ci/1", first["code"].as_str().unwrap(), at[0], at[1]]).expect(0);
    machine.run(&["remove", "ci/two", "--yes"]).expect(0);
    machine.run(&["trash", "restore", "ci/two"]).expect(0);
    let recipient = vmfa::vault::age::generate().1;
    machine.run(&["backup", "all.age", "-r", &recipient]).expect(0);
    let fleet = machine.run(&["doctor", "--fleet", "--json"]).json();
    let told = |what: &str| {
        let check = fleet["checks"].as_array().unwrap().iter().find(|check| check["what"] == what).unwrap();
        check["detail"].as_str().unwrap().to_owned()
    };
    assert!(told("fleet").contains(" of 2 devices used in the last 10 minutes"), "{fleet}");
    assert!(told("fleet clock").contains("the registry's (± "), "{fleet}");
    let doctor = machine.run(&["doctor", "--json"]);
    let checks = doctor.json();
    let registry = checks["checks"].as_array().unwrap().iter().find(|check| check["what"] == "registry").unwrap();
    assert_eq!(registry["status"], "ok");
    assert!(registry["detail"].as_str().unwrap().ends_with("3 devices"), "{registry}");
    machine.run(&["doctor", "--restored", "--json"]);
    assert_eq!(
        other.run(&[&["code", "ci/two", "--fresh", "--json"], at.as_slice()].concat()).expect(1).error_code(),
        "no-free-step"
    );
    for machine in [machine, &other] {
        assert!(!machine.home.path().join("home/registry.sqlite3").exists());
        let config = fs::read_to_string(machine.home.path().join("home/config.toml")).unwrap();
        assert!(config.contains(&format!("registry = \"{}\"", machine.url)) && !config.contains(PASSWORD), "{config}");
    }
    // The file in the home is still a choice.
    assert_eq!(
        machine.run(&["list", "--registry", "file", "--json"]).expect(0).json()["devices"],
        serde_json::json!([])
    );
    machine.run(&["init", "--registry", "file"]).expect(0);
    assert!(!fs::read_to_string(machine.home.path().join("home/config.toml")).unwrap().contains("registry"));
}

/// What is granted to somebody who only leases is enough for it, and for nothing else.
#[test]
fn a_role_that_only_leases_can_do_that_alone() {
    let server = Server::start("");
    let machine = Machine::first(&server);
    machine.run_with(&["add", "x", "-", "--no-code"], format!("otpauth://totp/x?secret={SEED}").as_bytes()).expect(0);
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/postgres.md")).unwrap();
    let grants = text.split("```sql\n").nth(2).unwrap().split("```").next().unwrap();
    server.sql("postgres", &format!("CREATE ROLE leaser LOGIN PASSWORD '{PASSWORD}'"));
    server.sql(machine.url.rsplit('/').next().unwrap(), grants);
    let url = machine.url.replace("postgres@", "leaser@");
    let leaser = |arguments: &[&str]| run(machine.command().args(arguments).env("VMFA_REGISTRY", &url), b"");
    leaser(&["code", "x", "--fresh", "--window"]).expect(0);
    leaser(&["code", "x", "--fresh", "--window"]).expect(0);
    leaser(&["list"]).expect(0);
    for refused in [["rename", "x", "y"], ["remove", "x", "--yes"]] {
        let run = leaser(&[refused.as_slice(), &["--json"]].concat()).expect(3);
        assert_eq!(run.error_code(), "registry-refused");
    }
    leaser(&["code", "x", "--fresh", "--window"]).expect(0);
}

/// Workers whose clocks are a minute off, each way, agree on the step by the registry's clock; and whatever their clocks say,
/// none gets what another has.
#[test]
fn workers_with_wrong_clocks_agree_by_that_of_the_registry() {
    let server = Server::start("");
    let machine = Machine::first(&server);
    machine.run_with(&["add", "x", "-", "--no-code"], format!("otpauth://totp/x?secret={SEED}").as_bytes()).expect(0);
    let now =
        || server.sql("postgres", "SELECT floor(extract(epoch FROM clock_timestamp()) / 30)").parse::<u64>().unwrap();
    let at_clock = |ahead: i64, arguments: &[&str]| {
        let mut command = machine.command();
        set_clock(&mut command, ahead);
        run(command.args(arguments), b"")
    };
    let first = now();
    for ahead in [60, -60, 0, 90_000] {
        let code = at_clock(ahead, &["code", "x", "--clock", "registry", "--json"]).expect(0).json();
        let step = code["codes"][0]["step"].as_u64().or(code["step"].as_u64()).unwrap();
        assert!((first..=now()).contains(&step), "{ahead} s ahead: step {step}");
    }
    let mut seen = std::collections::BTreeSet::new();
    for (ahead, clock) in
        [(60, "registry"), (-60, "registry"), (60, "system"), (-60, "system"), (0, "system"), (0, "registry")]
    {
        let run = at_clock(ahead, &["code", "x", "--fresh", "--window", "9", "--clock", clock, "--json"]).expect(0);
        assert!(seen.insert(run.json()["step"].as_u64().unwrap()), "{ahead} s ahead, by {clock}");
    }
}

#[test]
fn a_registry_is_copied_to_a_database_and_back() {
    let server = Server::start("");
    copied_and_back(&Machine::first(&server));
}

/// A file that is copied to a new registry, and back.
pub fn copied_and_back(machine: &Machine) {
    const AT: [&str; 2] = ["--at", "2026-11-21T12:00:00Z"];
    let file = |arguments: &[&str]| machine.run(&[arguments, &["--registry", "file"]].concat());
    let add = |name: &str, source: String| {
        machine.run_with(&["add", name, "-", "--no-code", "--registry", "file"], source.as_bytes()).expect(0);
    };
    add("x", SEED.to_owned());
    add("y", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".to_owned());
    add("count", format!("otpauth://hotp/c?secret={SEED}&counter=0"));
    add("gone", "KRSXG5BAONSWG4TFOQQHG33NMV2GQ2LO".to_owned());
    file(&["code", "x", "--fresh", AT[0], AT[1]]).expect(0);
    file(&["pair", "y", AT[0], AT[1]]).expect(0);
    assert_eq!(file(&["code", "count"]).expect(0).stdout, "755224\n");
    file(&["edit", "y", "--note", "on the shelf"]).expect(0);
    file(&["remove", "gone"]).expect(0);
    let copy = ["registry", "copy", "--from", "file", "--to", &machine.url, "--json"];
    let copied = machine.run(&copy).expect(0).json();
    assert_eq!((&copied["devices"], &copied["there"], &copied["verified"]), (&4.into(), &0.into(), &true.into()));
    // Given again, it takes over what is new.
    file(&["rename", "y", "why"]).expect(0);
    file(&["code", "why", "--fresh", "--at", "2026-11-21T12:10:00Z"]).expect(0);
    let copied = machine.run(&copy).expect(0).json();
    assert_eq!((&copied["devices"], &copied["there"]), (&0.into(), &4.into()));
    let listed = machine.run(&["list", "--json"]).expect(0).json();
    let names: Vec<&str> = listed["devices"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["count", "why", "x"]);
    assert_eq!(machine.run(&["show", "why", "--json"]).expect(0).json()["note"], "on the shelf");
    let refused = |arguments: &[&str]| machine.run(&[arguments, &["--json"]].concat()).expect(1).error_code();
    assert_eq!(refused(&["code", "x", "--fresh", AT[0], AT[1]]), "no-free-step");
    assert_eq!(refused(&["code", "why", "--fresh", "--at", "2026-11-21T12:10:00Z"]), "no-free-step");
    assert_eq!(refused(&["pair", "why", AT[0], AT[1]]), "no-pair-yet");
    assert_eq!(machine.run(&["code", "count"]).expect(0).stdout, "287082\n");
    machine.run(&["trash", "restore", "gone"]).expect(0);
    // And back: the file learns what was given since.
    let later = ["code", "x", "--fresh", "--at", "2026-11-21T13:00:00Z"];
    machine.run(&later).expect(0);
    machine.run(&["registry", "copy", "--from", &machine.url, "--to", "file"]).expect(0);
    assert_eq!(file(&[&later[..], &["--json"]].concat()).expect(1).error_code(), "no-free-step");
    assert_eq!(file(&["code", "count"]).expect(0).stdout, "359152\n");
    file(&["show", "gone"]).expect(0);
    for (from, to) in [("file", "file"), (machine.url.as_str(), machine.url.as_str())] {
        machine.run(&["registry", "copy", "--from", from, "--to", to]).expect(2);
    }
}

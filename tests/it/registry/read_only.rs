//! A home that can't be written: what works there, and what is told where nothing does.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::files::in_the_way::{device, under};
use crate::support::{Home, Run, SEED, run, tool};

const READ_ONLY: &str = r#"mount --bind home home; mount -o remount,bind,ro home; exec "$@""#;

/// The program over a home that is mounted read-only.
fn read_only(home: &Home, arguments: &[&str]) -> Run {
    under(home, READ_ONLY, arguments)
}

#[test]
fn a_read_only_file_system_can_be_read() {
    let home = device();
    // Without a write-ahead log, and with one that isn't in the main file yet.
    for with_log in [false, true] {
        assert_eq!(home.path().join("home/registry.sqlite3-wal").exists(), with_log);
        let list = read_only(&home, &["list", "--json"]).expect(0);
        assert_eq!(list.json()["devices"][0]["name"], "x", "{list:#?}");
        read_only(&home, &["show", "x"]).expect(0);
        let code = read_only(&home, &["code", "x", "--at", "59"]).expect(0);
        assert_eq!(code.stdout, "287082\n");
        assert!(code.stderr.contains("may be handed out again"), "{code:#?}");
        // Whether something was remembered of it or not.
        let dry = read_only(&home, &["verify", "x", "287082", "--at", "59", "--dry-run"]).expect(0);
        assert!(dry.stdout.starts_with("accepted"), "{dry:#?}");
        home.run(&["code", "x", "--at", "1000"]).expect(0);
    }
}

#[test]
fn what_has_to_be_written_down_is_refused_with_a_way_out_that_fits() {
    let home = device();
    let codes = [&["code", "x"][..], &["code", "x", "--fresh"], &["pair", "x"], &["release", "x", "123456"]];
    let changes = [
        &["rename", "x", "y"][..],
        &["remove", "x", "--yes"],
        &["drift", "x", "--set", "5"],
        &["verify", "x", "287082", "--at", "59"],
        &["verify", "x", "--reset"],
        &["add", "y", "/dev/null"],
    ];
    for arguments in [&codes[..], &changes].concat() {
        let source = home.file("source", SEED);
        let arguments: Vec<&str> =
            arguments.iter().map(|word| if *word == "/dev/null" { source.to_str().unwrap() } else { word }).collect();
        let refused = read_only(&home, &[&arguments[..], &["--json"]].concat()).expect(3);
        assert_eq!(refused.error_code(), "registry-read-only", "{arguments:?}: {refused:#?}");
        assert!(refused.stderr.contains("VMFA_HOME") && refused.stdout.is_empty(), "{arguments:?}: {refused:#?}");
        assert!(!refused.stderr.contains("written down before"), "{arguments:?}: {refused:#?}");
    }
    let refused = read_only(&home, &["verify", "x", "287082", "--at", "59"]).expect(3);
    assert!(refused.stderr.contains("--dry-run"), "{refused:#?}");
}

#[test]
fn doctor_says_of_each_place_that_it_cannot_be_written() {
    let home = device();
    let report = read_only(&home, &["doctor", "--restored", "--json"]).expect(3).json();
    for what in ["registry", "vault age", "restored"] {
        let check = report["checks"].as_array().unwrap().iter().find(|check| check["what"] == what).unwrap();
        assert_eq!(check["status"], "broken", "{check}");
        assert!(
            check["detail"].as_str().unwrap().contains("can't be written: it is on a read-only file system"),
            "{check}"
        );
        assert!(check["mend"].to_string().contains("VMFA_HOME"), "{check}");
    }
}

#[test]
fn init_says_what_cannot_be_written_and_a_way_out() {
    let home = device();
    let refused = read_only(&home, &["init", "--vault", "age"]).expect(3);
    assert!(refused.stderr.contains("can't be written: it is on a read-only file system"), "{refused:#?}");
    assert!(refused.stderr.contains("VMFA_HOME") && !refused.stderr.contains("os error"), "{refused:#?}");
}

#[test]
fn an_empty_home_that_cannot_be_written_is_looked_at_and_not_recommended_to_be_read() {
    let home = Home::new();
    std::fs::create_dir(home.path().join("home")).unwrap();
    for (arguments, code) in [(&["list"][..], 0), (&["show", "x"], 1), (&["code", "x", "--at", "59"], 1)] {
        let looked = read_only(&home, arguments).expect(code);
        assert!(looked.stderr.contains("there are no devices yet"), "{looked:#?}");
    }
    let refused = read_only(&home, &["add", "x", "-"]).expect(3);
    assert!(refused.stderr.contains("VMFA_HOME") && !refused.stderr.contains("vmfa list"), "{refused:#?}");
    let doctor = read_only(&home, &["doctor"]).expect(3);
    assert!(doctor.stdout.contains("BAD  registry"), "{doctor:#?}");
}

/// A user who is nobody, without any variables but these.
fn nobody(home: &Home, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = home.path().join("vmfa");
    std::fs::copy(env!("CARGO_BIN_EXE_vmfa"), &program).unwrap();
    // Who isn't root can be nobody else, and has no more permissions.
    let mut command = if rustix::process::getuid().is_root() {
        let mut command = tool("setpriv", "util-linux");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        command
    } else {
        Command::new(&program)
    };
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    run(command.envs(variables.iter().copied()), b"")
}

#[test]
fn a_home_that_is_not_there_is_told() {
    let home = Home::new();
    for arguments in [&["list", "--json"][..], &["init", "--vault", "keyring", "--json"]] {
        let refused = nobody(&home, &[("HOME", "/proc/nowhere")], arguments).expect(3);
        assert_eq!(refused.error_code(), "no-home", "{refused:#?}");
        assert!(refused.stderr.contains("/proc/nowhere doesn't exist"), "{refused:#?}");
    }
}

#[test]
fn a_configuration_of_another_user_is_told() {
    let home = device();
    home.run(&["init", "--vault", "age"]).expect(0);
    let place = home.path().join("home");
    std::fs::set_permissions(place.join("config.toml"), std::fs::Permissions::from_mode(0o000)).unwrap();
    let refused = nobody(&home, &[("VMFA_HOME", place.to_str().unwrap())], &["list", "--json"]).expect(3);
    assert_eq!(refused.error_code(), "config", "{refused:#?}");
    assert!(refused.stderr.contains("belongs to another user"), "{refused:#?}");
}

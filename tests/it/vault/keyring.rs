//! The OS keyring, with a real GNOME Keyring on a bus of its own.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use vmfa::vault::keyring::{Keyring, Options};
use vmfa::vault::{Error, Id, Label, Vault};
use zeroize::Zeroizing;

use super::{STAGE, conformance, item, uri_of};
use crate::support::desktop::Desktop;
use crate::support::{again, output};

const WRITERS: usize = 20;
const WRITES: usize = 50;

fn keyring(prompt: bool, seconds: u64) -> Keyring {
    Keyring::new(Options { limit: Duration::from_secs(seconds), prompt })
}

/// A scene, played in a desktop: the bus is found by the environment, which threads of one process share.
fn scene(desktop: &Desktop, scene: &str, arguments: &[&str]) -> Command {
    let mut command = again::command(STAGE, scene, arguments);
    desktop.enter(&mut command);
    command
}

fn play_in(desktop: &Desktop, name: &str, arguments: &[&str]) -> Vec<String> {
    again::play(scene(desktop, name, arguments))
}

pub fn play(scene: &str, arguments: &[&str]) -> bool {
    match scene {
        "keyring conforms" => {
            let keyring = keyring(false, 10);
            keyring.warm_up();
            conformance::check(&keyring);
        }
        "keyring put" => put(&keyring(false, 10)),
        "keyring put, then kill it" => {
            let keyring = keyring(false, 10);
            let id = Id::random();
            let item = item("killed", &uri_of(id));
            keyring.put(id, &item).unwrap();
            let pid = Pid::from_raw(arguments[0].parse().unwrap()).unwrap();
            kill_process(pid, Signal::KILL).unwrap();
            again::tell(id);
        }
        "keyring put many" => {
            let keyring = keyring(false, 60);
            for _ in 0..WRITES {
                put(&keyring);
            }
        }
        "keyring get" => {
            let keyring = keyring(false, 10);
            for id in arguments {
                let id: Id = id.parse().unwrap();
                assert_eq!(*keyring.get(id).unwrap(), uri_of(id));
            }
        }
        "keyring own key" => {
            use sha2::{Digest as _, Sha256};
            let key = keyring(false, 30).own_key().unwrap();
            again::tell(Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        }
        "keyring relabel" => {
            let name = arguments[1].parse().unwrap();
            keyring(false, 10).relabel(arguments[0].parse().unwrap(), Label::Device(&name)).unwrap();
        }
        "keyring identity" => {
            let keyring = keyring(false, 10);
            assert!(matches!(keyring.get_identity(), Err(Error::NoIdentity)));
            assert!(matches!(keyring.delete_identity(), Err(Error::NoIdentity)));
            let identity = Zeroizing::new("AGE-SECRET-KEY-1TEST".to_owned());
            keyring.put_identity(&identity).unwrap();
            assert!(matches!(keyring.put_identity(&identity), Err(Error::Identity(_))));
            assert_eq!(keyring.get_identity().unwrap(), identity);
            keyring.delete_identity().unwrap();
            assert!(matches!(keyring.get_identity(), Err(Error::NoIdentity)));
        }
        "keyring outlives its daemon" => {
            let keyring = keyring(false, 10);
            let id: Id = arguments[0].parse().unwrap();
            assert_eq!(*keyring.get(id).unwrap(), uri_of(id));
            let pid = Pid::from_raw(arguments[1].parse().unwrap()).unwrap();
            kill_process(pid, Signal::KILL).unwrap();
            let lost = |error: Error| matches!(error, Error::NoProvider | Error::Keyring(_));
            assert!(lost(keyring.get(id).unwrap_err()));
            assert!(lost(keyring.get(id).unwrap_err()));
            again::tell("lost");
            std::io::stdin().read_line(&mut String::new()).unwrap();
            assert_eq!(*keyring.get(id).unwrap(), uri_of(id));
        }
        "keyring refuses" => {
            let (prompt, seconds) = (arguments[0] == "prompt", arguments[1].parse().unwrap());
            let keyring = keyring(prompt, seconds);
            let id: Id = arguments.get(2).map_or_else(Id::random, |id| id.parse().unwrap());
            let started = Instant::now();
            again::tell(named(keyring.get(id).unwrap_err()));
            again::tell(named(keyring.put(Id::random(), &item("refused", "otpauth://totp/x?secret=MY")).unwrap_err()));
            again::tell(named(keyring.delete(id).unwrap_err()));
            again::tell(keyring.probe().map_or_else(named, |_| "well".to_owned()));
            let taken = started.elapsed();
            // What waits for somebody waits to its limit, four times; all else is told at once.
            let limit = Duration::from_secs(if arguments[0] == "no prompt" { 2 } else { 4 * seconds + 1 });
            assert!(taken < limit, "{taken:?}");
        }
        _ => return false,
    }
    true
}

fn put(keyring: &Keyring) {
    let id = Id::random();
    keyring.put(id, &item("mfauser", &uri_of(id))).unwrap();
    again::tell(id);
}

fn named(error: Error) -> String {
    match error {
        Error::NoBus { .. } => "no bus".to_owned(),
        Error::NoProvider => "no provider".to_owned(),
        Error::NoCollection(_) => "no collection".to_owned(),
        Error::Locked(_) => "locked".to_owned(),
        Error::TimedOut { .. } => "timed out".to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_keyring_conforms() {
    play_in(&Desktop::new(), "keyring conforms", &[]);
}

#[test]
fn an_age_identity_has_its_own_place() {
    play_in(&Desktop::new(), "keyring identity", &[]);
}

#[test]
fn other_programs_find_what_is_stored() {
    let desktop = Desktop::new();
    let id = &play_in(&desktop, "keyring put", &[])[0];
    let secret_tool = |arguments: &[&str]| {
        let mut command = desktop.command("secret-tool");
        output(command.args(arguments).stderr(Stdio::inherit()), "libsecret-tools")
    };
    let uri = uri_of(id.parse().unwrap());
    assert_eq!(secret_tool(&["lookup", "vmfa-id", id]).trim_end(), uri);
    assert_eq!(secret_tool(&["lookup", "application", "vmfa"]).trim_end(), uri);
    let shown = || {
        let mut command = desktop.command("secret-tool");
        command.args(["search", "vmfa-id", id]).stderr(Stdio::piped()).stdout(Stdio::piped());
        let found = crate::support::start(&mut command, "libsecret-tools").wait_with_output().unwrap();
        String::from_utf8([found.stdout, found.stderr].concat()).unwrap()
    };
    let before = shown();
    for line in [
        "label = vmfa: mfauser",
        "attribute.issuer = Amazon Web Services",
        "attribute.account = mfauser@123456789012",
        "attribute.application = vmfa",
    ] {
        assert!(before.contains(line), "{line} in {before}");
    }
    play_in(&desktop, "keyring relabel", &[id, "renamed"]);
    let after = shown();
    assert!(after.contains("label = vmfa: renamed") && after.contains(&uri), "{after}");
}

#[test]
fn items_outlive_the_daemon_even_when_it_is_killed_at_once() {
    let mut desktop = Desktop::new();
    for _ in 0..5 {
        let pid = desktop.keyring_pid().to_string();
        let id = &play_in(&desktop, "keyring put, then kill it", &[&pid])[0];
        desktop.kill_keyring();
        desktop.start_keyring();
        play_in(&desktop, "keyring get", &[id]);
    }
}

#[test]
fn a_session_that_was_lost_is_opened_anew() {
    use std::io::{BufRead, BufReader, Write};
    let mut desktop = Desktop::new();
    let id = &play_in(&desktop, "keyring put", &[])[0];
    let pid = desktop.keyring_pid().to_string();
    let mut command = scene(&desktop, "keyring outlives its daemon", &[id, &pid]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| !again::told(&line.unwrap()).is_empty()));
    desktop.kill_keyring();
    desktop.start_keyring();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert!(child.wait().unwrap().success(), "{rest:#?}");
}

#[test]
fn a_locked_keyring_is_told_at_once_without_a_prompt() {
    let desktop = Desktop::new();
    let id = &play_in(&desktop, "keyring put", &[])[0];
    desktop.lock();
    assert_eq!(play_in(&desktop, "keyring refuses", &["no prompt", "5", id]), ["locked"; 4]);
    assert_eq!(play_in(&desktop, "keyring refuses", &["no prompt", "5"]), ["locked"; 4]);
    assert!(desktop.is_locked());
}

#[test]
fn an_unlock_prompt_that_nobody_answers_ends_in_time() {
    let desktop = Desktop::new();
    let id = &play_in(&desktop, "keyring put", &[])[0];
    desktop.lock();
    let told = play_in(&desktop, "keyring refuses", &["prompt", "1", id]);
    assert!(told.iter().all(|line| line == "locked" || line == "timed out"), "{told:?}");
    assert!(desktop.is_locked());
}

#[test]
fn a_keyring_that_says_nothing_ends_in_time() {
    let desktop = Desktop::new();
    let id = &play_in(&desktop, "keyring put", &[])[0];
    let pid = Pid::from_raw(desktop.keyring_pid().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    assert_eq!(play_in(&desktop, "keyring refuses", &["silence", "1", id]), ["timed out"; 4]);
    kill_process(pid, Signal::CONT).unwrap();
    play_in(&desktop, "keyring get", &[id]);
}

#[test]
fn no_bus_no_provider_and_no_collection_are_told_apart() {
    let mut desktop = Desktop::bare();
    let arguments = &["no prompt", "5"];
    let mut command = scene(&desktop, "keyring refuses", arguments);
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    assert_eq!(again::play(command), ["no bus"; 4]);
    let mut command = scene(&desktop, "keyring refuses", arguments);
    command.env_remove("DBUS_SESSION_BUS_ADDRESS");
    assert_eq!(again::play(command), ["no bus"; 4]);
    assert_eq!(play_in(&desktop, "keyring refuses", arguments), ["no provider"; 4]);
    desktop.start_empty_keyring();
    assert_eq!(play_in(&desktop, "keyring refuses", arguments), ["no collection"; 4]);
}

#[test]
fn twenty_processes_that_make_the_vaults_key_at_once_agree_on_one() {
    let desktop = Desktop::new();
    let makers: Vec<_> = (0..WRITERS).map(|_| scene(&desktop, "keyring own key", &[]).spawn().unwrap()).collect();
    let keys = again::told_by_all(makers);
    assert_eq!(keys.len(), WRITERS);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:#?}");
    assert_eq!(play_in(&desktop, "keyring own key", &[]), keys[..1]);
    let mut command = desktop.command("secret-tool");
    command.args(["search", "--all", "vmfa-id", "vault-key"]).stderr(Stdio::piped()).stdout(Stdio::piped());
    let found = crate::support::start(&mut command, "libsecret-tools").wait_with_output().unwrap();
    assert_eq!(String::from_utf8(found.stdout).unwrap().matches("label = ").count(), 1);
}

#[test]
fn twenty_processes_lose_no_write() {
    let desktop = Desktop::new();
    let writers: Vec<_> = (0..WRITERS).map(|_| scene(&desktop, "keyring put many", &[]).spawn().unwrap()).collect();
    let ids = again::told_by_all(writers);
    assert_eq!(ids.len(), WRITERS * WRITES);
    for ids in ids.chunks(100) {
        play_in(&desktop, "keyring get", &ids.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

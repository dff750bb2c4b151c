//! One suite over the keyrings of Linux desktops: the program without a terminal, as a script runs it.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::STAGE;
use crate::support::asking::AskingKeyring;
use crate::support::desktop::Desktop;
use crate::support::keyrings::{Keyring, asking_keepassxc, closed_kwallet};
use crate::support::{Run, SEED, again, output, run};

/// Its code at Unix time 59 (RFC 6238, appendix B).
const CODE: &str = "287082\n";
const ADDED_AT_ONCE: usize = 20;

fn vmfa(desktop: &Desktop, arguments: &[&str], stdin: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmfa"));
    command.env_clear().env("VMFA_HOME", desktop.home().join("vmfa")).env("VMFA_VAULT", "keyring").args(arguments);
    desktop.enter(&mut command);
    run(&mut command, stdin.as_bytes())
}

/// The suite.
fn check(keyring: Keyring, name: &str) {
    one_after_another(keyring, name);
    many_at_once(keyring);
}

fn add(desktop: &Desktop, name: &str) -> Run {
    vmfa(desktop, &["add", name, "-", "--json"], SEED).expect(0)
}

#[track_caller]
fn gives_its_code(desktop: &Desktop, name: &str) {
    assert_eq!(vmfa(desktop, &["code", name, "--at", "59"], "").expect(0).stdout, CODE);
}

fn one_after_another(keyring: Keyring, provider: &str) {
    let mut desktop = keyring.session();
    let doctor = vmfa(&desktop, &["doctor"], "").expect(0).stdout;
    assert!(doctor.contains(&format!("{provider}, collection `")), "{doctor}");

    let change = |desktop: &Desktop, arguments: &[&str]| {
        vmfa(desktop, arguments, SEED).expect(0);
        keyring.rest(desktop);
    };
    change(&desktop, &["add", "first", "-", "--no-code"]);
    // Makes the vault's own key.
    change(&desktop, &["code", "first"]);
    gives_its_code(&desktop, "first");
    // Into a folder, for a keyring that makes one of what stands before a slash.
    for (from, to) in [("first", "ci/first"), ("ci/first", "again")] {
        change(&desktop, &["rename", from, to]);
        gives_its_code(&desktop, to);
    }
    change(&desktop, &["add", "second", "-"]);
    change(&desktop, &["remove", "second", "--yes"]);

    keyring.stop(&mut desktop);
    keyring.start(&mut desktop);
    gives_its_code(&desktop, "again");
    vmfa(&desktop, &["code", "second"], "").expect(1);
    change(&desktop, &["trash", "restore", "second"]);
    gives_its_code(&desktop, "second");
    change(&desktop, &["add", "third", "-"]);
    vmfa(&desktop, &["doctor"], "").expect(0);

    for name in ["again", "second", "third"] {
        change(&desktop, &["remove", name, "--now", "--yes"]);
    }
    let mut search = desktop.command("secret-tool");
    search.args(["search", "--all", "application", "vmfa"]).stderr(Stdio::null());
    let left = output(&mut search, "libsecret-tools");
    assert!(left.matches("label = ").count() <= 1 && !left.contains("otpauth"), "{left}");
}

fn many_at_once(keyring: Keyring) {
    let mut desktop = keyring.session_for_many();
    let names: Vec<String> = (0..ADDED_AT_ONCE).map(|number| format!("many/{number}")).collect();
    thread::scope(|scope| {
        let desktop = &desktop;
        let adding: Vec<_> = names.iter().map(|name| scope.spawn(move || add(desktop, name))).collect();
        for added in adding {
            let added = added.join().unwrap().json();
            assert!(added["added"][0]["first_code"].is_object(), "{added}");
        }
    });
    if keyring != Keyring::KeePassXc {
        keyring.stop(&mut desktop);
        keyring.start(&mut desktop);
    }
    for name in &names {
        gives_its_code(&desktop, name);
        vmfa(&desktop, &["remove", name, "--now", "--yes"], "").expect(0);
    }
    assert_eq!(vmfa(&desktop, &["list", "--json"], "").expect(0).json()["devices"].as_array().unwrap().len(), 0);

    let mut conforming = again::command(STAGE, "keyring conforms", &[]);
    desktop.enter(&mut conforming);
    again::play(conforming);
}

#[test]
fn gnome_keyring() {
    check(Keyring::Gnome, "GNOME Keyring");
}

#[test]
fn keepassxc() {
    check(Keyring::KeePassXc, "KeePassXC");
}

#[test]
fn kwallet_opened_at_login() {
    check(Keyring::KWallet, "KWallet");
}

#[test]
fn oo7() {
    check(Keyring::Oo7, "oo7-daemon");
}

/// Who waits for a person is told so soon, by name, with a way out that leaves the keyring where it is.
fn refused(desktop: &Desktop, arguments: &[&str], code: &str, name: &str) {
    let started = Instant::now();
    let run = vmfa(desktop, &[arguments, &["--json"]].concat(), SEED).expect(3);
    assert_eq!(run.error_code(), code, "{run:#?}");
    assert!(run.stderr.contains(&format!("the keyring ({name})")), "{run:#?}");
    assert!(!run.stderr.contains("--replace"), "{run:#?}");
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[test]
fn a_wallet_that_needs_its_password_is_locked() {
    let desktop = closed_kwallet();
    refused(&desktop, &["add", "x", "-"], "keyring-locked", "KWallet");
    assert_eq!(vmfa(&desktop, &["list", "--json"], "").expect(0).json()["devices"].as_array().unwrap().len(), 0);
}

#[test]
fn keepassxc_that_asks_before_it_gives_a_secret_is_told_by_name() {
    let desktop = asking_keepassxc();
    vmfa(&desktop, &["add", "x", "-", "--no-code"], SEED).expect(0);
    refused(&desktop, &["code", "x", "--at", "59"], "keyring-locked", "KeePassXC");
    // What needs no secret asks nobody.
    let looked = vmfa(&desktop, &["doctor"], "").expect(0);
    assert!(looked.stdout.contains("1 device"), "{looked:#?}");
}

#[test]
fn what_nobody_confirms_is_neither_stored_nor_deleted() {
    let desktop = Desktop::bare();
    let keyring = AskingKeyring::on(&desktop);
    vmfa(&desktop, &["add", "kept", "-", "--no-code"], SEED).expect(0);
    keyring.ask();
    for (asked, arguments) in [(1, &["add", "x", "-", "--no-code"][..]), (2, &["remove", "kept", "--now", "--yes"])] {
        let started = Instant::now();
        let run = vmfa(&desktop, &[arguments, &["--json"]].concat(), SEED).expect(3);
        assert_eq!(run.error_code(), "keyring-unconfirmed", "{run:#?}");
        assert!(run.stderr.contains("run vmfa in a terminal"), "{run:#?}");
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        assert_eq!((keyring.prompts(), keyring.items()), (asked, 1));
        let devices = vmfa(&desktop, &["list", "--json"], "").expect(0).json();
        assert_eq!((devices["devices"].as_array().unwrap().len(), &devices["devices"][0]["name"]), (1, &"kept".into()));
    }
}

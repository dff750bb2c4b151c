//! What TAB completes: asked as the scripts ask, and in real shells.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use vmfa::registry::sqlite::Sqlite;
use vmfa::registry::{Device, Registry as _, State};
use vmfa::time::Timestamp;

use crate::registry::device;
use crate::support::terminal::Terminal;
use crate::support::{Home, SEED, run, tool};

/// Every sign that a shell may take for itself.
const ODD: &str = r#"it's $(touch ran) a@b:c\d "q" `touch ran`;&|<>{}~#=!"#;

fn registry(home: &Home) -> PathBuf {
    home.path().join("home/registry.sqlite3")
}

/// The devices' secrets are nowhere: no answer needs them.
fn with_devices(names: &[&str]) -> Home {
    let home = Home::new();
    let devices: Vec<Device> = names.iter().map(|name| device(name)).collect();
    Sqlite::open(&registry(&home)).unwrap().insert(&devices).unwrap();
    home
}

/// The answers for the last of some words, each without what it says about it.
#[track_caller]
fn asked(home: &Home, words: &[&str]) -> Vec<String> {
    let mut command = home.command();
    command.env("VMFA_COMPLETE", (words.len() - 1).to_string()).env("HOME", home.path()).arg("--").args(words);
    let run = run(&mut command, b"").expect(0);
    assert_eq!(run.stderr, "");
    run.stdout.lines().map(|line| line.split_once('\t').unwrap().0.to_owned()).collect()
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn devices_are_completed_where_a_command_takes_one() {
    let home = with_devices(&["alice", "alfred", "bob", "ci/one", "ci/two", "lone/some"]);
    for command in [
        "code",
        "pair",
        "verify",
        "drift",
        "release",
        "show",
        "rename",
        "edit",
        "remove",
        "rm",
        "qr",
        "uri",
        "list",
        "ls",
        "aws enable",
        "aws resync",
        "aws disable",
        "aws session",
        "aws exec",
    ] {
        let words: Vec<&str> = ["vmfa"].into_iter().chain(command.split(' ')).chain(["al"]).collect();
        assert_eq!(asked(&home, &words), ["alfred", "alice"], "{command}");
    }
    assert_eq!(asked(&home, &["vmfa", "show", "ci/"]), ["ci/one", "ci/two"]);
    assert_eq!(asked(&home, &["vmfa", "code", "ci/"]), ["ci/*", "ci/one", "ci/two"]);
    assert_eq!(asked(&home, &["vmfa", "list", "bob", "l"]), ["lone/some"], "a pool has more than one device");
    assert_eq!(asked(&home, &["vmfa", "show", ""]), ["alfred", "alice", "bob", "ci/one", "ci/two", "lone/some"]);
    assert!(asked(&home, &["vmfa", "add", "al"]).is_empty(), "a new name");
    for command in ["verify", "drift"] {
        assert_eq!(asked(&home, &["vmfa", command, "--allow-short", "ali"]), ["alice"]);
        for words in [&["alice", ""][..], &["alice", "a"], &["--vault", "age", "alice", ""], &["alice", "123456", ""]] {
            let words = [&["vmfa", command], words].concat();
            assert!(asked(&home, &words).is_empty(), "a code: {words:?}");
        }
        assert_eq!(asked(&home, &["vmfa", command, "alice", "--vault", ""]), ["keyring", "age", "shared"]);
        assert!(asked(&home, &["vmfa", command, "alice", "--al"]).contains(&"--allow-short".to_owned()));
    }
    assert!(asked(&home, &["vmfa", "rename", "alice", "b"]).is_empty(), "a new name");
    let trashed = State::Trashed { since: Timestamp::from_unix(1_800_000_000) };
    let gone = ["alma", "alma", "almost"].map(|name| Device { state: trashed, ..device(name) });
    Sqlite::open(&registry(&home)).unwrap().insert(&gone).unwrap();
    assert_eq!(asked(&home, &["vmfa", "trash", "restore", "al"]), ["alma", "almost"]);
    assert_eq!(asked(&home, &["vmfa", "trash", "empty", "alma", "al"]), ["alma", "almost"]);
    assert_eq!(asked(&home, &["vmfa", "show", "al"]), ["alfred", "alice"], "they are in use");
    assert!(asked(&home, &["vmfa", "show", "al%"]).is_empty());
    assert!(asked(&home, &["vmfa", "show", "AL"]).is_empty());
}

#[test]
fn values_topics_and_files_are_completed() {
    let home = with_devices(&["alice"]);
    assert_eq!(asked(&home, &["vmfa", "list", "--vault", ""]), ["keyring", "age", "shared"]);
    assert_eq!(asked(&home, &["vmfa", "list", "--vault=k"]), ["--vault=keyring"]);
    assert_eq!(asked(&home, &["vmfa", "help", "exi"]), ["exit-codes"]);
    assert_eq!(asked(&home, &["vmfa", "help", "ver"]), ["verify"]);
    assert_eq!(asked(&home, &["vmfa", "--pass"]), ["--passphrase-fd"]);
    // The line without a value.
    for words in [
        ["vmfa", "--identity-file", "x"].as_slice(),
        &["vmfa", "qr", "alice", "--png", "x"],
        &["vmfa", "qr", "alice", "--png=x"],
        &["vmfa", "add", "new", "x"],
        &["vmfa", "code", "--from", "x"],
        &["vmfa", "serve", "--state", ""],
        &["vmfa", "man", "--dir", ""],
        &["vmfa", "aws", "exec", "alice", "--", "cat", "x"],
    ] {
        assert_eq!(asked(&home, words), [""], "{words:?}");
    }
    assert_eq!(asked(&home, &["vmfa", "add", "new", ""]), ["clipboard", "screen", ""]);
}

#[test]
fn profiles_come_from_both_files_of_aws_and_from_nothing_else() {
    let home = with_devices(&[]);
    let profiles = |home: &Home| asked(home, &["vmfa", "aws", "status", "--profile", ""]);
    assert!(profiles(&home).is_empty());
    fs::create_dir(home.path().join(".aws")).unwrap();
    home.file(".aws/config", "[default]\n[profile work]\n[profile 'my own']\n[sso-session x]\nbroken");
    home.file(".aws/credentials", "[other]\naws_secret_access_key = topsecret\n");
    assert_eq!(profiles(&home), ["default", "my own", "other", "work"]);
    assert_eq!(asked(&home, &["vmfa", "aws", "exec", "alice", "--profile=w"]), ["--profile=work"]);
    // A pipe would be waited for.
    fs::remove_file(home.path().join(".aws/credentials")).unwrap();
    let made = Command::new("mkfifo").arg(home.path().join(".aws/credentials")).status().unwrap();
    assert!(made.success());
    assert_eq!(profiles(&home), ["default", "my own", "work"]);
}

#[test]
fn what_cannot_be_read_completes_nothing_and_nothing_is_made() {
    let home = Home::new();
    let show = |home: &Home| asked(home, &["vmfa", "show", ""]);
    let before = files_below(home.path());
    assert!(show(&home).is_empty());
    assert_eq!(files_below(home.path()), before);

    let directory = home.path().join("home");
    fs::create_dir(&directory).unwrap();
    for text in ["", "no registry", "SQLite format 3\0 and nothing else"] {
        fs::write(registry(&home), text).unwrap();
        assert!(show(&home).is_empty());
        assert_eq!(files_below(&directory), [registry(&home)]);
    }
    fs::remove_file(registry(&home)).unwrap();
    assert!(Command::new("mkfifo").arg(registry(&home)).status().unwrap().success());
    assert!(show(&home).is_empty());
    fs::remove_file(registry(&home)).unwrap();
    fs::create_dir(registry(&home)).unwrap();
    assert!(show(&home).is_empty());
    fs::write(directory.join("config.toml"), "no = [config").unwrap();
    assert!(show(&home).is_empty());
}

#[test]
fn questions_that_make_no_sense_have_no_answers() {
    let home = with_devices(&["alice"]);
    let question = |index: &str, arguments: &[&str]| {
        let mut command = home.command();
        command.env("VMFA_COMPLETE", index).args(arguments);
        run(&mut command, b"")
    };
    for (index, words) in [
        ("0", ["--"].as_slice()),
        ("0", &["--", "vmfa"]),
        ("7", &["--", "vmfa", "show"]),
        ("-1", &["--", "vmfa"]),
        ("18446744073709551615", &["--", "vmfa"]),
        ("18446744073709551616", &["--", "vmfa"]),
        ("bash", &["--", "vmfa", "show", "a"]),
    ] {
        let run = question(index, words).expect(0);
        assert_eq!((run.stdout, run.stderr), (String::new(), String::new()), "{index} {words:?}");
    }
    // One that was left in the environment changes nothing.
    assert!(question("2", &["show", "alice"]).expect(0).stdout.contains("alice"));
    assert!(question("2", &[]).expect(2).stderr.contains("Usage"));
}

#[test]
fn the_registry_is_only_read_whatever_others_do_to_it() {
    let home = with_devices(&["alice", "bob"]);
    let show = |home: &Home| asked(home, &["vmfa", "show", ""]);
    let directory = home.path().join("home");
    let before = (files_below(&directory), fs::read(registry(&home)).unwrap());
    assert_eq!(show(&home), ["alice", "bob"]);
    assert_eq!((files_below(&directory), fs::read(registry(&home)).unwrap()), before);

    // Of somebody who may not write, and where nothing can be made.
    fs::set_permissions(registry(&home), fs::Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o500)).unwrap();
    assert_eq!(show(&home), ["alice", "bob"]);
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(registry(&home), fs::Permissions::from_mode(0o600)).unwrap();

    // While another process has it open, with changes in the log alone.
    let open = Sqlite::open(&registry(&home)).unwrap();
    open.insert(&[device("carol")]).unwrap();
    assert_eq!(show(&home), ["alice", "bob", "carol"]);
    // And in the middle of a change.
    let writer = rusqlite::Connection::open(registry(&home)).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM device;").unwrap();
    assert_eq!(show(&home), ["alice", "bob", "carol"]);
    writer.execute_batch("ROLLBACK").unwrap();

    // The same where nobody made the log's index, as in a copy.
    let copy = Home::new();
    let to = copy.path().join("home");
    fs::create_dir(&to).unwrap();
    for name in ["registry.sqlite3", "registry.sqlite3-wal"] {
        fs::copy(directory.join(name), to.join(name)).unwrap();
    }
    let before = files_below(&to);
    let seen = show(&copy);
    assert!(seen.is_empty() || seen == ["alice", "bob", "carol"], "{seen:?}");
    assert_eq!(files_below(&to), before);
}

#[test]
fn of_many_names_the_last_is_there_so_that_no_shell_takes_too_much_for_common() {
    let names: Vec<String> =
        (0..10_000).map(|number| format!("ci/worker-{number:04}")).chain(["ci/x".to_owned()]).collect();
    let home = with_devices(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let found = asked(&home, &["vmfa", "show", "ci/"]);
    assert_eq!(found.len(), 200);
    assert_eq!((found[0].as_str(), found[199].as_str()), ("ci/worker-0000", "ci/x"));
    assert_eq!(asked(&home, &["vmfa", "show", "ci/worker-123"]).len(), 10);
    assert!(asked(&home, &["vmfa", "code", ""]).contains(&"ci/*".to_owned()));
    assert!(asked(&home, &["vmfa", "code", ""]).len() <= 200);
}

/// A home with devices to complete, files, profiles, and `vmfa` where a shell finds it; the script for a shell.
fn for_shell(shell: &str) -> Home {
    let home = Home::new();
    for name in ["alice", "ci/one", "ci/two", ODD, "jane.doe@example.com"] {
        home.add_from(name, &format!("otpauth://totp/x?secret={SEED}"));
    }
    home.file("a picture.txt", format!("otpauth://totp/x?secret={SEED}"));
    fs::create_dir(home.path().join(".aws")).unwrap();
    home.file(".aws/config", "[profile work-one]\n[profile work-two]\n");
    home.file("completions", home.run(&["completions", shell]).expect(0).stdout);
    home
}

/// Types into a shell, each time into a new one, and waits for what comes of it.
fn typed_into(shell: &str, package: &str, arguments: &[&str], files: &[(&str, &str)]) {
    drop(tool(shell, package));
    let home = for_shell(shell);
    for (name, text) in files {
        home.file(name, text);
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_vmfa")).parent().unwrap().display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let name = |name: &str| format!("\"name\":{}", serde_json::Value::from(name));
    for (keys, comes) in [
        // RFC 6238, appendix B
        ("vmfa code al\t--at 59\r", "287082"),
        ("vmfa code 'ci/\t\t", "ci/two"),
        ("vmfa code ci/\t\t", "ci/two"),
        ("vmfa show ci/t\t--json\r", &name("ci/two")),
        ("vmfa aws status --profile \t\t\t", "work-two"),
        ("vmfa help exi\t\r", "What the exit code says"),
        ("vmfa show jane.doe@ex\t--json\r", &name("jane.doe@example.com")),
        ("vmfa show it\t--json\r", &name(ODD)),
        ("vmfa show 'it\t--json\r", &name(ODD)),
        ("vmfa add new a\t--no-code --json\r", &name("new")),
    ] {
        let mut command = home.other(shell);
        command
            .args(arguments)
            .env("PATH", &path)
            .env("HOME", home.path())
            .env("TERM", "xterm")
            .env("LC_ALL", "C.UTF-8");
        command.env("ZDOTDIR", home.path()).env("XDG_CONFIG_HOME", home.path().join("config"));
        let mut terminal = Terminal::start(&command, 200, 50);
        terminal.expect("ready>");
        terminal.type_in(keys);
        terminal.expect(comes);
        assert!(!home.path().join("ran").exists(), "{shell}: {keys}");
        assert!(!terminal.text().contains("command not found"), "{shell}: {}", terminal.text());
    }
}

#[test]
fn bash_completes() {
    let rc = "PS1='ready> '; bind 'set enable-bracketed-paste off'; source ./completions";
    typed_into("bash", "bash", &["--rcfile", "rc", "-i"], &[("rc", rc)]);
}

#[test]
fn zsh_completes() {
    let rc = "PS1='ready> '; autoload -Uz compinit; compinit -u -D; source ./completions";
    typed_into("zsh", "zsh", &["-d", "-i"], &[(".zshrc", rc)]);
}

#[test]
fn fish_completes() {
    let start = "source ./completions; function fish_prompt; echo 'ready> '; end; set -g fish_greeting";
    typed_into("fish", "fish", &["--no-config", "--init-command", start], &[]);
}

#[test]
fn each_shell_has_a_script_that_asks_the_program() {
    let home = Home::new();
    let all = asked(&home, &["vmfa", "completions", ""]);
    assert_eq!(all, ["bash", "elvish", "fish", "nushell", "powershell", "zsh"]);
    for shell in &all {
        let script = home.run(&["completions", shell]).expect(0).stdout;
        assert!(script.contains("VMFA_COMPLETE") && script.contains(" -- "), "{shell}");
    }
    assert!(home.run(&["completions", "tcsh"]).expect(2).stderr.contains("tcsh"));
}

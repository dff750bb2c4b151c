//! `vmfa init` and `vmfa doctor`: choosing a vault, and looking at what works.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Home, SEED, run, tool};

/// A home without the identity that tests otherwise bring along.
fn bare() -> (Home, impl Fn(&[&str], &[u8]) -> crate::support::Run) {
    let home = Home::new();
    fs::remove_file(home.identity()).unwrap();
    let command = {
        let path = home.path().to_owned();
        move |arguments: &[&str], stdin: &[u8]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vmfa"));
            command.env_clear().env("VMFA_HOME", path.join("home")).current_dir(&path).args(arguments);
            run(&mut command, stdin)
        }
    };
    (home, command)
}

#[test]
fn a_passphrase_by_descriptor_makes_an_identity_that_opens_what_is_added() {
    let (home, vmfa) = bare();
    let made = vmfa(&["init", "--vault", "age", "--passphrase-fd", "0", "--json"], b"correct horse\n").expect(0).json();
    assert_eq!(made["vault"], "age");
    assert!(made["recipients"][0].as_str().unwrap().starts_with("age1"));
    let identity = home.path().join("home/identity.age");
    assert_eq!(fs::metadata(&identity).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read(&identity).unwrap().starts_with(b"age-encryption.org/v1\n-> scrypt"));

    // Adding needs no passphrase; reading does, and the right one.
    vmfa(&["add", "x", "-"], SEED.as_bytes()).expect(0);
    let right = vmfa(&["code", "x", "--at", "59", "--passphrase-fd", "0"], b"correct horse\n").expect(0);
    assert_eq!(right.stdout, "287082\n");
    let wrong = vmfa(&["code", "x", "--passphrase-fd", "0", "--json"], b"battery staple\n").expect(3);
    assert_eq!((wrong.error_code().as_str(), wrong.stdout.as_str()), ("age-identity", ""));
    assert!(!wrong.stderr.contains("battery"));
    let nobody = vmfa(&["code", "x", "--json"], b"").expect(3);
    assert_eq!(nobody.error_code(), "age-identity");
}

#[test]
fn without_a_keyring_and_a_terminal_one_error_leads_to_a_vault() {
    let (home, vmfa) = bare();
    let refused = vmfa(&["init"], b"").expect(3);
    let hint = refused.stderr.lines().find_map(|line| line.strip_prefix("hint: without a keyring")).unwrap();
    let (_, command) = hint.split_once(": vmfa ").unwrap();
    vmfa(&command.split(' ').collect::<Vec<_>>(), b"").expect(0);
    vmfa(&["add", "x", "-"], SEED.as_bytes()).expect(0);
    assert!(home.path().join("FILE").exists(), "{command}");
}

#[test]
fn looking_makes_nothing() {
    let home = Home::new();
    let before = fs::read_dir(home.path()).unwrap().count();
    for arguments in [
        &["list"][..],
        &["list", "--codes"],
        &["doctor"],
        &["show", "x"],
        &["code", "x"],
        &["code", "ci/*", "--fresh"],
        &["pair", "x"],
        &["verify", "x", "123456"],
        &["drift", "x", "123456"],
        &["release", "x", "123456"],
        &["uri", "x", "--reveal"],
        &["qr", "x", "--reveal"],
        &["remove", "x", "--yes"],
        &["rename", "x", "y"],
        &["code"],
        &["mcp"],
    ] {
        let run = home.run(arguments);
        assert!(run.code <= 2, "{arguments:?}: {run:#?}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), before, "{arguments:?}: {run:#?}");
    }
    home.run(&["doctor", "--restored"]).expect(0);
    assert!(home.path().join("home/registry.sqlite3").exists());
}

#[test]
fn init_again_changes_nothing_and_never_makes_another_identity() {
    let (home, vmfa) = bare();
    vmfa(&["init", "--vault", "age", "--new-identity", "id.txt"], b"").expect(0);
    let before = fs::read(home.path().join("id.txt")).unwrap();
    let config = fs::read(home.path().join("home/config.toml")).unwrap();
    let again = vmfa(&["init", "--vault", "age"], b"").expect(0);
    assert!(again.stderr.contains("set up already; nothing was changed"), "{again:#?}");
    vmfa(&["init"], b"").expect(0);
    vmfa(&["init", "--vault", "age", "--new-identity", "other.txt"], b"").expect(1);
    vmfa(&["init", "--vault", "age", "--use-identity", "id.txt"], b"").expect(0);
    assert_eq!(fs::read(home.path().join("id.txt")).unwrap(), before);
    assert_eq!(fs::read(home.path().join("home/config.toml")).unwrap(), config);
    assert!(!home.path().join("other.txt").exists());
}

#[test]
fn an_ssh_key_is_an_identity() {
    let (home, vmfa) = bare();
    let key = home.path().join("id_ed25519");
    let made =
        tool("ssh-keygen", "openssh-client").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status().unwrap();
    assert!(made.success());
    vmfa(&["init", "--vault", "age", "--use-identity", "id_ed25519"], b"").expect(0);
    vmfa(&["add", "x", "-"], SEED.as_bytes()).expect(0);
    assert_eq!(vmfa(&["code", "x", "--at", "59"], b"").expect(0).stdout, "287082\n");
}

#[test]
fn a_second_recipient_opens_everything_too() {
    let (home, vmfa) = bare();
    let (backup, recipient) = vmfa::vault::age::generate();
    let backup_file = home.path().join("backup.txt");
    vmfa::vault::age::write_new_file(&backup_file, backup.as_bytes()).unwrap();
    vmfa(&["init", "--vault", "age", "--new-identity", "id.txt", "--recipient", &recipient], b"").expect(0);
    vmfa(&["add", "x", "-"], SEED.as_bytes()).expect(0);
    fs::remove_file(home.path().join("id.txt")).unwrap();
    vmfa(&["code", "x"], b"").expect(3);
    assert_eq!(vmfa(&["code", "x", "--at", "59", "--identity-file", "backup.txt"], b"").expect(0).stdout, "287082\n");
}

#[test]
fn nobody_there_and_no_identity_named_is_an_error_that_lists_the_ways() {
    let (home, vmfa) = bare();
    let run = vmfa(&["init", "--vault", "age"], b"").expect(2);
    for way in ["--passphrase-fd", "--use-identity", "--new-identity", "--identity-in-keyring"] {
        assert!(run.stderr.contains(way), "{run:#?}");
    }
    assert!(!home.path().join("home/config.toml").exists());
    let run = vmfa(&["init", "--vault", "keyring", "--json"], b"").expect(3);
    assert_eq!(run.error_code(), "keyring-no-bus");
    let run = vmfa(&["add", "x", "-", "--vault", "age", "--json"], SEED.as_bytes()).expect(3);
    assert_eq!(run.error_code(), "age-identity");
}

#[test]
fn a_slip_in_an_identitys_name_makes_no_identity() {
    let (home, vmfa) = bare();
    let run = vmfa(&["init", "--vault", "age", "--use-identity", "idd.txt", "--json"], b"").expect(3);
    assert_eq!(run.error_code(), "age-identity");
    assert!(!home.path().join("idd.txt").exists() && !home.path().join("home/config.toml").exists());
    // And a new one never takes the place of a file.
    home.file("there.txt", "something");
    let run = vmfa(&["init", "--vault", "age", "--new-identity", "there.txt"], b"").expect(2);
    assert!(run.stderr.contains("--use-identity"), "{run:#?}");
    assert_eq!(fs::read_to_string(home.path().join("there.txt")).unwrap(), "something");
}

#[test]
fn a_protected_identity_that_is_brought_along_is_asked_for_once() {
    let (home, _) = bare();
    let (identity, _) = vmfa::vault::age::generate();
    let passphrase = zeroize::Zeroizing::new("correct horse".to_owned());
    let protected = vmfa::vault::age::encrypt_identity(&identity, &passphrase, Some(10)).unwrap();
    vmfa::vault::age::write_new_file(&home.path().join("id.age"), &protected).unwrap();
    // No configuration: the recipient is in the identity too. The descriptor is read once, and isn't 0.
    let script = r#"printf "$SEED" | "$VMFA" add x - --vault age --identity-file id.age --passphrase-fd 3 3<phrase &&
        "$VMFA" code x --at 59 --identity-file id.age --passphrase-fd 3 3<phrase"#;
    home.file("phrase", "correct horse\n");
    let mut command = std::process::Command::new("sh");
    command.env_clear().env("VMFA_HOME", home.path().join("home")).env("SEED", SEED).current_dir(home.path());
    let run = run(command.env("VMFA", env!("CARGO_BIN_EXE_vmfa")).args(["-c", script]), b"").expect(0);
    assert!(run.stdout.ends_with("287082\n"), "{run:#?}");
}

#[test]
fn a_bad_recipient_is_told_before_anything_is_made() {
    let (home, vmfa) = bare();
    let init = ["init", "--vault", "age", "--new-identity", "id.txt"];
    vmfa(&[&init[..], &["--recipient", "age1bogus"]].concat(), b"").expect(2);
    assert!(!home.path().join("id.txt").exists());
    vmfa(&init, b"").expect(0);
}

#[test]
fn a_vault_that_holds_devices_gets_no_second_identity() {
    let home = Home::new();
    home.add("x");
    let bring = |arguments: &[&str]| {
        let mut command = home.command();
        run(command.env_remove("VMFA_IDENTITY_FILE").args(arguments), b"")
    };
    assert_eq!(bring(&["init", "--new-identity", "new.txt", "--json"]).expect(1).error_code(), "initialized");
    assert!(!home.path().join("new.txt").exists());
    bring(&["init", "--use-identity", "identity.txt"]).expect(0);
    bring(&["code", "x"]).expect(0);
}

#[test]
fn doctor_misses_a_secret_that_is_gone() {
    let home = Home::new();
    home.add("x");
    fs::remove_dir_all(home.path().join("home/items")).unwrap();
    let run = home.run(&["doctor"]).expect(3);
    assert!(run.stdout.contains("1 of 1 secrets are not there: `x`"), "{run:#?}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_identity_in_the_keyring_opens_a_fleet_of_age_files() {
    let (home, _) = bare();
    let desktop = crate::support::desktop::Desktop::new();
    let vmfa = |arguments: &[&str], stdin: &[u8]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vmfa"));
        command.env_clear().env("VMFA_HOME", home.path().join("home")).current_dir(home.path()).args(arguments);
        desktop.enter(&mut command);
        run(&mut command, stdin)
    };
    // Eight at once make one identity.
    std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..8).map(|_| scope.spawn(|| vmfa(&["init", "--vault", "age", "--identity-in-keyring"], b""))).collect();
        for run in runs {
            run.join().unwrap().expect(0);
        }
    });
    for number in 0..5 {
        vmfa(&["add", &format!("ci/{number}"), "-"], SEED.as_bytes()).expect(0);
    }
    assert_eq!(vmfa(&["code", "ci/3", "--at", "59"], b"").expect(0).stdout, "287082\n");
    vmfa(&["doctor"], b"").expect(0);
    // The keyring has one item, and it is what opens them: locked, they stay closed, and adding goes on.
    desktop.lock();
    assert_eq!(vmfa(&["code", "ci/3", "--json"], b"").expect(3).error_code(), "keyring-locked");
    vmfa(&["add", "ci/5", "-"], SEED.as_bytes()).expect(0);
}

#[test]
fn a_broken_configuration_is_named_and_nothing_is_guessed() {
    let home = Home::new();
    home.add("x");
    let config = home.path().join("home/config.toml");
    for text in ["vault = ", "vault = \"plain\"", "vault = \"memory\"", "colour = \"red\"", "[age]\nrecipients = 3"] {
        fs::write(&config, text).unwrap();
        let run = home.run(&["code", "x", "--json"]).expect(3);
        assert_eq!(run.error_code(), "config", "{text}");
        assert!(run.stderr.contains("config.toml"));
    }
}

#[test]
fn doctor_tells_what_works_and_what_mends_the_rest() {
    let home = Home::new();
    home.add("x");
    let report = home.run(&["doctor", "--json"]).expect(0).json();
    let status = |what: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["what"] == what).unwrap_or_else(|| panic!("no {what} in {report}")).clone()
    };
    assert_eq!(status("vault age")["status"], "ok");
    assert_eq!(status("vault keyring")["status"], "unavailable");
    assert!(!status("vault keyring")["mend"].as_array().unwrap().is_empty());
    assert_eq!(status("registry")["status"], "ok");
    assert_eq!(status("clock")["status"], "ok");
    assert_eq!(status("display")["status"], "unavailable");
    // A vault that is chosen and doesn't work is what the exit code is for.
    let run = home.run(&["doctor", "--vault", "keyring"]).expect(3);
    assert!(run.stdout.contains("BAD  vault keyring"), "{run:#?}");
    // There is an age vault: none has to be made.
    assert!(run.stdout.contains("which is set up: --vault age") && !run.stdout.contains("vmfa init"), "{run:#?}");
    assert!(!home.run(&["doctor"]).expect(0).stdout.contains("vmfa init"));
    fs::write(home.path().join("home/registry.sqlite3"), b"this is no database, but long enough to be read as one")
        .unwrap();
    let run = home.run(&["doctor"]).expect(3);
    assert!(run.stdout.contains("BAD  registry"), "{run:#?}");
}

#[test]
fn the_registry_of_a_newer_version_is_left_alone() {
    let home = Home::new();
    home.add("x");
    let file = home.path().join("home/registry.sqlite3");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 999).unwrap();
    drop(connection);
    let run = home.run(&["list", "--json"]).expect(3);
    assert_eq!(run.error_code(), "registry-too-new");
}

#[test]
fn files_are_for_their_owner_only_whatever_the_umask() {
    let home = Home::new();
    let script = r#"umask 000; printf %s "$SEED" | "$VMFA" add x - >/dev/null"#;
    let command = home.command();
    let program = command.get_program().to_owned();
    let variables: Vec<_> =
        command.get_envs().map(|(name, value)| (name.to_owned(), value.unwrap().to_owned())).collect();
    let status = std::process::Command::new("sh")
        .args(["-c", script])
        .env_clear()
        .envs(variables)
        .env("VMFA", program)
        .env("SEED", SEED)
        .status()
        .unwrap();
    assert!(status.success());
    let mut checked = 0;
    let mut pending = vec![home.path().join("home")];
    while let Some(path) = pending.pop() {
        let metadata = fs::metadata(&path).unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, expected, "{}", path.display());
        checked += 1;
        if metadata.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(checked >= 4);
}

/// Writes an identity under a passphrase, quick to open.
fn protected_identity(home: &Home, name: &str) {
    let (identity, _) = vmfa::vault::age::generate();
    let passphrase = zeroize::Zeroizing::new("correct horse".to_owned());
    let protected = vmfa::vault::age::encrypt_identity(&identity, &passphrase, Some(10)).unwrap();
    vmfa::vault::age::write_new_file(&home.path().join(name), &protected).unwrap();
}

#[test]
fn every_device_gets_its_first_code_where_the_passphrase_is_handed_over() {
    let (home, _) = bare();
    protected_identity(&home, "id.age");
    home.file("phrase", "correct horse\n");
    let vmfa = |arguments: &str, stdin: &str| {
        let script = format!("\"$VMFA\" {arguments} --passphrase-fd 3 3<phrase");
        let mut command = std::process::Command::new("sh");
        command.env_clear().env("VMFA_HOME", home.path().join("home")).env("VMFA", env!("CARGO_BIN_EXE_vmfa"));
        run(command.current_dir(home.path()).args(["-c", &script]), stdin.as_bytes())
    };
    vmfa("init --vault age --use-identity id.age", "").expect(0);
    for name in ["first", "second"] {
        let added = vmfa(&format!("add {name} - --json"), SEED).expect(0).json();
        assert!(added["added"][0]["first_code"]["code"].is_string(), "{added}");
        assert!(!added["warnings"].to_string().contains("no first code"), "{added}");
    }
}

#[test]
fn a_configuration_that_moves_with_its_identity_still_finds_it() {
    let (home, _) = bare();
    let vmfa = |user: &str, arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vmfa"));
        command.env_clear().env("HOME", home.path().join(user)).current_dir(home.path()).args(arguments);
        run(&mut command, SEED.as_bytes())
    };
    fs::create_dir(home.path().join("old")).unwrap();
    vmfa("old", &["init", "--vault", "age", "--new-identity", "old/keys/id.txt"]).expect(0);
    vmfa("old", &["add", "x", "-"]).expect(0);
    fs::rename(home.path().join("old"), home.path().join("new")).unwrap();
    assert_eq!(vmfa("new", &["code", "x", "--at", "59"]).expect(0).stdout, "287082\n");

    // The same beside the configuration.
    let (home, vmfa) = bare();
    vmfa(&["init", "--vault", "age", "--new-identity", "home/id.txt"], b"").expect(0);
    let config = fs::read_to_string(home.path().join("home/config.toml")).unwrap();
    assert!(config.contains("identity_file = \"id.txt\""), "{config}");
}

#[test]
fn an_identity_that_moved_is_missed_with_a_way_out_and_known_again() {
    let (home, vmfa) = bare();
    vmfa(&["init", "--vault", "age", "--new-identity", "id.txt"], b"").expect(0);
    vmfa(&["add", "x", "-"], SEED.as_bytes()).expect(0);
    fs::create_dir(home.path().join("elsewhere")).unwrap();
    fs::rename(home.path().join("id.txt"), home.path().join("elsewhere/id.txt")).unwrap();

    let run = vmfa(&["code", "x"], b"").expect(3);
    assert!(run.stderr.contains("the age identity isn't there") && run.stderr.contains("--identity-file"), "{run:#?}");
    let doctor = vmfa(&["doctor"], b"").expect(3);
    assert!(
        doctor.stdout.contains("-> check the path; if it moved, give the new one")
            && doctor.stdout.contains("--use-identity"),
        "{doctor:#?}"
    );

    let (stranger, _) = vmfa::vault::age::generate();
    vmfa::vault::age::write_new_file(&home.path().join("stranger.txt"), stranger.as_bytes()).unwrap();
    let refused = vmfa(&["init", "--vault", "age", "--use-identity", "stranger.txt", "--json"], b"").expect(1);
    assert_eq!(refused.error_code(), "initialized");
    vmfa(&["init", "--vault", "age", "--use-identity", "elsewhere/id.txt"], b"").expect(0);
    assert_eq!(vmfa(&["code", "x", "--at", "59"], b"").expect(0).stdout, "287082\n");
}

#[test]
fn an_identity_on_a_read_only_mount_is_taken_as_it_is() {
    let home = Home::new();
    home.add("x");
    let code = |setup: &str| {
        let script = format!(
            "set -e; mkdir secrets; mount -t tmpfs none secrets; cp identity.txt secrets/id; {setup}; \
             VMFA_IDENTITY_FILE=secrets/id \"$VMFA\" code x --at 59"
        );
        let mut command = home.other(tool("unshare", "util-linux").get_program());
        command.env("VMFA", env!("CARGO_BIN_EXE_vmfa"));
        command.args(["--map-root-user", "--mount", "sh", "-c", &script]);
        let run = run(&mut command, b"");
        fs::remove_dir(home.path().join("secrets")).unwrap();
        run
    };
    for mode in ["0444", "0440"] {
        let run = code(&format!("chmod {mode} secrets/id; mount -o remount,ro secrets")).expect(0);
        assert_eq!(run.stdout, "287082\n");
    }
    let run = code("chmod 0444 secrets/id").expect(3);
    assert!(run.stderr.contains("hint: chmod 600") && run.stderr.contains("/dev/stdin"), "{run:#?}");
}

#[test]
fn an_identity_comes_by_stdin_or_not_from_the_environment() {
    let home = Home::new();
    home.add("x");
    let identity = fs::read_to_string(home.identity()).unwrap();
    let given = |name: &str, value: &str, arguments: &[&str]| {
        let mut command = home.command();
        run(command.env_remove("VMFA_IDENTITY_FILE").env(name, value).args(arguments), identity.as_bytes())
    };
    // Read once, and used for all that needs it.
    let code = given("VMFA_IDENTITY_FILE", "/dev/stdin", &["code", "x", "--at", "59"]).expect(0);
    assert_eq!(code.stdout, "287082\n");
    home.file("seed.txt", SEED);
    let added = given("VMFA_IDENTITY_FILE", "/dev/stdin", &["add", "y", "seed.txt", "--json"]).expect(0);
    assert!(added.json()["added"][0]["first_code"].is_object(), "{added:#?}");
    let refused = given("VMFA_IDENTITY", &identity, &["code", "x"]).expect(3);
    assert!(refused.stderr.contains("VMFA_IDENTITY is not supported") && refused.stderr.contains("/dev/stdin"));
    assert!(!refused.stderr.contains("AGE-SECRET-KEY"), "{refused:#?}");
}

#[test]
fn a_home_that_is_no_absolute_path_is_refused() {
    let (home, _) = bare();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vmfa"));
    command.env_clear().env("HOME", "relative").current_dir(home.path()).args(["list", "--json"]);
    let run = run(&mut command, b"").expect(3);
    assert_eq!(run.error_code(), "no-home");
    assert!(run.stderr.contains("set HOME, or VMFA_HOME"), "{run:#?}");
    assert!(!home.path().join("relative").exists());
}

#[test]
fn what_is_no_file_keeps_nobody_waiting() {
    let home = Home::new();
    home.add("x");
    let fifo = |name: &str| {
        let path = home.path().join(name);
        let _ = fs::remove_file(&path);
        assert!(tool("mkfifo", "coreutils").arg(&path).status().unwrap().success());
        path
    };
    let items: Vec<_> =
        fs::read_dir(home.path().join("home/items")).unwrap().map(|item| item.unwrap().path()).collect();
    let kept: Vec<_> = items.iter().map(|item| (item, fs::read(item).unwrap())).collect();
    let config = fifo("home/config.toml");
    assert!(home.run(&["code", "x"]).expect(3).stderr.contains("config.toml: is a FIFO, not a file"));
    fs::remove_file(config).unwrap();
    for (item, _) in &kept {
        if item.extension().is_some() {
            fs::remove_file(item).unwrap();
            assert!(tool("mkfifo", "coreutils").arg(item).status().unwrap().success());
        }
    }
    assert!(home.run(&["code", "x", "--at", "59"]).expect(3).stderr.contains("is a FIFO, not a file"));
    for device in ["/dev/zero", "/dev/tty"] {
        if fs::metadata(device).is_ok() {
            let mut command = home.command();
            let run = run(command.env("VMFA_IDENTITY_FILE", device).args(["doctor"]), b"").expect(3);
            assert!(run.stdout.contains(device), "{run:#?}");
        }
    }
    assert!(home.run(&["code", "--from", "/dev/zero"]).expect(5).stderr.contains("is a device, not a file"));
    // A pipe is a source: so a shell hands over what a command writes.
    let mut command = home.other("sh");
    command.env("VMFA", env!("CARGO_BIN_EXE_vmfa")).env("SEED", SEED);
    command.args(["-c", "printf $SEED | \"$VMFA\" code --from /dev/stdin --at 59"]);
    assert_eq!(run(&mut command, b"").expect(0).stdout, "287082\n");
}

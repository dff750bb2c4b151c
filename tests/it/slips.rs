//! Slips on the command line: what was meant is told.

use crate::support::{Home, SEED};

#[test]
fn a_forgotten_name_and_swapped_arguments_are_told() {
    let home = Home::new();
    let picture = home.file("qr.png", SEED);
    let picture = picture.to_str().unwrap();
    for (arguments, words) in [
        (&["add", "qr.png"][..], ["no name", "vmfa add NAME qr.png"]),
        (&["add", picture], ["no name", "vmfa add NAME /"]),
        (&["add", "other.png"], ["no name", "vmfa add NAME other.png"]),
        (&["add", "clipboard"], ["is a source", "vmfa add NAME clipboard"]),
        (&["add", "-"], ["is a source", "vmfa add NAME -"]),
        (&["add", "qr.png", "name"], ["the name comes first", "vmfa add name qr.png"]),
        (&["add", "-", "my name"], ["the name comes first", "vmfa add 'my name' -"]),
        (&["add", "qr.png", "correcthorsebattery"], ["the name comes first", "vmfa add NAME qr.png"]),
    ] {
        let run = home.run(arguments).expect(2);
        assert!(words.iter().all(|word| run.stderr.contains(word)), "{arguments:?}: {run:#?}");
        assert!(!run.stderr.contains("correcthorse"), "{run:#?}");
    }
    // A name may be one of a source, or end as a file does, where the source is there.
    home.run(&["add", "screen", "qr.png"]).expect(0);
    home.run_with(&["add", "old.png", "-"], SEED.as_bytes()).expect(0);
}

#[test]
fn commands_of_other_tools_are_there_or_told() {
    let home = Home::new();
    home.add("x");
    assert!(home.run(&["ls"]).expect(0).stdout.contains("Example"));
    for (command, words) in [
        ("get", "vmfa code NAME"),
        ("otp", "vmfa code NAME"),
        ("totp", "vmfa code NAME"),
        ("dump", "vmfa uri NAME"),
        ("create", "vmfa add NAME SOURCE"),
        ("resync", "vmfa aws resync NAME"),
        ("delete", "vmfa remove NAME"),
        ("mv", "vmfa rename"),
        ("enable", "vmfa aws enable"),
    ] {
        let run = home.run(&[command, "x"]).expect(2);
        assert!(run.stderr.contains(words) && run.stderr.contains(&format!("`{command}`")), "{command}: {run:#?}");
        assert!(!run.stderr.contains("release"), "{command}: {run:#?}");
        let json = home.run(&[command, "x", "--json"]).expect(2);
        assert_eq!(json.error_code(), "usage");
    }
    // What is nearly a command is that one.
    let lst = home.run(&["lst"]).expect(2).stderr;
    assert!(lst.contains("`vmfa list`") && !lst.contains("ls`"), "{lst}");
    home.run(&["rm", "x", "--yes"]).expect(0);
}

#[test]
fn a_part_of_a_name_finds_the_device_that_was_meant() {
    let home = Home::new();
    for name in ["github", "ci/deploy", "mfauser"] {
        home.add(name);
    }
    for (wanted, meant) in [("git", "github"), ("deploy", "ci/deploy"), ("user", "mfauser"), ("mfausr", "mfauser")] {
        let run = home.run(&["code", wanted]).expect(1);
        assert!(run.stderr.contains(&format!("did you mean `{meant}`?")), "{wanted}: {run:#?}");
    }
}

#[test]
fn an_arn_or_a_source_for_a_name_is_told() {
    let home = Home::new();
    let arn = "arn:aws:iam::123456789012:mfa/alice";
    let answer = format!(r#"{{"VirtualMFADevice": {{"SerialNumber": "{arn}", "Base32StringSeed": "{SEED}"}}}}"#);
    home.add_from("admin", &answer);
    home.add("bob");
    home.file("qr.png", SEED);
    for (wanted, words) in [
        (arn, "did you mean `admin`?"),
        ("arn:aws:iam::123456789012:user/bob", "did you mean `bob`?"),
        ("qr.png", "--from qr.png"),
        ("clipboard", "--from clipboard"),
    ] {
        let run = home.run(&["code", wanted]).expect(1);
        assert!(run.stderr.contains(words), "{wanted}: {run:#?}");
    }
}

#[test]
fn a_vault_that_is_none_is_an_error_for_every_command() {
    let home = Home::new();
    home.add("x");
    let source = home.file("key.txt", SEED);
    for arguments in [
        &["list"][..],
        &["code", "x"],
        &["code", "--from", source.to_str().unwrap()],
        &["show", "x"],
        &["remove", "x", "--yes"],
        &["doctor"],
        &["init"],
        &["serve", "time"],
        &["aws", "status"],
    ] {
        let run = crate::support::run(home.command().args(arguments).env("VMFA_VAULT", "foo"), b"");
        assert_eq!(run.code, 2, "{arguments:?}: {run:#?}");
        assert!(run.stderr.contains("VMFA_VAULT") && run.stderr.contains("foo"), "{arguments:?}: {run:#?}");
    }
}

/// What each slip is told, in words that its message or hints have.
#[test]
fn every_slip_is_told_with_the_command_that_was_meant() {
    let home = Home::new();
    home.add("mfauser");
    home.add("m");
    home.file("picture.png", SEED);
    for (arguments, code, words) in [
        // The device's name as a command, or near one.
        (&["mfauser"][..], 2, &["vmfa code mfauser"][..]),
        (&["mfausr"], 2, &["did you mean the device `mfauser`?", "vmfa code mfauser"]),
        (&["aws", "statu"], 2, &["`vmfa aws status`"]),
        (&["help", "cod"], 2, &["`vmfa help code`"]),
        // Options.
        (&["--vesrion"], 2, &["did you mean `--version`?"]),
        (&["code", "m", "--nxt"], 2, &["did you mean `--next`?"]),
        (&["pair", "m", "--fresh"], 2, &["unknown option `--fresh`", "leave it out", "--wait"]),
        (&["list", "--fresh"], 2, &["`vmfa code`", "--fresh"]),
        (&["show", "m", "--profile", "x"], 2, &["`vmfa aws enable`"]),
        (&["code", "m", "--window"], 2, &["`--window` needs `--fresh`", "vmfa code m --window --fresh"]),
        (&["code", "m", "--timeout", "5s"], 2, &["`--timeout` needs `--fresh`"]),
        (&["pair", "m", "--timeout", "5s"], 2, &["`--timeout` needs `--wait`", "vmfa pair m --timeout 5s --wait"]),
        (
            &["code", "m", "--clear-after", "5s"],
            2,
            &["`--clear-after` needs `--copy`", "vmfa code m --clear-after 5s --copy"],
        ),
        (&["code", "m", "--copy", "--clear-after", "0s"], 2, &["expected a time from 1s to 1d"]),
        (&["code", "m", "--fresh", "--count", "2"], 2, &["`--fresh` and `--count`", "vmfa pair"]),
        (&["code", "m", "--from", "x"], 2, &["can't be combined", "name a device"]),
        (&["code", "m", "--fresh", "--fresh"], 2, &["`--fresh` is given twice"]),
        (&["code", "m", "--at"], 2, &["`--at` needs a value"]),
        (&["code", "m", "--count", "x"], 2, &["--count: `x`: expected a whole number"]),
        (&["code", "m", "--count", "0"], 2, &["expected a whole number from 1 to"]),
        (&["code", "m", "--vault", "kering"], 2, &["expected keyring, age or shared", "did you mean `keyring`?"]),
        (&["code", "m", "--fresh", "--timeout", "long"], 2, &["expected a time up to 1d"]),
        // Arguments.
        (&["aws", "exec", "m", "env"], 2, &["vmfa aws exec m -- env"]),
        (&["aws", "exec", "m", "aws", "s3", "ls"], 2, &["vmfa aws exec m -- aws s3 ls"]),
        (&["code"], 2, &["no device given", "`m`, `mfauser`"]),
        (&["verify", "123456", "m"], 2, &["vmfa verify m 123456"]),
        (&["drift", "123456", "654321", "m"], 2, &["vmfa drift m 123456 654321"]),
        (&["release", "123456", "m"], 2, &["vmfa release m 123456"]),
        (&["code", "123456"], 1, &["looks like a code"]),
        (&["serve", "time", "30"], 2, &["vmfa serve time +30s", "vmfa serve time @30"]),
        (&["serve", "time", "5m"], 2, &["vmfa serve time +5m"]),
        (&["add", "x", "pictur.png"], 5, &["there is no file `pictur.png`", "did you mean `picture.png`?"]),
        (&["add", "x", "none.gif"], 5, &["there is no file", "`clipboard`"]),
        (&["restore", "none.age"], 5, &["there is no file `none.age`"]),
        (&["backup", "out.age", "--recipients-file", "none.txt"], 5, &["there is no file `none.txt`"]),
        (&["serve", "--scenario", "none.toml"], 5, &["none.toml", "there is no such file"]),
        (&["mcp"], 2, &["missing: --allow PATTERN"]),
        // Names that are something else.
        (&["remove", "a", "--yes"], 1, &["no device is named `a`"]),
        (&["remove", "m", "--now"], 2, &["would delete the secret of `m`", "--yes"]),
        (&["trash", "restore", "m"], 1, &["no device named `m` is in the trash", "the trash is empty"]),
        // A stand-in that has ended.
        (&["code", "m", "--clock", "http://127.0.0.1:1"], 4, &["start `vmfa serve` there"]),
        (&["serve", "time", "--endpoint-url", "http://localhost:1"], 4, &["start `vmfa serve` there"]),
    ] {
        let run = home.run(arguments).expect(code);
        assert!(words.iter().all(|word| run.stderr.contains(word)), "{arguments:?}: {run:#?}");
        assert!(!run.stderr.contains("For more information"), "{arguments:?}: {run:#?}");
        assert!(!run.stderr.contains("os error"), "{arguments:?}: {run:#?}");
        assert!(!run.stderr.contains("did you mean `m`"), "{arguments:?}: {run:#?}");
    }
    // A passphrase in the wrong place isn't repeated, nor is what may be a secret.
    let run = home.run(&["code", "m", "--passphrase-fd", "hunter2"]).expect(2);
    assert!(run.stderr.contains("number of a file descriptor") && !run.stderr.contains("hunter2"), "{run:#?}");
    let run = home.run(&["code", "m", "--window", "--account", "correcthorsebattery1"]).expect(2);
    assert!(!run.stderr.contains("correcthorse"), "{run:#?}");
    // No device at all.
    let empty = Home::new();
    assert!(empty.run(&["code"]).expect(2).stderr.contains("there are no devices yet: vmfa add NAME SOURCE"));
    assert!(!empty.path().join("home").exists(), "a question leaves nothing behind");
    assert!(empty.run(&["code", "x"]).expect(1).stderr.contains("there are no devices yet: vmfa add NAME SOURCE"));
    // In a new shell, VMFA_HOME may be missing, or mistyped.
    let looked = format!("VMFA_HOME is {}, which doesn't exist", empty.path().join("home").display());
    for arguments in
        [&["code", "x"][..], &["list"], &["backup", "x.age"], &["export", "x", "--format", "uris", "--plaintext"]]
    {
        let done = empty.run(arguments);
        assert!(done.stderr.contains(&looked), "{done:?}");
    }
    let two = empty.run(&["code", "ci/alice", "moved/Example/alice"]).expect(2);
    assert!(two.stderr.contains("there is an argument too many; it isn't shown"), "{two:?}");
    let letters = empty.run(&["verify", "x", "abcdef"]);
    assert!(letters.stderr.contains("a code has 6 to 10 digits and nothing else"), "{letters:?}");
    let one = Home::new();
    one.add("only");
    assert!(one.run(&["show"]).expect(2).stderr.contains("vmfa show only"));
}

#[test]
fn a_code_in_two_words_is_one_code() {
    let home = Home::new();
    home.add("m");
    let at = ["--at", "1111111109"];
    assert!(home.run(&[&["verify", "m", "081", "804"][..], &at].concat()).expect(0).stdout.contains("accepted"));
    let pair = home.run(&[&["drift", "m", "081", "804", "050", "471"][..], &at].concat()).expect(0).stdout;
    assert!(pair.contains("30 s ahead"), "{pair}");
    let code = home.run(&[&["code", "m"][..], &at].concat()).expect(0).stdout;
    home.run(&["release", "m", &code[..3], code[3..].trim()]).expect(0);
}

#[test]
fn one_code_of_a_device_measures_no_more_than_probably() {
    let home = Home::new();
    home.add("m");
    let one = home.run(&["drift", "m", "081804", "--at", "1111111109"]).expect(1).stdout;
    assert_eq!(
        one,
        "probably: the device's clock is right (± 30 s)\nto be sure, give 2 consecutive codes, the oldest first\n"
    );
    let none = home.run(&["drift", "m", "111111", "222222", "--at", "1111111109"]).expect(1).stdout;
    assert!(none.starts_with("this device has no such codes within 1 day of 2005-03-18T01:58:29Z\n"), "{none}");
}

#[test]
fn the_same_secret_under_another_name_is_told() {
    let home = Home::new();
    home.add("one");
    let run = home.run_with(&["add", "two", "-"], SEED.as_bytes()).expect(0);
    assert!(run.stderr.contains("`two` has the same secret as `one`"), "{run:#?}");
    let json = home.run_with(&["add", "three", "-", "--json"], SEED.as_bytes()).expect(0).json();
    assert_eq!(json["warnings"][0], "`three` has the same secret as `one`, `two`: they share which codes are used");
}

#[test]
fn what_was_written_is_told() {
    let home = Home::new();
    let run = home.run(&["man", "--dir", "pages"]).expect(0);
    let written = |section: &str| std::fs::read_dir(home.path().join("pages").join(section)).unwrap().count();
    let pages = written("man1") + written("man7");
    assert_eq!(run.stdout, format!("wrote vmfa.1 and {} more to pages\n", pages - 1));
    assert_eq!(home.run(&["man", "--dir", "pages", "--json"]).expect(0).json()["pages"], pages);
}

#[test]
fn a_topic_is_explained_and_a_slip_in_its_name_is_told() {
    let home = Home::new();
    let time = home.run(&["help", "time"]).expect(0).stdout;
    assert!(time.starts_with("Which time codes are made for") && time.contains("\nExamples:\n"), "{time}");
    let slip = home.run(&["help", "exit-code"]).expect(2).stderr;
    assert!(slip.contains("did you mean `vmfa help exit-codes`?"), "{slip}");
    // A topic is no command, and is explained where a command has its name.
    home.run(&["time"]).expect(2);
    home.run(&["help", "aws", "time"]).expect(2);
    let aws = home.run(&["help", "aws"]).expect(0).stdout;
    assert!(aws.starts_with("Keys, endpoints and sessions") && aws.contains("`vmfa aws --help`"), "{aws}");
    assert!(!aws.contains("Usage:"), "{aws}");
    let command = home.run(&["aws", "--help"]).expect(0).stdout;
    assert!(command.contains("Usage: vmfa aws") && command.contains("vmfa help aws\n"), "{command}");
    assert!(!command.contains("credential_process"), "{command}");
}

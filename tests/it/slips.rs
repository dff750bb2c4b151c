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
        ("export", "vmfa uri NAME"),
        ("import", "vmfa add NAME SOURCE"),
        ("watch", "vmfa pair NAME --live"),
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
    assert!(home.run(&["lst"]).expect(2).stderr.contains("'list'"));
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

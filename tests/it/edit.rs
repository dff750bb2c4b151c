//! `vmfa edit`: what is not the secret changes, and no code is handed out twice by it.

use std::fs;

use crate::support::{Home, SEED};

fn shown(home: &Home, name: &str) -> serde_json::Value {
    home.run(&["show", name, "--json"]).expect(0).json()
}

#[test]
fn what_is_beside_the_secret_changes_without_touching_it() {
    let home = Home::new();
    home.add("x");
    let before = shown(&home, "x");
    let serial = "arn:aws:iam::123456789012:mfa/x";
    let edited = home
        .run(&[
            "edit",
            "x",
            "--issuer",
            "Other",
            "--account",
            "me",
            "--serial",
            serial,
            "--note",
            "in the safe",
            "--json",
        ])
        .expect(0)
        .json();
    assert_eq!(edited["changed"], serde_json::json!(["issuer", "account", "serial_number", "note"]));
    let after = shown(&home, "x");
    assert_eq!((&after["id"], &after["created"]), (&before["id"], &before["created"]));
    let told = [&after["issuer"], &after["account"], &after["serial_number"], &after["note"]];
    assert_eq!(told, ["Other", "me", serial, "in the safe"]);
    // What leaves has the new words, too.
    let uri = home.run(&["uri", "x", "--reveal"]).expect(0).stdout;
    assert_eq!(uri, format!("otpauth://totp/Other:me?secret={SEED}&issuer=Other\n"));
    assert!(home.run(&["show", "x"]).expect(0).stdout.contains("note           in the safe"));

    home.run(&["edit", "x", "--issuer", "", "--note", "", "--serial", ""]).expect(0);
    let cleared = shown(&home, "x");
    assert!(cleared["issuer"].is_null() && cleared["serial_number"].is_null() && cleared.get("note").is_none());
    let unchanged = home.run(&["edit", "x", "--account", "me"]).expect(0);
    assert!(unchanged.stdout.starts_with("unchanged x\n"), "{unchanged:#?}");
}

#[test]
fn other_parameters_give_other_codes_and_the_device_before_is_in_the_trash() {
    let home = Home::new();
    home.add("x");
    home.run(&["drift", "x", "--set", "95s"]).expect(0);
    home.run(&["drift", "x", "--clear"]).expect(0);
    let used = home.run(&["code", "x", "--fresh", "--at", "59"]).expect(0).stdout;
    let run = home.run(&["edit", "x", "--digits", "8", "--note", "kept"]).expect(0);
    assert!(run.stderr.contains("warning: `x` gives other codes now"), "{run:#?}");
    // RFC 6238, appendix B.
    assert_eq!(home.run(&["code", "x", "--at", "59"]).expect(0).stdout, "94287082\n");
    assert_eq!((used.as_str(), &shown(&home, "x")["note"]), ("287082\n", &"kept".into()));
    // The same steps: what was used stays used.
    let again = home.run(&["code", "x", "--fresh", "--at", "59", "--timeout", "0s", "--json"]).expect(1);
    assert_eq!(again.error_code(), "no-free-step");

    home.run(&["trash", "restore", "x", "--as", "old"]).expect(0);
    assert_eq!(home.run(&["code", "old", "--at", "59"]).expect(0).stdout, "287082\n");
    let kept = fs::read_dir(home.path().join("home/items")).unwrap().flatten();
    assert_eq!(kept.filter(|entry| entry.path().extension().is_some_and(|end| end == "age")).count(), 3);
    // Of another algorithm and period, steps are others.
    home.run(&["edit", "x", "--algorithm", "sha-256", "--period", "60", "--digits", "6"]).expect(0);
    let now = shown(&home, "x");
    assert_eq!((&now["algorithm"], &now["period"], &now["digits"]), (&"SHA256".into(), &60.into(), &6.into()));
    home.run(&["code", "x", "--fresh", "--at", "59"]).expect(0);
}

#[test]
fn a_counter_goes_forward_alone() {
    let home = Home::new();
    let uri = format!("otpauth://hotp/Example:x?secret={SEED}&counter=90");
    home.run_with(&["add", "h", "-", "--no-code"], uri.as_bytes()).expect(0);
    // Nothing was given yet: a counter that was wrong in the source is put right.
    home.run(&["edit", "h", "--counter", "0"]).expect(0);
    let next = || home.run(&["code", "h", "--json"]).expect(0).json()["counter"].as_u64().unwrap();
    let first = next();
    assert_eq!([first, next()], [0, 1]);
    let run = home.run(&["edit", "h", "--counter", "7"]).expect(0);
    assert!(run.stderr.contains("those from its new counter on"), "{run:#?}");
    assert_eq!(next(), 7);
    let back = home.run(&["edit", "h", "--counter", "3", "--json"]).expect(1);
    assert_eq!(back.error_code(), "counter-used");
    assert!(back.stderr.contains("--counter 8 or more"), "{back:#?}");
    assert_eq!(next(), 8);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let home = Home::new();
    home.add("x");
    home.add_from("h", &format!("otpauth://hotp/Example:x?secret={SEED}&counter=0"));
    let before = shown(&home, "x");
    let long = "x".repeat(257);
    for (arguments, words) in [
        (&["edit", "x"][..], "--issuer"),
        (&["edit", "x", "--digits", "11"], "--digits"),
        (&["edit", "x", "--algorithm", "md5"], "--algorithm"),
        (&["edit", "x", "--period", "0"], "a period is one second or more"),
        (&["edit", "x", "--counter", "1"], "goes by time"),
        (&["edit", "h", "--period", "30"], "goes by a counter"),
        (&["edit", "x", "--note", &long], "at most 256 characters"),
        (&["edit", "x", "--note", "a\nb"], "one line"),
        (&["edit", "x", "--serial", "x"], "takes the ARN"),
        (&["edit", "x", "--account", "a", "--serial", "x"], "takes the ARN"),
    ] {
        let run = home.run(arguments).expect(2);
        assert!(run.stderr.contains(words), "{arguments:?}: {run:#?}");
    }
    assert_eq!(shown(&home, "x"), before);
    assert_eq!(home.run(&["edit", "nobody", "--note", "x", "--json"]).expect(1).error_code(), "no-such-device");
}

/// An account of Steam has Steam Guard's codes, by its URI alone, which vaults, backups and exports hold.
#[test]
fn no_issuer_and_no_account_makes_other_codes() {
    let home = Home::new();
    home.run_with(&["add", "x", "-", "--no-code"], format!("otpauth://totp/me?secret={SEED}").as_bytes()).expect(0);
    home.add_from("h", &format!("otpauth://hotp/Example:x?secret={SEED}&counter=0"));
    let before = shown(&home, "x");
    for arguments in [
        &["edit", "x", "--issuer", "Steam"][..],
        &["edit", "x", "--issuer", "steam guard", "--digits", "8"],
        &["edit", "x", "--account", "Steam"],
        &["edit", "h", "--issuer", "Steam"],
        &["edit", "x", "--issuer", "secret=1"],
    ] {
        let run = home.run(arguments).expect(2);
        assert!(run.stderr.contains("can't have this issuer or account"), "{arguments:?}: {run:#?}");
    }
    let told = home.run(&["edit", "x", "--issuer", "Steam"]).expect(2);
    assert!(told.stderr.contains("--digits steam"), "{told:#?}");
    assert_eq!(shown(&home, "x"), before);
    home.run(&["edit", "x", "--issuer", "Steamboats", "--account", "Steam"]).expect(0);
    home.run(&["code", "x", "--at", "59"]).expect(0);
    // One of Steam Guard may have any issuer.
    home.add_from("s", &format!("otpauth://steam/Steam:joe?secret={SEED}&issuer=Steam"));
    home.run(&["edit", "s", "--issuer", "Games"]).expect(0);
    let uri = home.run(&["uri", "s", "--reveal"]).expect(0).stdout;
    assert!(uri.starts_with("otpauth://steam/Games:joe"), "{uri}");
}

//! `vmfa backup` and `vmfa restore`: everything comes back, nothing twice.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use vmfa::vault::age::{Identity, Openers, Plugins, generate, recipient_of, seal_file};

use crate::support::{Home, Run, SEED, at_clock, output, run, tool};

const PASSPHRASE: &[u8] = b"correct horse\n";
const OTHER: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
/// A step that no clock reaches while this runs.
const LATER: &str = "4000000000";

/// The recipients of a home's identity.
fn recipient(home: &Home) -> String {
    let identity = Identity::Text(fs::read_to_string(home.identity()).unwrap().into());
    recipient_of(&identity).unwrap().remove(0)
}

fn back_up(home: &Home) -> Value {
    let (to, own) = (recipient(home), home.identity());
    home.run(&["backup", "mfa.age", "-r", &to, "--identity", own.to_str().unwrap(), "--json"]).expect(0).json()
}

/// Restores what another home backed up.
fn restore(home: &Home, from: &Home, arguments: &[&str]) -> Run {
    let (file, identity) = (file(from), from.identity());
    let all = ["restore", file.to_str().unwrap(), "--identity", identity.to_str().unwrap(), "--json"];
    home.run(&[&all[..], arguments].concat())
}

fn fates(run: Run) -> Vec<Value> {
    run.expect(0).json()["devices"].as_array().unwrap().iter().map(|device| device["fate"].clone()).collect()
}

fn file(home: &Home) -> PathBuf {
    home.path().join("mfa.age")
}

fn listed(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let answer = home.run(&[arguments, &["--json"]].concat()).expect(0).json();
    answer["devices"].as_array().unwrap().clone()
}

fn names(home: &Home) -> Vec<String> {
    listed(home, &["list"]).iter().map(|device| device["name"].as_str().unwrap().to_owned()).collect()
}

fn refused(home: &Home, arguments: &[&str]) -> String {
    home.run(&[arguments, &["--timeout", "0s", "--json"]].concat()).expect(1).error_code()
}

/// Seals a text as `vmfa backup -r` would.
fn sealed(home: &Home, text: &str) -> PathBuf {
    let recipients = [recipient(home)];
    home.file("sealed.age", seal_file(text.as_bytes(), &Openers::Recipients(&recipients), &Plugins::default()).unwrap())
}

#[test]
fn a_new_home_has_everything_but_sessions() {
    let old = Home::new();
    old.add("x");
    old.add_from("h", &format!("otpauth://hotp/Example:h?secret={OTHER}&counter=0"));
    old.add("gone");
    let serial = "arn:aws:iam::123456789012:mfa/x";
    old.run(&["edit", "x", "--note", "in the safe", "--serial", serial]).expect(0);
    old.run(&["drift", "x", "--set", "95s", "--rate", "5"]).expect(0);
    old.run(&["code", "x", "--fresh", "--at", LATER]).expect(0);
    old.run(&["code", "h", "--count", "3"]).expect(0);
    old.run(&["verify", "h", "755224", "--allow-short"]).code.to_string();
    old.run(&["remove", "gone"]).expect(0);
    let made = back_up(&old);
    assert_eq!((&made["devices"], &made["trashed"], &made["verified"]), (&3.into(), &1.into(), &true.into()));
    assert_eq!(fs::metadata(file(&old)).unwrap().permissions().mode() & 0o777, 0o600);

    let new = Home::new();
    let dry = restore(&new, &old, &["--dry-run"]).expect(0).json();
    assert!(names(&new).is_empty() && dry["dry_run"] == true, "{dry}");
    let restored = restore(&new, &old, &[]).expect(0).json();
    assert_eq!(restored["devices"], dry["devices"]);
    assert!(restored["codes_until"].is_string(), "{restored}");
    assert!(restored["warnings"][0].as_str().unwrap().contains("counters stay where they are"), "{restored}");
    let without_id = |home: &Home, arguments: &[&str]| {
        let mut all = listed(home, arguments);
        for device in &mut all {
            device.as_object_mut().unwrap().remove("id");
        }
        all
    };
    assert_eq!(without_id(&new, &["list"]), without_id(&old, &["list"]));
    assert_eq!(without_id(&new, &["trash", "list"]), without_id(&old, &["trash", "list"]));
    assert_eq!(refused(&new, &["code", "x", "--fresh", "--at", LATER]), "no-free-step");
    let now = refused(&new, &["code", "x", "--fresh"]);
    assert_eq!(now, "no-free-step", "the old home may have given it since");
    assert_eq!(new.run(&["code", "h", "--json"]).expect(0).json()["counter"], 4);
    // Once more, there is nothing to do.
    assert_eq!(fates(restore(&new, &old, &[])), ["here", "here", "here"]);
    assert_eq!(names(&new), ["h", "x"]);
    assert_eq!(new.run(&["code", "h", "--json"]).expect(0).json()["counter"], 5);
}

#[test]
fn the_home_that_it_was_made_of_loses_no_codes() {
    let home = Home::new();
    home.add("x");
    home.run(&["code", "x", "--fresh", "--at", "59"]).expect(0);
    back_up(&home);
    home.run(&["code", "x", "--fresh", "--at", "89"]).expect(0);
    home.run(&["remove", "x", "--now", "--yes"]).expect(0);
    let restored = restore(&home, &home, &[]).expect(0).json();
    assert!(restored.get("codes_until").is_none(), "it knows all that it handed out: {restored}");
    for at in ["59", "89"] {
        assert_eq!(refused(&home, &["code", "x", "--fresh", "--at", at]), "no-free-step");
    }
    home.run(&["code", "x", "--fresh"]).expect(0);
}

#[test]
fn what_either_home_gave_is_given_by_none_again() {
    let (old, new) = (Home::new(), Home::new());
    for home in [&old, &new] {
        home.add("x");
        home.add_from("h", &format!("otpauth://hotp/Example:h?secret={OTHER}&counter=0"));
    }
    old.run(&["code", "x", "--fresh", "--at", LATER]).expect(0);
    new.run(&["code", "x", "--fresh", "--at", "4000000030"]).expect(0);
    old.run(&["code", "h", "--count", "5"]).expect(0);
    new.run(&["code", "h", "--count", "2"]).expect(0);
    back_up(&old);
    assert_eq!(fates(restore(&new, &old, &[])), ["here", "here"]);
    for at in [LATER, "4000000030"] {
        assert_eq!(refused(&new, &["code", "x", "--fresh", "--at", at]), "no-free-step", "{at}");
    }
    new.run(&["code", "x", "--fresh", "--at", "4000000060"]).expect(0);
    assert_eq!(new.run(&["code", "h", "--json"]).expect(0).json()["counter"], 6);
    // Another name for the same secret has the same codes.
    new.add("y");
    assert_eq!(refused(&new, &["code", "y", "--fresh", "--at", LATER]), "no-free-step");
}

#[test]
fn a_name_that_another_device_has_becomes_another() {
    let (old, new) = (Home::new(), Home::new());
    old.add("x");
    back_up(&old);
    new.add_from("x", OTHER);
    for fate in ["restored", "here"] {
        let restored = restore(&new, &old, &[]).expect(0).json();
        let device = &restored["devices"][0];
        let told = (&device["name"], &device["old_name"], &device["fate"]);
        assert_eq!(told, (&"restored/x".into(), &"x".into(), &fate.into()));
    }
    assert_eq!(names(&new), ["restored/x", "x"]);
    assert!(new.run(&["uri", "x", "--reveal"]).expect(0).stdout.contains(OTHER));
    assert!(new.run(&["uri", "restored/x", "--reveal"]).expect(0).stdout.contains(SEED));
    // If that is another device, too, nothing is done.
    new.run(&["edit", "restored/x", "--digits", "8"]).expect(0);
    let failed = restore(&new, &old, &[]).expect(1);
    assert_eq!(failed.error_code(), "name-taken");
}

#[test]
fn what_was_in_the_trash_comes_back_there_while_its_time_lasts() {
    let old = Home::new();
    old.add("x");
    old.run(&["remove", "x"]).expect(0);
    back_up(&old);
    let late = Home::new();
    let mut command = at_clock(&late, 31 * 24 * 60 * 60);
    command.args(["restore".as_ref(), file(&old).as_os_str(), "--json".as_ref()]);
    assert_eq!(fates(run(command.arg("--identity").arg(old.identity()), b"")), ["expired"]);
    let new = Home::new();
    assert_eq!(restore(&new, &old, &[]).expect(0).json()["devices"][0]["trashed"], true);
    assert!(names(&new).is_empty());
    new.run(&["trash", "restore", "x"]).expect(0);
    new.run(&["code", "x"]).expect(0);
}

#[test]
fn the_age_program_opens_it_and_it_is_what_its_schema_says() {
    let home = Home::new();
    home.add("x");
    home.run(&["edit", "x", "--note", "kept"]).expect(0);
    home.run(&["code", "x", "--fresh", "--at", "59"]).expect(0);
    home.run(&["pair", "x", "--at", "600"]).expect(0);
    home.run(&["verify", "x", "287082", "--at", "59"]).expect(0);
    home.add("y");
    home.run(&["remove", "y"]).expect(0);
    let recipients = [recipient(&home)];
    let list = home.file("recipients.txt", format!("# mine\n{}\n", recipients[0]));
    let made = home.run(&["backup", "mfa.age", "-R", list.to_str().unwrap(), "--json"]).expect(0).json();
    assert_eq!((&made["verified"], &made["recipients"]), (&false.into(), &json!(recipients)));
    let own = home.identity();
    let with = ["backup", "mfa.age", "--force", "-r", &recipients[0], "--identity", own.to_str().unwrap(), "--json"];
    assert_eq!(home.run(&with).expect(0).json()["verified"], true);

    let text = output(tool("age", "age").arg("-d").arg("-i").arg(home.identity()).arg(file(&home)), "age");
    let backup: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&backup["format"], &backup["version"]), (&"vmfa-backup".into(), &1.into()));
    assert!(backup["devices"][0]["uri"].as_str().unwrap().contains(SEED));
    crate::schemas::assert_holds("backup-file", &backup);
    // And what that program encrypts is read.
    let plain = home.file("plain.json", &text);
    let mut age = tool("age", "age");
    age.args(["-r", &recipients[0], "-a", "-o"]).arg(home.path().join("theirs.age")).arg(plain);
    output(&mut age, "age");
    let restored = home.run(&["restore", "theirs.age", "--json"]).expect(0).json();
    assert_eq!(restored["devices"][0]["fate"], "here");
}

#[test]
fn it_is_refused_before_anything_is_asked_or_lost() {
    let home = Home::new();
    let backup = |arguments: &[&str]| {
        home.run_with(&[&["backup", "mfa.age", "--passphrase-fd", "0", "--json"], arguments].concat(), PASSPHRASE)
    };
    assert_eq!(backup(&[]).expect(1).error_code(), "no-devices");
    home.add("x");
    backup(&[]).expect(0);
    let before = fs::read(file(&home)).unwrap();
    assert_eq!(backup(&[]).expect(1).error_code(), "file-exists");
    assert_eq!(backup(&["-r", "age1nonsense"]).code, 1);
    assert_eq!(fs::read(file(&home)).unwrap(), before);
    backup(&["--force"]).expect(0);
    fs::create_dir(home.path().join("directory")).unwrap();
    assert_eq!(home.run_with(&["backup", "directory", "--force", "--passphrase-fd", "0"], PASSPHRASE).code, 2);
    let other = home.file("other.txt", generate().0.as_bytes());
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    let (_, recipient) = generate();
    let unreadable =
        home.run(&["backup", "new.age", "-r", &recipient, "--identity", other.to_str().unwrap()]).expect(3);
    assert!(unreadable.stderr.contains("is encrypted for another identity"), "{unreadable:#?}");
    assert!(
        unreadable.stderr.contains("hint: give the identity that opens the backup: --identity FILE"),
        "{unreadable:#?}"
    );
    assert!(!home.path().join("new.age").exists(), "it has no name before it was read back");

    let right = home.run_with(&["restore", "mfa.age", "--passphrase-fd", "0", "--json"], PASSPHRASE);
    assert_eq!(fates(right), ["here"]);
    let wrong = home.run_with(&["restore", "mfa.age", "--passphrase-fd", "0", "--json"], b"wrong").expect(3);
    assert!(wrong.stderr.contains("the passphrase is wrong"), "{wrong:#?}");
    let whole = fs::read(file(&home)).unwrap();
    for (bytes, code) in [(&whole[..whole.len() - 1], 3), (&whole[..40], 3), (&b""[..], 3), (&[b'x'; 90][..], 3)] {
        home.file("cut.age", bytes);
        let run = home.run_with(&["restore", "cut.age", "--passphrase-fd", "0"], PASSPHRASE);
        assert_eq!(run.code, code, "{} bytes: {run:#?}", bytes.len());
    }
}

#[test]
fn a_text_that_is_no_backup_changes_nothing() {
    let home = Home::new();
    let device = |more: Value| {
        let mut device = json!({"name": "x", "uri": format!("otpauth://totp/x?secret={SEED}"), "created": 1});
        device.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        device
    };
    let whole = |devices: Value, ledgers: Value| {
        json!({"format": "vmfa-backup", "version": 1, "created": 1, "registry": null, "devices": devices, "ledgers": ledgers})
            .to_string()
    };
    let long = "n".repeat(257);
    for (text, words) in [
        ("{".to_owned(), "line 1"),
        ("[1]".to_owned(), "is not a backup of vmfa"),
        (r#"{"format": "other", "version": 1}"#.to_owned(), "is not a backup of vmfa"),
        (r#"{"format": "vmfa-backup", "version": 2}"#.to_owned(), "format version 2"),
        (r#"{"format": "vmfa-backup", "version": 1}"#.to_owned(), "line 1"),
        (whole(json!([device(json!({"uri": "otpauth://totp/x"}))]), json!({})), "no URI that can be read"),
        (whole(json!([device(json!({"name": "a\nb"}))]), json!({})), "line 1"),
        (whole(json!([device(json!({"note": long}))]), json!({})), "no note that can be read"),
        (whole(json!([device(json!({"ledger": "none"}))]), json!({})), "what was handed out can't be read"),
        (whole(json!([]), json!({"a": {"changed": 1, "runs": "3"}})), "what was handed out can't be read"),
        (whole(json!([]), json!({"a": {"changed": 1, "taken": [u64::MAX]}})), "what was handed out can't be read"),
        (whole(json!([device(json!({})), device(json!({"uri": "x"}))]), json!({})), "no URI that can be read"),
    ] {
        let path = sealed(&home, &text);
        let run = home.run(&["restore", path.to_str().unwrap()]);
        assert!((run.code == 5) && run.stderr.contains(words), "{text}: {run:#?}");
        assert!(!run.stderr.contains(SEED), "{run:#?}");
    }
    assert!(names(&home).is_empty());
    // Unknown keys are of a later version that this one can read.
    let path = sealed(&home, &whole(json!([device(json!({"colour": "red"}))]), json!({})));
    home.run(&["restore", path.to_str().unwrap()]).expect(0);
    assert_eq!(names(&home), ["x"]);
}

/// kill -9 at all moments of a restoration: all devices or none, and the next one brings what is missing.
#[test]
fn a_killed_restoration_is_whole_or_undone() {
    let old = Home::new();
    old.run_with(
        &["add", "many/", "-", "--no-code"],
        crate::support::uris(&["a", "b", "c", "d", "e"]).replace(SEED, OTHER).as_bytes(),
    );
    for name in ["v", "w"] {
        old.add(name);
    }
    old.run(&["remove", "v"]).expect(0);
    old.run(&["code", "w", "--fresh", "--at", LATER]).expect(0);
    back_up(&old);
    let expected = names(&old);
    let mut unfinished = 0;
    for round in 0..30_u32 {
        let new = Home::new();
        let (file, own) = (file(&old), old.identity());
        let arguments = ["restore".as_ref(), file.as_os_str(), "--identity".as_ref(), own.as_os_str()];
        let mut command = new.command();
        command.args(arguments).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        // A moment in the life of a process: 0 to 60 ms.
        std::thread::sleep(Duration::from_millis(u64::from(round) * 2));
        child.kill().unwrap();
        child.wait().unwrap();
        let left = names(&new);
        assert!(left.is_empty() || left == expected, "round {round}: {left:?}");
        unfinished += usize::from(left.is_empty());
        // After the time of the one that was killed.
        let mut again = at_clock(&new, 300);
        run(again.args(arguments), b"").expect(0);
        assert_eq!(names(&new), expected, "round {round}");
        run(at_clock(&new, 300).arg("doctor"), b"").expect(0);
        assert_eq!(listed(&new, &["trash", "list"]).len(), 1, "round {round}");
        let items = fs::read_dir(new.path().join("home/items")).unwrap().flatten();
        let items = items.filter(|entry| entry.path().extension().is_some_and(|end| end == "age")).count();
        assert_eq!(items, expected.len() + 2, "theirs, that of the trash, and the vault's own key");
        assert_eq!(refused(&new, &["code", "w", "--fresh", "--at", LATER]), "no-free-step");
    }
    assert!(unfinished > 0, "all of them came to their end");
}

//! KeePass: `keepassxc-cli` and PyKeePass.

use serde_json::Value;

use super::{PASSWORD, oathtool, script};
use crate::export::{filled, uris};
use crate::support::{Home, run, set_clock, tool};

/// A moment for all programs.
const NOW: (&str, &str) = ("2000000000", "2033-05-18 03:33:20");

/// Debian's `keepassxc-cli` at that moment. It reads the password from stdin.
fn cli(home: &Home, arguments: &[&str]) -> String {
    tool("keepassxc-cli", "keepassxc");
    let mut command = home.other("keepassxc-cli");
    set_clock(&mut command, 0);
    command.env("FAKETIME", NOW.1).env("TZ", "UTC").env("HOME", home.path()).env("LANG", "C.UTF-8");
    let (what, rest) = arguments.split_first().unwrap();
    let passwords = format!("{PASSWORD}\n{PASSWORD}\n");
    run(command.args([what, "-q"]).args(rest), passwords.as_bytes()).expect(0).stdout
}

fn export(home: &Home) {
    home.run_with(&["export", "ours.kdbx", "--format", "kdbx", "--password-fd", "0"], PASSWORD.as_bytes()).expect(0);
}

/// A home with all that a database has.
fn imported(from: &Home, file: &str, more: &[&str]) -> Home {
    let there = Home::new();
    let file = from.path().join(file);
    let arguments = ["import", file.to_str().unwrap(), "--password-fd", "0"];
    there.run_with(&[&arguments[..], more].concat(), PASSWORD.as_bytes()).expect(0);
    there
}

#[test]
fn keepassxc_shows_the_codes_of_our_database() {
    let home = filled(false, true);
    export(&home);
    let listed = cli(&home, &["ls", "-R", "-f", "ours.kdbx"]);
    let mut titles: Vec<&str> = listed.lines().filter(|title| !title.ends_with('/')).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["Steam", "work/Example", "work/Git", "work/carol"]);
    let now = format!("@{}", NOW.0);
    for (title, name, by_oathtool) in [
        ("work/Example", "work/alice@example.com", Some(&["--totp", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"][..])),
        ("work/Git", "work/bob", Some(&["--totp=sha512", "-d", "8", "-s", "60", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])),
        ("work/carol", "work/carol", Some(&["--totp", "MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK"])),
        // oathtool has no Steam Guard.
        ("Steam", "steam", None),
    ] {
        let shown = cli(&home, &["show", "--totp", "ours.kdbx", title]).trim().to_owned();
        let ours = home.run(&["code", name, "--at", NOW.0]);
        assert_eq!(shown, ours.stdout.trim(), "{title}: {ours:#?}");
        if let Some(arguments) = by_oathtool {
            let made = oathtool(&[arguments, &["-b", "--now", &now]].concat());
            assert_eq!(shown, made, "{title}");
        }
    }
    let shown = cli(&home, &["show", "-a", "UserName", "ours.kdbx", "work/Example"]);
    assert_eq!(shown.trim(), "alice@example.com");
}

#[test]
fn what_keepassxc_writes_is_imported() {
    let home = filled(true, true);
    export(&home);
    // A database of its own, out of the XML of ours: 2.7.4 makes such ones in KDBX 3.1.
    let xml = cli(&home, &["export", "ours.kdbx"]);
    home.file("theirs.xml", xml);
    cli(&home, &["import", "-p", "-t", "100", "theirs.xml", "theirs.kdbx"]);
    assert_eq!(uris(&imported(&home, "theirs.kdbx", &[])), uris(&home));
    // Ours, written again.
    cli(&home, &["add", "ours.kdbx", "no code", "-u", "nobody"]);
    assert_eq!(uris(&imported(&home, "ours.kdbx", &[])), uris(&home));
}

#[test]
fn pykeepass_reads_ours_and_writes_what_is_imported() {
    let home = filled(false, true);
    export(&home);
    let listed: Value =
        serde_json::from_str(&script(&home, "databases.py", &["list", "ours.kdbx", PASSWORD], "")).unwrap();
    let listed = listed.as_array().unwrap();
    let now: Vec<Option<String>> = ["work/alice@example.com", "work/bob", "work/carol"]
        .iter()
        .map(|name| Some(home.run(&["code", name, "--at", NOW.0]).expect(0).stdout.trim().to_owned()))
        .collect();
    let found: Vec<(&Value, &Value)> = listed
        .iter()
        .filter(|entry| entry["title"] != "Steam")
        .map(|entry| (&entry["group"], &entry["title"]))
        .collect();
    let work = Value::from("work");
    assert_eq!(found, [(&work, &"Example".into()), (&work, &"Git".into()), (&work, &"carol".into())]);
    for (entry, code) in listed.iter().filter(|entry| entry["title"] != "Steam").zip(now) {
        let uri = entry["otp"].as_str().unwrap();
        let shown = script(&home, "databases.py", &["code", NOW.0], uri);
        assert_eq!(Some(shown.trim().to_owned()), code, "{entry}");
    }
    let all = uris(&home).concat();
    // A key file as KeePass and KeePassXC make it, beside the password.
    let key = "0102030405060708".repeat(4);
    home.file(
        "theirs.keyx",
        format!(
            "<KeyFile><Meta><Version>2.0</Version></Meta><Key><Data Hash=\"8CF3E5F4\">{key}</Data></Key></KeyFile>"
        ),
    );
    script(&home, "databases.py", &["make", "keyed.kdbx", PASSWORD, "theirs.keyx"], &all);
    let key = home.path().join("theirs.keyx");
    assert_eq!(uris(&imported(&home, "keyed.kdbx", &["--key-file", key.to_str().unwrap()])), uris(&home));
    script(&home, "databases.py", &["make", "theirs.kdbx", PASSWORD], &all);
    assert_eq!(uris(&imported(&home, "theirs.kdbx", &[])), uris(&home));
}

#[test]
fn a_database_with_a_key_file_needs_it() {
    let home = filled(false, true);
    export(&home);
    home.file("theirs.xml", cli(&home, &["export", "ours.kdbx"]));
    // It makes a key file of random bytes.
    cli(&home, &["import", "-p", "--set-key-file", "their.key", "-t", "100", "theirs.xml", "both.kdbx"]);
    cli(&home, &["import", "--set-key-file", "their.key", "-t", "100", "theirs.xml", "key.kdbx"]);
    let key = home.path().join("their.key");
    let key = ["--key-file", key.to_str().unwrap()];
    assert_eq!(uris(&imported(&home, "both.kdbx", &key)), uris(&home));
    let there = Home::new();
    let alone = home.path().join("key.kdbx");
    there.run(&[&["import", alone.to_str().unwrap(), "--no-password"], &key[..]].concat()).expect(0);
    assert_eq!(uris(&there), uris(&home));

    let wrong = home.run_with(&["import", "both.kdbx", "--password-fd", "0", "--json"], PASSWORD.as_bytes()).expect(5);
    assert_eq!(wrong.error_code(), "wrong-password-or-damaged");
    assert!(wrong.stderr.contains("--key-file FILE"), "{wrong:#?}");
    let needless = [&["import", "ours.kdbx", "--password-fd", "0", "--json"], &key[..]].concat();
    assert_eq!(home.run_with(&needless, PASSWORD.as_bytes()).expect(5).error_code(), "wrong-password");
    home.file("uris.txt", uris(&home).concat());
    let plain = home.run(&[&["import", "uris.txt"], &key[..]].concat()).expect(2);
    assert!(plain.stderr.contains("is not encrypted"), "{plain:#?}");
}

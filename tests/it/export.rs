//! `vmfa export`: files that other authenticators read, and nothing else does.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Home, keys};

const SOURCES: &str = "\
otpauth://totp/Example:alice%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example
otpauth://totp/Git:bob?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Git&algorithm=SHA512&digits=8&period=60
otpauth://totp/carol?secret=MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LK
";
const STEAM: &str = "otpauth://steam/Steam:frank?secret=MFRGGZDFMZTWQ2LKMFRGGZDFMZTWQ2LM&issuer=Steam";
const COUNTER: &str = "otpauth://hotp/Bank:dave?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR&issuer=Bank&counter=7";

/// The formats that are read as well as written in clear text, and whether they have counters and Steam Guard.
const BOTH: [(&str, bool, bool); 6] = [
    ("uris", true, true),
    ("aegis", true, true),
    ("2fas", true, true),
    ("bitwarden", false, true),
    ("cxf", false, false),
    ("vmfa", true, true),
];

/// The formats that are encrypted with a password.
const ENCRYPTED: [&str; 3] = ["aegis", "kdbx", "vmfa"];

pub fn filled(with_counter: bool, with_steam: bool) -> Home {
    let home = Home::new();
    home.run_with(&["add", "work/", "-", "--no-code"], SOURCES.as_bytes()).expect(0);
    if with_counter {
        home.run_with(&["add", "bank", "-", "--no-code"], COUNTER.as_bytes()).expect(0);
    }
    if with_steam {
        home.run_with(&["add", "steam", "-", "--no-code"], STEAM.as_bytes()).expect(0);
    }
    home
}

/// The otpauth URIs of all devices, sorted.
pub fn uris(home: &Home) -> Vec<String> {
    let listed = home.run(&["list", "--json"]).expect(0).json();
    let names = listed["devices"].as_array().unwrap().iter().map(|device| device["name"].as_str().unwrap().to_owned());
    let uri = |name: String| home.run(&["uri", &name, "--reveal"]).expect(0).stdout;
    let mut uris: Vec<String> = names.map(uri).collect();
    uris.sort();
    uris
}

#[test]
fn every_format_comes_back_as_it_went() {
    for (format, counter, steam) in BOTH {
        let home = filled(counter, steam);
        let arguments = ["export", "out", "--format", format, "--plaintext", "--json"];
        let told = home.run(&arguments).expect(0).json();
        assert_eq!(keys(&told), ["devices", "encrypted", "file", "format"]);
        assert_eq!(told["devices"].as_array().unwrap().len(), 3 + usize::from(counter) + usize::from(steam));
        let there = Home::new();
        let file = home.path().join("out");
        there.run(&["import", file.to_str().unwrap(), "--json"]).expect(0);
        assert_eq!(uris(&there), uris(&home), "{format}");
    }
}

#[test]
fn an_encrypted_export_needs_its_password() {
    for format in ENCRYPTED {
        let home = filled(true, true);
        let told = home.run_with(&["export", "out", "--format", format, "--password-fd", "0", "--json"], b"a word\n");
        assert_eq!(told.expect(0).json()["encrypted"], true);
        let bytes = fs::read(home.path().join("out")).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("alice") && !text.contains("GEZDGN"), "{format}: {text}");
        let there = Home::new();
        let file = home.path().join("out").to_str().unwrap().to_owned();
        let wrong = there.run_with(&["import", &file, "--password-fd", "0", "--json"], b"another word\n").expect(5);
        assert_eq!(wrong.error_code(), "wrong-password", "{format}");
        there.run_with(&["import", &file, "--password-fd", "0"], b"a word\n").expect(0);
        assert_eq!(uris(&there), uris(&home), "{format}");
    }
}

#[test]
fn what_is_always_encrypted_is_never_written_in_clear_text() {
    let home = filled(false, false);
    let refused = home.run(&["export", "out", "--format", "kdbx", "--plaintext"]).expect(2);
    assert!(refused.stderr.contains("always encrypted"), "{refused:#?}");
    assert!(!home.path().join("out").exists());
}

#[test]
fn clear_text_is_asked_for_and_nothing_is_overwritten() {
    let home = filled(false, true);
    let refused = home.run(&["export", "out", "--format", "uris"]).expect(2);
    assert!(refused.stderr.contains("--plaintext"), "{refused:#?}");
    assert!(!home.path().join("out").exists());
    let told = home.run(&["export", "out", "--format", "uris", "--plaintext"]).expect(0);
    assert!(told.stderr.contains("in clear text"), "{told:#?}");
    assert_eq!(fs::metadata(home.path().join("out")).unwrap().permissions().mode() & 0o777, 0o600);
    let again = home.run(&["export", "out", "--format", "uris", "--plaintext"]).expect(1);
    assert!(again.stderr.contains("out exists already") && again.stderr.contains("--force"), "{again:#?}");
    home.run(&["export", "out", "carol", "--format", "uris", "--plaintext", "--force"]).expect(0);
    assert_eq!(fs::read_to_string(home.path().join("out")).unwrap().lines().count(), 1);
    let no_password = home.run(&["export", "new", "--format", "aegis"]).expect(2);
    assert!(no_password.stderr.contains("--password-fd"), "{no_password:#?}");
    let both = home.run_with(&["export", "new", "--format", "aegis", "--plaintext", "--password-fd", "0"], b"x\n");
    both.expect(2);
}

#[test]
fn what_a_format_cannot_hold_is_named() {
    let home = filled(true, true);
    for (format, devices, unfit) in [
        ("bitwarden", "*", "bank"),
        ("cxf", "*", "bank"),
        ("cxf", "steam", "steam"),
        ("google", "bob", "work/bob"),
        ("google", "steam", "steam"),
    ] {
        let told = home.run(&["export", "out", devices, "--format", format, "--plaintext", "--json"]).expect(1);
        assert_eq!(told.error_code(), "unfit");
        assert!(told.stderr.contains(&format!("`{unfit}`")), "{told:#?}");
    }
    home.run(&["export", "out", "work/*", "--format", "bitwarden", "--plaintext"]).expect(0);
}

#[test]
fn a_sheet_has_a_code_that_reads_for_each_device() {
    let home = filled(true, true);
    for format in ["html", "svg"] {
        let name = format!("sheet.{format}");
        home.run(&["export", &name, "--format", format, "--plaintext"]).expect(0);
        let page = fs::read_to_string(home.path().join(&name)).unwrap();
        assert_eq!(page.matches("shape-rendering").count(), 5);
        assert!(page.contains("alice@example.com") && !page.contains("GEZDGN"), "{page}");
    }
}

#[test]
fn a_picture_has_all_codes() {
    let home = filled(true, true);
    home.run(&["export", "sheet.png", "--format", "png", "--plaintext"]).expect(0);
    let png = fs::read(home.path().join("sheet.png")).unwrap();
    let mut read: Vec<String> = vmfa::provision::qr::payloads(&png, &vmfa::provision::Limits::default())
        .unwrap()
        .iter()
        .map(|text| format!("{}\n", text.as_str()))
        .collect();
    read.sort();
    assert_eq!(read, uris(&home));
}

#[test]
fn google_authenticator_gets_codes_of_several_accounts_each() {
    let home = filled(true, false);
    let arguments = ["export", "out.html", "alice", "carol", "bank", "--format", "google", "--plaintext"];
    home.run(&arguments).expect(0);
    let page = fs::read_to_string(home.path().join("out.html")).unwrap();
    assert_eq!(page.matches("shape-rendering").count(), 1);
    assert!(page.contains("alice@example.com") && !page.contains("otpauth"), "{page}");
}

#[test]
fn an_export_of_nothing_is_an_error() {
    let home = Home::new();
    let told = home.run(&["export", "out", "--format", "uris", "--plaintext", "--json"]).expect(1);
    assert_eq!(told.error_code(), "no-such-device");
}

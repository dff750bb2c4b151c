//! Several pictures given together: the parts of one code, and codes of their own; and what enrols nothing.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Home, SEED, run, tool};

const URI: &str = "otpauth://totp/Example:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example";

/// Draws a text by Debian's qrencode, split over several codes where `split`: their files, in order.
fn drawn(home: &Home, name: &str, text: &[u8], split: bool) -> Vec<String> {
    let source = home.file("text", text);
    let mut draw = tool("qrencode", "qrencode");
    draw.args(["-8", "-r"]).arg(source).arg("-o").arg(home.path().join(format!("{name}.png")));
    if split {
        draw.args(["-S", "-v", "2"]);
    }
    run(&mut draw, b"").expect(0);
    let name_of = |number: u32| if split { format!("{name}-{number:02}.png") } else { format!("{name}.png") };
    let there = |name: &String| home.path().join(PathBuf::from(name)).exists();
    (1..=if split { 16 } else { 1 }).map(name_of).filter(there).collect()
}

fn with(words: &[&str], files: &[String]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).chain(files.iter().cloned()).collect()
}

#[test]
fn parts_in_several_pictures_are_one_code_in_any_order() {
    let home = Home::new();
    let mut parts = drawn(&home, "part", URI.as_bytes(), true);
    assert!(parts.len() >= 3, "{parts:?}");
    let scanned = home.run(&with(&["scan", "--json", "--reveal"], &parts)).expect(0).json();
    assert_eq!((&scanned["enrolments"][0]["uri"], &scanned["others"]), (&URI.into(), &json!([])));
    parts.reverse();
    home.run(&with(&["add", "x"], &parts)).expect(0);
    assert_eq!(home.run(&["uri", "x", "--reveal"]).expect(0).stdout.trim(), URI);

    // The last one is named first.
    let missing = parts.remove(1);
    let number = parts.len();
    for command in [&["add", "y"][..], &["scan"], &["import"]] {
        let told = home.run(&with(&[command, &["--json"]].concat(), &parts)).expect(5);
        assert_eq!((told.error_code().as_str(), told.stdout.as_str()), ("qr-part", ""), "{command:?}");
        assert!(told.stderr.contains(&format!("part {number} is missing")), "{missing}: {told:#?}");
        assert!(told.stderr.contains("vmfa add NAME 1.png 2.png"), "{told:#?}");
    }
    let other = drawn(&home, "other", URI.replace("alice", "carol").as_bytes(), true);
    let told = home.run(&with(&["scan", "--json", "part-01.png"], &other)).expect(5);
    assert_eq!(told.error_code(), "qr-part");
}

#[test]
fn an_export_whose_code_is_split_is_imported() {
    let home = Home::new();
    home.run_with(&["add", "x", "-", "--no-code"], URI.as_bytes()).expect(0);
    let link = "otpauth-migration://offline?data=CjQKFDEyMzQ1Njc4OTAxMjM0NTY3ODkwEg1FeGFtcGxlOmFsaWNlGgdFeGFtcGxlIAEoATACEAEYAQ%3D%3D";
    let mut parts = drawn(&home, "part", link.as_bytes(), true);
    assert!(parts.len() >= 2, "{parts:?}");
    parts.reverse();
    let there = Home::new();
    let paths: Vec<String> = parts.iter().map(|part| home.path().join(part).display().to_string()).collect();
    let imported = there.run(&with(&["import", "--json"], &paths)).expect(0).json();
    assert_eq!(imported["entries"][0]["name"], "Example/alice");
    assert_eq!(there.run(&["uri", "Example/alice", "--reveal"]).expect(0).stdout.trim(), URI);
}

#[test]
fn pictures_with_codes_of_their_own_are_several_devices() {
    let home = Home::new();
    let mut files = drawn(&home, "a", URI.as_bytes(), false);
    files.extend(drawn(&home, "b", URI.replace("alice", "bob").as_bytes(), false));
    home.run(&with(&["add", "all/", "--no-code"], &files)).expect(0);
    let listed = home.run(&["list", "--json"]).expect(0).json();
    let names: Vec<&Value> = listed["devices"].as_array().unwrap().iter().map(|device| &device["name"]).collect();
    assert_eq!(names, ["all/alice", "all/bob"]);
}

#[test]
fn what_is_no_picture_is_given_alone() {
    let home = Home::new();
    drawn(&home, "a", URI.as_bytes(), false);
    home.file("uris.txt", URI);
    for (sources, words) in [
        (&["a.png", "uris.txt"][..], "uris.txt is no picture"),
        (&["a.png", "screen"], "`screen` is a source by itself"),
        (&["a.png", "none.png"], "there is no file `none.png`"),
        (&["JBSW", "Y3DP", "EHPK", "3PXP"], "they may be a secret"),
    ] {
        let told = home.run(&[&["add", "x"], sources].concat());
        assert!([2, 5].contains(&told.code) && told.stderr.contains(words), "{sources:?}: {told:#?}");
        assert!(!told.stderr.contains("JBSW") && !told.stderr.contains("Y3DP"), "{told:#?}");
    }
}

#[test]
fn codes_that_enrol_nothing_are_listed() {
    let home = Home::new();
    let evil = "\u{1b}[31mhello\u{202e}\u{9b}".repeat(20);
    for (name, text, what, shown) in [
        ("url", "https://example.com/setup?token=GEZDGNBVGY3T", "a web address", Some("https://example.com/setup")),
        ("login", "https://me:GEZDGNBVGY3T@example.com/", "a web address", Some("")),
        ("mail", "mailto:alice@example.com", "an e-mail address", Some("mailto:alice@example.com")),
        ("wifi", "WIFI:S:net;P:GEZDGNBVGY3T;;", "a Wi-Fi sign-in", None),
        ("evil", &evil, "other text", None),
    ] {
        let files = drawn(&home, name, text.as_bytes(), false);
        let told = home.run(&with(&["scan", "--json"], &files)).expect(5);
        assert_eq!(told.error_code(), "not-otpauth", "{name}");
        let mut other = json!({ "what": what });
        if let Some(shown) = shown {
            other["text"] = shown.into();
        }
        assert_eq!(told.json(), json!({ "enrolments": [], "others": [other], "warnings": [] }), "{name}");
        let plain = home.run(&with(&["scan"], &files)).expect(5);
        assert!(plain.stdout.starts_with(&format!("1 QR code enrols nothing\n  {what}")), "{plain:#?}");
        for run in [&told, &plain] {
            assert!(!run.stdout.contains("GEZDGNBVGY3T") && !run.stderr.contains("GEZDGNBVGY3T"), "{run:#?}");
        }
        let revealed = home.run(&with(&["scan", "--json", "--reveal"], &files)).expect(5);
        assert_eq!(revealed.json()["others"][0]["text"], text, "{name}");
        let seen = home.run(&with(&["scan", "--reveal"], &files)).expect(5).stdout;
        let line = seen.lines().nth(1).unwrap();
        assert!(line.chars().count() <= 130 && line.contains(&text[..1].replace('\u{1b}', "\u{fffd}")), "{seen:?}");
        for text in [&revealed.stdout, &seen, &plain.stdout] {
            let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.chars().any(odd), "{text:?}");
        }
    }
    // Beside one that does.
    let mut files = drawn(&home, "a", URI.as_bytes(), false);
    files.push("url.png".to_owned());
    let both = home.run(&with(&["scan", "--json"], &files)).expect(0).json();
    assert_eq!(
        (&both["enrolments"][0]["account"], &both["others"][0]["what"]),
        (&"alice".into(), &"a web address".into())
    );
    assert_eq!(both["warnings"], json!([]));
    let added = home.run(&with(&["add", "x", "--json"], &files)).expect(0);
    assert_eq!(added.json()["warnings"][0], "the image has 1 more QR code(s) that enrol nothing");
    assert!(!added.stdout.contains(SEED));
}

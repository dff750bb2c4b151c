//! `vmfa import`: what becomes of an export's entries. The formats themselves: `src/exchange/import/tests.rs`.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Home, SEED, keys, run, vector};

/// An Aegis export in clear text.
fn aegis(entries: &[Value]) -> String {
    json!({ "version": 1, "header": { "slots": null, "params": null }, "db": { "version": 2, "entries": entries } })
        .to_string()
}

fn entry(issuer: &str, account: &str, secret: &str) -> Value {
    json!({
        "type": "totp", "name": account, "issuer": issuer, "group": "Work",
        "info": { "secret": secret, "algo": "SHA1", "digits": 6, "period": 30 },
    })
}

const OTHER: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

fn names(home: &Home) -> Vec<String> {
    let listed = home.run(&["list", "--json"]).expect(0).json();
    listed["devices"].as_array().unwrap().iter().map(|device| device["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_dry_run_tells_what_would_be_added_and_adds_nothing() {
    let home = Home::new();
    let mut counter = entry("Git", "bob", OTHER);
    counter["type"] = json!("hotp");
    counter["info"] = json!({ "secret": OTHER, "algo": "SHA256", "digits": 8, "counter": 7 });
    home.file("a.json", aegis(&[entry("Example", "alice", SEED), entry("Bad", "eve", "1!"), counter]));
    let told = home.run(&["import", "a.json", "--dry-run", "--json"]).expect(0).json();
    assert_eq!(keys(&told), ["added", "entries", "errors", "format", "skipped", "without"]);
    assert_eq!((&told["format"], &told["added"]), (&json!("aegis"), &json!(false)));
    assert_eq!(
        told["entries"],
        json!([
            { "name": "Example/alice", "issuer": "Example", "account": "alice", "type": "totp", "algorithm": "SHA1",
              "digits": 6, "period": 30, "groups": ["Work"] },
            { "name": "Git/bob", "issuer": "Git", "account": "bob", "type": "hotp", "algorithm": "SHA256",
              "digits": 8, "counter": 7, "groups": ["Work"] },
        ])
    );
    assert_eq!(told["errors"][0]["entry"], 2);
    assert_eq!(told["errors"][0]["code"], "invalid");
    assert!(told["errors"][0]["message"].as_str().unwrap().starts_with("Bad: eve: "), "{told}");
    assert_eq!(names(&home), Vec::<String>::new());
}

#[test]
fn entries_become_devices_whose_codes_are_right() {
    let home = Home::new();
    home.file("a.json", aegis(&[entry("Example", "alice", SEED), entry("", "bob", OTHER)]));
    let told = home.run(&["import", "a.json"]).expect(0);
    assert_eq!(told.stdout, "added Example/alice\nadded bob\nan Aegis export: 2 devices\n");
    let code = home.run(&["code", "Example/alice", "--at", "59", "--json"]).expect(0).json();
    assert_eq!(code["code"], "287082");
}

#[test]
fn a_second_import_skips_what_is_there() {
    let home = Home::new();
    home.file("a.json", aegis(&[entry("Example", "alice", SEED), entry("Copy", "of alice", SEED)]));
    home.run(&["import", "a.json"]).expect(0);
    assert_eq!(names(&home), ["Example/alice"]);
    home.run(&["rename", "Example/alice", "mine"]).expect(0);
    let again = home.run(&["import", "a.json", "--json"]).expect(0).json();
    assert_eq!(again["entries"], json!([]));
    assert_eq!(
        again["skipped"],
        json!([{ "name": "Example/alice", "device": "mine" }, { "name": "Copy/of alice", "device": null }])
    );
    assert_eq!(names(&home), ["mine"]);
}

/// An entry's issuer may say other codes than the entry does: then nothing is added that couldn't be read.
#[test]
fn an_entry_of_steam_with_other_codes_is_reported() {
    let home = Home::new();
    home.file("a.json", aegis(&[entry("Steam", "alice", SEED), entry("Git", "bob", OTHER)]));
    home.file(
        "b.csv",
        format!("Title,URL,Username,Password,Notes,OTPAuth\nSteam,,carol,,,{SEED}\nSteam,,dave,,,otpauth://totp/x?secret={OTHER}&digits=8\n"),
    );
    for file in ["a.json", "b.csv"] {
        let told = home.run(&["import", file, "--dry-run", "--json"]).expect(0);
        // carol's secret says nothing of its codes, so they are Steam's.
        assert_eq!(told.json()["errors"].as_array().unwrap().len(), 1, "{told:#?}");
        assert!(
            (told.stdout.clone() + &told.stderr).contains("this is a Steam account, whose codes have 5 characters"),
            "{told:#?}"
        );
    }
    home.run(&["import", "a.json"]).expect(0);
    assert_eq!(names(&home), ["Git/bob"]);
}

#[test]
fn a_name_that_is_taken_gets_a_number() {
    let home = Home::new();
    home.add("Example/alice");
    home.file("a.json", aegis(&[entry("Example", "alice", OTHER), entry("Example", "al*ce\u{202e}", SEED)]));
    let told = home.run(&["import", "a.json"]).expect(0);
    assert_eq!(told.stdout, "added Example/alice-2\nadded Example/al-ce\nan Aegis export: 2 devices\n");
}

#[test]
fn names_are_chosen_and_put_below_a_prefix() {
    let home = Home::new();
    home.file("a.json", aegis(&[entry("Example", "alice", SEED), entry("Git", "bob", OTHER)]));
    let run = home.run(&["import", "a.json", "--prefix", "phone/", "--group-prefix", "--only", "phone/Work/Git/*"]);
    assert_eq!(run.expect(0).stdout, "added phone/Work/Git/bob\nan Aegis export: 1 device\n");
    let none = home.run(&["import", "a.json", "--only", "nobody", "--json"]).expect(1);
    assert_eq!(none.error_code(), "no-such-device");
    let prefix = home.run(&["import", "a.json", "--prefix", "*", "--json"]).expect(2);
    assert!(prefix.stderr.contains("--prefix"), "{}", prefix.stderr);
}

#[test]
fn what_cannot_be_imported_says_why() {
    let home = Home::new();
    home.file("bad.json", aegis(&[entry("Bad", "eve", "1!")]));
    home.file("none.json", aegis(&[]));
    home.file("future.json", aegis(&[]).replace("\"version\":1", "\"version\":9"));
    home.file("other.txt", "nothing of that kind");
    home.file("two.json", aegis(&[entry("Example", "alice", SEED)]));
    for (arguments, code, text) in [
        (&["import", "bad.json"][..], 5, "no entry can be imported: Bad: eve: "),
        (&["import", "none.json"], 5, "an Aegis export without any one-time password"),
        (&["import", "future.json"], 5, "version 9"),
        (&["import", "other.txt"], 5, "is not an export that vmfa can read"),
        (&["import", "missing.json"], 5, "there is no file `missing.json`"),
        (&["import", "two.json", "none.json"], 2, "is not a part of an export by QR codes"),
        (&["import"], 2, "FILE"),
    ] {
        let run = home.run(arguments).expect(code);
        assert!(run.stderr.contains(text), "{run:#?}");
        assert!(!run.stderr.contains("1!"), "{run:#?}");
    }
}

/// An encrypted fixture and its password.
fn locked() -> (PathBuf, String, usize) {
    let folder = vector("exchange/aegis");
    let cases: Value = serde_json::from_slice(&fs::read(folder.join("cases.json")).unwrap()).unwrap();
    let case = cases.as_array().unwrap().iter().find(|case| !case["password"].is_null() && case["fails"].is_null());
    let case = case.expect("an encrypted case");
    let file = folder.join(case["file"].as_str().unwrap());
    (file, case["password"].as_str().unwrap().to_owned(), case["entries"].as_array().unwrap().len())
}

#[test]
fn an_encrypted_export_is_opened_by_its_password() {
    let home = Home::new();
    let (file, password, count) = locked();
    let file = file.to_str().unwrap();
    let wrong = home.run_with(&["import", file, "--password-fd", "0", "--json"], b"wrong\n").expect(5);
    assert_eq!(wrong.error_code(), "wrong-password");
    let nobody = home.run(&["import", file]).expect(2);
    assert!(nobody.stderr.contains("--password-fd FD or --password-file FILE"), "{nobody:#?}");
    let by_fd = home.run_with(&["import", file, "--dry-run", "--password-fd", "0", "--json"], password.as_bytes());
    assert_eq!(by_fd.expect(0).json()["entries"].as_array().unwrap().len(), count);
    home.file("password", format!("{password}\n"));
    let none = run(home.command().args(["import", file, "--password-file", "none.txt"]), b"").expect(5);
    assert!(none.stderr.contains("there is no file `none.txt`") && !none.stderr.contains("clipboard"), "{none:#?}");
    let by_file = run(home.command().args(["import", file, "--password-file", "password", "--json"]), b"");
    assert_eq!(by_file.expect(0).json()["added"], true);
    assert_eq!(names(&home).len(), count);
}

#[test]
fn an_export_gives_codes_without_being_imported() {
    let home = Home::new();
    home.file(
        "a.json",
        aegis(&[entry("Example", "alice", SEED), entry("Git", "bob", OTHER), entry("Bad", "eve", "1!")]),
    );
    let code = home.run(&["code", "--from", "a.json", "--account", "alice", "--at", "59"]).expect(0);
    assert_eq!(code.stdout, "287082\n");
    assert!(code.stderr.contains("entry 3 is left out: Bad: eve"), "{code:#?}");
    let which = home.run(&["code", "--from", "a.json"]).expect(1);
    assert!(which.stderr.contains("--account 'alice'"), "{which:#?}");
    let (file, ..) = locked();
    let nobody = home.run(&["code", "--from", file.to_str().unwrap()]).expect(2);
    assert!(nobody.stderr.contains("is encrypted"), "{nobody:#?}");
    assert_eq!(names(&home), Vec::<String>::new());
}

/// kill -9 at all moments of an import: all of its devices are there or none, also after what it left is cleared up.
#[cfg(target_os = "linux")]
#[test]
fn an_import_that_is_killed_adds_all_or_none() {
    const ENTRIES: u8 = 20;
    const ROUNDS: u8 = 40;
    let home = Home::new();
    home.add("before");
    let secret = |round: u8, entry: u8| {
        let letters: String = [round / 26, round % 26, entry].iter().map(|n| char::from(b'A' + n)).collect();
        format!("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQ{letters}")
    };
    for round in 0..ROUNDS {
        let entries: Vec<Value> = (0..ENTRIES).map(|n| entry("Example", &format!("u{n}"), &secret(round, n))).collect();
        home.file("a.json", aegis(&entries));
        let mut child = home
            .command()
            .args(["import", "a.json", "--prefix", &format!("r{round}")])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // A moment in the life of a process, not a time step: 0 to 32 ms.
        std::thread::sleep(std::time::Duration::from_micros(u64::from(round) * 800));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let whole = || {
        let names = names(&home);
        let of = |round: u8| names.iter().filter(|name| name.starts_with(&format!("r{round}/"))).count();
        let counts: Vec<usize> = (0..ROUNDS).map(of).collect();
        assert!(counts.iter().all(|count| [0, usize::from(ENTRIES)].contains(count)), "{counts:?}");
        names.len()
    };
    whole();
    // Five minutes later the next change finishes or undoes what was under way.
    run(crate::support::at_clock(&home, 300).args(["add", "after", "-"]), SEED.as_bytes()).expect(0);
    let devices = whole();
    let items = fs::read_dir(home.path().join("home/items")).unwrap().map(|item| item.unwrap().path());
    let items = items.filter(|path| path.extension().is_some_and(|extension| extension == "age")).count();
    assert_eq!(items, devices + 1, "theirs and the vault's own key");
}

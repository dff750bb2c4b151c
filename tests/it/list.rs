//! `vmfa list`: what it looks for, how it sorts, what fits a terminal, and all codes at once.

use serde_json::Value;

use crate::support::terminal::Terminal;
use crate::support::{Home, Run, SEED, at_clock, run};

/// Three devices, added in this order.
fn three() -> Home {
    let home = Home::new();
    home.add_from("zoe", &format!("otpauth://totp/Acme:zoe@example.com?secret={SEED}&issuer=Acme"));
    for (name, seed) in [("ci/one", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR"), ("ci/two", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJS")]
    {
        home.add_from(name, &format!("otpauth://totp/x?secret={seed}"));
    }
    home
}

fn names(run: Run) -> Vec<String> {
    let json = run.expect(0).json();
    let name = |device: &Value| device["name"].as_str().unwrap().to_owned();
    json["devices"].as_array().unwrap().iter().map(name).collect()
}

#[test]
fn patterns_are_those_of_pools_and_other_words_are_parts() {
    let home = three();
    for (patterns, expected) in [
        (&[][..], &["ci/one", "ci/two", "zoe"][..]),
        (&["ci/*"], &["ci/one", "ci/two"]),
        (&["*"], &["zoe"]),
        (&["ACME"], &["zoe"]),
        (&["example.com"], &["zoe"]),
        (&["two", "zo?"], &["ci/two", "zoe"]),
    ] {
        assert_eq!(names(home.run(&[&["list", "--json"], patterns].concat())), expected, "{patterns:?}");
    }
    let none = home.run(&["list", "nobody", "--json"]).expect(1);
    assert_eq!((none.error_code().as_str(), none.stdout.as_str()), ("no-such-device", ""));
    assert!(home.run(&["list", "ci/["]).expect(1).stderr.contains("`ci/[`"));
    home.run(&["list", "***"]).expect(2);
}

#[test]
fn the_order_is_the_one_asked_for() {
    let home = Home::new();
    let add = |ahead: i64, name: &str, uri: &str| {
        run(at_clock(&home, ahead).args(["add", name, "-", "--no-code"]), uri.as_bytes()).expect(0);
    };
    add(0, "b", &format!("otpauth://totp/x?secret={SEED}"));
    add(100, "a", "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR&issuer=zeta");
    add(50, "c", "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJS&issuer=Alpha");
    let sorted = |key: &str| names(home.run(&["list", "--json", "--sort", key]));
    assert_eq!(sorted("name"), ["a", "b", "c"]);
    assert_eq!(sorted("issuer"), ["c", "a", "b"]);
    assert_eq!(sorted("added"), ["a", "c", "b"]);
    // Nobody was given a code yet.
    assert_eq!(sorted("last-used"), ["a", "b", "c"]);
    run(at_clock(&home, 200).args(["code", "c"]), b"").expect(0);
    run(at_clock(&home, 300).args(["pair", "b"]), b"").expect(0);
    assert_eq!(sorted("last-used"), ["b", "c", "a"]);
    let json = home.run(&["list", "--json"]).expect(0).json();
    let used: Vec<bool> = json["devices"].as_array().unwrap().iter().map(|d| d["last_used"].is_string()).collect();
    assert_eq!(used, [false, true, true]);
    // What was given back was not used.
    let code = run(at_clock(&home, 900).args(["code", "a", "--json"]), b"").expect(0).json();
    run(at_clock(&home, 901).args(["release", "a", "--claim", code["claim"].as_str().unwrap()]), b"").expect(0);
    assert!(home.run(&["show", "a", "--json"]).expect(0).json().get("last_used").is_none());
    home.run(&["list", "--sort", "size"]).expect(2);
}

#[test]
fn on_a_terminal_the_columns_fit_and_elsewhere_nothing_is_cut() {
    let home = Home::new();
    let name = "integration/environment-of-the-east/worker-seventeen";
    let account = "somebody.with.a.long.name@subsidiary.example.com";
    home.add_from(name, &format!("otpauth://totp/Example:{account}?secret={SEED}&issuer=Example"));
    let piped = home.run(&["list"]).expect(0).stdout;
    assert!(piped.contains(name) && piped.contains(account) && !piped.contains('…'), "{piped}");
    for (columns, whole) in [(200, true), (80, false), (60, false)] {
        let mut terminal = Terminal::start(home.command().arg("list"), columns, 24);
        assert_eq!(terminal.ended(), 0);
        let text = terminal.text();
        assert_eq!(text.contains(name), whole, "{text}");
        assert_eq!(text.contains('…'), !whole, "{text}");
        let widest = text.lines().map(|line| line.trim_end().chars().count()).max().unwrap();
        assert!(widest <= columns.into(), "{columns}: {text}");
        assert!(text.contains("just now"), "{text}");
    }
}

#[test]
fn all_codes_come_at_once_and_count_as_handed_out() {
    let home = three();
    home.add_from("counter", &format!("otpauth://hotp/x?secret={SEED}&counter=0"));
    let listed = run(at_clock(&home, 3600).args(["list", "--codes", "--json"]), b"").expect(0).json();
    for device in listed["devices"].as_array().unwrap() {
        let name = device["name"].as_str().unwrap();
        if name == "counter" {
            assert!(device.get("code").is_none() && device["counter"] == 1, "{device}");
            continue;
        }
        assert_eq!(device["repeated"], false);
        let at = device["valid_from"].as_str().unwrap();
        let code = home.run(&["code", name, "--at", at, "--json"]).expect(0).json();
        assert_eq!((&code["code"], &code["repeated"]), (&device["code"], &Value::Bool(true)), "{name}");
    }
    let text = home.run(&["list", "--codes", "zoe"]).expect(0).stdout;
    let (heading, row) = text.split_once('\n').unwrap();
    assert_eq!(heading.split_whitespace().collect::<Vec<_>>(), ["NAME", "CODE", "LEFT", "ISSUER", "ACCOUNT"]);
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert!(cells[0] == "zoe" && cells[1].len() == 6 && cells[3] == "s" && cells[4] == "Acme", "{row}");
    home.run(&["list", "--clock", "+30s"]).expect(2);
}

#[test]
fn a_secret_that_is_gone_hides_no_other_code() {
    let home = three();
    let id = home.run(&["show", "ci/one", "--json"]).expect(0).json()["id"].as_str().unwrap().to_owned();
    std::fs::remove_file(home.path().join(format!("home/items/{id}.age"))).unwrap();
    let listed = home.run(&["list", "--codes", "--json"]).expect(3);
    assert_eq!(listed.error_code(), "secret-not-there");
    let devices = listed.json()["devices"].clone();
    assert_eq!(devices[0]["error"]["code"], "secret-not-there");
    assert!(devices[1]["code"].is_string() && devices[2]["code"].is_string(), "{devices}");
    let text = home.run(&["list", "--codes"]).expect(3).stdout;
    assert!(text.contains("(secret-not-there)"), "{text}");
}

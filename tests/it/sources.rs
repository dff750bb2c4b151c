//! Sources as services, apps and people leave them: each file of vectors/sources gives the code, or the error, that it says.

use std::fs;

use serde_json::Value;

use crate::support::{Home, SEED, vector};

/// 2023-11-14T22:13:20Z.
const AT: &str = "1700000000";

/// What is wrong with how a source was read, if anything is. Its warnings go to `told`.
fn judge(home: &Home, expected: &[&str], body: &str, told: &mut Vec<String>) -> Option<String> {
    let source = home.file("source.txt", body);
    let run = home.run(&[
        "code".as_ref(),
        "--from".as_ref(),
        source.as_os_str(),
        "--at".as_ref(),
        AT.as_ref(),
        "--json".as_ref(),
    ]);
    let shown = format!("{run:#?}");
    if run.stderr.contains(SEED) || run.stderr.contains("GEZDGNBV") {
        return Some(format!("the secret is shown: {shown}"));
    }
    let Ok(answer) = serde_json::from_str::<Value>(if run.code == 0 { &run.stdout } else { &run.stderr }) else {
        return Some(format!("no JSON: {shown}"));
    };
    let empty = Vec::new();
    let warnings: Vec<&str> =
        answer["warnings"].as_array().unwrap_or(&empty).iter().filter_map(Value::as_str).collect();
    let said = answer["error"]["message"].as_str().unwrap_or_default().to_owned()
        + &answer["error"]["hints"]
            .as_array()
            .unwrap_or(&empty)
            .iter()
            .map(|hint| format!("\n{hint}"))
            .collect::<String>();
    told.extend(warnings.iter().map(|warning| (*warning).to_owned()));
    let mut expected_warnings = 0;
    for line in expected {
        let (word, value) = line.split_once(' ').unwrap_or((line, ""));
        let right = match word {
            "code" => run.code == 0 && answer["code"] == value,
            "issuer" => answer["issuer"].as_str() == Some(value).filter(|value| *value != "-"),
            "account" => answer["account"] == value,
            "warning" => {
                expected_warnings += 1;
                warnings.iter().any(|warning| warning.contains(value))
            }
            "error" => run.code != 0 && run.stdout.is_empty() && run.error_code() == value,
            "says" => said.contains(value),
            _ => return Some(format!("`{line}` is no expectation")),
        };
        if !right {
            return Some(format!("not `{line}`: {shown}"));
        }
    }
    (warnings.len() != expected_warnings).then(|| format!("warnings that nobody expected: {warnings:#?}"))
}

#[test]
fn every_source_of_the_vectors_gives_its_code_or_its_error() {
    let home = Home::new();
    let mut failures = Vec::new();
    let mut cases = 0;
    let mut told = Vec::new();
    for entry in fs::read_dir(vector("sources")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let (head, body) = text.split_once("\n---\n").expect("a line of three dashes");
        let expected: Vec<&str> = head.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(head.starts_with("# ") && !expected.is_empty(), "{} says nothing", path.display());
        cases += 1;
        if let Some(failure) = judge(&home, &expected, body, &mut told) {
            failures.push(format!("{}: {failure}", path.file_name().unwrap().display()));
        }
    }
    assert!(failures.is_empty(), "{} of {cases}:\n{}", failures.len(), failures.join("\n"));
    assert!(cases >= 130, "only {cases} sources");
    // Each warning is a row of the table in docs/sources.md.
    let document = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sources.md")).unwrap();
    let rows: Vec<Vec<&str>> = document
        .lines()
        .filter_map(|line| line.strip_suffix("` |")?.rsplit_once("| `"))
        .map(|(_, warning)| warning.split('…').collect())
        .collect();
    let in_order = |row: &Vec<&str>, warning: &str| {
        let parts = row.iter().try_fold(warning, |rest, part| rest.split_once(part).map(|(_, rest)| rest));
        parts.is_some_and(|rest| rest.is_empty() || row.last() == Some(&""))
    };
    told.retain(|warning| !rows.iter().any(|row| in_order(row, &warning.replace('`', ""))));
    assert!(told.is_empty(), "docs/sources.md doesn't have {told:#?}");
    // Nothing of it was stored.
    assert!(home.run(&["list", "--json"]).expect(0).json()["devices"].as_array().unwrap().is_empty());
}

#[test]
fn a_short_secret_is_taken_where_that_is_said() {
    let home = Home::new();
    let refused = home.run_with(&["add", "x", "-", "--json"], b"hello").expect(5);
    assert_eq!(refused.error_code(), "secret-short");
    let taken = home.run_with(&["add", "x", "-", "--allow-short"], b"GEZDGNBV").expect(0);
    assert!(taken.stderr.contains("40 bits"), "{taken:#?}");
    home.run_with(&["code", "--from", "-", "--allow-short"], b"GEZDGNBV").expect(0);
    // Whoever writes a URI has said what it is.
    home.run_with(&["code", "--from", "-"], b"otpauth://totp/x?secret=GEZDGNBV").expect(0);
}

#[test]
fn an_account_that_comes_twice_is_named_with_its_lines() {
    let home = Home::new();
    let uris = format!(
        "# two\notpauth://totp/Ex:a?secret={SEED}\n\notpauth://totp/Ex:a?secret=AJOAT3YGVBNGDZEGAJOAT3YGVBNGDZEG\n"
    );
    let run = home.run_with(&["add", "imp/", "-", "--json"], uris.as_bytes()).expect(1);
    assert_eq!(run.error_code(), "ambiguous");
    assert!(run.stderr.contains("`Ex/a` (on lines 2 and 4)"), "{run:#?}");
    let run = home.run_with(&["code", "--from", "-", "--account", "a"], uris.as_bytes()).expect(1);
    assert!(run.stderr.contains("2 enrolments of account `a`, on lines 2 and 4"), "{run:#?}");
    // The same secret twice is one.
    let twice = format!("otpauth://totp/Ex:b?secret={SEED}\notpauth://totp/Ex:b?secret={SEED}\n");
    home.run_with(&["add", "b", "-"], twice.as_bytes()).expect(0);
    // Of several, each warning names its line.
    let short = "otpauth://totp/Ex:c?secret=JBSWY3DPEHPK3PXP\notpauth://totp/Ex:d?secret=JBSWY3DPEHPK3PXPJBSWY3DP\n";
    let run = home.run_with(&["add", "s/", "-"], short.as_bytes()).expect(0);
    assert!(run.stderr.contains("line 1 (Ex:c): the secret has 80 bits"), "{run:#?}");
    assert!(run.stderr.contains("line 2 (Ex:d): the secret has 120 bits"), "{run:#?}");
}

#[test]
fn a_table_and_lines_of_names_and_values_are_told() {
    let home = Home::new();
    let excel: &[u8] = b"PK\x03\x04\x14\0\x06\0 docProps/app.xml PK\x01\x02 xl/worksheets/sheet1.xml";
    for (name, bytes, words) in [
        ("a.csv", format!("name,secret\nalice,{SEED}\n").as_bytes(), ["a table", "copy the cell"]),
        ("b.csv", format!("alice;{SEED}\nbob;{SEED}\n").as_bytes(), ["a table", "copy the cell"]),
        ("c.tsv", format!("Account\tSecret key\nbob\t{SEED}\n").as_bytes(), ["a table", "copy the cell"]),
        ("d.xlsx", excel, ["an Excel spreadsheet", "copy the cell"]),
        ("e.env", format!("# mine\nTOTP_SECRET={SEED}\n").as_bytes(), ["names and values", "secret key alone"]),
        ("f.txt", format!("secret: {SEED}").as_bytes(), ["names and values", "secret key alone"]),
    ] {
        home.file(name, bytes);
        let run = home.run(&["add", "x", name]).expect(5);
        assert!(words.iter().all(|word| run.stderr.contains(word)), "{name}: {run:#?}");
        assert!(!run.stderr.contains("base32") && !run.stderr.contains(SEED), "{name}: {run:#?}");
    }
    // Padding, groups and tabs are a secret key's.
    for text in ["JBSWY3DPEHPK3PXPJBSWY===", "JBSW Y3DP\tEHPK 3PXP\nJBSW Y3DP\tEHPK 3PXP"] {
        home.run_with(&["code", "--from", "-", "--allow-short"], text.as_bytes()).expect(0);
    }
}

#[test]
fn a_name_that_several_enrolments_cannot_have_is_told_with_the_way_to_what_was_meant() {
    let home = Home::new();
    home.file(
        "list.txt",
        format!("otpauth://totp/a?secret={SEED}\notpauth://totp/b?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\n"),
    );
    let run = home.run(&["add", "work", "list.txt"]).expect(0);
    assert!(run.stderr.contains("2 enrolments, each named after its account, not `work`"), "{run:#?}");
    assert!(run.stderr.contains("vmfa add work/ SOURCE"), "{run:#?}");
    let (_, rename) = run.stderr.split_once(": vmfa rename ").unwrap();
    let words: Vec<&str> = rename.split(';').next().unwrap().split_whitespace().collect();
    home.run(&[&["rename"], words.as_slice()].concat()).expect(0);
    home.run(&["code", "work/a"]).expect(0);
    // Programs are told, too.
    let json = home.run(&["add", "other", "list.txt", "--replace", "--json"]).expect(1);
    assert_eq!(json.error_code(), "ambiguous");
}

#[test]
fn a_file_url_is_its_file_and_an_address_is_not_fetched() {
    let home = Home::new();
    let path = home.file("a key.txt", SEED);
    let path = path.to_str().unwrap().replace(' ', "%20");
    for url in [format!("file://{path}"), format!("FILE://localhost{path}")] {
        let run = home.run(&["code", "--from", &url, "--at", AT]).expect(0);
        assert_eq!(run.stdout, "921300\n");
    }
    for (url, words) in [
        ("https://example.com/qr.png", ["fetches nothing", "curl -sS URL"]),
        ("HTTP://example.com/qr.png", ["fetches nothing", "screen"]),
        ("s3://bucket/qr.png", ["s3://…", "a path"]),
        ("file://elsewhere/qr.png", ["on this machine", "file:///home/you/qr.png"]),
    ] {
        let run = home.run(&["add", "x", url]).expect(2);
        assert!(words.iter().all(|word| run.stderr.contains(word)), "{url}: {run:#?}");
    }
}

#[test]
fn a_time_in_milliseconds_is_refused_wherever_a_time_is_taken() {
    let home = Home::new();
    home.add("x");
    let late = "1700000000000";
    for arguments in [
        &["code", "x", "--at", late][..],
        &["pair", "x", "--at", late],
        &["verify", "x", "123456", "--at", late],
        &["drift", "x", "123456", "--at", late],
        &["serve", "--time", "virtual=1700000000000"],
    ] {
        let run = home.run(arguments).expect(2);
        assert!(run.stderr.contains("in milliseconds it would be 1700000000"), "{arguments:?}: {run:#?}");
    }
    let run = home.run(&["code", "x", "--at", "253402300800"]).expect(2);
    assert!(run.stderr.contains("after the year 9999"), "{run:#?}");
    home.run(&["code", "x", "--clock", "+100000000d"]).expect(2);
    home.run(&["code", "x", "--at", "20000000000"]).expect(0);
}

#[test]
fn a_lost_leading_zero_is_told() {
    let home = Home::new();
    home.add("x");
    home.add_from("eight", &format!("otpauth://totp/x?secret={SEED}&digits=8"));
    for run in [
        home.run_with(&["verify", "x", "--at", "1111111109", "--dry-run"], b"71271\n").expect(5),
        home.run(&["verify", "x", "71271"]).expect(5),
        home.run(&["drift", "x", "71271", "123456"]).expect(5),
        home.run(&["release", "x", "71271"]).expect(5),
    ] {
        assert!(run.stderr.contains("is a leading zero missing?") && run.stderr.contains("071271"), "{run:#?}");
    }
    let run = home.run(&["verify", "eight", "7081804"]).expect(1);
    assert!(run.stdout.contains("is a leading zero missing?"), "{run:#?}");
    // A code that is too long, or no number, isn't that.
    for code in ["12345678901", "abcde"] {
        assert!(!home.run(&["verify", "x", code]).expect(5).stderr.contains("zero"), "{code}");
    }
}

#[test]
fn a_secret_alone_takes_what_a_uri_would_say() {
    let home = Home::new();
    let code = |arguments: &[&str], secret: &str| {
        home.run_with(&[&["code", "--from", "-", "--at", AT, "--json"], arguments].concat(), secret.as_bytes())
    };
    let hex = "31:32:33:34:35:36:37:38:39:30:31:32:33:34:35:36:37:38:39:30";
    assert_eq!(code(&["--hex"], hex).expect(0).json()["code"], "921300");
    assert_eq!(code(&["--digits", "8"], SEED).expect(0).json()["code"], "81921300");
    assert_eq!(code(&["--digits", "steam"], SEED).expect(0).json()["code"], "R87JJ");
    let uri = format!("otpauth://totp/x?secret={SEED}&period=60&algorithm=SHA256");
    let by_options = code(&["--period", "60", "--algorithm", "sha256"], SEED).expect(0).json();
    assert_eq!(by_options["code"], code(&[], &uri).expect(0).json()["code"]);

    let run = code(&[], &"0a".repeat(20)).expect(5);
    assert!(run.error_code() == "secret-character" && run.stderr.contains("--hex"), "{run:#?}");
    assert_eq!(code(&["--hex"], "31323g").expect(5).error_code(), "secret-character");
    assert_eq!(code(&["--hex"], "31323").expect(5).error_code(), "secret-length");
    for option in [&["--digits", "8"][..], &["--period", "60"], &["--algorithm", "SHA512"]] {
        let run = code(option, &uri).expect(2);
        assert!(run.stderr.contains(option[0]), "{run:#?}");
    }
    code(&["--digits", "5"], SEED).expect(2);
}

#[test]
fn a_secret_alone_is_added_with_issuer_and_account() {
    let home = Home::new();
    let add = |name: &str, arguments: &[&str], source: &str| {
        home.run_with(&[&["add", name, "-", "--no-code", "--json"], arguments].concat(), source.as_bytes())
    };
    let added = add("a", &["--issuer", "Ex", "--account", "joe", "--digits", "8"], SEED).expect(0).json();
    let added = &added["added"][0];
    assert_eq!((&added["issuer"], &added["account"], &added["digits"]), (&"Ex".into(), &"joe".into(), &8.into()));
    let steam = add("s", &["--issuer", "Steam"], SEED).expect(0).json();
    assert_eq!((&steam["added"][0]["type"], steam["warnings"].as_array().unwrap().len()), (&"steam".into(), 1));
    assert_eq!(home.run(&["code", "s", "--at", AT, "--json"]).expect(0).json()["code"], "R87JJ");
    let uri = format!("otpauth://totp/x?secret={SEED}");
    assert!(add("u", &["--issuer", "Ex"], &uri).expect(2).stderr.contains("--issuer"));
}

#[test]
fn a_scan_shows_what_there_is_and_stores_nothing() {
    let home = Home::new();
    let uris = format!("otpauth://totp/Ex:a?secret={SEED}\notpauth://steam/Steam:b?secret={SEED}\n");
    let file = home.file("uris.txt", &uris);
    let file = file.to_str().unwrap();
    let run = home.run(&["scan", file, "--json"]).expect(0);
    let found = run.json();
    assert!(!run.stdout.contains(SEED), "{run:#?}");
    let all = found["enrolments"].as_array().unwrap();
    assert_eq!((all.len(), &all[1]["type"], &all[1]["line"]), (2, &"steam".into(), &2.into()));
    assert!(all.iter().all(|one| one["uri"].is_null() && one["secret_bits"] == 160), "{found}");
    let shown = home.run(&["scan", file]).expect(0).stdout;
    assert!(shown.contains("Steam Guard, SHA1, 5 characters, every 30 s") && !shown.contains(SEED), "{shown}");
    assert!(home.run(&["scan", file, "--reveal"]).expect(0).stdout.contains(SEED));
    assert_eq!(home.run(&["list", "--json"]).expect(0).json()["devices"].as_array().unwrap().len(), 0);
    assert_eq!(home.run(&["scan", "none.png", "--json"]).expect(5).error_code(), "unreadable");
}

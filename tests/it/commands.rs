//! Every command through the real binary, on an age vault.

use std::fs;
use std::process::Stdio;

use crate::support::{Home, Run, SEED, keys, run, tool, uris, vector};

const AWS_IMAGE: &str = "qr/aws-mfauser.png";
/// RFC 6238, Appendix B, by its last six digits: SEED is the RFC's secret.
const AT: &str = "1111111109";
const CODE: &str = "081804";

#[test]
fn add_shows_what_it_read_and_the_first_code_but_never_the_secret() {
    let home = Home::new();
    let run = home.run(&["add".into(), "mfauser".into(), vector(AWS_IMAGE).into_os_string()]).expect(0);
    for part in [
        "added mfauser",
        "Amazon Web Services",
        "mfauser@123456789012",
        "TOTP, SHA1, 6 digits, every 30 s",
        "320 bits, in the age vault",
        "first code",
    ] {
        assert!(run.stdout.contains(part), "{part}: {run:#?}");
    }
    assert!(!run.stdout.contains("GEZDGNBV") && !run.stderr.contains("GEZDGNBV"));
    let run = home.run_with(&["add", "other", "-", "--json"], SEED.as_bytes()).expect(0);
    let json = run.json();
    let added = &json["added"][0];
    assert_eq!(added["name"], "other");
    assert_eq!(added["secret_bits"], 160);
    assert_eq!(added["first_code"]["code"].as_str().unwrap().len(), 6);
    assert!(!run.stdout.contains("GEZDGNBV"));
}

/// Every line of a step is below its heading, also one that was broken, and none is wider than 80 columns.
#[test]
fn the_demonstration_fits_and_keeps_its_indentation() {
    let told = Home::new().run(&["demo"]).expect(0).stdout;
    let (steps, end) = told.split_once("All of it ran").unwrap();
    assert!(end.contains("no account"), "{told}");
    let mut broken = 0;
    for line in steps.lines().filter(|line| !line.is_empty()) {
        assert!(line.starts_with("   ") || line.starts_with(|c: char| c.is_ascii_digit()), "{line}\n{told}");
        broken += usize::from(line.starts_with("          "));
    }
    assert!(broken > 0, "no reason was broken: {told}");
    // An ARN has no place to be broken at.
    let wide = |line: &&str| line.chars().count() > 80 && !line.contains("arn:aws:");
    assert_eq!(told.lines().find(wide), None, "{told}");
}

#[test]
fn a_serial_number_is_taken_where_the_source_has_none() {
    let home = Home::new();
    let serial = "arn:aws:iam::123456789012:mfa/team/alice";
    let added = home.run_with(&["add", "alice", "-", "--json", "--serial", serial], SEED.as_bytes()).expect(0).json();
    let added = &added["added"][0];
    assert_eq!(added["serial_number"], serial);
    assert_eq!(
        (added["issuer"].as_str(), added["account"].as_str()),
        (Some("Amazon Web Services"), Some("alice@123456789012"))
    );
    // What the source says of itself stays.
    let uri = format!("otpauth://totp/Example:bob?secret={SEED}&issuer=Example");
    let added = home.run_with(&["add", "bob", "-", "--json", "--serial", serial], uri.as_bytes()).expect(0).json();
    assert_eq!(
        (added["added"][0]["issuer"].as_str(), added["added"][0]["account"].as_str()),
        (Some("Example"), Some("bob"))
    );
    let answer = |serial: &str| {
        format!("{{\"VirtualMFADevice\": {{\"SerialNumber\": \"{serial}\", \"Base32StringSeed\": \"{SEED}\"}}}}")
    };
    let other = "arn:aws:iam::123456789012:mfa/other";
    let refused = home.run_with(&["add", "x", "-", "--json", "--serial", serial], answer(other).as_bytes()).expect(1);
    assert_eq!(refused.error_code(), "other-serial");
    home.run_with(&["add", "same", "-", "--serial", other], answer(other).as_bytes()).expect(0);
    let refused =
        home.run_with(&["add", "x/", "-", "--json", "--serial", serial], uris(&["a", "b"]).as_bytes()).expect(1);
    assert_eq!(refused.error_code(), "ambiguous");
    for wrong in [
        "alice",
        "arn:aws:iam::123456789012:user/alice",
        "arn:aws:iam::1:mfa/a",
        "arn:aws:iam::123456789012:mfa/",
        "GAKT000012A4",
    ] {
        let refused = home.run_with(&["add", "x", "-", "--json", "--serial", wrong], SEED.as_bytes()).expect(2);
        assert!(!refused.stderr.contains(&format!("`{wrong}`")), "{refused:#?}");
    }
    home.run(&["show", "x"]).expect(1);
}

#[test]
fn a_short_secret_is_taken_with_a_warning() {
    let home = Home::new();
    let run = home.run_with(&["add", "short", "-"], b"JBSWY3DPEHPK3PXP").expect(0);
    assert!(run.stderr.contains("80 bits") && run.stderr.contains("128"), "{run:#?}");
}

#[test]
fn the_same_name_twice_is_an_error_that_names_replace() {
    let home = Home::new();
    home.add("x");
    let before = home.run(&["show", "x", "--json"]).expect(0).json();
    let run = home.run_with(&["add", "x", "-"], b"JBSWY3DPEHPK3PXP").expect(1);
    assert!(run.stderr.contains("--replace") && run.stdout.is_empty(), "{run:#?}");
    assert_eq!(home.run(&["show", "x", "--json"]).expect(0).json(), before);

    home.run_with(&["add", "x", "-", "--replace"], b"JBSWY3DPEHPK3PXP").expect(0);
    assert_ne!(home.run(&["show", "x", "--json"]).expect(0).json()["id"], before["id"]);
    assert!(home.run(&["uri", "x", "--reveal"]).expect(0).stdout.contains("JBSWY3DPEHPK3PXP"));
    assert_eq!(items(&home), 2, "the new secret, and the old one in the trash");
    // One is named, so one is replaced.
    home.add("alice");
    let run = home.run_with(&["add", "x", "-", "--replace", "--json"], uris(&["alice", "bob"]).as_bytes()).expect(1);
    assert_eq!(run.error_code(), "ambiguous");
    assert_eq!(names(&home), ["alice", "x"]);
}

#[test]
fn whatever_can_fail_in_an_add_fails_before_anything_is_stored() {
    let home = Home::new();
    // A period that ends past 64 bits, and a counter without a next one.
    let period = format!("otpauth://totp/x?secret={SEED}&period={}", u64::MAX);
    home.run_with(&["add", "long", "-"], period.as_bytes()).expect(0);
    home.run(&["code", "long"]).expect(0);
    let counter = format!("otpauth://hotp/x?secret={SEED}&counter={}", u64::MAX);
    let added = home.run_with(&["add", "last", "-", "--json"], counter.as_bytes()).expect(0).json();
    assert_eq!(added["added"][0].get("first_code"), None);
    assert!(added["warnings"][0].as_str().unwrap().contains("no next value"));
    // The vault is open for writing only: a device can be added, but what is handed out can't be written down.
    fs::rename(home.identity(), home.path().join("elsewhere")).unwrap();
    let recipients = fs::read_to_string(home.path().join("elsewhere")).unwrap();
    let identity = vmfa::vault::age::Identity::Text(zeroize::Zeroizing::new(recipients));
    let recipient = vmfa::vault::age::recipient_of(&identity).unwrap().remove(0);
    fs::write(home.path().join("home/config.toml"), format!("[age]\nrecipients = [\"{recipient}\"]\n")).unwrap();
    let counter = format!("otpauth://hotp/x?secret={SEED}&counter=0");
    let added = home.run_with(&["add", "h", "-", "--json"], counter.as_bytes()).expect(0).json();
    assert_eq!(added["added"][0].get("first_code"), None);
    assert_eq!(added["added"][0]["counter"], 0);
    assert!(added["warnings"][0].as_str().unwrap().contains("`vmfa code h` gives one"), "{added}");
}

/// How many secrets the vault holds.
fn items(home: &Home) -> usize {
    let directory = home.path().join("home/items");
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let own_key = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().starts_with("vault-key-");
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "age") && !own_key(path)).count()
}

fn names(home: &Home) -> Vec<String> {
    let listed = home.run(&["list", "--json"]).expect(0).json();
    listed["devices"].as_array().unwrap().iter().map(|device| device["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn several_enrolments_are_named_after_their_accounts_and_added_all_or_none() {
    let home = Home::new();
    let run = home.run_with(&["add", "many", "-"], uris(&["Example:alice", "Example:bob"]).as_bytes()).expect(0);
    assert!(run.stderr.contains("named after its account"), "{run:#?}");
    assert_eq!(names(&home), ["alice", "bob"]);
    // bob is there already: carol isn't added either.
    home.run_with(&["add", "many", "-"], uris(&["Example:carol", "Example:bob"]).as_bytes()).expect(1);
    assert_eq!(names(&home), ["alice", "bob"]);
    assert_eq!(items(&home), 2);
    // A prefix keeps them apart.
    home.run_with(&["add", "work/", "-"], uris(&["Example:carol", "Example:bob"]).as_bytes()).expect(0);
    assert_eq!(names(&home), ["alice", "bob", "work/bob", "work/carol"]);
    // One account of two issuers.
    home.run_with(&["add", "many", "-"], uris(&["One:dave", "Two:dave"]).as_bytes()).expect(0);
    assert_eq!(names(&home)[..2], ["One/dave", "Two/dave"]);
}

#[test]
fn list_and_show_never_touch_the_vault() {
    let home = Home::new();
    home.add("x");
    fs::remove_dir_all(home.path().join("home/items")).unwrap();
    fs::remove_file(home.identity()).unwrap();
    let list = home.run(&["list"]).expect(0);
    let (heading, row) = list.stdout.split_once('\n').unwrap();
    assert_eq!(heading, "NAME  ISSUER   ACCOUNT  TYPE  VAULT  LAST USED");
    assert!(row.starts_with("x     Example  x        totp  age    20"), "{row}");
    home.run(&["show", "x"]).expect(0);
    let json = home.run(&["show", "x", "--json"]).expect(0).json();
    assert_eq!(
        keys(&json),
        [
            "account",
            "algorithm",
            "created",
            "digits",
            "id",
            "issuer",
            "last_used",
            "name",
            "period",
            "serial_number",
            "type",
            "vault"
        ]
    );
    // And what does need the secret says that it is gone.
    let run = home.run(&["code", "x", "--json"]).expect(3);
    assert_eq!(run.stdout, "");
}

#[test]
fn columns_stay_under_each_other_whatever_the_writing() {
    let home = Home::new();
    home.add_from("日本", &format!("otpauth://totp/x?secret={SEED}"));
    home.add("abcd");
    let list = home.run(&["list"]).expect(0).stdout;
    assert!(list.lines().nth(1).unwrap().starts_with("abcd  Example  abcd     totp  age    20"), "{list}");
    assert!(list.lines().nth(2).unwrap().starts_with("日本  -        x        totp  age    20"), "{list}");
}

#[test]
fn names_that_would_steer_a_terminal_are_shown_harmlessly() {
    let home = Home::new();
    let run =
        home.run_with(&["add", "x", "-"], format!("otpauth://totp/a%E3%85%A4b?secret={SEED}").as_bytes()).expect(0);
    assert!(run.stdout.contains("a\u{fffd}b") && !run.stdout.contains('\u{3164}'));
    assert!(!home.run(&["code", "\u{1b}[31m"]).expect(1).stderr.contains('\u{1b}'));
    let run = home.run_with(&["add", "y", "-"], format!("otpauth://totp/a?secret={SEED}&algorithm=%1b[31m").as_bytes());
    assert!(!run.expect(5).stderr.contains('\u{1b}'));
    // In JSON it is escaped, and reads back as it was.
    let shown = home.run(&["show", "x", "--json"]).expect(0);
    assert!(!shown.stdout.contains('\u{3164}') && shown.stdout.contains(r"a\u3164b"), "{shown:#?}");
    assert_eq!(shown.json()["account"], "a\u{3164}b");
    let failed = home.run(&["code", "x\u{9b}31m", "--json"]);
    assert!(failed.stderr.contains(r"\u009b31m") && !failed.stderr.contains('\u{9b}'), "{failed:#?}");
}

#[test]
fn rename_keeps_the_secret_and_the_id() {
    let home = Home::new();
    home.add("x");
    home.add("y");
    let before = home.run(&["show", "x", "--json"]).expect(0).json();
    assert_eq!(home.run(&["rename", "x", "y", "--json"]).expect(1).error_code(), "name-taken");
    assert_eq!(home.run(&["rename", "x", "-z", "--json"]).code, 2);
    home.run(&["rename", "x", "z"]).expect(0);
    assert_eq!(home.run(&["show", "z", "--json"]).expect(0).json()["id"], before["id"]);
    assert_eq!(home.run(&["code", "z", "--at", AT]).expect(0).stdout, format!("{CODE}\n"));
    home.run(&["code", "x"]).expect(1);
}

#[test]
fn remove_now_asks_and_deletes_the_secret() {
    let home = Home::new();
    home.run(&["add".into(), "mfauser".into(), vector(AWS_IMAGE).into_os_string()]).expect(0);
    let run = home.run(&["remove", "mfauser", "--now"]).expect(2);
    assert!(
        run.stderr.contains("--yes")
            && run.stderr.contains("would delete the secret of `mfauser` from the age vault for good"),
        "{run:#?}"
    );
    assert!(run.stderr.contains("AWS still expects codes"), "{run:#?}");
    assert_eq!(items(&home), 1);
    let run = home.run(&["remove", "mfauser", "--now", "--yes"]).expect(0);
    assert!(run.stderr.contains("AWS still expects codes"), "{run:#?}");
    assert_eq!(items(&home), 0);
    home.run(&["remove", "mfauser", "--now", "--yes"]).expect(1);
    assert!(home.run(&["trash", "list"]).expect(0).stderr.contains("the trash is empty"));
}

#[test]
fn secrets_go_to_something_else_than_a_terminal_only_when_told() {
    let home = Home::new();
    home.add("x");
    for command in [&["uri", "x"][..], &["qr", "x"], &["qr", "x", "--png", "-"], &["uri", "x", "--json"]] {
        let run = home.run(command).expect(2);
        assert!(run.stdout.is_empty() && run.stderr.contains("--reveal"), "{run:#?}");
    }
    let uri = home.run(&["uri", "x", "--reveal"]).expect(0).stdout;
    assert_eq!(uri, format!("otpauth://totp/Example:x?secret={SEED}&issuer=Example\n"));
    assert_eq!(home.run(&["uri", "x", "--reveal", "--json"]).expect(0).json()["uri"], uri.trim());
    let drawn = home.run(&["qr", "x", "--reveal"]).expect(0).stdout;
    assert!(drawn.contains('\u{2580}') && drawn.lines().count() <= 24);
}

/// Whoever has a key in a CI secret easily names it where its file belongs.
#[test]
fn a_key_in_a_variable_or_argument_is_refused_and_not_repeated() {
    let home = Home::new();
    let (identity, recipient) = vmfa::vault::age::generate();
    let pem = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    let plugin = "AGE-PLUGIN-YUBIKEY-1QQPQYZAQ3SCN2Q9K7";
    let quiet = |run: &Run| {
        for part in [&identity[16..], "b3BlbnNz", "QQPQYZAQ", SEED] {
            assert!(!run.stdout.contains(part) && !run.stderr.contains(part), "{run:#?}");
        }
    };
    let uri = format!("otpauth://totp/x?secret={SEED}");
    for name in ["VMFA_IDENTITY_FILE", "VMFA_HOME", "VMFA_CLOCK", "VMFA_REGISTRY", "VMFA_VAULT"] {
        for value in [identity.as_str(), pem, plugin, uri.as_str()] {
            for command in [&["code", "x", "--json"][..], &["doctor", "--json"], &["list", "--json"]] {
                let run = run(home.command().env(name, value).args(command), b"").expect(2);
                quiet(&run);
                assert_eq!(run.error_code(), "secret-in-variable");
                assert!(run.stderr.contains(name), "{run:#?}");
            }
        }
    }
    for value in [identity.as_str(), pem, plugin] {
        for arguments in [&["code", "x", "--identity-file", value][..], &["init", "--use-identity", value]] {
            let run = home.run(arguments).expect(2);
            quiet(&run);
            assert!(run.stderr.contains("give the path of its file"), "{run:#?}");
        }
        let run = home.run(&["recipients", "add", value]).expect(2);
        quiet(&run);
        assert!(run.stderr.contains("age-keygen -y"), "{run:#?}");
    }
    // A recipient, and a file of that name, are no keys.
    home.add("x");
    home.run(&["recipients", "add", &recipient]).expect(0);
    home.file("age-plugin-x", "");
    home.run(&["scan", "age-plugin-x"]).expect(5);
}

/// A home whose name was mistyped is told from one that is used.
#[test]
fn an_add_without_a_vault_makes_no_registry() {
    let home = Home::new();
    run(home.command().env("VMFA_VAULT", "keyring").args(["add", "x", "-"]), SEED.as_bytes()).expect(3);
    assert!(!home.path().join("home/registry.sqlite3").exists());
}

#[test]
fn a_secret_in_an_argument_is_refused_and_not_repeated() {
    let home = Home::new();
    let uri = format!("otpauth://totp/x?secret={SEED}");
    for arguments in [
        vec!["add", "x", uri.as_str()],
        vec!["add", "x", SEED],
        vec!["code", "--from", SEED],
        vec!["code", "--from", "JBSW Y3DP EHPK 3PXP"],
        vec!["code", "--from=otpauth://totp/x?secret=AAAA"],
        vec!["add", "x", "--secret", SEED],
        vec!["add", "x", "--secret=JBSWY3DPEHPK3PXP"],
        vec![SEED],
    ] {
        let run = home.run(&arguments).expect(2);
        assert!(run.stdout.is_empty() && !run.stderr.contains("GEZD") && !run.stderr.contains("JBSW"), "{run:#?}");
        assert!(run.stderr.contains("vmfa add NAME"), "{run:#?}");
        let json = home.run(&[&arguments[..], &["--json"]].concat()).expect(2);
        assert_eq!(json.error_code(), "secret-in-argv");
    }
    // What may be a secret and is no file isn't repeated either, nor what comes one argument too late.
    for arguments in [
        &["code", "--from", "jbswy3dpehpk3pxp"][..],
        &["code", "--from", "JBSWY3DP EHPK3PXP"],
        &["add", "x", "-", "jbswy3dpehpk3pxp"],
        &["code", "--from", r#"{"SerialNumber": "jbswy3dpehpk3pxp"}"#],
    ] {
        let run = home.run(arguments);
        assert!(matches!(run.code, 2 | 5) && run.stdout.is_empty(), "{run:#?}");
        assert!(!run.stderr.to_lowercase().contains("jbsw"), "{run:#?}");
    }
    assert!(names(&home).is_empty());
}

#[test]
fn a_name_that_nearly_fits_is_suggested() {
    let home = Home::new();
    home.add("mfauser");
    let run = home.run(&["code", "mfausr"]).expect(1);
    assert_eq!(
        run.stderr,
        "vmfa: no device is named `mfausr`\nhint: did you mean `mfauser`? `vmfa list` shows them all\n"
    );
    // Part of a name is not the name.
    home.run(&["code", "mfa"]).expect(1);
}

#[test]
fn the_vault_that_was_chosen_is_the_one_or_none() {
    let home = Home::new();
    home.add("x");
    let run = home.run(&["code", "x", "--vault", "keyring", "--json"]).expect(2);
    assert_eq!(run.error_code(), "other-vault");
    assert_eq!(home.run(&["add", "y", "-", "--vault", "plain", "--json"]).expect(2).error_code(), "usage");
    // No keyring here: nothing else is tried, and nothing is left behind.
    let run = home.run_with(&["add", "y", "-", "--vault", "keyring", "--json"], SEED.as_bytes()).expect(3);
    assert_eq!(run.error_code(), "keyring-no-bus");
    assert_eq!(names(&home), ["x"]);
    home.run_with(&["add", "y", "-"], SEED.as_bytes()).expect(0);
}

#[test]
fn usage_errors_exit_with_two_and_json_stays_json() {
    let home = Home::new();
    for arguments in [
        &["nonsense"][..],
        &["code"],
        &["code", "x", "--from", "-"],
        &["code", "x", "--count", "0"],
        &["code", "x", "--next", "--previous"],
        &["code", "x", "--at", "yesterday"],
        &["add", "a*b", "-"],
        &["qr", "x", "--scale", "3"],
        &["init", "--use-identity", "a", "--identity-in-keyring"],
    ] {
        let run = home.run(arguments).expect(2);
        assert!(run.stdout.is_empty() && run.stderr.starts_with("vmfa: "), "{run:#?}");
        let run = home.run(&[arguments, &["--json"]].concat()).expect(2);
        assert_ne!(run.error_code(), "no JSON error", "{run:#?}");
    }
    assert_eq!(home.run::<&str>(&[]).code, 2);
    assert!(home.run(&["--version"]).expect(0).stdout.starts_with("vmfa 0."));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = Home::new();
    home.add("x");
    let mut child = home
        .command()
        .args(["code", "x", "--count", "10000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn man_pages_render() {
    let home = Home::new();
    let pages = home.path().join("pages");
    home.run(&["man", "--dir", pages.to_str().unwrap()]).expect(0);
    let mut seen = 0;
    for page in ["man1", "man7"].iter().flat_map(|section| fs::read_dir(pages.join(section)).unwrap()) {
        let page = page.unwrap().path();
        let output = tool("man", "man-db").env("MANWIDTH", "80").arg("-l").arg(&page).output().unwrap();
        assert!(output.status.success() && output.stdout.len() > 200);
        let linted = tool("mandoc", "mandoc").args(["-T", "lint"]).arg(&page).output().unwrap();
        assert!(linted.status.success(), "{}", String::from_utf8_lossy(&linted.stdout));
        let text = fs::read_to_string(&page).unwrap();
        let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
        let wanted: &[&str] = match page.extension().unwrap().to_str().unwrap() {
            "1" => &["NAME", "SYNOPSIS", "\"EXIT STATUS\"", "ENVIRONMENT", "FILES", "EXAMPLES", "\"SEE ALSO\""],
            _ => &["NAME", "DESCRIPTION", "EXAMPLES", "\"SEE ALSO\""],
        };
        assert!(wanted.iter().all(|heading| headings.contains(heading)), "{}: {headings:?}", page.display());
        assert!(!headings.contains(&"EXTRA"), "{}", page.display());
        seen += 1;
    }
    assert!(seen >= 30, "only {seen} pages");
}

#[test]
fn a_registry_that_many_open_first_is_made_once() {
    let home = Home::new();
    for _ in 0..3 {
        let _ = fs::remove_dir_all(home.path().join("home"));
        let children: Vec<_> = (0..24)
            .map(|_| home.command().arg("list").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn a_replacement_goes_through_while_the_old_counter_moves() {
    let home = Home::new();
    home.add_from("h", &format!("otpauth://hotp/x?secret={SEED}&counter=0"));
    let new = home.file("new", format!("otpauth://hotp/x?secret={SEED}&counter=1000"));
    let codes: Vec<_> = (0..40)
        .map(|_| home.command().args(["code", "h"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
        .collect();
    home.run(&["add".as_ref(), "h".as_ref(), new.as_os_str(), "--replace".as_ref()]).expect(0);
    for mut code in codes {
        code.wait().unwrap();
    }
    let counter = home.run(&["show", "h", "--json"]).expect(0).json()["counter"].as_u64().unwrap();
    assert!(counter >= 1000);
    assert_eq!(items(&home), 2, "the new secret, and the old one in the trash");
}

#[test]
fn an_odd_path_is_no_panic() {
    use std::os::unix::ffi::OsStrExt as _;
    let home = Home::new();
    home.add("x");
    let odd = std::ffi::OsStr::from_bytes(b"\xff.png");
    let run = home.run(&["qr".as_ref(), "x".as_ref(), "--png".as_ref(), odd, "--json".as_ref()]).expect(0);
    assert_eq!(run.json()["device"], "x");
    assert_eq!(home.run(&["code".as_ref(), "--from".as_ref(), odd, "--at".as_ref(), "59".as_ref()]).expect(0).code, 0);
}

//! Each code once: leases, pairs, and what is given back. Time is handed in by `--at`; the clock moves when all that it
//! has is taken.

mod clocks;
pub mod many;
mod owners;
mod pairs;
mod random;
mod standing;
mod validity;
mod waiting;

use serde_json::Value;

use crate::support::{Home, SEED, at_clock, run, vector};

/// A time in the middle of a step.
pub const T: u64 = 1_800_000_015;

pub fn aws(home: &Home, name: &str) {
    let image = vector("qr/aws-mfauser.png");
    home.run(&["add".as_ref(), name.as_ref(), image.as_os_str(), "--no-code".as_ref()]).expect(0);
}

pub fn add(home: &Home, name: &str, uri: &str) {
    home.run_with(&["add", name, "-", "--no-code"], uri.as_bytes()).expect(0);
}

/// The answer of a command at a time.
pub fn at(home: &Home, time: u64, arguments: &[&str]) -> Value {
    let time = time.to_string();
    without_claims(home.run(&[arguments, &["--at", &time, "--json"]].concat()).expect(0).json())
}

/// An answer without what is another one in each.
pub fn without_claims(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(fields) => {
            fields.remove("claim");
            fields.values_mut().for_each(|value| *value = without_claims(value.take()));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| *value = without_claims(value.take())),
        _ => {}
    }
    answer
}

/// The error of a command at a time that says no.
pub fn refused(home: &Home, time: u64, arguments: &[&str]) -> String {
    let time = time.to_string();
    let run = home.run(&[arguments, &["--at", &time, "--json"]].concat()).expect(1);
    assert!(run.stdout.is_empty(), "{run:#?}");
    run.error_code()
}

fn step(answer: &Value) -> u64 {
    answer["step"].as_u64().unwrap()
}

#[test]
fn a_fresh_code_is_given_once_and_neighbours_in_the_window_stand_in() {
    let home = Home::new();
    aws(&home, "x");
    let now = T / 30;
    assert_eq!(step(&at(&home, T, &["code", "x", "--fresh"])), now);
    assert_eq!(refused(&home, T, &["code", "x", "--fresh"]), "no-free-step");
    let steps: Vec<u64> = (0..4).map(|_| step(&at(&home, T, &["code", "x", "--fresh", "--window"]))).collect();
    assert_eq!(steps, [now - 1, now + 1, now - 2, now + 2], "AWS takes two steps to either side");
    assert_eq!(refused(&home, T, &["code", "x", "--fresh", "--window"]), "no-free-step");
    let told = home.run(&["code", "x", "--fresh", "--window", "--at", &T.to_string()]).expect(1);
    assert!(told.stderr.contains("give a later time") && !told.stderr.contains("--window"), "{told:#?}");
    assert_eq!(step(&at(&home, T, &["code", "x", "--fresh", "--window", "3"])), now - 3);
    // Time goes on by a step, and the window by one.
    assert_eq!(step(&at(&home, T + 30, &["code", "x", "--fresh", "--window"])), now + 3);
}

#[test]
fn a_step_that_leaves_the_window_before_its_code_arrives_is_not_given() {
    let home = Home::new();
    aws(&home, "x");
    let end = T / 30 * 30 + 29;
    let mut steps: Vec<u64> = (0..4).map(|_| step(&at(&home, end, &["code", "x", "--fresh", "--window"]))).collect();
    steps.sort_unstable();
    assert_eq!(steps, [T / 30 - 1, T / 30, T / 30 + 1, T / 30 + 2]);
    assert_eq!(refused(&home, end, &["code", "x", "--fresh", "--window"]), "no-free-step");
}

#[test]
fn without_fresh_a_code_is_given_again_and_says_so_and_is_not_fresh_any_more() {
    let home = Home::new();
    add(&home, "x", SEED);
    let first = at(&home, T, &["code", "x"]);
    assert_eq!(first["repeated"], false);
    let again = at(&home, T, &["code", "x"]);
    assert_eq!((&again["repeated"], &again["code"]), (&Value::Bool(true), &first["code"]));
    assert_eq!(refused(&home, T, &["code", "x", "--fresh"]), "no-free-step");
    let several = at(&home, T, &["code", "x", "--previous", "--count", "3"]);
    let repeated: Vec<&Value> = several["codes"].as_array().unwrap().iter().map(|code| &code["repeated"]).collect();
    assert_eq!(repeated, [&Value::Bool(false), &Value::Bool(true), &Value::Bool(false)]);
    assert_eq!(refused(&home, T, &["code", "x", "--fresh", "--window", "1"]), "no-free-step");
    // What `add` shows was handed out too.
    let shown = home.run_with(&["add", "y", "-", "--json"], b"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").expect(0).json();
    let shown = step(&shown["added"][0]["first_code"]);
    assert_eq!(refused(&home, shown * 30, &["code", "y", "--fresh"]), "no-free-step");
}

#[test]
fn the_default_window_is_what_the_service_is_known_to_accept() {
    let home = Home::new();
    home.add("other");
    let now = T / 30;
    let steps: Vec<u64> = (0..3).map(|_| step(&at(&home, T, &["code", "other", "--fresh", "--window"]))).collect();
    assert_eq!(steps, [now, now - 1, now + 1], "one step to either side for a service that nobody measured");
    assert_eq!(refused(&home, T, &["code", "other", "--fresh", "--window"]), "no-free-step");
}

#[test]
fn two_names_of_one_secret_share_what_was_handed_out() {
    let home = Home::new();
    add(&home, "one", SEED);
    add(&home, "two", &format!("otpauth://totp/Elsewhere:x?secret={SEED}&digits=8"));
    add(&home, "longer", &format!("otpauth://totp/Elsewhere:x?secret={SEED}&period=60"));
    at(&home, T, &["code", "one", "--fresh"]);
    assert_eq!(refused(&home, T, &["code", "two", "--fresh"]), "no-free-step");
    // Another period counts other steps.
    at(&home, T, &["code", "longer", "--fresh"]);
    // A rename changes nothing, and neither does removing the device and enrolling it anew.
    home.run(&["rename", "one", "uno"]).expect(0);
    assert_eq!(refused(&home, T, &["code", "uno", "--fresh"]), "no-free-step");
    let now = home.run(&["code", "uno", "--json"]).expect(0).json();
    home.run(&["remove", "uno", "--yes"]).expect(0);
    home.run(&["remove", "two", "--yes"]).expect(0);
    add(&home, "again", SEED);
    assert_eq!(refused(&home, T, &["code", "again", "--fresh"]), "no-free-step");
    assert_eq!(refused(&home, step(&now) * 30, &["code", "again", "--fresh"]), "no-free-step");
    // Pairs too.
    at(&home, T + 300, &["pair", "again"]);
    add(&home, "third", SEED);
    assert_eq!(refused(&home, T + 300, &["pair", "third"]), "no-pair-yet");
}

#[test]
fn two_names_of_one_counter_share_it() {
    let home = Home::new();
    let uri = format!("otpauth://hotp/Example:x?secret={SEED}&counter=0");
    add(&home, "one", &uri);
    add(&home, "two", &uri);
    let next = |name: &str| home.run(&["code", name, "--json"]).expect(0).json()["counter"].as_u64().unwrap();
    assert_eq!(["one", "one", "two", "one", "two"].map(next), [0, 1, 2, 3, 4]);
    let pair = home.run(&["pair", "one", "--json"]).expect(0).json();
    assert_eq!((&pair["codes"][0]["counter"], &pair["codes"][1]["counter"]), (&5.into(), &6.into()));
    assert_eq!(home.run(&["code", "two", "--fresh", "--json"]).expect(0).json()["counter"], 7);
}

#[test]
fn a_counter_is_never_used_twice_not_even_by_a_device_enrolled_anew() {
    let home = Home::new();
    let uri = format!("otpauth://hotp/Example:x?secret={SEED}&counter=0");
    let next = |name: &str| home.run(&["code", name, "--json"]).expect(0).json()["counter"].as_u64().unwrap();
    add(&home, "x", &uri);
    assert_eq!([next("x"), next("x")], [0, 1]);
    home.run_with(&["add", "x", "-", "--replace", "--no-code"], uri.as_bytes()).expect(0);
    assert_eq!(next("x"), 2);
    add(&home, "y", &uri);
    home.run(&["remove", "x", "--yes"]).expect(0);
    assert_eq!(next("y"), 3);
    home.run(&["remove", "y", "--yes"]).expect(0);
    add(&home, "z", &uri);
    assert_eq!(next("z"), 4);
    assert_eq!(home.run(&["show", "z", "--json"]).expect(0).json()["counter"], 5);
    // A source that is further is followed.
    add(&home, "further", &uri.replace("counter=0", "counter=90"));
    assert_eq!([next("further"), next("z")], [90, 91]);
}

#[test]
fn secrets_that_hmac_takes_for_one_are_one() {
    let home = Home::new();
    add(&home, "x", SEED);
    // Eight letters A are five zero bytes at the end.
    add(&home, "padded", &format!("{SEED}AAAAAAAA"));
    let given = at(&home, T, &["code", "x", "--fresh"])["code"].clone();
    assert_eq!(at(&home, T, &["code", "padded"])["code"], given);
    assert_eq!(at(&home, T, &["code", "padded"])["repeated"], true);
}

#[test]
fn the_last_times_of_all_are_refused_or_answered_but_never_waited_for() {
    let home = Home::new();
    add(&home, "x", &format!("otpauth://totp/x?secret={SEED}&period=1"));
    for time in ["18446744073709551615", "9223372036854775807", "253402300800", "253402300799", "253402300798"] {
        let run = home.run(&["code", "x", "--fresh", "--window", "3", "--at", time, "--json"]);
        assert!(matches!(run.code, 0 | 2), "{time}: {run:#?}");
    }
    let run = home.run(&["code", "x", "--at", "253402300799", "--json"]).expect(0).json();
    assert_eq!((&run["valid_from"], &run["validity_seconds"]), (&"9999-12-31T23:59:59Z".into(), &1.into()));
}

#[test]
fn every_identity_of_the_age_vault_has_its_own_devices() {
    let home = Home::new();
    add(&home, "x", SEED);
    let (identity, _) = vmfa::vault::age::generate();
    let other = home.file("other.txt", identity.as_bytes());
    let run = |arguments: &[&str], stdin: &[u8]| {
        let mut command = home.command();
        crate::support::run(command.args(arguments).env("VMFA_IDENTITY_FILE", &other), stdin)
    };
    std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    run(&["add", "y", "-"], SEED.as_bytes()).expect(0);
    run(&["code", "y", "--fresh", "--at", "59"], b"").expect(0);
    home.run(&["code", "x", "--fresh", "--at", "59"]).expect(0);
}

/// The registry alone doesn't tell whether a guess at a secret is right: the same secret has another fingerprint in
/// every home, and it isn't one that the secret alone makes.
#[test]
fn what_finds_two_names_of_one_secret_helps_nobody_to_guess_it() {
    use sha2::{Digest as _, Sha256};
    let prints: Vec<Vec<u8>> = (0..2)
        .map(|_| {
            let home = Home::new();
            home.add("x");
            let file = home.path().join("home/registry.sqlite3");
            let registry = rusqlite::Connection::open(file).unwrap();
            registry.query_row("SELECT fingerprint FROM ledger", [], |row| row.get(0)).unwrap()
        })
        .collect();
    assert_ne!(prints[0], prints[1]);
    assert!(!prints.contains(&Sha256::digest(b"12345678901234567890").to_vec()));
}

#[test]
fn what_never_reached_the_service_can_be_given_back() {
    let home = Home::new();
    aws(&home, "x");
    let given = at(&home, T, &["code", "x", "--fresh"]);
    let code = given["code"].as_str().unwrap();
    let released = home.run(&["release", "x", code, "--json"]).expect(0).json();
    assert_eq!(step(&released), T / 30);
    assert_eq!(at(&home, T, &["code", "x", "--fresh"]), given);
    let step = given["step"].to_string();
    // Whoever gives it back a second time doesn't free what another took meanwhile.
    assert_eq!(home.run(&["release", "x", "--step", &step, "--json"]).expect(1).error_code(), "shared");
    assert_eq!(home.run(&["release", "x", code, "--json"]).expect(1).error_code(), "shared");
    let next = at(&home, T + 30, &["code", "x", "--fresh"])["step"].to_string();
    home.run(&["release", "x", "--step", &next]).expect(0);
    assert_eq!(home.run(&["release", "x", "--step", &next, "--json"]).expect(1).error_code(), "not-handed-out");
    assert_eq!(home.run(&["release", "x", "12345", "--json"]).expect(5).error_code(), "code");

    // T lies ahead, but these times don't.
    let past = 1_700_000_015;
    let pair = at(&home, past, &["pair", "x"]);
    assert_eq!(refused(&home, past, &["pair", "x"]), "no-pair-yet");
    home.run(&["release", "x", "--pair"]).expect(0);
    assert_eq!(at(&home, past, &["pair", "x"]), pair);
    // The pair before it can't be given back: nobody knows any more what came before that.
    let later = at(&home, past + 600, &["pair", "x"]);
    let [one, two] = ["authentication_code1", "authentication_code2"].map(|code| later[code].as_str().unwrap());
    home.run(&["release", "x", one, two]).expect(0);
    assert_eq!(home.run(&["release", "x", one, two, "--json"]).expect(1).error_code(), "not-handed-out");
    assert_eq!(home.run(&["release", "x", "--pair", "--json"]).expect(1).error_code(), "not-handed-out");
    // But what no relying party can have taken yet doesn't stand in the way for years.
    at(&home, T + 1_000_000_000, &["pair", "x"]);
    at(&home, T + 2_000_000_000, &["pair", "x"]);
    let run = home.run(&["pair", "x"]).expect(1);
    assert!(run.stderr.contains("vmfa release x --pair"), "{run:#?}");
    home.run(&["release", "x", "--pair"]).expect(0);
    home.run(&["release", "x", "--pair"]).expect(0);
    home.run(&["pair", "x"]).expect(0);
}

#[test]
fn a_pool_gives_what_any_of_its_devices_has_and_says_which() {
    let home = Home::new();
    for name in ["ci/1", "ci/2", "ci/deep/3", "other"] {
        let seed = home.run_with(&["add", name, "-", "--no-code"], seed_for(name).as_bytes());
        seed.expect(0);
    }
    let lease = || at(&home, T, &["code", "ci/*", "--fresh", "--window", "1"]);
    let mut given: Vec<(String, u64)> =
        (0..6).map(|_| lease()).map(|code| (code["device"].as_str().unwrap().to_owned(), step(&code))).collect();
    let now = T / 30;
    assert_eq!(given[..2], [("ci/1".to_owned(), now), ("ci/2".to_owned(), now)], "the current codes come first");
    given.sort();
    let of = |name: &str| [now - 1, now, now + 1].map(|step| (name.to_owned(), step));
    assert_eq!(given, [of("ci/1"), of("ci/2")].concat());
    assert_eq!(refused(&home, T, &["code", "ci/*", "--fresh", "--window", "1"]), "no-free-step");
    assert_eq!(at(&home, T, &["code", "**/3", "--fresh"])["device"], "ci/deep/3");
    assert_eq!(refused(&home, T, &["code", "nothing*", "--fresh"]), "no-such-device");
    assert_eq!(home.run(&["code", "ci/*[", "--fresh", "--json"]).expect(2).error_code(), "usage");
    assert_eq!(home.run(&["code", "ci/*", "--json"]).expect(2).error_code(), "usage");
}

#[test]
fn a_pool_gives_the_code_of_the_device_that_was_used_least_lately() {
    let home = Home::new();
    for name in ["ci/1", "ci/2", "ci/3"] {
        home.run_with(&["add", name, "-", "--no-code"], seed_for(name).as_bytes()).expect(0);
    }
    let lease = |time: u64| at(&home, time, &["code", "ci/*", "--fresh"])["device"].as_str().unwrap().to_owned();
    assert_eq!([0, 1, 2, 3, 4].map(|step| lease(T + 30 * step)), ["ci/1", "ci/2", "ci/3", "ci/1", "ci/2"]);
    // Whatever gave the last code.
    at(&home, T + 150, &["code", "ci/3", "--fresh"]);
    assert_eq!([6, 7].map(|step| lease(T + 30 * step)), ["ci/1", "ci/2"]);
    // After ten minutes it is no matter.
    assert_eq!(lease(T + 900), "ci/1");
}

#[test]
fn a_fleet_is_surveyed() {
    let home = Home::new();
    for name in ["ci/1", "ci/2", "ci/3"] {
        home.run_with(&["add", name, "-", "--no-code"], seed_for(name).as_bytes()).expect(0);
    }
    home.run_with(&["add", "same", "-", "--no-code"], seed_for("ci/1").as_bytes()).expect(0);
    let counter = format!("otpauth://hotp/c?secret={SEED}&counter=0");
    home.run_with(&["add", "counter", "-", "--no-code"], counter.as_bytes()).expect(0);
    let fleet = |ahead: i64| {
        let run = run(at_clock(&home, ahead).args(["doctor", "--fleet", "--json"]), b"");
        let checks = run.json()["checks"].clone();
        let check = checks.as_array().unwrap().iter().find(|check| check["what"] == "fleet").unwrap().clone();
        check["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(fleet(0), "0 of 4 devices used in the last 10 minutes, 0.0 codes a minute");
    for at in ["-30s", "-60s", "-90s"] {
        home.run(&["code", "ci/1", "--fresh", "--at", at]).expect(0);
    }
    home.run(&["code", "same", "--fresh", "--at", "-120s"]).expect(0);
    home.run(&["code", "ci/2", "--fresh", "--at", "+300s"]).expect(0);
    let told = fleet(0);
    assert!(
        told.starts_with("1 of 3 devices used in the last 10 minutes, 0.4 codes a minute; 1 code of a later time"),
        "{told}"
    );
    assert!(fleet(3_600).starts_with("0 of 3 devices"));
}

/// A secret of its own for each name.
pub fn seed_for(name: &str) -> String {
    use sha2::{Digest as _, Sha256};
    base32::encode(base32::Alphabet::Rfc4648 { padding: false }, &Sha256::digest(name))
}

#[test]
fn steps_are_forgotten_when_nobody_could_accept_them_any_more() {
    let home = Home::new();
    add(&home, "x", SEED);
    let file = home.path().join("home/registry.sqlite3");
    let registry = || rusqlite::Connection::open(&file).unwrap();
    let now = home.run(&["code", "x", "--json"]).expect(0).json()["step"].as_u64().unwrap();
    let ledger: String = registry().query_row("SELECT ledger FROM device", [], |row| row.get(0)).unwrap();
    let rows = |step: u64, since: u64| {
        let sql = "INSERT INTO claimed (ledger, step, since) VALUES (?1, ?2, ?3)";
        registry().execute(sql, rusqlite::params![ledger, step.cast_signed(), since.cast_signed()]).unwrap();
    };
    // An old step handed out long ago; an old step handed out just now; a recent step.
    rows(now - 5_000, (now - 5_000) * 30);
    rows(now - 5_001, now * 30);
    rows(now - 3_000, (now - 3_000) * 30);
    home.run(&["code", "x", "--at", "+40m"]).expect(0);
    let kept: Vec<u64> = registry()
        .prepare("SELECT step FROM claimed ORDER BY step")
        .unwrap()
        .query_map([], |row| row.get::<_, i64>(0))
        .unwrap()
        .map(|step| step.unwrap().cast_unsigned())
        .collect();
    assert_eq!(kept[..3], [now - 5_001, now - 3_000, now]);
    assert_eq!(kept.len(), 4, "and the one of 40 minutes on: {kept:?}");
}

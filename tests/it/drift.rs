//! `vmfa drift`: measured from codes, measured against a server, and set on purpose.

use serde_json::Value;

use crate::leases::{T, add, at};
use crate::support::web::Web;
use crate::support::{Home, SEED};

/// Codes as the real device shows them: it has the secret too, and a clock of its own.
fn shown(home: &Home, time: u64, count: usize) -> Vec<String> {
    let source = home.file("device", SEED);
    let (time, count) = (time.to_string(), count.to_string());
    let run = home.run(&["code", "--from", source.to_str().unwrap(), "--at", &time, "--count", &count]).expect(0);
    run.stdout.lines().map(str::to_owned).collect()
}

fn drift(home: &Home, arguments: &[&str], code: i32) -> Value {
    home.run(&[&["drift", "x", "--json"], arguments].concat()).expect(code).json()
}

#[test]
fn two_codes_tell_the_drift_within_a_day_and_three_within_a_year() {
    let home = Home::new();
    add(&home, "x", SEED);
    let at = T.to_string();
    for seconds in [0_i64, 30, -95, 3_600, -86_370, 86_000] {
        let codes = shown(&home, T.checked_add_signed(seconds).unwrap() - 30, 2);
        let answer = drift(&home, &[&codes[0], &codes[1], "--at", &at], 0);
        let steps = (T.checked_add_signed(seconds).unwrap() / 30).cast_signed() - (T / 30).cast_signed();
        assert_eq!((&answer["drift_steps"], &answer["sure"]), (&steps.into(), &true.into()), "{seconds}: {answer}");
        assert_eq!((&answer["drift_seconds"], &answer["codes_needed"]), (&(steps * 30).into(), &2.into()));
    }
    // Further away: not found, or not sure, unless there are three.
    let codes = shown(&home, T - 200 * 86_400 - 60, 3);
    let none = drift(&home, &[&codes[1], &codes[2], "--at", &at], 1);
    assert_eq!((&none["candidates"], &none["drift_steps"]), (&Value::Array(vec![]), &Value::Null));
    let unsure = drift(&home, &[&codes[1], &codes[2], "--at", &at, "--within", "365d"], 1);
    assert_eq!(
        (&unsure["sure"], &unsure["codes_needed"], &unsure["drift_steps"]),
        (&false.into(), &3.into(), &(-576_000).into())
    );
    let three: Vec<&str> = codes.iter().map(String::as_str).collect();
    let sure = drift(&home, &[three.as_slice(), &["--at", &at]].concat(), 0);
    assert_eq!((&sure["sure"], &sure["drift_seconds"]), (&true.into(), &(-200 * 86_400).into()));
}

#[test]
fn several_answers_are_all_told_and_none_is_guessed() {
    let home = Home::new();
    add(&home, "x", SEED);
    let at = T.to_string();
    // One code in a window of two million steps either side: by chance there are others.
    let codes = shown(&home, T, 1);
    let answer = drift(&home, &[&codes[0], "--at", &at, "--within", "60000000s"], 1);
    let candidates = answer["candidates"].as_array().unwrap();
    assert!(candidates.len() > 1, "{answer}");
    assert!(candidates.iter().any(|candidate| candidate["drift_steps"] == 0), "{answer}");
    assert_eq!((&answer["drift_steps"], &answer["sure"]), (&Value::Null, &false.into()));
    let run = home.run(&["drift", "x", &codes[0], "--at", &at, "--within", "60000000s"]).expect(1);
    assert!(run.stdout.contains("drifts fit these codes") && run.stdout.contains("to be sure, give"), "{run:#?}");
}

#[test]
fn a_wrong_clock_is_set_gains_and_is_cleared() {
    let home = Home::new();
    add(&home, "x", SEED);
    let step = |time: u64| at(&home, time, &["code", "x"])["step"].as_u64().unwrap();
    let set = drift(&home, &["--set", "-95"], 0);
    assert_eq!(
        (&set["set_seconds"], &set["drift_seconds"], &set["since"]),
        (&(-95).into(), &(-95).into(), &Value::Null)
    );
    assert_eq!(step(T), (T - 95) / 30);
    let shown = home.run(&["show", "x", "--json"]).expect(0).json();
    assert_eq!(shown["wrong_clock"], serde_json::json!({ "set_seconds": -95, "rate_ppm": 0 }));
    drift(&home, &["--set=+2m"], 0);
    assert_eq!(step(T), (T + 120) / 30);
    // 100 ppm from T on: a second in 10,000.
    let at = T.to_string();
    let rate = drift(&home, &["--rate", "100", "--at", &at], 0);
    assert_eq!((&rate["set_seconds"], &rate["rate_ppm"]), (&120.into(), &100.into()));
    assert_eq!(step(T + 1_000_000), (T + 1_000_000 + 120 + 100) / 30);
    // Another rate: what was gained stays.
    let later = (T + 1_000_000).to_string();
    let slower = drift(&home, &["--rate=-50", "--at", &later], 0);
    assert_eq!((&slower["set_seconds"], &slower["drift_seconds"]), (&220.into(), &220.into()));
    assert_eq!(drift(&home, &["--at", &later], 0), slower, "and is told without changing anything");
    let pair = home.run(&["pair", "x", "--at", &later, "--json", "--rules", "aws"]).expect(0).json();
    assert_eq!(pair["codes"][1]["step"], (T + 1_000_220) / 30);
    drift(&home, &["--clear"], 0);
    assert_eq!(step(T + 2_000_000), (T + 2_000_000) / 30);
    home.run(&["drift", "x", "--set", "-95", "--clear"]).expect(2);
    home.run(&["drift", "x", "--set", "soon"]).expect(2);
    home.run(&["drift", "x", "123456", "--clear"]).expect(2);
    home.run(&["drift", "x", "--rate", "100001"]).expect(2);
    add(&home, "counter", &format!("otpauth://hotp/x?secret={SEED}&counter=0"));
    home.run(&["drift", "counter", "--set", "5"]).expect(2);
}

#[test]
fn codes_of_a_counter_device_tell_how_far_it_went() {
    let home = Home::new();
    add(&home, "x", &format!("otpauth://hotp/Example:x?secret={SEED}&counter=0"));
    let codes = home.run(&["code", "x", "--count", "60"]).expect(0).stdout;
    let codes: Vec<&str> = codes.lines().collect();
    let answer = drift(&home, &codes[40..42], 0);
    assert_eq!((&answer["candidates"][0]["counter"], &answer["drift_steps"]), (&41.into(), &(-19).into()), "{answer}");
}

#[test]
fn a_servers_date_tells_how_far_this_clock_and_the_device_are_off() {
    let home = Home::new();
    add(&home, "x", SEED);
    for (server, set, expected) in [(0, 0, 0.0), (95, 0, -95.0), (-3_600, 0, 3_600.0), (10, 40, 30.0)] {
        let web = Web::ahead(server);
        drift(&home, &["--set", &format!("{set:+}")], 0);
        let answer = drift(&home, &["--against", &web.url], 0);
        let (drift, uncertainty) =
            (answer["drift_seconds"].as_f64().unwrap(), answer["uncertainty_seconds"].as_f64().unwrap());
        assert!((drift - expected).abs() <= uncertainty + 0.01, "{answer}");
        assert!(uncertainty > 0.0 && uncertainty < 3.0, "{answer}");
        assert!(web.questions() > 1, "asked {} times", web.questions());
    }
    let run = home.run(&["drift", "x", "--against", &Web::ahead(90).url]).expect(0);
    assert!(run.stdout.contains("s behind http://127.0.0.1") && run.stdout.contains("±"), "{run:#?}");
}

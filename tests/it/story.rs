//! One story from enrolment to resynchronization, on virtual time, through the program alone: it hands codes out, and
//! it is the relying party that takes them, by the rules that AWS was measured to have.

use serde_json::Value;

use crate::leases::{T, at, aws, refused};
use crate::support::Home;

/// The relying party's verdict at a time.
fn verify(home: &Home, time: u64, codes: &[&Value]) -> Value {
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str().unwrap()).collect();
    let time = time.to_string();
    home.run(&[&["verify", "mfauser"], codes.as_slice(), &["--at", &time, "--json"]].concat()).json()
}

#[test]
fn a_device_is_enrolled_used_goes_out_of_sync_is_brought_back_and_no_code_works_twice() {
    let home = Home::new();
    aws(&home, "mfauser");

    // Enrol: two codes at once, nobody waits.
    let pair = at(&home, T, &["pair", "mfauser"]);
    let enabled = verify(&home, T, &[&pair["authentication_code1"], &pair["authentication_code2"]]);
    assert_eq!((&enabled["accepted"], &enabled["rules"]), (&true.into(), &"aws".into()), "{enabled}");
    assert_eq!(enabled["adjustment_steps"], 0);

    // Use: the current code signs in, once.
    let code = at(&home, T, &["code", "mfauser", "--fresh"]);
    let signed_in = verify(&home, T, &[&code["code"]]);
    assert_eq!((&signed_in["accepted"], &signed_in["drift_seconds"]), (&true.into(), &0.into()), "{signed_in}");

    // Drift: half an hour later its clock is 95 s behind, and STS looks two steps around.
    let later = T + 1_800;
    home.run(&["drift", "mfauser", "--set", "-95"]).expect(0);
    let code = at(&home, later, &["code", "mfauser", "--fresh"]);
    let out = verify(&home, later, &[&code["code"]]);
    assert_eq!((&out["accepted"], &out["reason"]), (&false.into(), &"outside-window".into()), "{out}");
    assert_eq!(
        (&out["drift_steps"], &out["drift_seconds"], &out["used"]),
        (&(-3).into(), &(-90).into(), &false.into())
    );

    // Somebody who reads codes off the device sees how far it is off.
    let read = at(&home, later, &["code", "mfauser", "--previous", "--count", "2"]);
    let codes = [0, 1].map(|place| read["codes"][place]["code"].as_str().unwrap().to_owned());
    let time = later.to_string();
    let measured = home.run(&["drift", "mfauser", &codes[0], &codes[1], "--at", &time, "--json"]).expect(0).json();
    assert_eq!((&measured["sure"], &measured["drift_steps"]), (&true.into(), &(-3).into()), "{measured}");

    // Resynchronize: a pair is looked for far around, and its distance is remembered.
    let pair = at(&home, later, &["pair", "mfauser"]);
    let resynced = verify(&home, later, &[&pair["authentication_code1"], &pair["authentication_code2"]]);
    assert_eq!((&resynced["accepted"], &resynced["adjustment_steps"]), (&true.into(), &(-3).into()), "{resynced}");

    // Accepted again, and a replay refused.
    let code = at(&home, later + 30, &["code", "mfauser", "--fresh"]);
    let back = verify(&home, later + 30, &[&code["code"]]);
    assert_eq!((&back["accepted"], &back["drift_steps"]), (&true.into(), &(-3).into()), "{back}");
    let replay = verify(&home, later + 31, &[&code["code"]]);
    assert_eq!(
        (&replay["accepted"], &replay["reason"], &replay["used"]),
        (&false.into(), &"used".into(), &true.into())
    );
    assert_eq!(refused(&home, later + 31, &["code", "mfauser", "--fresh"]), "no-free-step");

    // The clock is set right; now the relying party's adjustment is what is wrong, and a pair mends that.
    home.run(&["drift", "mfauser", "--clear"]).expect(0);
    let much_later = later + 600;
    let code = at(&home, much_later, &["code", "mfauser", "--fresh"]);
    assert_eq!(verify(&home, much_later, &[&code["code"]])["reason"], "outside-window");
    let pair = at(&home, much_later, &["pair", "mfauser"]);
    let mended = verify(&home, much_later, &[&pair["authentication_code1"], &pair["authentication_code2"]]);
    assert_eq!((&mended["accepted"], &mended["adjustment_steps"]), (&true.into(), &0.into()), "{mended}");
    assert_eq!(verify(&home, much_later, &[&code["code"]])["accepted"], true);
}

//! Sessions and codes: shared, given back, and made by the right clock.

use std::time::Duration;

use super::*;

/// Somebody whose device is enrolled, and whom STS knows.
fn known(aws: &Aws, here: &Here) -> (Credentials, Device) {
    let keys = somebody(aws, "mfauser");
    let device = run(aws, &Wire::good(aws), |client, _| enrolled(&here.flow(client, &keys), "mfauser"));
    aws.wait(60);
    (keys, device)
}

#[test]
fn sessions_are_shared_by_what_they_were_asked_for_with() {
    let aws = Aws::new();
    let keys = somebody(&aws, "mfauser");
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole",
           "Condition":{{"Bool":{{"aws:MultiFactorAuthPresent":"true"}}}}}}]}}"#
    );
    aws.root().ok("CreateRole", &[("RoleName", "ops"), ("AssumeRolePolicyDocument", &trust)]);
    let (wire, here) = (Wire::good(&aws), Here::new());
    run(&aws, &wire, |client, _| {
        let flow = here.flow(client, &keys);
        let device = enrolled(&flow, "mfauser");
        aws.wait(20);
        let role =
            Role { arn: format!("arn:aws:iam::{ACCOUNT}:role/ops"), session_name: "me".to_owned(), external_id: None };
        let all = [
            Session::default(),
            Session { duration: Some(900), ..Session::default() },
            Session { role: Some(role.clone()), ..Session::default() },
            Session { role: Some(Role { session_name: "you".to_owned(), ..role }), ..Session::default() },
        ];
        for wanted in &all {
            assert!(!flow.session(&device, wanted).unwrap().cached);
        }
        let kept: Vec<String> = all
            .iter()
            .map(|wanted| {
                let session = flow.session(&device, wanted).unwrap();
                assert!(session.cached);
                session.temporary.credentials.access_key_id
            })
            .collect();
        assert_eq!(wire.count("GetSessionToken") + wire.count("AssumeRole"), 4);
        // A tenth of its time is left at least, of fifteen minutes one and a half; or what is asked for.
        aws.wait(780);
        assert!(flow.session(&device, &all[1]).unwrap().cached);
        let longer = Session { least: Some(300), ..all[1].clone() };
        assert!(!flow.session(&device, &longer).unwrap().cached);
        aws.wait(770);
        assert!(flow.session(&device, &all[1]).unwrap().cached);
        aws.wait(60);
        assert!(!flow.session(&device, &all[1]).unwrap().cached);
        assert_eq!(flow.session(&device, &all[0]).unwrap().temporary.credentials.access_key_id, kept[0]);
        let fresh = flow.session(&device, &Session { fresh: true, ..Session::default() }).unwrap();
        assert!(!fresh.cached && fresh.temporary.credentials.access_key_id != kept[0]);
        assert!(flow.session(&device, &all[0]).unwrap().temporary == fresh.temporary);
        // What is kept goes with the device.
        assert!(here.vault.holds(device.id.companion()).unwrap());
        flow.devices.remove(&flow.held(&serial("mfauser")).unwrap().unwrap(), Timestamp::from_unix(aws.now())).unwrap();
        assert!(!here.vault.holds(device.id.companion()).unwrap());
    });
}

/// What this machine's clocks did between two runs.
struct Between {
    what: &'static str,
    /// How far the system's clock was off, and how far it is then.
    off: [i64; 2],
    /// The same of the clock of its boot, and which boot that is.
    boot: [Option<(&'static str, i64)>; 2],
    /// How many seconds later.
    later: u64,
    /// Whether the session is handed out, and whether STS was asked first.
    expected: (bool, bool),
}

#[test]
fn no_session_that_is_over_is_handed_out_whatever_became_of_the_clocks() {
    const ONE: Option<(&str, i64)> = Some(("one", 0));
    let right = |what, off: [i64; 2], later, expected| Between { what, off, boot: [ONE; 2], later, expected };
    let stories = [
        right("all right", [0, 0], 600, (true, false)),
        right("over", [0, 0], 1_200, (false, false)),
        right("too little left", [0, 0], 850, (false, false)),
        right("two hours fast, and stays so", [7_200, 7_200], 600, (true, false)),
        right("two hours fast, and over", [7_200, 7_200], 1_200, (false, false)),
        right("two hours fast, then put right", [7_200, 0], 600, (true, true)),
        right("two hours fast, then put right, and over", [7_200, 0], 1_200, (false, false)),
        right("two hours slow, then put right", [-7_200, 0], 600, (true, true)),
        right("put wrong", [0, -7_200], 600, (true, true)),
        right("put wrong, and over", [0, -7_200], 1_200, (false, true)),
        right("put wrong, fast", [0, 7_200], 600, (false, false)),
        Between { what: "another boot", boot: [ONE, Some(("two", -5_000))], ..right("", [0, 0], 600, (true, true)) },
        Between {
            what: "another system keeps the clock in another zone, and it is over",
            boot: [ONE, Some(("two", -5_000))],
            ..right("", [0, -3_600], 1_200, (false, true))
        },
        Between {
            what: "a virtual machine that stood meanwhile",
            boot: [ONE, Some(("one", -1_100))],
            ..right("", [0, 0], 1_200, (false, false))
        },
        Between {
            what: "one whose clock stood too, and was put right only a little",
            boot: [ONE, Some(("one", -1_190))],
            ..right("", [0, -1_100], 1_200, (false, true))
        },
        Between { what: "no clock of the boot", boot: [None, None], ..right("", [0, 0], 600, (true, true)) },
        Between { what: "no such clock, and over", boot: [None, None], ..right("", [0, -7_200], 1_200, (false, true)) },
    ];
    for Between { what, off, boot, later, expected } in stories {
        let (aws, here) = (Aws::new(), Here::new());
        let (keys, device) = known(&aws, &here);
        let wire = Wire::good(&aws);
        let wanted = Session { duration: Some(900), ..Session::default() };
        let session = |index: usize, boot| {
            let mut world = Virtual::off_by(&aws, off[index]);
            world.boot = boot;
            let client = client_of(&wire, &world, false);
            let asked = wire.count("GetCallerIdentity");
            let session = here.flow(&client, &keys).session(&device, &wanted).unwrap();
            (session.temporary, session.cached, wire.count("GetCallerIdentity") > asked)
        };
        let (first, cached, asked) = session(0, boot[0]);
        assert!(!cached && !asked, "{what}");
        aws.wait(later);
        let (second, cached, asked) = session(1, boot[1]);
        assert_eq!((cached, asked), expected, "{what}");
        assert_eq!(second == first, cached, "{what}");
        assert!(second.expiration.as_unix() > aws.now() + 90, "{what}");
        // What was asked once is known from then on.
        let (third, cached, asked) = session(1, boot[1]);
        assert!(third == second && cached && asked == boot[1].is_none(), "{what}");
    }
}

/// A named clock is the one that devices run on: what is over, the service says by its own.
#[test]
fn a_named_clock_doesnt_make_a_session_last_longer() {
    let (aws, here) = (Aws::new(), Here::new());
    let (keys, device) = known(&aws, &here);
    let wire = Wire::good(&aws);
    let wanted = Session { duration: Some(900), ..Session::default() };
    let session = |clock: &(dyn Fn() -> Timestamp + Sync)| {
        let world = Virtual::of(&aws);
        let client = client_of(&wire, &world, false);
        let flow = here.flow(&client, &keys);
        vmfa::aws::flow::Flow { clock: Some(clock), ..flow }.session(&device, &wanted).map(|session| session.cached)
    };
    assert!(!session(&|| Timestamp::from_unix(aws.now())).unwrap());
    // It lasts, whatever that clock shows.
    assert!(session(&|| Timestamp::from_unix(aws.now() + 7_200)).unwrap());
    aws.wait(1_200);
    let behind = session(&|| Timestamp::from_unix(aws.now() - 1_200));
    assert!(behind.is_err(), "a code of that clock is wrong, and the session that was kept is over: {behind:?}");
    assert!(!session(&|| Timestamp::from_unix(aws.now())).unwrap());
}

/// Whoever named it waits for it once, and not five times.
#[test]
fn a_named_clock_that_stands_is_told() {
    let (aws, here) = (Aws::new(), Here::new());
    let (keys, device) = known(&aws, &here);
    let wire = Wire::good(&aws);
    let world = Virtual::of(&aws);
    let client = client(&wire, &world);
    let stands = Timestamp::from_unix(aws.now());
    let flow = vmfa::aws::flow::Flow { clock: Some(&|| stands), ..here.flow(&client, &keys) };
    let fresh = Session { fresh: true, ..Session::default() };
    for _ in 0..5 {
        flow.session(&device, &fresh).unwrap();
    }
    let failed = flow.session(&device, &fresh);
    assert!(matches!(&failed, Err(Error::StandsStill { until, .. }) if *until > stands), "{failed:?}");
    assert!(world.waited() <= 30, "{}", world.told());
}

#[test]
fn a_new_session_that_lasts_too_short_is_an_error() {
    let aws = Aws::new();
    let keys = somebody(&aws, "mfauser");
    let (wire, here) = (Wire::good(&aws), Here::new());
    run(&aws, &wire, |client, _| {
        let device = enrolled(&here.flow(client, &keys), "mfauser");
        aws.wait(60);
        let wanted = Session { duration: Some(900), least: Some(1_000), ..Session::default() };
        let failed = here.flow(client, &keys).session(&device, &wanted);
        assert!(matches!(failed, Err(Error::TooShort { least: 1_000, .. })), "{failed:?}");
    });
}

#[test]
fn a_session_takes_another_code_after_a_failure_and_none_twice() {
    for fate in [Fate::LostAfter, Fate::FailsAfter, Fate::FailsBefore, Fate::Throttled] {
        let (aws, here) = (Aws::new(), Here::new());
        let (keys, device) = known(&aws, &here);
        let wire = Wire::with(&aws, move |number, _| if number == 0 { fate } else { Fate::Good });
        run(&aws, &wire, |client, world| {
            here.flow(client, &keys).session(&device, &Session::default()).unwrap();
            assert_eq!(world.waited(), 0, "the neighbours of a code are good at once");
        });
        let codes = wire.codes.lock().unwrap();
        // What was one call too many wasn't looked at.
        assert_eq!((codes.len(), codes[0] == codes[1]), (2, fate == Fate::Throttled), "{fate:?}");
    }
}

#[test]
fn a_code_that_came_while_sts_learnt_of_the_device_is_never_sent_again() {
    for patient in [false, true] {
        let aws = Aws::new();
        let keys = somebody(&aws, "mfauser");
        let (wire, here) = (Wire::good(&aws), Here::new());
        run(&aws, &wire, |client, _| {
            let flow = Flow { retry: patient, ..here.flow(client, &keys) };
            let device = enrolled(&flow, "mfauser");
            let enabled = aws.clock.instant();
            aws.clock.set(enabled.plus(Duration::from_millis(7_200)), false).unwrap();
            let first = flow.session(&device, &Session::default());
            let second = match first {
                Err(Error::Explained { cause, .. }) if !patient => {
                    assert!(matches!(*cause, Cause::NotYet { .. }), "{cause}");
                    aws.clock.set(enabled.plus(Duration::from_millis(7_500)), false).unwrap();
                    flow.session(&device, &Session::default())
                }
                first => first,
            };
            assert!(!second.unwrap().cached);
        });
        let why: Vec<Option<String>> = aws.events().into_iter().map(|event| event.why).collect();
        assert!(why.iter().flatten().any(|why| why.contains("just reaching STS")), "{why:?}");
        let codes = wire.codes.lock().unwrap();
        assert_eq!(codes.len(), 2);
        assert_ne!(codes[0], codes[1], "the first one is used up");
    }
}

#[test]
fn sts_is_not_asked_while_a_code_would_be_lost() {
    for milliseconds in [0, 1, 500, 999] {
        let aws = Aws::new();
        let keys = somebody(&aws, "mfauser");
        aws.clock.set(aws.clock.instant().plus(Duration::from_millis(milliseconds)), false).unwrap();
        let (wire, here) = (Wire::good(&aws), Here::new());
        run(&aws, &wire, |client, _| {
            let flow = here.flow(client, &keys);
            let enrolled = flow.enroll(&wanted("mfauser")).unwrap();
            assert!(flow.wait_for_sts(&enrolled.device, enrolled.enabled, PROPAGATION.enabled).unwrap().is_some());
        });
        assert_eq!(wire.count("GetSessionToken"), 1, "{milliseconds} ms");
    }
}

#[test]
fn a_code_that_never_left_is_given_back() {
    let (aws, here) = (Aws::new(), Here::new());
    let (keys, device) = known(&aws, &here);
    let wire = Wire::with(&aws, |_, _| Fate::LostBefore);
    let failed = run(&aws, &wire, |client, _| here.flow(client, &keys).session(&device, &Session::default()));
    assert!(matches!(failed, Err(Error::Unreachable { perhaps_done: false, .. })), "{failed:?}");
    let ledger = here.registry.list().unwrap()[0].ledger.unwrap();
    let all = here.registry.claimed(ledger, vmfa::time::Step::new(0), vmfa::time::Step::new(u64::from(u32::MAX)));
    assert!(all.unwrap().is_empty());
}

#[test]
fn a_pair_that_never_left_is_given_back() {
    let (aws, here) = (Aws::new(), Here::new());
    let (keys, device) = known(&aws, &here);
    let good = Wire::good(&aws);
    let wire = Wire::with(&aws, |_, _| Fate::LostBefore);
    let failed = run(&aws, &wire, |client, _| here.flow(client, &keys).resync(&device, "mfauser"));
    assert!(matches!(failed, Err(Error::Unreachable { perhaps_done: false, .. })), "{failed:?}");
    run(&aws, &good, |client, world| {
        here.flow(client, &keys).resync(&device, "mfauser").unwrap();
        assert_eq!(world.waited(), 0);
    });
}

#[test]
fn what_waits_in_another_vault_is_not_taken_for_lost() {
    let aws = Aws::new();
    let keys = somebody(&aws, "mfauser");
    let (wire, here) = (Wire::good(&aws), Here::new());
    run(&aws, &wire, |client, world| {
        let flow = here.flow(client, &keys);
        let enrolment = flow.caller.create_virtual_mfa_device(&serial("mfauser"), "mfauser", "/", &[]).unwrap();
        let batch = vmfa::vault::Id::of(&format!("vmfa enrolment 1\n{}", serial("mfauser")));
        let added = flow.devices.add_as(batch, &[("mfauser".parse().unwrap(), enrolment)], false, world.now()).unwrap();
        let until = Timestamp::from_unix(aws.now() + 120);
        let vault = vmfa::vault::Kind::Age;
        let state = State::Pending { batch, replaces: None, until };
        here.registry.update(&[Device { state, vault, ..added[0].clone() }]).unwrap();
        let failed = flow.enroll(&wanted("mfauser"));
        assert!(failed.as_ref().is_err_and(|error| error.to_string().contains("is in the age vault")), "{failed:?}");
        assert_eq!(here.registry.list().unwrap().len(), 1);
    });
}

#[test]
fn temporary_keys_get_no_session_and_nothing_is_sent() {
    let aws = Aws::new();
    let keys = somebody(&aws, "mfauser");
    let (wire, here) = (Wire::good(&aws), Here::new());
    run(&aws, &wire, |client, _| {
        let device = enrolled(&here.flow(client, &keys), "mfauser");
        let temporary = Credentials::new("ASIAEXAMPLE000000001", "secret", Some("token"));
        let failed = here.flow(client, &temporary).session(&device, &Session::default());
        assert!(matches!(failed, Err(Error::Temporary)), "{failed:?}");
    });
    assert_eq!(wire.count("GetSessionToken"), 0);
}

#[test]
fn a_clock_that_is_wrong_by_hours_is_no_obstacle() {
    for off in [-36_000, 100, 36_000] {
        let aws = Aws::new();
        let keys = somebody(&aws, "mfauser");
        let (wire, here) = (Wire::good(&aws), Here::new());
        let world = Virtual::off_by(&aws, off);
        let client = client(&wire, &world);
        let flow = here.flow(&client, &keys);
        flow.caller.identity().unwrap();
        let enrolled = flow.enroll(&wanted("mfauser")).unwrap();
        assert!(
            flow.wait_for_sts(&enrolled.device, enrolled.enabled, PROPAGATION.enabled).unwrap().is_some(),
            "{off}: {}",
            world.told()
        );
        let session = flow.session(&enrolled.device, &Session::default()).unwrap();
        assert!(session.cached, "{off}");
    }
}

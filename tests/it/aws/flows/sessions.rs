//! Sessions and codes: shared, given back, and made by the right clock.

use super::*;

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
        // A quarter of its time is left at least: of fifteen minutes, not quite four.
        aws.wait(660);
        assert!(flow.session(&device, &all[1]).unwrap().cached);
        aws.wait(30);
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

#[test]
fn a_session_takes_another_code_after_a_failure_and_none_twice() {
    for fate in [Fate::LostAfter, Fate::FailsAfter, Fate::FailsBefore, Fate::Throttled] {
        let aws = Aws::new();
        let keys = somebody(&aws, "mfauser");
        let (good, here) = (Wire::good(&aws), Here::new());
        let device = run(&aws, &good, |client, _| enrolled(&here.flow(client, &keys), "mfauser"));
        aws.wait(60);
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
fn a_code_that_never_left_is_given_back() {
    let aws = Aws::new();
    let keys = somebody(&aws, "mfauser");
    let (good, here) = (Wire::good(&aws), Here::new());
    let device = run(&aws, &good, |client, _| enrolled(&here.flow(client, &keys), "mfauser"));
    aws.wait(60);
    let wire = Wire::with(&aws, |_, _| Fate::LostBefore);
    let failed = run(&aws, &wire, |client, _| here.flow(client, &keys).session(&device, &Session::default()));
    assert!(matches!(failed, Err(Error::Unreachable { perhaps_done: false, .. })), "{failed:?}");
    let ledger = here.registry.list().unwrap()[0].ledger.unwrap();
    let all = here.registry.claimed(ledger, vmfa::time::Step::new(0), vmfa::time::Step::new(u64::from(u32::MAX)));
    assert!(all.unwrap().is_empty());
}

#[test]
fn a_pair_that_never_left_is_given_back() {
    let aws = Aws::new();
    let keys = somebody(&aws, "mfauser");
    let (good, here) = (Wire::good(&aws), Here::new());
    let device = run(&aws, &good, |client, _| enrolled(&here.flow(client, &keys), "mfauser"));
    aws.wait(60);
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
        assert!(flow.wait_for_sts(&enrolled.device, enrolled.enabled).unwrap().is_some(), "{off}: {}", world.told());
        let session = flow.session(&enrolled.device, &Session::default()).unwrap();
        assert!(session.cached, "{off}");
    }
}

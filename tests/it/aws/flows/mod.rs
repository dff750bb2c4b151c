//! Enrolling, sessions, resynchronizing, disabling: on virtual time, with whatever may happen to a request.

mod sessions;

use vmfa::aws::client::Client;
use vmfa::aws::enroll::How;
use vmfa::aws::explain::Cause;
use vmfa::aws::flow::Flow;
use vmfa::aws::session::{Role, Wanted as Session};
use vmfa::aws::{Error, World};
use vmfa::device::drift::change_drift;
use vmfa::oath::relying_party::PROPAGATION;
use vmfa::registry::{Device, Registry as _, State};
use vmfa::time::{Drift, Timestamp};
use vmfa::vault::Vault as _;
use vmfa::wire::sigv4::Credentials;

use super::support::{ACCOUNT, Aws, Fate, Here, Virtual, Wire, client, client_of, wanted};
use crate::serve::support::ALLOW_ALL;

const OWN_DEVICE: &str = include_str!("../../../../vectors/iam/own-mfa-device.json");

/// Somebody who may do everything, but for what AWS wants a session for.
fn somebody(aws: &Aws, name: &str) -> Credentials {
    with_policy(aws, name, ALLOW_ALL)
}

fn with_policy(aws: &Aws, name: &str, policy: &str) -> Credentials {
    let user = aws.user(name);
    aws.root().ok("PutUserPolicy", &[("UserName", name), ("PolicyName", "p"), ("PolicyDocument", policy)]);
    user.credentials
}

/// What IAM has, by an administrator's eyes: serial numbers with their users, `-` where there is none.
fn there(aws: &Aws) -> Vec<String> {
    let (wire, world, here) = (Wire::good(aws), Virtual::of(aws), Here::new());
    let client = client(&wire, &world);
    let all = here.flow(&client, &aws.administrator).caller.list_virtual_mfa_devices().unwrap();
    all.into_iter()
        .map(|listed| format!("{} {}", listed.serial, listed.user.unwrap_or_else(|| "-".to_owned())))
        .collect()
}

fn serial(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:mfa/{name}")
}

/// Runs with a transport and a world of its own, as another process would.
fn run<T>(aws: &Aws, wire: &Wire<'_>, work: impl FnOnce(&Client<'_>, &Virtual<'_>) -> T) -> T {
    let world = Virtual::of(aws);
    let client = client(wire, &world);
    work(&client, &world)
}

/// Whether it is that the device was made to be wrong by so many seconds.
fn is_off(error: &Error, by: i64) -> bool {
    matches!(error, Error::Explained { cause, .. } if matches!(**cause, Cause::Drift { seconds, .. } if seconds == by))
}

/// Enrols on a good day.
fn enrolled(flow: &Flow<'_>, user: &str) -> Device {
    flow.enroll(&wanted(user)).unwrap().device
}

#[test]
fn a_user_enrols_and_has_a_session_once_sts_knows() {
    let aws = Aws::new();
    let keys = somebody(&aws, "mfauser");
    let (wire, world, here) = (Wire::good(&aws), Virtual::of(&aws), Here::new());
    let client = client(&wire, &world);
    let flow = here.flow(&client, &keys);
    let identity = flow.caller.identity().unwrap();
    assert_eq!((identity.user(), identity.account.as_str()), (Some("mfauser"), ACCOUNT));

    let enrolled = flow.enroll(&wanted("mfauser")).unwrap();
    assert_eq!(enrolled.how, How::New);
    assert_eq!(world.waited(), 0, "a pair of the past and the present needs no waiting");
    let known = flow.wait_for_sts(&enrolled.device, enrolled.enabled, PROPAGATION.enabled).unwrap();
    assert!(known.is_some());
    assert!((8..=14).contains(&world.waited()), "{}", world.told());
    let session = flow.session(&enrolled.device, &Session::default()).unwrap();
    assert!(session.cached, "what was had while waiting is there for the next who asks");
    assert_eq!(wire.count("GetSessionToken"), 1, "nothing is asked before STS can know");
    let again = flow.enroll(&wanted("mfauser")).unwrap();
    assert_eq!(again.how, How::Already);
    assert_eq!(there(&aws), [format!("{} mfauser", serial("mfauser"))]);
}

#[test]
fn an_enrolment_is_finished_whatever_becomes_of_any_one_request() {
    let fates = [Fate::LostBefore, Fate::LostAfter, Fate::FailsBefore, Fate::FailsAfter, Fate::Throttled];
    for fate in fates {
        for bad in 0.. {
            let aws = Aws::new();
            let keys = somebody(&aws, "mfauser");
            let here = Here::new();
            let wire = Wire::with(&aws, move |number, _| if number == bad { fate } else { Fate::Good });
            let first = run(&aws, &wire, |client, _| here.flow(client, &keys).enroll(&wanted("mfauser")).map(drop));
            if wire.sent() <= bad {
                assert!(first.is_ok() && bad >= 3, "{fate:?}: {bad} requests");
                break;
            }
            // A request that never arrived ends the run; what comes to an unclear end is looked after.
            assert_eq!(first.is_err(), fate == Fate::LostBefore, "{fate:?} {bad}: {first:?}");
            let wire = Wire::good(&aws);
            run(&aws, &wire, |client, _| here.flow(client, &keys).enroll(&wanted("mfauser")).map(drop)).unwrap();
            assert_eq!(there(&aws), [format!("{} mfauser", serial("mfauser"))], "{fate:?} {bad}");
            assert_eq!(here.registry.list().unwrap().len(), 1, "{fate:?} {bad}");
            aws.wait(30);
            let session = |client: &Client<'_>, _: &Virtual<'_>| {
                let flow = here.flow(client, &keys);
                flow.session(&flow.held(&serial("mfauser")).unwrap().unwrap(), &Session::default()).map(drop)
            };
            run(&aws, &wire, session).unwrap_or_else(|error| panic!("{fate:?} {bad}: {error}"));
        }
    }
}

#[test]
fn an_orphan_whose_secret_is_here_is_enabled() {
    let aws = Aws::new();
    let keys = with_policy(&aws, "mfauser", OWN_DEVICE);
    let here = Here::new();
    // Lost on its way: the secret is stored, the device isn't enabled.
    let wire = Wire::with(&aws, |_, action| if action == "EnableMFADevice" { Fate::LostBefore } else { Fate::Good });
    let failed = run(&aws, &wire, |client, _| here.flow(client, &keys).enroll(&wanted("mfauser")).map(drop));
    assert!(matches!(failed, Err(Error::Unreachable { perhaps_done: false, .. })), "{failed:?}");
    assert_eq!(there(&aws), [format!("{} -", serial("mfauser"))]);
    let wire = Wire::good(&aws);
    run(&aws, &wire, |client, world| {
        let enrolled = here.flow(client, &keys).enroll(&wanted("mfauser")).unwrap();
        assert_eq!(enrolled.how, How::Finished);
        assert_eq!(world.waited(), 0, "a pair that IAM shows it didn't take is taken again");
    });
    assert_eq!(wire.count("CreateVirtualMFADevice"), 0);
    assert_eq!(there(&aws), [format!("{} mfauser", serial("mfauser"))]);
}

#[test]
fn an_orphan_whose_secret_nobody_has_is_replaced_where_that_is_allowed() {
    let aws = Aws::new();
    let keys = somebody(&aws, "mfauser");
    aws.client(&keys).ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "mfauser")]);
    let (wire, here) = (Wire::good(&aws), Here::new());
    let how = run(&aws, &wire, |client, _| here.flow(client, &keys).enroll(&wanted("mfauser")).unwrap().how);
    assert_eq!(how, How::Replaced);
    assert_eq!(there(&aws), [format!("{} mfauser", serial("mfauser"))]);
}

#[test]
fn an_orphan_that_may_not_be_deleted_is_told_and_nothing_is_stored() {
    let aws = Aws::new();
    let keys = with_policy(&aws, "mfauser", OWN_DEVICE);
    aws.client(&keys).ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "mfauser")]);
    let (wire, here) = (Wire::good(&aws), Here::new());
    let failed = run(&aws, &wire, |client, _| here.flow(client, &keys).enroll(&wanted("mfauser")).map(drop));
    assert!(matches!(&failed, Err(Error::Orphan { serial: of, .. }) if *of == serial("mfauser")), "{failed:?}");
    assert_eq!(there(&aws), [format!("{} -", serial("mfauser"))]);
    assert!(here.registry.list().unwrap().is_empty());
}

#[test]
fn a_device_of_somebody_else_is_left_alone() {
    let aws = Aws::new();
    let (wire, here, elsewhere) = (Wire::good(&aws), Here::new(), Here::new());
    aws.user("alice");
    aws.user("bob");
    run(&aws, &wire, |client, _| {
        let of_alice = vmfa::aws::enroll::Wanted { device_name: "shared".to_owned(), ..wanted("alice") };
        here.flow(client, &aws.administrator).enroll(&of_alice).unwrap();
        let of_bob = vmfa::aws::enroll::Wanted { device_name: "shared".to_owned(), ..wanted("bob") };
        let failed = elsewhere.flow(client, &aws.administrator).enroll(&of_bob);
        assert!(matches!(&failed, Err(Error::OfAnother { owner, .. }) if owner == "user alice"), "{failed:?}");
        let failed = here.flow(client, &aws.administrator).enroll(&of_bob);
        assert!(matches!(&failed, Err(Error::OfAnother { owner, .. }) if owner == "user alice"), "{failed:?}");
    });
    assert_eq!(there(&aws), [format!("{} alice", serial("shared"))]);
}

#[test]
fn a_name_that_is_taken_here_is_told_before_anything_is_created() {
    let aws = Aws::new();
    let (wire, here) = (Wire::good(&aws), Here::new());
    aws.user("alice");
    aws.user("bob");
    run(&aws, &wire, |client, _| {
        let flow = here.flow(client, &aws.administrator);
        enrolled(&flow, "alice");
        let failed = flow.enroll(&vmfa::aws::enroll::Wanted { name: "alice".parse().unwrap(), ..wanted("bob") });
        assert!(matches!(failed, Err(Error::NameTaken { .. })), "{failed:?}");
    });
    assert_eq!(wire.count("CreateVirtualMFADevice"), 1);
}

#[test]
fn what_a_killed_process_left_pending_is_settled_at_once() {
    let aws = Aws::new();
    let keys = with_policy(&aws, "mfauser", OWN_DEVICE);
    let (wire, here) = (Wire::good(&aws), Here::new());
    run(&aws, &wire, |client, world| {
        let flow = here.flow(client, &keys);
        // As after a kill between storing the secret and saying so.
        let enrolment = flow.caller.create_virtual_mfa_device(&serial("mfauser"), "mfauser", "/", &[]).unwrap();
        let batch = vmfa::vault::Id::of(&format!("vmfa enrolment 1\n{}", serial("mfauser")));
        let added = flow.devices.add_as(batch, &[("mfauser".parse().unwrap(), enrolment)], false, world.now()).unwrap();
        let until = Timestamp::from_unix(aws.now() + 120);
        let pending = Device { state: State::Pending { batch, replaces: None, until }, ..added[0].clone() };
        here.registry.update(&[pending]).unwrap();
        assert!(flow.held(&serial("mfauser")).unwrap().is_none());
        assert_eq!(flow.enroll(&wanted("mfauser")).unwrap().how, How::Finished);
    });
    assert_eq!(there(&aws), [format!("{} mfauser", serial("mfauser"))]);
}

#[test]
fn a_resynchronization_tells_the_drift_and_sessions_work_again() {
    let aws = Aws::new();
    let keys = somebody(&aws, "mfauser");
    let (wire, here) = (Wire::good(&aws), Here::new());
    run(&aws, &wire, |client, world| {
        let flow = here.flow(client, &keys);
        let device = enrolled(&flow, "mfauser");
        aws.wait(15);
        for off in [600, -700] {
            change_drift(&here.registry, "mfauser", |_| Ok(Drift { seconds: off, ppm: 0, since: 0 })).unwrap();
            // AWS takes no pair from before the last one.
            aws.wait(2_000);
            let device = flow.held(&serial("mfauser")).unwrap().unwrap();
            let failed = flow.session(&device, &Session { fresh: true, ..Session::default() });
            assert!(failed.as_ref().is_err_and(|error| is_off(error, off)), "{failed:?}");
            let resynced = flow.resync(&device, "mfauser").unwrap();
            assert_eq!((resynced.drift, resynced.steps.signum()), (off, off.signum()), "{}", world.told());
            assert!((resynced.steps.abs() - off.abs() / 30).abs() <= 1, "{resynced:?}");
            let asked = wire.count("GetSessionToken");
            assert!(flow.wait_for_sts(&device, resynced.at, PROPAGATION.changed).unwrap().is_some());
            assert_eq!(wire.count("GetSessionToken"), asked + 1, "nothing is asked before STS can know");
            aws.wait(60);
            assert!(!flow.session(&device, &Session { fresh: true, ..Session::default() }).unwrap().cached);
        }
        assert_eq!(device.serial.as_deref(), Some(serial("mfauser").as_str()));
    });
}

#[test]
fn a_device_is_disabled_with_the_session_that_aws_asks_for() {
    for (policy, name) in [(ALLOW_ALL, "alice"), (OWN_DEVICE, "bob")] {
        let aws = Aws::new();
        let keys = with_policy(&aws, name, policy);
        let (wire, here) = (Wire::good(&aws), Here::new());
        run(&aws, &wire, |client, _| {
            let flow = here.flow(client, &keys);
            let device = enrolled(&flow, name);
            let done = flow.disable(&device, name, true).unwrap();
            assert!(done.deactivated && done.deleted, "{done:?}");
            assert!(here.vault.get(device.id).is_ok(), "the secret stays");
            let again = flow.disable(&device, name, true).unwrap();
            assert!(!again.deactivated && !again.deleted, "{again:?}");
        });
        assert!(there(&aws).is_empty());
    }
}

#[test]
fn disabling_is_finished_whatever_becomes_of_any_one_request() {
    for fate in [Fate::LostBefore, Fate::LostAfter, Fate::FailsBefore, Fate::FailsAfter, Fate::Throttled] {
        for bad in 0.. {
            let aws = Aws::new();
            let keys = with_policy(&aws, "mfauser", OWN_DEVICE);
            let here = Here::new();
            let good = Wire::good(&aws);
            let device = run(&aws, &good, |client, _| enrolled(&here.flow(client, &keys), "mfauser"));
            aws.wait(60);
            let wire = Wire::with(&aws, move |number, _| if number == bad { fate } else { Fate::Good });
            let first = run(&aws, &wire, |client, _| here.flow(client, &keys).disable(&device, "mfauser", true));
            if wire.sent() <= bad {
                assert!(first.is_ok() && bad >= 5, "{fate:?}: {bad} requests");
                break;
            }
            assert_eq!(first.is_err(), fate == Fate::LostBefore, "{fate:?} {bad}: {first:?}");
            assert!(here.vault.get(device.id).is_ok());
            run(&aws, &good, |client, _| here.flow(client, &keys).disable(&device, "mfauser", true)).unwrap();
            assert!(there(&aws).is_empty(), "{fate:?} {bad}");
        }
    }
}

#[test]
fn a_deactivated_device_whose_session_is_lost_is_enabled_once_more_to_be_deleted() {
    let aws = Aws::new();
    let keys = with_policy(&aws, "mfauser", OWN_DEVICE);
    let (wire, here) = (Wire::good(&aws), Here::new());
    run(&aws, &wire, |client, _| {
        let flow = here.flow(client, &keys);
        let device = enrolled(&flow, "mfauser");
        let deactivate = [("UserName", "mfauser"), ("SerialNumber", &serial("mfauser"))];
        aws.root().ok("DeactivateMFADevice", &deactivate);
        assert!(flow.disable(&device, "mfauser", true).unwrap().deleted);
    });
    assert!(there(&aws).is_empty());
}

#[test]
fn a_device_added_from_a_picture_finds_its_number_and_a_code_proves_it() {
    let aws = Aws::new();
    let keys = somebody(&aws, "mfauser");
    let (wire, here) = (Wire::good(&aws), Here::new());
    run(&aws, &wire, |client, world| {
        let flow = here.flow(client, &keys);
        let device = enrolled(&flow, "mfauser");
        let enrolment = flow.devices.enrolment(&device).unwrap();
        flow.devices.remove(&device, world.now()).unwrap();
        let bare = vmfa::provision::Enrolment { serial: None, ..enrolment };
        let added = flow.devices.add(&[("picture".parse().unwrap(), bare)], false, world.now()).unwrap();
        let numbered = flow.numbered(added[0].clone()).unwrap();
        assert_eq!(numbered.serial, Some(serial("mfauser")));
        assert!(flow.held(&serial("mfauser")).unwrap().is_none(), "nothing is written down yet");
        aws.wait(20);
        flow.session(&numbered, &Session::default()).unwrap();
        flow.remember_number(&numbered).unwrap();
        assert_eq!(flow.held(&serial("mfauser")).unwrap().map(|device| device.name), Some("picture".parse().unwrap()));
    });
}

#[test]
fn a_device_added_from_a_picture_is_enabled_rather_than_replaced() {
    let aws = Aws::new();
    let keys = with_policy(&aws, "mfauser", OWN_DEVICE);
    let (wire, here) = (Wire::good(&aws), Here::new());
    run(&aws, &wire, |client, world| {
        let flow = here.flow(client, &keys);
        let enrolment = flow.caller.create_virtual_mfa_device(&serial("mfauser"), "mfauser", "/", &[]).unwrap();
        let picture = vmfa::provision::Enrolment { serial: None, ..enrolment };
        flow.devices.add(&[("phone".parse().unwrap(), picture)], false, world.now()).unwrap();
        let enrolled = flow.enroll(&wanted("mfauser")).unwrap();
        assert_eq!((enrolled.how, enrolled.device.name.as_str()), (How::Finished, "phone"));
        assert_eq!(flow.held(&serial("mfauser")).unwrap().map(|device| device.id), Some(enrolled.device.id));
    });
    assert_eq!(there(&aws), [format!("{} mfauser", serial("mfauser"))]);
}

#[test]
fn a_pair_that_was_too_far_away_stands_in_nobodys_way() {
    let aws = Aws::new();
    let keys = somebody(&aws, "mfauser");
    let (wire, here) = (Wire::good(&aws), Here::new());
    run(&aws, &wire, |client, world| {
        let flow = here.flow(client, &keys);
        enrolled(&flow, "mfauser");
        aws.wait(60);
        change_drift(&here.registry, "mfauser", |_| Ok(Drift { seconds: 32_400, ppm: 0, since: 0 })).unwrap();
        let failed = flow.resync(&flow.held(&serial("mfauser")).unwrap().unwrap(), "mfauser");
        assert!(failed.as_ref().is_err_and(|error| is_off(error, 32_400)), "{failed:?}");
        change_drift(&here.registry, "mfauser", |_| Ok(Drift::default())).unwrap();
        flow.resync(&flow.held(&serial("mfauser")).unwrap().unwrap(), "mfauser").unwrap();
        assert_eq!(world.waited(), 0);
    });
}

#[test]
fn no_device_is_taken_for_one_that_it_is_not() {
    let aws = Aws::new();
    let keys = somebody(&aws, "mfauser");
    let (wire, here) = (Wire::good(&aws), Here::new());
    run(&aws, &wire, |client, world| {
        let flow = here.flow(client, &keys);
        let device = enrolled(&flow, "mfauser");
        let enrolment = flow.devices.enrolment(&device).unwrap();
        let of = |issuer: Option<&str>, account: &str| vmfa::provision::Enrolment {
            issuer: issuer.map(str::to_owned),
            account: account.to_owned(),
            serial: None,
            ..enrolment.clone()
        };
        let (amazon, account) = (Some("Amazon Web Services"), format!("mfauser@{ACCOUNT}"));
        let others = [
            of(Some("GitHub"), &account),
            of(None, &account),
            of(amazon, &format!("somebody@{ACCOUNT}")),
            of(amazon, "mfauser@999999999999"),
            // It has the right name, and another device here has the number.
            of(amazon, &account),
        ];
        for (number, other) in others.into_iter().enumerate() {
            let added =
                flow.devices.add(&[(format!("x{number}").parse().unwrap(), other)], false, world.now()).unwrap();
            let failed = flow.numbered(added[0].clone());
            assert!(matches!(failed, Err(Error::NoSerial(_))), "{number}: {failed:?}");
        }
    });
}

#[test]
fn dates_that_no_signature_would_have_survived_are_not_believed() {
    for date in ["Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "Tue, 01 Dec 2026 00:00:00 GMT"] {
        let aws = Aws::new();
        let keys = somebody(&aws, "mfauser");
        let (wire, here) = (Wire::good(&aws).dated(date), Here::new());
        run(&aws, &wire, |client, world| {
            let flow = here.flow(client, &keys);
            let enrolled = flow.enroll(&wanted("mfauser")).unwrap();
            assert_eq!(enrolled.enabled, world.now(), "{date}");
            assert_eq!(client.time(), world.now());
        });
    }
}

#[test]
fn debug_lines_show_no_code_and_no_secret() {
    let aws = Aws::new();
    let (wire, world, here) = (Wire::good(&aws), Virtual::of(&aws), Here::new());
    let keys = somebody(&aws, "mfauser");
    let client = client(&wire, &world);
    let flow = here.flow(&client, &keys);
    let device = enrolled(&flow, "mfauser");
    aws.wait(20);
    let session = flow.session(&device, &Session::default()).unwrap().temporary.credentials;
    let seed = flow.devices.enrolment(&device).unwrap().secret.to_base32();
    let lines = world.debugged.lock().unwrap().join("\n");
    assert!(lines.contains("AuthenticationCode1=(hidden)") && lines.contains("TokenCode=(hidden)"), "{lines}");
    let token = session.session_token.as_ref().unwrap();
    for secret in [&keys.secret_access_key, &session.secret_access_key, token, &seed] {
        assert!(!lines.contains(secret.as_str()));
    }
}

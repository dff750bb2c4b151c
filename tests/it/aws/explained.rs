//! One message, many causes: each found out by asking.

use vmfa::aws::enroll::Wanted;
use vmfa::aws::explain::Cause;
use vmfa::aws::flow::Flow;
use vmfa::aws::session::{Session, Wanted as Asked};
use vmfa::aws::{Error, World as _};
use vmfa::provision::Enrolment;
use vmfa::registry::{Device, Registry as _};
use vmfa::time::Timestamp;
use vmfa::wire::sigv4::Credentials;

use super::support::{ACCOUNT, Aws, Here, Virtual, Wire, client, wanted};
use crate::serve::support::ALLOW_ALL;

fn serial(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:mfa/{name}")
}

/// A user with everything allowed, a flow of theirs, and a story.
fn story(tell: impl FnOnce(&Aws, &Here, &Flow<'_>, &Virtual<'_>)) {
    story_with(ALLOW_ALL, false, tell);
}

fn story_with(policy: &str, retry: bool, tell: impl FnOnce(&Aws, &Here, &Flow<'_>, &Virtual<'_>)) {
    let aws = Aws::new();
    let keys = keys(&aws, "mfauser", policy);
    let (wire, world, here) = (Wire::good(&aws), Virtual::of(&aws), Here::new());
    let client = client(&wire, &world);
    let flow = Flow { retry, ..here.flow(&client, &keys) };
    flow.caller.identity().unwrap();
    tell(&aws, &here, &flow, &world);
}

fn keys(aws: &Aws, user: &str, policy: &str) -> Credentials {
    let client = aws.user(user);
    aws.root().ok("PutUserPolicy", &[("UserName", user), ("PolicyName", "p"), ("PolicyDocument", policy)]);
    client.credentials
}

fn fresh(flow: &Flow<'_>, device: &Device) -> Result<Session, Error> {
    flow.session(device, &Asked { fresh: true, ..Asked::default() })
}

#[track_caller]
fn cause(result: Result<Session, Error>) -> Cause {
    match result {
        Err(Error::Explained { cause, .. }) => *cause,
        other => panic!("{other:?}"),
    }
}

/// The same device by another number.
fn numbered(here: &Here, device: &Device, serial: &str) -> Device {
    let device = here.registry.find(&device.name).unwrap().unwrap();
    let changed = Device { serial: Some(serial.to_owned()), ..device.clone() };
    here.registry.update(std::slice::from_ref(&changed)).unwrap();
    here.registry.find(&device.name).unwrap().unwrap()
}

#[test]
fn the_arn_of_the_user_is_no_serial_number() {
    story(|_, here, flow, _| {
        let device = flow.enroll(&wanted("mfauser")).unwrap().device;
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/mfauser");
        let device = numbered(here, &device, &arn);
        assert_eq!(cause(fresh(flow, &device)), Cause::NoDevice { serial: arn });
    });
}

#[test]
fn a_device_that_is_not_there_is_told_from_one_of_another_user_and_one_of_nobody() {
    story(|aws, here, flow, _| {
        let device = flow.enroll(&wanted("mfauser")).unwrap().device;
        aws.wait(20);
        let lost = numbered(here, &device, &serial("typo"));
        assert_eq!(cause(fresh(flow, &lost)), Cause::NotThere { serial: serial("typo") });
        keys(aws, "alice", ALLOW_ALL);
        let elsewhere = Here::new();
        let administrator = elsewhere.flow(flow.caller.client, &aws.administrator);
        administrator.enroll(&wanted("alice")).unwrap();
        let of_alice = numbered(here, &device, &serial("alice"));
        let expected = Cause::OfAnother { serial: serial("alice"), owner: "user alice".to_owned() };
        assert_eq!(cause(fresh(flow, &of_alice)), expected);
        aws.root().ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "nobodys")]);
        let of_nobody = numbered(here, &device, &serial("nobodys"));
        assert_eq!(cause(fresh(flow, &of_nobody)), Cause::Unassigned { serial: serial("nobodys") });
    });
}

#[test]
fn what_may_not_be_seen_is_not_guessed() {
    let nothing = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    story_with(nothing, false, |aws, here, flow, _| {
        let administrator = here.flow(flow.caller.client, &aws.administrator);
        let device = administrator.enroll(&wanted("mfauser")).unwrap().device;
        aws.wait(20);
        let device = numbered(here, &device, &serial("typo"));
        assert!(matches!(cause(fresh(flow, &device)), Cause::Unknown { .. }));
    });
    let own =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListMFADevices","Resource":"*"}]}"#;
    story_with(own, false, |aws, here, flow, _| {
        let administrator = here.flow(flow.caller.client, &aws.administrator);
        let device = administrator.enroll(&wanted("mfauser")).unwrap().device;
        aws.wait(20);
        let device = numbered(here, &device, &serial("typo"));
        assert_eq!(cause(fresh(flow, &device)), Cause::NotOfUser { serial: serial("typo") });
    });
}

#[test]
fn a_device_that_sts_does_not_know_yet_is_waited_for_once() {
    story(|aws, _, flow, _| {
        let device = flow.enroll(&wanted("mfauser")).unwrap().device;
        let enabled = Timestamp::from_unix(aws.now());
        let expected = Cause::NotYet { serial: serial("mfauser"), enabled, from: enabled.plus(14).unwrap() };
        assert_eq!(cause(fresh(flow, &device)), expected);
    });
    story_with(ALLOW_ALL, true, |_, _, flow, world| {
        let device = flow.enroll(&wanted("mfauser")).unwrap().device;
        fresh(flow, &device).unwrap();
        assert_eq!(world.waited(), 14, "{}", world.told());
    });
}

#[test]
fn a_budget_that_is_used_up_is_told_with_its_end_and_waited_for_once() {
    story(|aws, _, flow, _| {
        let device = flow.enroll(&wanted("mfauser")).unwrap().device;
        aws.wait(60);
        let wrong = [("SerialNumber", serial("mfauser")), ("TokenCode", "000000".to_owned())];
        let wrong: Vec<(&str, &str)> = wrong.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for _ in 0..9 {
            aws.client(flow.caller.credentials).refused("GetSessionToken", &wrong);
        }
        let until = Timestamp::from_unix(aws.now().div_ceil(180) * 180);
        assert_eq!(cause(fresh(flow, &device)), Cause::Budget { serial: serial("mfauser"), until });
        let patient = Flow { retry: true, ..*flow };
        fresh(&patient, &device).unwrap();
        assert!(aws.now() >= until.as_unix() && aws.now() < until.as_unix() + 60);
    });
}

#[test]
fn a_clock_that_was_named_and_is_wrong_is_told_by_how_much() {
    story_with(ALLOW_ALL, true, |aws, _, flow, world| {
        let device = flow.enroll(&wanted("mfauser")).unwrap().device;
        aws.wait(3_600);
        let late = || world.now().shifted(-300).unwrap();
        let flow = Flow { clock: Some(&late), ..*flow };
        assert_eq!(cause(fresh(&flow, &device)), Cause::Clock { seconds: -300 });
    });
}

#[test]
fn the_systems_clock_that_is_wrong_is_put_right_by_the_first_answer() {
    let aws = Aws::new();
    let keys = keys(&aws, "mfauser", ALLOW_ALL);
    let (wire, here) = (Wire::good(&aws), Here::new());
    let world = Virtual::of(&aws);
    let good = client(&wire, &world);
    let device = here.flow(&good, &keys).enroll(&wanted("mfauser")).unwrap().device;
    aws.wait(3_600);
    for (off, retry) in [(200, true), (-200, false)] {
        // Nothing is known of the service's clock when the first code is made.
        let world = Virtual::off_by(&aws, off);
        let client = client(&wire, &world);
        let flow = Flow { retry, ..here.flow(&client, &keys) };
        match fresh(&flow, &device) {
            Ok(_) => assert!(retry && world.told().contains(" s fast: trying once more"), "{}", world.told()),
            // Dates are exact to a second.
            failed => match cause(failed) {
                Cause::Clock { seconds } => assert!(!retry && (seconds - off).abs() <= 1, "{seconds}"),
                other => panic!("{other:?}"),
            },
        }
        aws.wait(300);
    }
}

#[test]
fn a_code_that_somebody_else_used_is_followed_by_another() {
    for retry in [true, false] {
        story_with(ALLOW_ALL, retry, |aws, here, flow, world| {
            let device = flow.enroll(&wanted("mfauser")).unwrap().device;
            aws.wait(60);
            // Somebody has the same secret in an app.
            let Enrolment { secret, parameters, .. } = flow.devices.enrolment(&device).unwrap();
            let code = vmfa::oath::totp::code(&secret, world.now(), vmfa::oath::totp::EPOCH, &parameters).unwrap();
            let token = [("SerialNumber", serial("mfauser")), ("TokenCode", code.to_string())];
            let token: Vec<(&str, &str)> = token.iter().map(|(name, value)| (*name, value.as_str())).collect();
            aws.client(flow.caller.credentials).ok("GetSessionToken", &token);
            match fresh(flow, &device) {
                Ok(_) => assert!(retry),
                failed => assert_eq!((cause(failed), retry), (Cause::Used, false)),
            }
            assert!(here.registry.list().unwrap()[0].ledger.is_some());
        });
    }
}

#[test]
fn a_device_that_went_out_of_sync_and_one_that_was_made_anew_are_told_apart() {
    story_with(ALLOW_ALL, true, |aws, _, flow, _| {
        let device = flow.enroll(&wanted("mfauser")).unwrap().device;
        // Somebody brought it out of sync with a pair of an hour to come.
        aws.wait(60);
        let Enrolment { secret, parameters, .. } = flow.devices.enrolment(&device).unwrap();
        let code = |ahead: u64| {
            let time = Timestamp::from_unix(aws.now() + ahead);
            vmfa::oath::totp::code(&secret, time, vmfa::oath::totp::EPOCH, &parameters).unwrap().to_string()
        };
        let number = serial("mfauser");
        aws.root().ok(
            "ResyncMFADevice",
            &[
                ("UserName", "mfauser"),
                ("SerialNumber", &number),
                ("AuthenticationCode1", &code(3_600)),
                ("AuthenticationCode2", &code(3_630)),
            ],
        );
        aws.wait(20);
        assert_eq!(cause(fresh(flow, &device)), Cause::OutOfSync { name: "mfauser".to_owned() });
    });
    story_with(ALLOW_ALL, true, |aws, _, flow, _| {
        let device = flow.enroll(&wanted("mfauser")).unwrap().device;
        aws.wait(2 * 24 * 60 * 60);
        let number = serial("mfauser");
        aws.root().ok("DeactivateMFADevice", &[("UserName", "mfauser"), ("SerialNumber", &number)]);
        aws.root().ok("DeleteVirtualMFADevice", &[("SerialNumber", &number)]);
        let elsewhere = Here::new();
        let wanted = Wanted { name: "new".parse().unwrap(), ..wanted("mfauser") };
        elsewhere.flow(flow.caller.client, &aws.administrator).enroll(&wanted).unwrap();
        aws.wait(60);
        assert!(matches!(cause(fresh(flow, &device)), Cause::Anew { .. }));
        let failed = flow.resync(&device, "mfauser");
        assert!(matches!(failed, Err(Error::OtherSecret { .. })), "{failed:?}");
    });
}

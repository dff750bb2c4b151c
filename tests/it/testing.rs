//! `vmfa::testing`, as a test suite of somebody else uses it.

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use vmfa::aws::client::Transport as _;
use vmfa::aws::https::{ClearText, Https};
use vmfa::serve::time::Tell;
use vmfa::testing::{Aws, Client, Device, Element, Ended, Error, Options, Scenario, Service};
use vmfa::time::Timestamp;
use vmfa::wire::query::Form;
use vmfa::wire::sigv4::{Payload, Request, Signer};

/// What an error of AWS has as code.
fn code(result: Result<Client, Error>) -> String {
    match result {
        Err(Error::Aws(error)) => error.refusal().map(|refusal| refusal.code.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_user_enrolls_and_signs_in_again_and_again() {
    let aws = Aws::start().unwrap();
    let alice = aws.user("alice").unwrap();
    let device = alice.enroll().unwrap();
    assert_eq!(device.serial_number().unwrap(), "arn:aws:iam::123456789012:mfa/alice");
    for _ in 0..5 {
        let session = alice.sign_in(&device).unwrap();
        assert_eq!(session.identity().unwrap().arn, "arn:aws:iam::123456789012:user/alice");
    }
    let events = aws.events();
    assert!(events.iter().all(|event| event.ended == Ended::Accepted), "{events:?}");
    assert_eq!(events.iter().filter(|event| event.action == "GetSessionToken").count(), 5);
}

#[test]
fn a_device_enrolls_once_and_is_the_users_own() {
    let aws = Aws::start().unwrap();
    let (alice, bob) = (aws.user("alice").unwrap(), aws.user("bob").unwrap());
    let (first, again) = (alice.enroll().unwrap(), alice.enroll().unwrap());
    assert_eq!(first.serial_number().unwrap(), again.serial_number().unwrap());
    assert_ne!(first.code().unwrap(), again.code().unwrap());
    bob.enroll().unwrap();
    assert_eq!(code(bob.sign_in(&first)), "AccessDenied");
    assert!(matches!(aws.administrator().enroll(), Err(Error::NoUser)));
}

#[test]
fn a_policy_that_asks_for_mfa_lets_in_who_has_signed_in() {
    let aws = Aws::start().unwrap();
    let alice = aws.user("alice").unwrap();
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*",
        "Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}"#;
    let parameters = [("UserName", "alice"), ("PolicyName", "mfa"), ("PolicyDocument", policy)];
    aws.administrator().call(Service::Iam, "PutUserPolicy", &parameters).unwrap();
    let list =
        |client: &Client| client.call(Service::Iam, "ListUsers", &[]).map(|answer: Element| answer.name().to_owned());
    assert!(list(&alice).is_err());
    let session = alice.sign_in(&alice.enroll().unwrap()).unwrap();
    assert_eq!(list(&session).unwrap(), "ListUsersResponse");
}

#[test]
fn a_role_is_assumed_with_a_code() {
    let aws = Aws::start().unwrap();
    let alice = aws.user("alice").unwrap();
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},
        "Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}"#;
    let parameters = [("RoleName", "deploy"), ("AssumeRolePolicyDocument", trust)];
    aws.administrator().call(Service::Iam, "CreateRole", &parameters).unwrap();
    let (role, device) = ("arn:aws:iam::123456789012:role/deploy", alice.enroll().unwrap());
    assert_eq!(code(alice.assume_role(role, None)), "AccessDenied");
    let session = alice.assume_role(role, Some(&device)).unwrap();
    assert_eq!(session.identity().unwrap().arn, "arn:aws:sts::123456789012:assumed-role/deploy/test");
}

#[test]
fn threads_that_share_a_device_get_no_code_twice() {
    let aws = Arc::new(Aws::start().unwrap());
    let device = Device::from_source(b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", aws.clock()).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let device = device.clone();
            std::thread::spawn(move || (0..5).map(|_| device.code().unwrap().to_string()).collect::<Vec<_>>())
        })
        .collect();
    let codes: Vec<String> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 20, "{codes:?}");
}

#[test]
fn a_pair_resynchronizes_and_another_is_newer() {
    let aws = Aws::start().unwrap();
    let alice = aws.user("alice").unwrap();
    let device = alice.enroll().unwrap();
    for _ in 0..3 {
        let [one, two] = device.pair().unwrap().map(|code| code.to_string());
        let serial = device.serial_number().unwrap();
        let parameters = [
            ("UserName", "alice"),
            ("SerialNumber", serial),
            ("AuthenticationCode1", one.as_str()),
            ("AuthenticationCode2", two.as_str()),
        ];
        aws.administrator().call(Service::Iam, "ResyncMFADevice", &parameters).unwrap();
    }
}

#[test]
fn a_scenario_gives_users_and_devices() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("scenario.toml");
    let seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let text = format!(
        "[[user]]\nname = \"carol\"\naccess_key = true\n[[user.device]]\nname = \"carol\"\nsecret = \"{seed}\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let scenario = Some(Scenario::read(&file).unwrap());
    let aws = Aws::start_with(Options { scenario, ..Options::default() }).unwrap();
    let carol = aws.user("carol").unwrap();
    let device = carol.enroll().unwrap();
    carol.sign_in(&device).unwrap();
    assert!(aws.events().iter().all(|event| event.action != "CreateVirtualMFADevice"));
}

#[test]
fn the_server_ends_when_it_is_dropped_and_two_are_apart() {
    let (one, other) = (Aws::start().unwrap(), Aws::start().unwrap());
    one.advance(60).unwrap();
    assert_eq!(one.now().as_unix() - other.now().as_unix(), 60);
    let address = one.endpoint().strip_prefix("http://").unwrap().to_owned();
    let client = one.administrator();
    client.identity().unwrap();
    drop(one);
    assert!(TcpStream::connect(&address).is_err(), "{address} is still served");
    assert!(client.identity().is_err());
    other.administrator().identity().unwrap();
}

/// The status of a call that is signed by another clock.
fn signed_at(aws: &Aws, time: Timestamp) -> u16 {
    let body = Form::new("GetCallerIdentity", "2011-06-15").body();
    let host = aws.endpoint().strip_prefix("http://").unwrap();
    let headers = [("host", host.as_bytes()), ("content-type", Form::CONTENT_TYPE.as_bytes())];
    let request = Request { method: "POST", path: "/", query: "", headers: headers.into_iter().collect() };
    let signer = Signer::new(aws.credentials(), "us-east-1", "sts");
    let signed = signer.sign(&request, Payload::Bytes(body.as_bytes()), time).unwrap();
    let mut sent = vec![("content-type", Form::CONTENT_TYPE)];
    sent.extend(signed.iter().map(|(name, value)| (*name, value.as_str())));
    let https = Https::new(None, Duration::from_secs(10), ClearText::Here, None).unwrap();
    https.post(aws.endpoint(), &sent, &body).unwrap().status
}

#[test]
fn other_clients_may_sign_by_a_clock_that_is_handed_in() {
    let system = Timestamp::from_unix(1_900_000_000);
    let alone = Aws::start().unwrap();
    assert_eq!((signed_at(&alone, alone.now()), signed_at(&alone, system)), (200, 403));
    let clients: Tell = Arc::new(move || system);
    let beside = Aws::start_with(Options { clients: Some(clients), ..Options::default() }).unwrap();
    assert_eq!((signed_at(&beside, beside.now()), signed_at(&beside, system)), (200, 200));
}

#[test]
fn what_is_no_source_is_told() {
    let aws = Aws::start().unwrap();
    assert!(matches!(Device::from_source(b"https://example.com", aws.clock()), Err(Error::Source(_))));
    let two = b"otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ\notpauth://totp/b?secret=GEZDGNBVGY3TQOJQ\n";
    assert!(matches!(Device::from_source(two, aws.clock()), Err(Error::SeveralAccounts(2))));
    assert!(matches!(aws.advance(u64::MAX), Err(Error::Time(_))));
}

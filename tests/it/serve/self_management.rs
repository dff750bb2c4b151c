//! The three policies with which AWS lets users manage their own devices, through the whole stand-in:
//!
//! - "Allows MFA-authenticated IAM users to manage their own MFA device" (IAM User Guide): `aws-own-mfa-device.json`;
//! - "Allows MFA-authenticated IAM users to manage their own credentials" (IAM User Guide), which the tutorial calls
//!   `Force_MFA`: here as [`CREDENTIALS`];
//! - "How to delegate management of multi-factor authentication to AWS IAM users" (AWS Security Blog): `own-mfa.json` with
//!   `only-iam-without-mfa.json`.

use super::support::*;

const OWN_MFA: &str = include_str!("../../../vectors/policies/own-mfa.json");
const DEVICE: &str = include_str!("../../../vectors/policies/aws-own-mfa-device.json");
const ONLY_IAM: &str = include_str!("../../../vectors/policies/only-iam-without-mfa.json");
const CREDENTIALS: &str = include_str!("../../../vectors/aws/own-credentials.json");

/// What somebody does, with parameters in which `@` is the own name, and what becomes of it.
type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const OK: &str = "";
const EXPLICIT: &str = "with an explicit deny in an identity-based policy";
const IMPLICIT: &str = "because no identity-based policy allows";
const OWN_DEVICES: &str = "To complete this action, please ensure that you are authenticated with an MFA device";
const TOKEN: &str = "The security token included in the request is invalid.";

struct Story {
    aws: Aws,
}

impl Story {
    fn new(documents: &[&str]) -> Self {
        let aws = Aws::new();
        let root = aws.root();
        root.ok("CreateGroup", &[("GroupName", "staff")]);
        for (number, document) in documents.iter().enumerate() {
            let name = format!("p{number}");
            root.ok("CreatePolicy", &[("PolicyName", &name), ("PolicyDocument", document)]);
            let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
            root.ok("AttachGroupPolicy", &[("GroupName", "staff"), ("PolicyArn", &arn)]);
        }
        Self { aws }
    }

    fn user(&self, name: &str, path: &str) -> Client<'_> {
        self.aws.root().ok("CreateUser", &[("UserName", name), ("Path", path)]);
        self.aws.root().ok("AddUserToGroup", &[("UserName", name), ("GroupName", "staff")]);
        self.aws.key_of(name)
    }

    fn enable(&self, client: &Client<'_>, user: &str, device: &Device) {
        let [one, two] = device.pair(self.aws.now());
        client.ok(
            "EnableMFADevice",
            &[
                ("UserName", user),
                ("SerialNumber", &device.serial),
                ("AuthenticationCode1", &one),
                ("AuthenticationCode2", &two),
            ],
        );
        self.aws.wait(30);
    }

    fn session<'a>(&self, client: &Client<'a>, device: &Device) -> Client<'a> {
        client.session(&[("SerialNumber", &device.serial), ("TokenCode", &device.code(self.aws.now(), 0))])
    }
}

#[track_caller]
fn check(client: &Client<'_>, name: &str, rows: &[Row]) {
    for (action, parameters, expected) in rows {
        let own = |value: &str| value.replace('@', name).replace("ARN", &format!("arn:aws:iam::{ACCOUNT}"));
        let parameters: Vec<(&str, String)> = parameters.iter().map(|(name, value)| (*name, own(value))).collect();
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        match client.call(action, &parameters) {
            Ok(_) => assert_eq!(*expected, OK, "{action} {parameters:?} succeeded"),
            Err(refused) => {
                let fits = *expected != OK && refused.message.contains(expected);
                assert!(fits, "{action} {parameters:?}: {refused:?}\nwhy: {}", client.aws.why());
            }
        }
    }
}

const DEACTIVATE: (&str, &[(&str, &str)]) =
    ("DeactivateMFADevice", &[("UserName", "@"), ("SerialNumber", "ARN:mfa/@")]);
const DELETE: (&str, &[(&str, &str)]) = ("DeleteVirtualMFADevice", &[("SerialNumber", "ARN:mfa/@")]);

/// What is the same for all three: enrolment with a long-term key, and what a session without a code is good for.
fn enrol<'a>(story: &'a Story, name: &str) -> (Client<'a>, Device) {
    let alice = story.user(name, "/");
    let bob = story.aws.root().ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "bob")]);
    check(
        &alice,
        name,
        &[
            ("GetUser", &[("UserName", "@")], OK),
            ("GetUser", &[], OK),
            ("ListMFADevices", &[("UserName", "@")], OK),
            ("ListVirtualMFADevices", &[], OK),
            ("GetUser", &[("UserName", "administrator")], IMPLICIT),
            ("ListMFADevices", &[("UserName", "administrator")], IMPLICIT),
            (
                "EnableMFADevice",
                &[
                    ("UserName", "administrator"),
                    ("SerialNumber", "ARN:mfa/bob"),
                    ("AuthenticationCode1", "123456"),
                    ("AuthenticationCode2", "123457"),
                ],
                IMPLICIT,
            ),
        ],
    );
    let device = Device::of(&alice.ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", name)]));
    story.enable(&alice, name, &device);
    let session = alice.session(&[]);
    check(
        &session,
        name,
        &[("GetUser", &[], TOKEN), ("ListVirtualMFADevices", &[], TOKEN), (DEACTIVATE.0, DEACTIVATE.1, TOKEN)],
    );
    session.ok("GetCallerIdentity", &[]);
    drop(bob);
    (alice, device)
}

#[test]
fn own_mfa_device_comes_out_as_documented() {
    let story = Story::new(&[DEVICE]);
    let (alice, device) = enrol(&story, "alice");
    check(
        &alice,
        "alice",
        &[
            ("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "other")], IMPLICIT),
            (DEACTIVATE.0, DEACTIVATE.1, EXPLICIT),
            (DELETE.0, DELETE.1, EXPLICIT),
            ("DeleteVirtualMFADevice", &[("SerialNumber", "ARN:mfa/bob")], EXPLICIT),
            ("ListUsers", &[], EXPLICIT),
            ("CreateAccessKey", &[], EXPLICIT),
        ],
    );
    let session = story.session(&alice, &device);
    check(
        &session,
        "alice",
        &[
            ("ListUsers", &[], IMPLICIT),
            ("DeleteVirtualMFADevice", &[("SerialNumber", "ARN:mfa/bob")], IMPLICIT),
            ("DeactivateMFADevice", &[("UserName", "administrator"), ("SerialNumber", "ARN:mfa/bob")], IMPLICIT),
            ("GetUser", &[], OK),
            (DELETE.0, DELETE.1, "MFA VirtualDevice in use. Must deactivate first."),
            (DEACTIVATE.0, DEACTIVATE.1, OK),
            (DELETE.0, DELETE.1, OK),
        ],
    );
}

#[test]
fn own_credentials_come_out_as_documented() {
    let story = Story::new(&[CREDENTIALS]);
    let (alice, device) = enrol(&story, "alice");
    check(
        &alice,
        "alice",
        &[
            // Of any name
            ("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "other")], OK),
            (DEACTIVATE.0, DEACTIVATE.1, EXPLICIT),
            ("ListAccessKeys", &[], EXPLICIT),
            ("GetAccountPasswordPolicy", &[], EXPLICIT),
            ("ListSSHPublicKeys", &[], EXPLICIT),
        ],
    );
    let session = story.session(&alice, &device);
    check(
        &session,
        "alice",
        &[
            ("ListAccessKeys", &[], OK),
            ("ListAccessKeys", &[("UserName", "administrator")], IMPLICIT),
            ("CreateAccessKey", &[("UserName", "@")], OK),
            ("ListSSHPublicKeys", &[("UserName", "@")], OK),
            ("GetAccountPasswordPolicy", &[], "The Password Policy with domain name"),
            ("GetLoginProfile", &[], IMPLICIT),
            // The policy lets nobody delete a device
            (DELETE.0, DELETE.1, IMPLICIT),
            (DEACTIVATE.0, DEACTIVATE.1, OK),
        ],
    );
}

#[test]
fn delegated_management_comes_out_as_documented() {
    let story = Story::new(&[OWN_MFA, ONLY_IAM]);
    let (alice, device) = enrol(&story, "alice");
    check(
        &alice,
        "alice",
        &[
            // IAM isn't denied without MFA by this policy; the service's own rule is what keeps the device
            (DEACTIVATE.0, DEACTIVATE.1, OWN_DEVICES),
            (DELETE.0, DELETE.1, "MFA VirtualDevice in use. Must deactivate first."),
            ("ListUsers", &[], IMPLICIT),
        ],
    );
    let session = story.session(&alice, &device);
    check(
        &session,
        "alice",
        &[(DEACTIVATE.0, DEACTIVATE.1, OK), (DELETE.0, DELETE.1, OK), ("ListUsers", &[], IMPLICIT)],
    );
}

#[test]
fn a_cancelled_enrolment_is_cleared_by_an_administrator_only() {
    let story = Story::new(&[DEVICE]);
    let alice = story.user("alice", "/");
    alice.ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "alice")]);
    let again: &[Row] = &[
        ("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "@")], "MFA device already exists."),
        (DELETE.0, DELETE.1, EXPLICIT),
    ];
    check(&alice, "alice", again);
    story.aws.root().ok("DeleteVirtualMFADevice", &[("SerialNumber", &format!("arn:aws:iam::{ACCOUNT}:mfa/alice"))]);
    let device = Device::of(&alice.ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "alice")]));
    story.enable(&alice, "alice", &device);
}

#[test]
fn a_user_with_a_path_is_not_the_user_that_the_policies_mean() {
    for documents in [vec![DEVICE], vec![CREDENTIALS], vec![OWN_MFA, ONLY_IAM]] {
        let story = Story::new(&documents);
        let carol = story.user("carol", "/team/");
        check(
            &carol,
            "carol",
            &[
                // `user/${aws:username}` has no path
                ("GetUser", &[], IMPLICIT),
                ("ListMFADevices", &[("UserName", "@")], IMPLICIT),
                // `mfa/${aws:username}` is the device's name
                ("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "@")], OK),
                (
                    "EnableMFADevice",
                    &[
                        ("UserName", "@"),
                        ("SerialNumber", "ARN:mfa/@"),
                        ("AuthenticationCode1", "123456"),
                        ("AuthenticationCode2", "123457"),
                    ],
                    IMPLICIT,
                ),
            ],
        );
    }
}

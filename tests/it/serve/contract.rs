//! The input contract, as it is worded.

use vmfa::wire::query::Form;

use super::support::*;

#[test]
fn numbers_are_read_as_the_service_reads_them() {
    let aws = Aws::new();
    let root = aws.root();
    for good in ["1", "+900", "0900", "1000"] {
        root.ok("ListUsers", &[("MaxItems", good)]);
    }
    for (bad, message) in [("900.0", ""), ("abc", ""), ("2147483648", ""), ("", "missing value for decimal type")] {
        let expected = ("MalformedInput".to_owned(), 400, message.to_owned());
        assert_eq!(root.refused("ListUsers", &[("MaxItems", bad)]), expected, "{bad:?}");
    }
    let bound = |number: &str, constraint: &str| {
        let (code, status, message) = root.refused("ListUsers", &[("MaxItems", number)]);
        assert_eq!((code.as_str(), status), ("ValidationError", 400));
        let about =
            "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must have value";
        assert_eq!(message, format!("{about} {constraint}"));
    };
    bound("-1", "greater than or equal to 1");
    bound("1001", "less than or equal to 1000");
    assert_eq!(root.refused("ListPolicies", &[("OnlyAttached", "maybe")]).0, "MalformedInput");
}

/// A text of so many characters.
type Text = fn(usize) -> String;

#[test]
fn lengths_are_good_up_to_their_bounds() {
    let aws = Aws::new();
    let root = aws.root();
    let serial: Text = |length| format!("{:x<length$}", format!("arn:aws:iam::{ACCOUNT}:mfa/"));
    let path: Text = |length| format!("{:x<1$}/", "/", length - 1);
    let (user, marker): (Text, Text) = (|length| "u".repeat(length), |length| "A".repeat(length));
    let cases = [
        ("DeleteVirtualMFADevice", "SerialNumber", "serialNumber", 256, serial, Some("NoSuchEntity")),
        ("GetMFADevice", "SerialNumber", "serialNumber", 256, serial, Some("NoSuchEntity")),
        ("ListMFADevices", "UserName", "userName", 128, user, Some("NoSuchEntity")),
        ("CreateUser", "UserName", "userName", 64, user, None),
        ("ListMFADevices", "Marker", "marker", 320, marker, None),
        ("ListVirtualMFADevices", "Marker", "marker", 320, marker, None),
        ("ListUsers", "PathPrefix", "pathPrefix", 512, path, None),
        ("CreateVirtualMFADevice", "Path", "path", 512, path, None),
    ];
    for (action, parameter, shown, most, text, otherwise) in cases {
        let call = |length: usize| {
            let text = text(length);
            let mut parameters = vec![(parameter, text.as_str())];
            if parameter == "Path" {
                parameters.push(("VirtualMFADeviceName", "alice"));
            }
            root.call(action, &parameters).map_err(|refused| (refused.code, refused.status, refused.message))
        };
        assert_eq!(call(most).err().map(|refused| refused.0).as_deref(), otherwise, "{action} {parameter}");
        let text = format!(
            "1 validation error detected: Value at '{shown}' failed to satisfy constraint: Member must have length less \
             than or equal to {most}"
        );
        assert_eq!(call(most + 1).unwrap_err(), ("ValidationError".to_owned(), 400, text), "{action} {parameter}");
    }
}

#[test]
fn names_and_paths_have_texts_of_their_own() {
    let aws = Aws::new();
    let root = aws.root();
    let characters = "It must contain only alphanumeric characters and/or the following: +=,.@_-";
    for (action, parameter, shown, text) in [
        ("GetUser", ("UserName", "a b"), "userName", characters),
        ("GetUser", ("UserName", ""), "userName", characters),
        ("GetGroup", ("GroupName", "a/b"), "groupName", characters),
        ("GetRole", ("RoleName", "a*"), "roleName", characters),
        (
            "ListUsers",
            ("PathPrefix", "a"),
            "pathPrefix",
            "It must begin with the / character and contain only alphanumeric characters and/or / characters.",
        ),
        (
            "GetAccessKeyLastUsed",
            ("AccessKeyId", "AKIA-AAAAAAAAAAAAAAA"),
            "accessKeyId",
            "It must contain only alphanumeric characters.",
        ),
    ] {
        let expected = format!("The specified value for {shown} is invalid. {text}");
        assert_eq!(root.refused(action, &[parameter]), ("ValidationError".to_owned(), 400, expected), "{action}");
    }
}

#[test]
fn sts_shows_values_and_patterns_come_before_lengths() {
    let aws = Aws::new();
    let (_, _, message) = aws.root().refused("GetSessionToken", &[("TokenCode", "12345x"), ("SerialNumber", "a b")]);
    assert_eq!(
        message,
        "3 validation errors detected: Value 'a b' at 'serialNumber' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [\\w+=/:,.@-]*; Value 'a b' at 'serialNumber' failed to satisfy constraint: Member \
         must have length greater than or equal to 9; Value '12345x' at 'tokenCode' failed to satisfy constraint: Member \
         must satisfy regular expression pattern: [\\d]*"
    );
}

#[test]
fn an_action_that_is_not_there_is_no_made_up_success() {
    let aws = Aws::new();
    let expected = "Could not find operation UploadSSHPublicKey for version 2010-05-08";
    assert_eq!(aws.root().refused("UploadSSHPublicKey", &[]), ("InvalidAction".to_owned(), 400, expected.to_owned()));
}

#[test]
fn federation_is_not_there_and_needs_no_signature_to_say_so() {
    let aws = Aws::new();
    for action in ["AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"] {
        let body = format!("Action={action}&Version=2011-06-15&WebIdentityToken=x&SAMLAssertion=x");
        let unsigned = vmfa::serve::Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: vec![("host".to_owned(), b"127.0.0.1".to_vec())],
            body: zeroize::Zeroizing::new(body.into_bytes()),
            peer: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        };
        let vmfa::serve::Outcome::Answer(response) = aws.stand.answer(unsigned) else { panic!("{action} passed on") };
        let failure = vmfa::wire::xml::Failure::read(&response.body).unwrap();
        let message = format!("Could not find operation {action} for version 2011-06-15");
        assert_eq!((response.status, failure.code, failure.message), (400, "InvalidAction".to_owned(), message));
    }
}

#[test]
fn a_devices_name_is_as_long_as_its_serial_number_lets_it() {
    let aws = Aws::new();
    let create =
        |length: usize| aws.root().call("CreateVirtualMFADevice", &[("VirtualMFADeviceName", &"n".repeat(length))]);
    let longest = create(226).unwrap().text("SerialNumber");
    assert_eq!(longest.len(), 256);
    aws.root().ok("DeleteVirtualMFADevice", &[("SerialNumber", &longest)]);
    for length in [227, 2_808, 2_809, 100_000] {
        let refused = create(length).unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (400, "ValidationError"), "{length}");
    }
    assert!(!aws.root().ok("ListVirtualMFADevices", &[]).has("SerialNumber"), "nothing is left of them");
}

/// No input is a failure of the service: every parameter of every action, long and odd, with the others as they should be.
#[test]
fn no_input_is_answered_with_500() {
    let aws = Aws::new();
    let (root, contract) = (aws.root(), std::fs::read_to_string("vectors/iam/contract.txt").unwrap());
    root.ok("CreateUser", &[("UserName", "alice")]);
    let good = |name: &str| match name.rsplit('.').next().unwrap() {
        "SerialNumber" => format!("arn:aws:iam::{ACCOUNT}:mfa/alice"),
        "PolicyArn" | "PermissionsBoundary" => "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
        "PolicySourceArn" => format!("arn:aws:iam::{ACCOUNT}:user/alice"),
        "RoleArn" => format!("arn:aws:iam::{ACCOUNT}:role/ops"),
        "PolicyDocument" => ALLOW_ALL.to_owned(),
        "AssumeRolePolicyDocument" => trust_of_account(),
        "AuthenticationCode1" | "AuthenticationCode2" | "TokenCode" => "123456".to_owned(),
        "AccessKeyId" => "AKIAIOSFODNN7EXAMPLE".to_owned(),
        "Status" => "Active".to_owned(),
        "Path" | "PathPrefix" => "/p/".to_owned(),
        "VersionId" => "v1".to_owned(),
        _ => "alice".to_owned(),
    };
    let mut calls = 0;
    for block in contract.split("\n\n").skip(1) {
        let mut lines = block.lines();
        let (service, action) = lines.next().unwrap().split_once(' ').unwrap();
        let version = if service == "sts" { "2011-06-15" } else { "2010-05-08" };
        let fields: Vec<(String, bool)> = lines
            .filter(|line| line.starts_with(' '))
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .map(|words| {
                let name = match (words[0].contains(".member"), words[1]) {
                    (true, _) => words[0].replacen(".member", ".member.1", 1),
                    (false, kind) if kind.contains("list") => format!("{}.member.1", words[0]),
                    _ => words[0].to_owned(),
                };
                (name, words[2] == "required")
            })
            .collect();
        for (odd, _) in &fields {
            let path = format!("/{}/", "p".repeat(500));
            let values =
                ["", "0", "-1", "99999999999999999999", "\u{0}", "é", "*", "{}", "[]", "arn:aws:iam::", path.as_str()];
            let long = [65, 129, 2_100, 3_000, 130_000].map(|length| "n".repeat(length));
            for value in values.iter().copied().chain(long.iter().map(String::as_str)) {
                let others = fields.iter().filter(|(name, required)| *required && name != odd);
                let mut parameters: Vec<(&str, String)> = others.map(|(name, _)| (name.as_str(), good(name))).collect();
                parameters.push((odd, value.to_owned()));
                let form =
                    parameters.iter().fold(Form::new(action, version), |form, (name, value)| form.pair(name, value));
                let status = root.send(service, form.body().as_bytes()).status;
                assert!(status < 500, "{action} {odd} {value:.20}: {status} {}", aws.why());
                calls += 1;
            }
        }
    }
    assert!(calls > 4_000, "{calls}");
}

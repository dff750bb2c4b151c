//! Tags of users, roles, policies and devices.

use super::support::*;

#[test]
fn tags_are_set_replaced_listed_and_taken_away() {
    let aws = Aws::new();
    let root = aws.root();
    let policy = format!("arn:aws:iam::{ACCOUNT}:policy/p");
    root.ok("CreateUser", &[("UserName", "u")]);
    root.ok("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &trust_of_account())]);
    root.ok("CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)]);
    let device = Device::of(&root.ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "d")]));
    for (kind, of) in [
        ("User", ("UserName", "u")),
        ("Role", ("RoleName", "r")),
        ("Policy", ("PolicyArn", &*policy)),
        ("MFADevice", ("SerialNumber", &*device.serial)),
    ] {
        let [tag, untag, list] = [format!("Tag{kind}"), format!("Untag{kind}"), format!("List{kind}Tags")];
        root.ok(
            &tag,
            &[
                of,
                ("Tags.member.1.Key", "Team"),
                ("Tags.member.1.Value", "red"),
                ("Tags.member.2.Key", "cost centre"),
                ("Tags.member.2.Value", ""),
            ],
        );
        root.ok(&tag, &[of, ("Tags.member.1.Key", "TEAM"), ("Tags.member.1.Value", "blue")]);
        let page = root.ok(&list, &[of, ("MaxItems", "1")]);
        assert_eq!(page.all("Key"), ["cost centre"], "{kind}");
        let rest = root.ok(&list, &[of, ("Marker", &page.text("Marker"))]);
        // Keys of users and roles know no case, those of other entities do.
        if matches!(kind, "User" | "Role") {
            assert_eq!((rest.text("Key"), rest.text("Value")), ("TEAM".into(), "blue".into()), "{kind}");
            root.ok(&untag, &[of, ("TagKeys.member.1", "team"), ("TagKeys.member.2", "absent")]);
        } else {
            assert_eq!(
                (rest.all("Key"), rest.all("Value")),
                (strings(["TEAM", "Team"]), strings(["blue", "red"])),
                "{kind}"
            );
            root.ok(&untag, &[of, ("TagKeys.member.1", "team"), ("TagKeys.member.2", "TEAM")]);
            assert_eq!(root.ok(&list, &[of]).all("Key"), ["cost centre", "Team"], "{kind}");
            root.ok(&untag, &[of, ("TagKeys.member.1", "Team")]);
        }
        assert_eq!(root.ok(&list, &[of]).all("Key"), ["cost centre"]);
        let keys: Vec<String> = (1..=50).map(|number| format!("Tags.member.{number}.Key")).collect();
        let values: Vec<String> = (1..=50).map(|number| format!("Tags.member.{number}.Value")).collect();
        let mut parameters = vec![of];
        for number in 0..50 {
            parameters.extend([(&*keys[number], &*keys[number]), (&*values[number], "x")]);
        }
        let (code, status, message) = root.refused(&tag, &parameters);
        assert_eq!((code.as_str(), status), ("LimitExceeded", 409), "{kind}");
        assert_eq!(message, "The number of tags has reached the maximum limit.");
        root.ok(&untag, &[of, ("TagKeys.member.1", "cost centre")]);
        root.ok(&tag, &parameters);
        let more = [("Tags.member.51.Key", "a"), ("Tags.member.51.Value", "b")];
        let (code, _, message) = root.refused(&tag, &[parameters, more.to_vec()].concat());
        assert_eq!(code, "ValidationError");
        assert!(message.contains(
            "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50"
        ));
    }
}

fn strings<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

#[test]
fn keys_that_are_aws_s_or_blank_and_no_tags_at_all_are_refused() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateUser", &[("UserName", "u")]);
    let with = |key: &str| {
        let tag = [("UserName", "u"), ("Tags.member.1.Key", key), ("Tags.member.1.Value", "v")];
        root.refused("TagUser", &tag)
    };
    let reserved = "Tag keys beginning with aws: are reserved for system use.";
    for key in ["aws:team", "AWS:team", "aWs:"] {
        assert_eq!(with(key), ("InvalidInput".to_owned(), 400, reserved.to_owned()), "{key}");
    }
    assert_eq!(with("   ").0, "ValidationError");
    assert_eq!(root.refused("TagUser", &[("UserName", "u"), ("Tags", "")]).0, "InvalidInput");
    let new = [("UserName", "v"), ("Tags.member.1.Key", "aws:x"), ("Tags.member.1.Value", "v")];
    assert_eq!(root.refused("CreateUser", &new).0, "InvalidInput");
    root.ok("UntagUser", &[("UserName", "u"), ("TagKeys", "")]);
    root.ok("UntagUser", &[("UserName", "u"), ("TagKeys.member.1", "aws:x")]);
}

#[test]
fn tags_of_whoever_is_not_there_are_missed() {
    let aws = Aws::new();
    let policy = format!("arn:aws:iam::{ACCOUNT}:policy/p");
    let serial = format!("arn:aws:iam::{ACCOUNT}:mfa/d");
    for (kind, of, message) in [
        ("User", ("UserName", "u"), "The user with name u cannot be found.".to_owned()),
        ("Role", ("RoleName", "r"), "The role with name r cannot be found.".to_owned()),
        ("Policy", ("PolicyArn", &*policy), format!("Policy {policy} was not found.")),
        ("MFADevice", ("SerialNumber", &*serial), format!("MFA Device with serial number {serial} does not exist.")),
    ] {
        let expected = ("NoSuchEntity".to_owned(), 404, message);
        let tag = [of, ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")];
        assert_eq!(aws.root().refused(&format!("Tag{kind}"), &tag), expected);
        assert_eq!(aws.root().refused(&format!("Untag{kind}"), &[of, ("TagKeys.member.1", "a")]), expected);
        assert_eq!(aws.root().refused(&format!("List{kind}Tags"), &[of]), expected);
    }
}

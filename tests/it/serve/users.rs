//! Users and their access keys.

use super::support::*;

fn refusal(code: &str, status: u16, message: &str) -> (String, u16, String) {
    (code.to_owned(), status, message.to_owned())
}

#[test]
fn a_user_is_shown_as_it_was_created() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreatePolicy", &[("PolicyName", "bound"), ("PolicyDocument", ALLOW_ALL)]);
    let bound = format!("arn:aws:iam::{ACCOUNT}:policy/bound");
    let created = root.ok(
        "CreateUser",
        &[
            ("UserName", "Alice"),
            ("Path", "/team/a/"),
            ("PermissionsBoundary", &bound),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "red"),
        ],
    );
    for answer in [&created, &root.ok("GetUser", &[("UserName", "alice")])] {
        assert_eq!(answer.text("UserName"), "Alice");
        assert_eq!(answer.text("Path"), "/team/a/");
        assert_eq!(answer.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/team/a/Alice"));
        assert_eq!(answer.text("PermissionsBoundaryType"), "Policy");
        assert_eq!(answer.text("PermissionsBoundaryArn"), bound);
        assert_eq!((answer.text("Key"), answer.text("Value")), ("team".into(), "red".into()));
        assert!(!answer.has("PasswordLastUsed"));
    }
    let id = created.text("UserId");
    assert!(id.starts_with("AIDA") && id.len() == 21, "{id}");
    let listed = root.ok("ListUsers", &[("PathPrefix", "/team/")]);
    assert_eq!(listed.all("UserName"), ["Alice"]);
    assert!(!listed.has("Tags") && !listed.has("PermissionsBoundary"));
    assert!(root.ok("ListUsers", &[("PathPrefix", "/teams/")]).0.contains("<Users/>"));
}

#[test]
fn a_user_gets_itself() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    aws.root().ok("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    assert_eq!(alice.ok("GetUser", &[]).text("UserName"), "alice");
}

#[test]
fn users_that_cannot_be_are_refused() {
    let aws = Aws::new();
    let root = aws.root();
    aws.user("alice");
    let taken = refusal("EntityAlreadyExists", 409, "User with name ALICE already exists.");
    assert_eq!(root.refused("CreateUser", &[("UserName", "ALICE")]), taken);
    let missing = refusal("NoSuchEntity", 404, "The user with name Bob cannot be found.");
    for action in ["GetUser", "UpdateUser", "DeleteUser", "ListUserTags", "ListAccessKeys", "ListMFADevices"] {
        assert_eq!(root.refused(action, &[("UserName", "Bob")]), missing, "{action}");
    }
    root.ok("CreateUser", &[("UserName", "bob")]);
    let (code, status, message) = root.refused("UpdateUser", &[("UserName", "bob"), ("NewUserName", "Alice")]);
    assert_eq!((code.as_str(), status), ("EntityAlreadyExists", 409));
    assert_eq!(message, "User with name Alice already exists.");
    let (code, _, message) = root.refused("CreateUser", &[("UserName", "a b")]);
    assert_eq!(code, "ValidationError");
    let characters = "It must contain only alphanumeric characters and/or the following: +=,.@_-";
    assert_eq!(message, format!("The specified value for userName is invalid. {characters}"));
    let (_, _, message) = root.refused("CreateUser", &[]);
    assert_eq!(
        message,
        "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must not be null"
    );
    let boundary = format!("arn:aws:iam::{ACCOUNT}:policy/none");
    let (code, status, message) =
        root.refused("CreateUser", &[("UserName", "carol"), ("PermissionsBoundary", &boundary)]);
    assert_eq!((code.as_str(), status), ("NoSuchEntity", 404));
    assert_eq!(message, format!("Scope ARN: {boundary} does not exist or is not attachable."));
    let twice = [
        ("UserName", "carol"),
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", ""),
        ("Tags.member.2.Key", "A"),
        ("Tags.member.2.Value", ""),
    ];
    let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    assert_eq!(root.refused("CreateUser", &twice), refusal("InvalidInput", 400, message));
}

#[test]
fn lists_come_in_pages_and_tell_everybody_once() {
    let aws = Aws::new();
    let root = aws.root();
    for number in 0..7 {
        root.ok("CreateUser", &[("UserName", &format!("user{number}"))]);
    }
    let (mut names, mut marker) = (Vec::new(), None::<String>);
    loop {
        let mut parameters = vec![("MaxItems", "3")];
        parameters.extend(marker.as_ref().map(|marker| ("Marker", marker.as_str())));
        let page = root.ok("ListUsers", &parameters);
        names.extend(page.all("UserName"));
        if page.text("IsTruncated") == "false" {
            assert!(!page.has("Marker"));
            break;
        }
        marker = Some(page.text("Marker"));
    }
    let mut expected: Vec<String> = (0..7).map(|number| format!("user{number}")).collect();
    expected.insert(0, "administrator".to_owned());
    assert_eq!(names, expected);
    assert_eq!(root.refused("ListUsers", &[("Marker", "?!")]), refusal("ValidationError", 400, "Invalid Marker."));
    assert_eq!(root.refused("ListUsers", &[("MaxItems", "0")]).0, "ValidationError");
}

#[test]
fn whoever_is_renamed_keeps_everything() {
    let aws = Aws::new();
    let (root, alice) = (aws.root(), aws.user("alice"));
    root.ok("CreateGroup", &[("GroupName", "staff")]);
    root.ok("AddUserToGroup", &[("GroupName", "staff"), ("UserName", "alice")]);
    root.ok("CreateLoginProfile", &[("UserName", "alice"), ("Password", "Correct-1")]);
    let device = Device::of(&root.ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "phone")]));
    let [one, two] = device.pair(aws.now());
    let enable = [("UserName", "alice"), ("SerialNumber", &device.serial)];
    root.ok(
        "EnableMFADevice",
        &[&enable[..], &[("AuthenticationCode1", &one), ("AuthenticationCode2", &two)]].concat(),
    );
    root.ok("UpdateUser", &[("UserName", "alice"), ("NewUserName", "Alicia"), ("NewPath", "/x/")]);
    assert_eq!(alice.ok("GetCallerIdentity", &[]).text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/x/Alicia"));
    assert_eq!(root.ok("GetGroup", &[("GroupName", "staff")]).all("UserName"), ["Alicia"]);
    assert_eq!(root.ok("GetLoginProfile", &[("UserName", "Alicia")]).text("UserName"), "Alicia");
    assert_eq!(root.ok("ListMFADevices", &[("UserName", "Alicia")]).text("SerialNumber"), device.serial);
    assert_eq!(root.ok("ListVirtualMFADevices", &[]).text("UserName"), "Alicia");
    assert_eq!(root.ok("ListAccessKeys", &[("UserName", "Alicia")]).all("AccessKeyId").len(), 1);
    assert_eq!(root.refused("GetUser", &[("UserName", "alice")]).0, "NoSuchEntity");
    // Only the case of the name
    root.ok("UpdateUser", &[("UserName", "Alicia"), ("NewUserName", "ALICIA")]);
    assert_eq!(root.ok("GetUser", &[("UserName", "alicia")]).text("UserName"), "ALICIA");
}

#[test]
fn a_user_is_deleted_when_nothing_is_left() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateUser", &[("UserName", "alice")]);
    let user = ("UserName", "alice");
    root.ok("CreateGroup", &[("GroupName", "staff")]);
    root.ok("AddUserToGroup", &[user, ("GroupName", "staff")]);
    let device = Device::of(&root.ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "phone")]));
    let serial = ("SerialNumber", device.serial.as_str());
    let [one, two] = device.pair(aws.now());
    root.ok("EnableMFADevice", &[user, serial, ("AuthenticationCode1", &one), ("AuthenticationCode2", &two)]);
    let access_key = root.ok("CreateAccessKey", &[user]).text("AccessKeyId");
    root.ok("CreateLoginProfile", &[user, ("Password", "Correct-1")]);
    root.ok("PutUserPolicy", &[user, ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    let administrator = ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess");
    root.ok("AttachUserPolicy", &[user, administrator]);
    for (conflict, action, parameters) in [
        ("must remove tokens from principal first", "DeactivateMFADevice", vec![user, serial]),
        ("must detach all policies first", "DetachUserPolicy", vec![user, administrator]),
        ("must delete policies first", "DeleteUserPolicy", vec![user, ("PolicyName", "all")]),
        ("must delete login profile first", "DeleteLoginProfile", vec![user]),
        ("must delete access keys first", "DeleteAccessKey", vec![user, ("AccessKeyId", &access_key)]),
        ("must remove users from group first", "RemoveUserFromGroup", vec![user, ("GroupName", "staff")]),
    ] {
        let message = format!("Cannot delete entity, {conflict}.");
        assert_eq!(root.refused("DeleteUser", &[user]), refusal("DeleteConflict", 409, &message));
        root.ok(action, &parameters);
    }
    root.ok("DeleteUser", &[user]);
    assert_eq!(root.refused("GetUser", &[user]).0, "NoSuchEntity");
}

#[test]
fn access_keys_are_two_at_most_and_can_be_switched_off() {
    let aws = Aws::new();
    let (root, alice) = (aws.root(), aws.user("alice"));
    let user = ("UserName", "alice");
    aws.wait(60);
    let second = root.ok("CreateAccessKey", &[user]);
    let second_id = second.text("AccessKeyId");
    assert_eq!((second_id.len(), second.text("SecretAccessKey").len()), (20, 40));
    assert_eq!(
        root.refused("CreateAccessKey", &[user]),
        refusal("LimitExceeded", 409, "Cannot exceed quota for AccessKeysPerUser: 2")
    );
    let listed = root.ok("ListAccessKeys", &[user]);
    assert_eq!(listed.all("AccessKeyId")[1], second_id);
    assert_eq!(listed.all("Status"), ["Active", "Active"]);
    assert!(!listed.has("SecretAccessKey"));
    let first = listed.all("AccessKeyId")[0].clone();
    root.ok("UpdateAccessKey", &[user, ("AccessKeyId", &first), ("Status", "Inactive")]);
    assert_eq!(root.ok("ListAccessKeys", &[user]).all("Status"), ["Inactive", "Active"]);
    assert_eq!(alice.refused("GetCallerIdentity", &[]).0, "InvalidClientTokenId");
    root.ok("UpdateAccessKey", &[user, ("AccessKeyId", &first), ("Status", "Active")]);
    alice.ok("GetCallerIdentity", &[]);
    let (_, _, message) = root.refused("UpdateAccessKey", &[user, ("AccessKeyId", &first), ("Status", "On")]);
    assert_eq!(
        message,
        "1 validation error detected: Value 'On' at 'status' failed to satisfy constraint: Member must satisfy enum \
         value set: [Active, Inactive, Expired]"
    );
    let expired = [user, ("AccessKeyId", first.as_str()), ("Status", "Expired")];
    assert_eq!(root.refused("UpdateAccessKey", &expired).0, "InvalidInput");
    root.ok("DeleteAccessKey", &[user, ("AccessKeyId", &first)]);
    assert_eq!(alice.refused("GetCallerIdentity", &[]).0, "InvalidClientTokenId");
    let missing = format!("The Access Key with id {first} cannot be found.");
    assert_eq!(
        root.refused("DeleteAccessKey", &[user, ("AccessKeyId", &first)]),
        refusal("NoSuchEntity", 404, &missing)
    );
    // Somebody else's is not to be found either
    let administrator = root.ok("ListAccessKeys", &[]).text("AccessKeyId");
    let others = [user, ("AccessKeyId", administrator.as_str()), ("Status", "Inactive")];
    assert_eq!(root.refused("UpdateAccessKey", &others).0, "NoSuchEntity");
}

#[test]
fn the_last_use_of_an_access_key_is_told() {
    let aws = Aws::new();
    let (root, alice) = (aws.root(), aws.user("alice"));
    let id = root.ok("ListAccessKeys", &[("UserName", "alice")]).text("AccessKeyId");
    let last = || root.ok("GetAccessKeyLastUsed", &[("AccessKeyId", &id)]);
    let never = last();
    assert_eq!((never.text("ServiceName"), never.text("Region")), ("N/A".into(), "N/A".into()));
    assert!(!never.has("LastUsedDate"));
    alice.ok("GetCallerIdentity", &[]);
    let used = last();
    assert_eq!(used.text("UserName"), "alice");
    assert_eq!((used.text("ServiceName"), used.text("Region")), ("sts".into(), "us-east-1".into()));
    assert!(used.has("LastUsedDate"));
    let unknown = "AKIAAAAAAAAAAAAAAAAA";
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/administrator is not authorized to perform iam:GetAccessKeyLastUsed on \
         resource: access key {unknown}"
    );
    assert_eq!(
        root.refused("GetAccessKeyLastUsed", &[("AccessKeyId", unknown)]),
        refusal("AccessDenied", 403, &message)
    );
    assert_eq!(alice.refused("GetAccessKeyLastUsed", &[("AccessKeyId", &id)]).0, "AccessDenied");
}

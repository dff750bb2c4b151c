//! Roles.

use super::support::*;

#[track_caller]
fn refused(client: &Client<'_>, action: &str, parameters: &[(&str, &str)], code: &str, status: u16, message: &str) {
    let expected = (code.to_owned(), status, message.to_owned());
    assert_eq!(client.refused(action, parameters), expected, "{action}");
}

#[test]
fn a_role_is_shown_as_it_was_created() {
    let aws = Aws::new();
    let root = aws.root();
    let trust = trust_of_account();
    let document = ("AssumeRolePolicyDocument", trust.as_str());
    let created = root.ok(
        "CreateRole",
        &[
            ("RoleName", "Ops"),
            ("Path", "/a/"),
            document,
            ("Description", "for operators"),
            ("MaxSessionDuration", "+7200"),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "red"),
        ],
    );
    assert!(created.text("RoleId").starts_with("AROA"));
    assert_eq!(created.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:role/a/Ops"));
    assert!(!created.has("Description"), "the answer to CreateRole has none");
    assert!(!created.has("MaxSessionDuration") && !created.0.contains("RoleLastUsed"));
    let got = root.ok("GetRole", &[("RoleName", "ops")]);
    assert_eq!((got.text("RoleName"), got.text("MaxSessionDuration")), ("Ops".into(), "7200".into()));
    assert!(got.0.contains("<RoleLastUsed/>") && got.has("Tags"));
    assert!(got.text("AssumeRolePolicyDocument").starts_with("%7B%22Version%22"));
    let listed = root.ok("ListRoles", &[("PathPrefix", "/a/")]);
    assert_eq!(
        (listed.text("MaxSessionDuration"), listed.text("Description")),
        ("7200".into(), "for operators".into())
    );
    assert!(!listed.has("Tags") && !listed.0.contains("RoleLastUsed"));
    refused(
        &root,
        "CreateRole",
        &[("RoleName", "OPS"), document],
        "EntityAlreadyExists",
        409,
        "Role with name OPS already exists.",
    );
    for action in ["GetRole", "DeleteRole", "UpdateRole", "ListRolePolicies", "ListInstanceProfilesForRole"] {
        let message = "The role with name Dev cannot be found.";
        refused(&root, action, &[("RoleName", "Dev")], "NoSuchEntity", 404, message);
    }
    refused(
        &root,
        "UpdateRole",
        &[("RoleName", "Ops"), ("MaxSessionDuration", "43201")],
        "ValidationError",
        400,
        "1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value \
         less than or equal to 43200",
    );
}

#[test]
fn a_role_is_changed() {
    let aws = Aws::new();
    let root = aws.root();
    let role = ("RoleName", "ops");
    root.ok("CreateRole", &[role, ("AssumeRolePolicyDocument", &trust_of_account())]);
    let updated = root.ok("UpdateRole", &[role, ("Description", "new"), ("MaxSessionDuration", "3600")]);
    assert!(updated.0.contains("<UpdateRoleResult/>"));
    root.ok("UpdateRole", &[role, ("MaxSessionDuration", "7200")]);
    let got = root.ok("GetRole", &[role]);
    assert_eq!((got.text("Description"), got.text("MaxSessionDuration")), ("new".into(), "7200".into()));
    let described = root.ok("UpdateRoleDescription", &[role, ("Description", "newer")]);
    assert_eq!(described.text("Description"), "newer");
    root.ok("UpdateRole", &[role, ("Description", "")]);
    assert!(!root.ok("GetRole", &[role]).has("Description"));
    let alice = aws.user("alice");
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/ops");
    let assume = [("RoleArn", arn.as_str()), ("RoleSessionName", "session")];
    assert_eq!(alice.refused("AssumeRole", &assume).0, "AccessDenied");
    let trust = trust_of_account().replace(ACCOUNT, &format!("arn:aws:iam::{ACCOUNT}:user/alice"));
    root.ok("UpdateAssumeRolePolicy", &[role, ("PolicyDocument", &trust)]);
    alice.ok("AssumeRole", &assume);
    // The trusted are the same under another name
    root.ok("UpdateUser", &[("UserName", "alice"), ("NewUserName", "alicia"), ("NewPath", "/x/")]);
    assert!(root.ok("GetRole", &[role]).text("AssumeRolePolicyDocument").contains("user%2Fx%2Falicia"));
    alice.ok("AssumeRole", &assume);
}

#[test]
fn trust_policies_are_checked() {
    let aws = Aws::new();
    let root = aws.root();
    let trust = trust_of_account();
    root.ok("CreateRole", &[("RoleName", "ops"), ("AssumeRolePolicyDocument", &trust)]);
    let gone = trust.replace(ACCOUNT, &format!("arn:aws:iam::{ACCOUNT}:role/gone"));
    let large = trust.replace("Allow\"", &format!("Allow\",\"Sid\":\"{}\"", "x".repeat(2_048)));
    let invalid = format!("Invalid principal in policy: \"AWS\":\"arn:aws:iam::{ACCOUNT}:role/gone\"");
    let malformed = |message| ("MalformedPolicyDocument", 400, message);
    for (document, (code, status, message)) in [
        ("nothing", malformed("This policy contains invalid Json")),
        (&gone, malformed(&invalid)),
        (
            &trust.replace("sts:AssumeRole", "ec2:*"),
            malformed("AssumeRole policy may only specify STS AssumeRole actions."),
        ),
        (&trust.replace("\"Effect\"", "\"Resource\":\"*\",\"Effect\""), malformed("Has prohibited field Resource")),
        (&large, ("LimitExceeded", 409, "Cannot exceed quota for ACLSizePerRole: 2048")),
    ] {
        let create = [("RoleName", "dev"), ("AssumeRolePolicyDocument", document)];
        refused(&root, "CreateRole", &create, code, status, message);
        let update = [("RoleName", "ops"), ("PolicyDocument", document)];
        refused(&root, "UpdateAssumeRolePolicy", &update, code, status, message);
    }
    // Another account's may be there
    let foreign = trust.replace(ACCOUNT, "arn:aws:iam::210987654321:user/bob");
    root.ok("CreateRole", &[("RoleName", "dev"), ("AssumeRolePolicyDocument", &foreign)]);
}

#[test]
fn a_role_is_deleted_when_nothing_is_left() {
    let aws = Aws::new();
    let root = aws.root();
    let role = ("RoleName", "ops");
    let arn = ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    root.ok("CreateRole", &[role, ("AssumeRolePolicyDocument", &trust_of_account())]);
    root.ok("AttachRolePolicy", &[role, arn]);
    root.ok("PutRolePolicy", &[role, ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    let conflict = |what| format!("Cannot delete entity, {what}.");
    let message = conflict("must detach all policies first");
    refused(&root, "DeleteRole", &[role], "DeleteConflict", 409, &message);
    root.ok("DetachRolePolicy", &[role, arn]);
    let message = conflict("must delete policies first");
    refused(&root, "DeleteRole", &[role], "DeleteConflict", 409, &message);
    root.ok("DeleteRolePolicy", &[role, ("PolicyName", "all")]);
    root.ok("DeleteRole", &[role]);
    assert!(root.ok("ListRoles", &[]).0.contains("<Roles/>"));
}

#[test]
fn a_role_tells_when_it_was_last_used() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateRole", &[("RoleName", "ops"), ("AssumeRolePolicyDocument", &trust_of_account())]);
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/ops");
    let session = root.ok("AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "session")]);
    let used = || root.ok("GetRole", &[("RoleName", "ops")]);
    assert!(used().0.contains("<RoleLastUsed/>"), "assuming it isn't using it");
    aws.wait(60);
    aws.client(&session.credentials()).ok("GetCallerIdentity", &[]);
    let at = vmfa::time::Timestamp::from_unix(START + 60).to_rfc3339();
    let expected = format!("<RoleLastUsed><LastUsedDate>{at}</LastUsedDate><Region>us-east-1</Region></RoleLastUsed>");
    assert!(used().0.contains(&expected), "{}", used().0);
    assert!(root.ok("GetAccountAuthorizationDetails", &[]).0.contains(&expected));
}

#[test]
fn trust_policies_are_shown_with_a_list_of_statements_in_the_order_of_iam() {
    let aws = Aws::new();
    let root = aws.root();
    let given = r#"{"Statement":{"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}},"Action":["sts:AssumeRole"],
        "Principal":{"AWS":"123456789012"},"Effect":"Allow"},"Version":"2012-10-17"}"#;
    let document = |answer: &Answer| {
        let text = answer.text("AssumeRolePolicyDocument");
        percent_encoding::percent_decode_str(&text).decode_utf8().unwrap().into_owned()
    };
    let created = root.ok("CreateRole", &[("RoleName", "ops"), ("AssumeRolePolicyDocument", given)]);
    assert_eq!(document(&created), given);
    let shown = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":["sts:AssumeRole"],"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}"#;
    assert_eq!(document(&root.ok("GetRole", &[("RoleName", "ops")])), shown);
    assert_eq!(document(&root.ok("ListRoles", &[])), shown);
    assert_eq!(document(&root.ok("GetAccountAuthorizationDetails", &[("Filter.member.1", "Role")])), shown);
    // Policies of users stay as they came.
    let single = r#"{"Statement":{"Resource":"*","Action":"s3:*","Effect":"Allow"}}"#;
    root.ok("CreateUser", &[("UserName", "u")]);
    root.ok("PutUserPolicy", &[("UserName", "u"), ("PolicyName", "p"), ("PolicyDocument", single)]);
    let policy = root.ok("GetUserPolicy", &[("UserName", "u"), ("PolicyName", "p")]).text("PolicyDocument");
    assert_eq!(percent_encoding::percent_decode_str(&policy).decode_utf8().unwrap(), single);
}

//! What each kind of action is authorized on, and what denials call it.

use super::support::*;

/// A user with one inline policy.
fn with_policy<'a>(aws: &'a Aws, name: &str, statements: &str) -> Client<'a> {
    let client = aws.user(name);
    let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    aws.root().ok("PutUserPolicy", &[("UserName", name), ("PolicyName", "p"), ("PolicyDocument", &document)]);
    client
}

#[test]
fn denials_name_what_the_service_names() {
    let aws = Aws::new();
    let bob = aws.user("bob");
    let arn = |rest: &str| format!("arn:aws:iam::{ACCOUNT}:{rest}");
    let policy = arn("policy/p");
    let source = arn("user/bob");
    let serial = arn("mfa/d");
    for (action, parameters, resource) in [
        ("CreateUser", vec![("UserName", "x"), ("Path", "/a/")], arn("user/a/x")),
        ("GetUser", vec![("UserName", "x")], "user x".to_owned()),
        ("GetUser", vec![], "user bob".to_owned()),
        ("ListUsers", vec![], arn("user/")),
        ("ListUsers", vec![("PathPrefix", "/a/")], arn("user/a/")),
        ("CreateAccessKey", vec![], "user nullbob".to_owned()),
        ("ListAccessKeys", vec![], "user nullbob".to_owned()),
        ("ListAccessKeys", vec![("UserName", "bob")], "user bob".to_owned()),
        ("CreateGroup", vec![("GroupName", "x")], arn("group/x")),
        ("GetGroup", vec![("GroupName", "x")], "group x".to_owned()),
        ("AddUserToGroup", vec![("GroupName", "x"), ("UserName", "y")], "group x".to_owned()),
        ("CreatePolicy", vec![("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)], "policy p".to_owned()),
        ("GetPolicy", vec![("PolicyArn", &policy)], format!("policy {policy}")),
        (
            "TagPolicy",
            vec![("PolicyArn", &policy), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "")],
            format!("policy {policy}"),
        ),
        ("ListPolicies", vec![], "policy path /".to_owned()),
        ("CreateRole", vec![("RoleName", "x"), ("AssumeRolePolicyDocument", ALLOW_ALL)], arn("role/x")),
        ("GetRole", vec![("RoleName", "x")], "role x".to_owned()),
        ("AttachRolePolicy", vec![("RoleName", "x"), ("PolicyArn", &policy)], "role x".to_owned()),
        ("ListUserTags", vec![("UserName", "bob")], arn("user/bob")),
        ("ListRoleTags", vec![("RoleName", "x")], arn("role/x")),
        ("ListAccountAliases", vec![], "*".to_owned()),
        ("GetAccountSummary", vec![], "*".to_owned()),
        ("CreateVirtualMFADevice", vec![("VirtualMFADeviceName", "d")], arn("mfa/d")),
        ("DeleteVirtualMFADevice", vec![("SerialNumber", &serial)], serial.clone()),
        ("ListVirtualMFADevices", vec![], arn("mfa/")),
        ("ListMFADevices", vec![], "user bob".to_owned()),
        (
            "SimulatePrincipalPolicy",
            vec![("PolicySourceArn", &source), ("ActionNames.member.1", "a:b")],
            source.clone(),
        ),
        ("ListInstanceProfiles", vec![], arn("instance-profile/")),
    ] {
        let (code, status, message) = bob.refused(action, &parameters);
        assert_eq!((code.as_str(), status), ("AccessDenied", 403), "{action}");
        let expected = format!(
            "User: {source} is not authorized to perform: iam:{action} on resource: {resource} because no \
             identity-based policy allows the iam:{action} action"
        );
        assert_eq!(message, expected);
    }
}

#[test]
fn a_grant_on_oneself_is_no_grant_on_others() {
    let aws = Aws::new();
    let root = aws.root();
    let alice = with_policy(
        &aws,
        "alice",
        r#"{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:user/${aws:username}"}"#,
    );
    root.ok("CreateUser", &[("UserName", "bob")]);
    for action in ["GetUser", "ListAccessKeys", "ListMFADevices", "ListGroupsForUser", "ListUserTags"] {
        alice.ok(action, &[("UserName", "alice")]);
        for other in ["bob", "nobody"] {
            assert_eq!(alice.refused(action, &[("UserName", other)]).0, "AccessDenied", "{action} {other}");
        }
    }
    alice.ok("CreateAccessKey", &[]);
    // To be renamed, one needs a grant on the new name too
    let rename = [("UserName", "alice"), ("NewUserName", "alicia")];
    assert_eq!(alice.refused("UpdateUser", &rename).0, "AccessDenied");
    assert_eq!(alice.refused("ListUsers", &[]).0, "AccessDenied");
}

#[test]
fn paths_are_part_of_what_is_granted() {
    let aws = Aws::new();
    let root = aws.root();
    let alice = with_policy(
        &aws,
        "alice",
        r#"{"Effect":"Allow","Action":"iam:*","Resource":["arn:aws:iam::*:user/dev/*","arn:aws:iam::*:role/dev/*","arn:aws:iam::*:group/dev/*","arn:aws:iam::*:policy/dev/*"]}"#,
    );
    let trust = trust_of_account();
    for path in ["/dev/", "/ops/"] {
        let name = path.trim_matches('/');
        let policy = format!("arn:aws:iam::{ACCOUNT}:policy{path}{name}");
        for (action, parameters) in [
            ("CreateUser", vec![("UserName", name), ("Path", path)]),
            ("CreateGroup", vec![("GroupName", name), ("Path", path)]),
            ("CreateRole", vec![("RoleName", name), ("Path", path), ("AssumeRolePolicyDocument", &trust)]),
            ("CreatePolicy", vec![("PolicyName", name), ("Path", path), ("PolicyDocument", ALLOW_ALL)]),
            ("GetUser", vec![("UserName", name)]),
            ("GetGroup", vec![("GroupName", name)]),
            ("GetRole", vec![("RoleName", name)]),
            ("GetPolicy", vec![("PolicyArn", &policy)]),
            ("ListUsers", vec![("PathPrefix", path)]),
            ("AddUserToGroup", vec![("GroupName", name), ("UserName", "alice")]),
        ] {
            if path == "/dev/" {
                alice.ok(action, &parameters);
            } else {
                assert_eq!(alice.refused(action, &parameters).0, "AccessDenied", "{action}");
            }
        }
    }
    // A role that isn't there is looked for without a path
    assert_eq!(alice.refused("GetRole", &[("RoleName", "gone")]).0, "AccessDenied");
    assert_eq!(root.refused("GetRole", &[("RoleName", "gone")]).0, "NoSuchEntity");
}

#[test]
fn whoever_creates_with_tags_has_to_be_allowed_to_tag() {
    let aws = Aws::new();
    let root = aws.root();
    let alice = with_policy(
        &aws,
        "alice",
        r#"{"Effect":"Allow","Action":["iam:Create*"],"Resource":"*"},{"Effect":"Allow","Action":"iam:TagUser","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"red"}}}"#,
    );
    let trust = trust_of_account();
    let tags = |value| [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", value)];
    alice.ok("CreateUser", &[&[("UserName", "x")][..], &tags("red")].concat());
    for (action, tagging, resource, parameters) in [
        ("CreateUser", "TagUser", "user/y", vec![("UserName", "y")]),
        ("CreateRole", "TagRole", "role/y", vec![("RoleName", "y"), ("AssumeRolePolicyDocument", &trust)]),
        ("CreatePolicy", "TagPolicy", "policy/y", vec![("PolicyName", "y"), ("PolicyDocument", ALLOW_ALL)]),
        ("CreateVirtualMFADevice", "TagMFADevice", "mfa/y", vec![("VirtualMFADeviceName", "y")]),
    ] {
        let (_, status, message) = alice.refused(action, &[&parameters[..], &tags("blue")].concat());
        assert_eq!(status, 403);
        let on = format!("perform: iam:{tagging} on resource: arn:aws:iam::{ACCOUNT}:{resource} because");
        assert!(message.contains(&on), "{message}");
        alice.ok(action, &parameters);
    }
    // The tags of what is there
    let bob = with_policy(
        &aws,
        "bob",
        r#"{"Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}}}"#,
    );
    bob.ok("GetUser", &[("UserName", "x")]);
    assert_eq!(bob.refused("GetUser", &[("UserName", "y")]).0, "AccessDenied");
    root.ok("TagUser", &[&[("UserName", "y")][..], &tags("red")].concat());
    bob.ok("GetUser", &[("UserName", "y")]);
}

#[test]
fn which_policies_and_boundaries_may_be_given_can_be_said() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreatePolicy", &[("PolicyName", "bound"), ("PolicyDocument", ALLOW_ALL)]);
    let bound = format!("arn:aws:iam::{ACCOUNT}:policy/bound");
    let alice = with_policy(
        &aws,
        "alice",
        &format!(
            r#"{{"Effect":"Allow","Action":["iam:CreateUser","iam:PutUserPolicy","iam:PutUserPermissionsBoundary"],"Resource":"*","Condition":{{"StringEquals":{{"iam:PermissionsBoundary":"{bound}"}}}}}},{{"Effect":"Allow","Action":"iam:AttachUserPolicy","Resource":"*","Condition":{{"ArnEquals":{{"iam:PolicyARN":"arn:aws:iam::aws:policy/ReadOnlyAccess"}}}}}}"#
        ),
    );
    assert_eq!(alice.refused("CreateUser", &[("UserName", "x")]).0, "AccessDenied");
    alice.ok("CreateUser", &[("UserName", "x"), ("PermissionsBoundary", &bound)]);
    root.ok("CreateUser", &[("UserName", "y")]);
    let policy = |name| [("UserName", name), ("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)];
    alice.ok("PutUserPolicy", &policy("x"));
    assert_eq!(alice.refused("PutUserPolicy", &policy("y")).0, "AccessDenied");
    alice.ok("PutUserPermissionsBoundary", &[("UserName", "y"), ("PermissionsBoundary", &bound)]);
    alice.ok("PutUserPolicy", &policy("y"));
    let attach = |arn| [("UserName", "y"), ("PolicyArn", arn)];
    alice.ok("AttachUserPolicy", &attach("arn:aws:iam::aws:policy/ReadOnlyAccess"));
    let other = attach("arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!(alice.refused("AttachUserPolicy", &other).0, "AccessDenied");
}

#[test]
fn an_explicit_deny_names_its_managed_policy() {
    let aws = Aws::new();
    let root = aws.root();
    let alice = aws.user("alice");
    root.ok("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    let deny = ALLOW_ALL.replace("Allow", "Deny").replace("Action\":\"*", "Action\":\"iam:ListUsers");
    root.ok("CreatePolicy", &[("PolicyName", "no"), ("PolicyDocument", &deny)]);
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/no");
    root.ok("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", &arn)]);
    let (_, _, message) = alice.refused("ListUsers", &[]);
    assert!(message.ends_with(&format!(" with an explicit deny in an identity-based policy: {arn}")), "{message}");
    alice.ok("ListGroups", &[]);
}

#[test]
fn a_session_without_a_code_calls_no_action_of_iam() {
    let aws = Aws::new();
    let alice = aws.user("alice");
    aws.root().ok("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    let session = alice.session(&[]);
    for action in ["GetUser", "ListUsers", "GetAccountSummary"] {
        assert_eq!(session.refused(action, &[]).0, "InvalidClientTokenId");
    }
    session.ok("GetCallerIdentity", &[]);
}

#[test]
fn a_plain_bool_does_not_catch_long_term_keys() {
    let aws = Aws::new();
    let (alice, device) = aws.user_with_device("alice");
    let deny = |operator: &str| {
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},
               {{"Effect":"Deny","Action":"iam:ListUsers","Resource":"*","Condition":{{"{operator}":{{"aws:MultiFactorAuthPresent":"false"}}}}}}]}}"#
        );
        let parameters = [("UserName", "alice"), ("PolicyName", "mfa"), ("PolicyDocument", document.as_str())];
        aws.root().ok("PutUserPolicy", &parameters);
    };
    let code = device.code(aws.now(), 0);
    let session = alice.session(&[("SerialNumber", &device.serial), ("TokenCode", &code)]);
    // The classic mistake: a long-term key doesn't carry the condition key at all.
    deny("Bool");
    alice.ok("ListUsers", &[]);
    session.ok("ListUsers", &[]);
    deny("BoolIfExists");
    let (code, status, message) = alice.refused("ListUsers", &[]);
    assert_eq!((code.as_str(), status), ("AccessDenied", 403));
    assert!(message.ends_with("with an explicit deny in an identity-based policy"), "{message}");
    session.ok("ListUsers", &[]);
}

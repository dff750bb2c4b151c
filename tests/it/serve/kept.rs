//! What is kept of the account between two runs.

use super::support::*;

const ASKED: &[(&str, &[(&str, &str)])] = &[
    ("GetAccountAuthorizationDetails", &[]),
    ("GetAccountSummary", &[]),
    ("GetAccountPasswordPolicy", &[]),
    ("ListAccountAliases", &[]),
    ("GetLoginProfile", &[("UserName", "Alicia")]),
    ("ListGroupsForUser", &[("UserName", "Alicia")]),
    ("ListPolicyVersions", &[("PolicyArn", "arn:aws:iam::123456789012:policy/p")]),
    ("GetRole", &[("RoleName", "r")]),
    ("ListUserTags", &[("UserName", "Alicia")]),
];

#[test]
fn everything_of_iam_is_there_again() {
    let directory = tempfile::tempdir().unwrap();
    let policy = format!("arn:aws:iam::{ACCOUNT}:policy/p");
    let answers = |aws: &Aws| -> Vec<String> {
        let answers = ASKED.iter().map(|(action, parameters)| aws.root().ok(action, parameters).0);
        answers.map(|answer| answer.split("<ResponseMetadata>").next().unwrap().to_owned()).collect()
    };
    let before = {
        let aws = Aws::kept_in(directory.path());
        let root = aws.root();
        for (action, parameters) in [
            ("CreateAccountAlias", vec![("AccountAlias", "example")]),
            ("UpdateAccountPasswordPolicy", vec![("PasswordReusePrevention", "3")]),
            ("CreateUser", vec![("UserName", "alice")]),
            ("TagUser", vec![("UserName", "alice"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")]),
            ("CreateLoginProfile", vec![("UserName", "alice"), ("Password", "first-1")]),
            ("UpdateLoginProfile", vec![("UserName", "alice"), ("Password", "second-2")]),
            ("CreateGroup", vec![("GroupName", "staff")]),
            ("AddUserToGroup", vec![("GroupName", "staff"), ("UserName", "alice")]),
            ("UpdateGroup", vec![("GroupName", "staff"), ("NewGroupName", "crew")]),
            ("CreatePolicy", vec![("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)]),
            ("CreatePolicyVersion", vec![("PolicyArn", &policy), ("PolicyDocument", ALLOW_ALL)]),
            ("DeletePolicyVersion", vec![("PolicyArn", &policy), ("VersionId", "v2")]),
            ("PutUserPolicy", vec![("UserName", "alice"), ("PolicyName", "i"), ("PolicyDocument", ALLOW_ALL)]),
            ("AttachGroupPolicy", vec![("GroupName", "crew"), ("PolicyArn", &policy)]),
            ("CreateRole", vec![("RoleName", "r"), ("AssumeRolePolicyDocument", &trust_of_account())]),
            ("PutRolePermissionsBoundary", vec![("RoleName", "r"), ("PermissionsBoundary", &policy)]),
            ("UpdateUser", vec![("UserName", "alice"), ("NewUserName", "Alicia")]),
        ] {
            root.ok(action, &parameters);
        }
        answers(&aws)
    };
    let aws = Aws::kept_in(directory.path());
    assert_eq!(answers(&aws), before);
    let (code, _, _) = aws.root().refused("UpdateLoginProfile", &[("UserName", "Alicia"), ("Password", "first-1")]);
    assert_eq!(code, "PasswordPolicyViolation");
    let version = aws.root().ok("CreatePolicyVersion", &[("PolicyArn", &policy), ("PolicyDocument", ALLOW_ALL)]);
    assert_eq!(version.text("VersionId"), "v3");
}

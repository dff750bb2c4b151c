use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::policy::Kind;
use crate::serve::account::{Grants, PolicyDocument, Role, User};
use crate::serve::caller::Who;

const LAMBDA: &str = "lambda.amazonaws.com";
const OWN: &str = "arn:aws:iam::123456789012:role/app/runner";

/// Alice with one policy, and a role with a path.
fn account(statement: &str) -> Account {
    let mut account = Account::new("123456789012");
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    let mut user = User::new("alice");
    "AIDAALICE".clone_into(&mut user.id);
    user.grants.inline.insert("p".to_owned(), PolicyDocument::new(&text, Kind::Identity).unwrap());
    account.users.insert(key("alice"), user);
    let trust =
        r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}}"#;
    let role = Role {
        name: "runner".to_owned(),
        path: "/app/".to_owned(),
        id: "AROARUNNER".to_owned(),
        created: Timestamp::from_unix(0),
        description: None,
        trust: PolicyDocument::new(trust, Kind::Trust).unwrap(),
        max_session: 3_600,
        tags: [("team".to_owned(), "red".to_owned())].into_iter().collect(),
        grants: Grants::default(),
        boundary: None,
        used: None,
    };
    account.roles.insert(key("runner"), role);
    account
}

fn passes(who: Option<Who>, statement: &str, role: Option<&str>, to: Option<&str>) -> Result<String, Fault> {
    let account = account(statement);
    let who = who.unwrap_or_else(|| Who::User { key: key("alice"), id: "AIDAALICE".to_owned() });
    let caller = Caller::long_term(who, "AKIAEXAMPLE");
    let origin = Origin { peer: IpAddr::V4(Ipv4Addr::LOCALHOST), user_agent: None, region: "eu-central-1".to_owned() };
    let passed = PassedRole { role: role.map(str::to_owned), to: to.map(str::to_owned) };
    authorize(&account, &caller, &origin, &passed, Timestamp::from_unix(1_800_000_000))
}

fn allow(rest: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"iam:PassRole",{rest}}}"#)
}

#[test]
fn a_role_is_passed_by_whoever_may_pass_it_to_that_service() {
    let one = allow(&format!(
        r#""Resource":"{OWN}","Condition":{{"StringEquals":{{"iam:PassedToService":"lambda.amazonaws.com"}}}}"#
    ));
    assert!(passes(None, &one, Some(OWN), Some(LAMBDA)).is_ok());
    assert!(passes(None, &one, Some("runner"), Some(LAMBDA)).is_ok(), "a name is looked up, path and all");
    for (role, to) in [
        (Some(OWN), Some("ec2.amazonaws.com")),
        (Some("arn:aws:iam::123456789012:role/app/other"), Some(LAMBDA)),
        (Some("arn:aws:iam::123456789012:role/runner"), Some(LAMBDA)),
        (Some("unknown"), Some(LAMBDA)),
        (Some("arn:aws:iam::123456789012:instance-profile/runner"), Some(LAMBDA)),
        (Some(OWN), None),
        (None, Some(LAMBDA)),
    ] {
        assert!(passes(None, &one, role, to).is_err(), "{role:?} to {to:?}");
    }
    let fault = passes(None, r#"{"Effect":"Allow","Action":"lambda:*","Resource":"*"}"#, Some(OWN), Some(LAMBDA));
    let message = "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:PassRole on resource: \
                   arn:aws:iam::123456789012:role/app/runner because no identity-based policy allows the iam:PassRole action";
    assert_eq!(fault.unwrap_err().message, message);
}

#[test]
fn what_is_not_known_is_allowed_by_wildcards_only_and_denied_by_what_may_be_meant() {
    let everything = allow(r#""Resource":"*""#);
    let deny =
        format!(r#"{everything},{{"Effect":"Deny","Action":"iam:PassRole","Resource":"arn:aws:iam::*:role/admin"}}"#);
    let not_to_ec2 =
        allow(r#""Resource":"*","Condition":{"StringNotEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}"#);
    for (role, to) in [(Some(OWN), Some(LAMBDA)), (Some(OWN), None), (None, Some(LAMBDA)), (None, None)] {
        assert!(passes(None, &everything, role, to).is_ok(), "{role:?} to {to:?}");
        assert_eq!(passes(None, &deny, role, to).is_ok(), role.is_some(), "{role:?} to {to:?}");
        assert_eq!(passes(None, &not_to_ec2, role, to).is_ok(), to.is_some(), "{role:?} to {to:?}");
    }
    let by_tag = allow(r#""Resource":"*","Condition":{"StringEquals":{"iam:ResourceTag/team":"red"}}"#);
    assert!(passes(None, &by_tag, Some(OWN), None).is_ok());
    assert!(passes(None, &by_tag, None, None).is_err());
}

#[test]
fn nobody_passes_a_role_of_another_account() {
    let everything = allow(r#""Resource":"*""#);
    let other = Some("arn:aws:iam::210987654321:role/app/runner");
    for who in [None, Some(Who::Root)] {
        let fault = passes(who.clone(), &everything, other, Some(LAMBDA)).unwrap_err();
        assert_eq!((fault.code, fault.message.as_str()), ("AccessDenied", "Cross-account pass role is not allowed."));
        assert!(passes(who, &everything, Some(OWN), Some(LAMBDA)).is_ok());
    }
}

#[test]
fn services_take_roles_as_their_guides_say() {
    for (signed_for, parameter, principal) in [
        ("lambda", "Role", Some(LAMBDA)),
        ("ecs", "executionRoleArn", Some("ecs-tasks.amazonaws.com")),
        ("ecs", "role", Some("ecs.amazonaws.com")),
        ("rds", "monitoringrolearn", Some("monitoring.rds.amazonaws.com")),
        ("eks", "nodeRole", None),
        ("unknown", "RoleArn", None),
    ] {
        assert_eq!(service(signed_for, parameter), principal, "{signed_for} {parameter}");
    }
    let lines: Vec<&str> = SERVICES.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() > 30 && lines.is_sorted_by_key(|line| line.split(' ').next().unwrap_or_default()));
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let [_, _, principal] = words[..] else { panic!("{line}") };
        assert!(principal == "?" || principal.ends_with(".amazonaws.com"), "{line}");
    }
}

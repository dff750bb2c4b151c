//! What may be read of policies, and what is known without.

use super::*;

#[test]
fn policies_that_nobody_of_the_account_can_read_arent_looked_for() {
    let story = Story::new();
    for (tail, kind) in [
        (
            "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/p-1",
            Kind::ServiceControl,
        ),
        ("with an explicit deny in a session policy", Kind::Session),
        ("because no VPC endpoint policy allows the iam:ListUsers action", Kind::Endpoint),
    ] {
        let message = format!(
            "User: arn:aws:iam::{ACCOUNT}:user/administrator is not authorized to perform: iam:ListUsers on resource: \
             arn:aws:iam::{ACCOUNT}:user/ {tail}"
        );
        let refusal = made_up(Service::Iam, "ListUsers", "AccessDenied", &message);
        let (denied, calls) = story.explained(&story.aws.administrator, &refusal);
        let denied = denied.unwrap();
        assert_eq!((denied.kind, calls, denied.seen.extent()), (Some(kind), 0, Extent::NotAsked));
        assert_eq!(denied.allowed_with_mfa, None);
        assert!(denied.to_string().contains(kind.name()), "{denied}");
    }
}

#[test]
fn a_denial_that_the_policies_dont_explain_is_left_unexplained() {
    let story = Story::new();
    let alice = story.aws.user("alice");
    story.inline("alice", "all", ALLOW_ALL);
    let refusal = made_up(
        Service::Iam,
        "ListUsers",
        "AccessDenied",
        "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:ListUsers on resource: \
         arn:aws:iam::123456789012:user/ with an explicit deny in an identity-based policy",
    );
    let (denied, _) = story.explained(&alice.credentials, &refusal);
    let denied = denied.unwrap();
    assert_eq!((denied.by.len(), denied.allowed_with_mfa, denied.seen.extent()), (0, None, Extent::All));
    assert!(
        denied.to_string().ends_with("identity-based policy, and no policy that these keys may read denies it"),
        "{denied}"
    );
}

#[test]
fn what_could_be_read_comes_before_what_the_service_names() {
    let story = Story::new();
    let alice = story.aws.user("alice");
    story.inline(
        "alice",
        "mfa",
        &statements(
            r#"{"Sid":"Mfa","Effect":"Deny","NotAction":["iam:GetUser*","iam:List*"],"Resource":"*",
            "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}},
           {"Effect":"Allow","Action":["iam:GetUser*","iam:List*"],"Resource":"*"}"#,
        ),
    );
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: iam:CreateUser on resource: \
         arn:aws:iam::{ACCOUNT}:user/eve with an explicit deny in an identity-based policy: \
         arn:aws:iam::{ACCOUNT}:policy/Unread"
    );
    let refusal = made_up(Service::Iam, "CreateUser", "AccessDenied", &message);
    let denied = story.explained(&alice.credentials, &refusal).0.unwrap();
    let rules: Vec<(&str, Bite, Origin)> =
        denied.by.iter().map(|rule| (rule.policy.as_str(), rule.bite, rule.origin)).collect();
    assert_eq!(
        rules,
        [("mfa", Bite::DeniesWithoutMfa, Origin::Read), ("Unread", Bite::Unread, Origin::Named)],
        "{:?}",
        denied.seen
    );
    assert!(denied.to_string().contains("statement `Mfa` of policy `mfa`"), "{denied}");
}

#[test]
fn reading_ends_after_sixty_calls() {
    let story = Story::new();
    let root = story.aws.root();
    let alice = story.aws.user("alice");
    story.inline("alice", "read", READ);
    for group in 0..8 {
        let group = format!("g{group}");
        root.ok("CreateGroup", &[("GroupName", &group)]);
        root.ok("AddUserToGroup", &[("GroupName", &group), ("UserName", "alice")]);
        for policy in 0..8 {
            let name = format!("p{policy}");
            let parameters = [("GroupName", group.as_str()), ("PolicyName", &name), ("PolicyDocument", READ)];
            root.ok("PutGroupPolicy", &parameters);
        }
    }
    let (denied, calls) = story.counted(&alice.credentials, "CreateUser", &[("UserName", "eve")]);
    assert_eq!(calls.len(), 60);
    assert_eq!((denied.seen.extent(), denied.allowed_with_mfa), (Extent::Some, None));
    assert_eq!(denied.seen.missing.len(), 1, "{:?}", denied.seen.missing);
    assert!(matches!(denied.seen.missing[0].why, Why::NotAsked(_)));
}

#[test]
fn a_connection_that_breaks_ends_the_reading() {
    let story = Story::new();
    let alice = story.aws.user("alice");
    story.inline("alice", "read", READ);
    let (world, here) = (Virtual::of(&story.aws), Here::new());
    let wire =
        Wire::with(&story.aws, |_, action| if action.starts_with("List") { Fate::LostBefore } else { Fate::Good });
    let client = client(&wire, &world);
    let refusal = refusal(&client, &alice.credentials, "CreateUser", &[("UserName", "eve")]);
    let denied = here.flow(&client, &alice.credentials).explain_denied(&refusal).unwrap();
    assert_eq!((denied.seen.extent(), denied.allowed_with_mfa), (Extent::Nothing, None));
    let [unread] = denied.seen.missing.as_slice() else { panic!("{denied:#?}") };
    assert!(matches!(unread.why, Why::Failed(_)), "{unread}");
}

#[test]
fn refusals_that_are_no_denials_arent_explained() {
    let story = Story::new();
    for (code, message) in [
        ("NoSuchEntity", "The user with name eve cannot be found."),
        ("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. "),
        ("AccessDenied", "Access Denied"),
        ("InvalidClientTokenId", "The security token included in the request is invalid."),
    ] {
        let refusal = made_up(Service::Iam, "ListUsers", code, message);
        assert_eq!(story.explained(&story.aws.administrator, &refusal), (None, 0), "{message}");
    }
}

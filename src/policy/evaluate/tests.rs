use super::*;
use crate::policy::{Context, Keys, Principal};

const USER: &str = "arn:aws:iam::123456789012:user/alice";
const ROLE: &str = "arn:aws:iam::123456789012:role/admin";

/// Statements of identity policies, without the braces around them.
fn identity(statements: &str) -> Document {
    Document::parse(&format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#), Kind::Identity).unwrap()
}

fn trust(principal: &str) -> Document {
    let text =
        format!(r#"{{"Statement": {{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {principal}}}}}"#);
    Document::parse(&text, Kind::Trust).unwrap()
}

fn allow(action: &str) -> Document {
    identity(&format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}"#))
}

fn deny(action: &str) -> Document {
    identity(&format!(r#"{{"Sid": "No", "Effect": "Deny", "Action": "{action}", "Resource": "*"}}"#))
}

fn named<'a>(name: &'a str, document: &'a Document) -> Source<'a> {
    Source { name, document }
}

fn request(action: &str, resource: &str) -> Request {
    Request {
        action: action.to_owned(),
        resources: vec![resource.to_owned()],
        principal: Principal::User { arn: USER.to_owned() },
        context: Context::from_iter([("aws:username", "alice")]),
    }
}

fn decided(document: &Document, action: &str, resource: &str) -> Decision {
    let policies = Policies { identity: vec![named("p", document)], ..Policies::default() };
    evaluate(&policies, &request(action, resource)).decision()
}

use Decision::{Allowed, ExplicitlyDenied, ImplicitlyDenied};

#[test]
fn nothing_is_allowed_by_default_and_a_deny_wins() {
    let (some, all, none) = (allow("iam:Get*"), allow("*"), deny("iam:GetUser"));
    let about = |identity: Vec<Source<'_>>| {
        evaluate(&Policies { identity, ..Policies::default() }, &request("iam:getuser", USER))
    };
    assert_eq!(about(vec![]).decision(), ImplicitlyDenied);
    assert_eq!(about(vec![named("some", &some)]).decision(), Allowed);
    assert_eq!(about(vec![named("none", &none)]).decision(), ExplicitlyDenied);
    for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1]] {
        let sources = [named("some", &some), named("all", &all), named("none", &none)];
        let found = about(order.map(|index| sources[index]).to_vec());
        assert_eq!(found.decision(), ExplicitlyDenied);
        let denied = "iam:getuser on arn:aws:iam::123456789012:user/alice: explicitly denied by statement 1 (`No`) of \
                      the identity policy `none`";
        assert_eq!(found.to_string(), denied);
    }
    assert_eq!(decided(&some, "iam:ListUsers", USER), ImplicitlyDenied);
    assert_eq!(decided(&some, "sts:GetSessionToken", "*"), ImplicitlyDenied);
}

#[test]
fn not_action_takes_in_every_other_action() {
    let document = identity(r#"{"Effect": "Allow", "NotAction": ["iam:*", "sts:Get*"], "Resource": "*"}"#);
    assert_eq!(decided(&document, "s3:GetObject", "arn:aws:s3:::b/k"), Allowed);
    assert_eq!(decided(&document, "STS:AssumeRole", ROLE), Allowed);
    assert_eq!(decided(&document, "IAM:GetUser", USER), ImplicitlyDenied);
    assert_eq!(decided(&document, "sts:GetSessionToken", "*"), ImplicitlyDenied);
}

#[test]
fn a_request_on_everything_is_matched_by_everything_only() {
    let of = |element: &str| identity(&format!(r#"{{"Effect": "Allow", "Action": "*", {element}}}"#));
    let one = of(r#""Resource": ["arn:aws:iam::*:mfa/*", "arn:*"]"#);
    assert_eq!(decided(&one, "iam:ListVirtualMFADevices", "*"), ImplicitlyDenied);
    let other = of(r#""NotResource": "arn:aws:iam::*:mfa/*""#);
    assert_eq!(decided(&other, "iam:ListVirtualMFADevices", "*"), Allowed);
    assert_eq!(decided(&other, "iam:GetUser", USER), Allowed);
    assert_eq!(decided(&other, "iam:EnableMFADevice", "arn:aws:iam::123456789012:mfa/alice"), ImplicitlyDenied);
    let all = of(r#""Resource": "*""#);
    let without = Request { resources: vec![], ..request("iam:ListVirtualMFADevices", "") };
    let found = evaluate(&Policies { identity: vec![named("all", &all)], ..Policies::default() }, &without);
    assert_eq!((found.decision(), found.verdicts[0].resource.as_str()), (Allowed, "*"));
}

#[test]
fn every_resource_has_to_be_allowed() {
    let document = identity(
        r#"{"Effect": "Allow", "Action": "*", "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b"]},
           {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::c"}"#,
    );
    let policies = Policies { identity: vec![named("p", &document)], ..Policies::default() };
    for (resources, expected) in
        [(&["a", "b"][..], Allowed), (&["a", "x"], ImplicitlyDenied), (&["c", "x", "a"], ExplicitlyDenied)]
    {
        let resources = resources.iter().map(|name| format!("arn:aws:s3:::{name}")).collect::<Vec<_>>();
        let found = evaluate(&policies, &Request { resources: resources.clone(), ..request("s3:X", "") });
        assert_eq!(found.decision(), expected, "{resources:?}");
        assert_eq!(
            found.verdicts.iter().map(|verdict| &verdict.resource).collect::<Vec<_>>(),
            resources.iter().collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_variable_without_a_value_leaves_nothing_that_matches() {
    let of = |element: &str| identity(&format!(r#"{{"Effect": "Allow", "Action": "*", {element}}}"#));
    let unknown = "arn:aws:iam::*:user/${aws:userid}";
    for element in ["Resource", "NotResource"] {
        let document = of(&format!(r#""{element}": "{unknown}""#));
        assert_eq!(decided(&document, "iam:GetUser", USER), ImplicitlyDenied, "{element}");
    }
    let either = of(&format!(r#""Resource": ["{unknown}", "arn:aws:iam::*:user/${{aws:username}}"]"#));
    assert_eq!(decided(&either, "iam:GetUser", USER), Allowed);
    let policies = Policies { identity: vec![named("p", &either)], ..Policies::default() };
    assert_eq!(evaluate(&policies, &request("iam:GetUser", USER)).missing, ["aws:userid"]);
}

#[test]
fn variables_are_plain_text_in_the_oldest_version() {
    let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*",
        "Resource": "arn:aws:iam::*:user/${aws:username}"}}"#;
    let new = Document::parse(text, Kind::Identity).unwrap();
    let old = Document::parse(&text.replace("2012", "2008"), Kind::Identity).unwrap();
    let spelled = "arn:aws:iam::123456789012:user/${aws:username}";
    assert_eq!([decided(&new, "a:b", USER), decided(&new, "a:b", spelled)], [Allowed, ImplicitlyDenied]);
    assert_eq!([decided(&old, "a:b", USER), decided(&old, "a:b", spelled)], [ImplicitlyDenied, Allowed]);
}

#[test]
fn conditions_and_their_keys_have_to_hold_all() {
    let document = identity(
        r#"{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*", "Condition": {
            "StringEquals": {"aws:username": ["bob", "alice"], "aws:a": "1"}, "Null": {"aws:b": "true"}}},
           {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:c": "true"}}}"#,
    );
    let policies = Policies { identity: vec![named("p", &document)], ..Policies::default() };
    let mut request = request("iam:GetUser", USER);
    let found = evaluate(&policies, &request);
    assert_eq!((found.decision(), found.missing), (ImplicitlyDenied, vec!["aws:a".to_owned(), "aws:b".to_owned()]));
    request.context.set("aws:A", ["1"]);
    let found = evaluate(&policies, &request);
    assert_eq!((found.decision(), found.missing), (Allowed, vec!["aws:b".to_owned()]));
    request.context.set("aws:b", ["1"]);
    assert_eq!(evaluate(&policies, &request).decision(), ImplicitlyDenied);
}

#[test]
fn boundary_and_session_policies_have_to_allow_too() {
    let (iam, get, none, sts) = (allow("iam:*"), allow("iam:Get*"), deny("iam:GetUser"), allow("sts:*"));
    let decide = |boundary: Option<&Document>, session: &[&Document]| {
        let policies = Policies {
            identity: vec![named("iam", &iam)],
            boundary: boundary.map(|document| named("boundary", document)),
            session: session.iter().map(|document| named("session", document)).collect(),
            trust: None,
        };
        let found = evaluate(&policies, &request("iam:GetUser", USER));
        (found.decision(), found.verdicts[0].lacking.clone())
    };
    assert_eq!(decide(None, &[]), (Allowed, vec![]));
    assert_eq!(decide(Some(&get), &[]), (Allowed, vec![]));
    assert_eq!(decide(Some(&sts), &[]), (ImplicitlyDenied, vec![Layer::Boundary]));
    assert_eq!(decide(Some(&none), &[]).0, ExplicitlyDenied);
    assert_eq!(decide(None, &[&sts]), (ImplicitlyDenied, vec![Layer::Session]));
    assert_eq!(decide(None, &[&sts, &get]), (Allowed, vec![]));
    assert_eq!(decide(Some(&sts), &[&sts]), (ImplicitlyDenied, vec![Layer::Boundary, Layer::Session]));
    assert_eq!(decide(Some(&get), &[&get, &none]).0, ExplicitlyDenied);
    let alone = Policies { boundary: Some(named("boundary", &iam)), ..Policies::default() };
    let found = evaluate(&alone, &request("iam:GetUser", USER));
    assert_eq!((found.decision(), &found.verdicts[0].lacking), (ImplicitlyDenied, &vec![Layer::Identity]));
    assert_eq!(found.verdicts[0].to_string(), "implicitly denied: no identity policy allows it");
    assert_eq!(found.verdicts[0].matched.len(), 1);
}

fn session() -> Principal {
    let arn = "arn:aws:sts::123456789012:assumed-role/ops/alice".to_owned();
    Principal::RoleSession { arn, role: "arn:aws:iam::123456789012:role/ops".to_owned() }
}

#[test]
fn a_trust_policy_has_to_allow_and_may_be_enough() {
    let user = || Principal::User { arn: USER.to_owned() };
    let stranger = || Principal::User { arn: "arn:aws:iam::210987654321:user/alice".to_owned() };
    let (may, other) = (allow("sts:AssumeRole"), allow("s3:*"));
    for (principal, names, may_assume, bounded, expected) in [
        (user(), r#"{"AWS": "123456789012"}"#, true, false, Allowed),
        (user(), r#"{"AWS": "123456789012"}"#, false, false, ImplicitlyDenied),
        (user(), r#"{"AWS": "123456789012"}"#, true, true, ImplicitlyDenied),
        (user(), r#"{"AWS": "arn:aws:iam::123456789012:user/alice"}"#, false, true, Allowed),
        (user(), r#"{"AWS": "arn:aws:iam::123456789012:user/bob"}"#, true, false, ImplicitlyDenied),
        (user(), r#""*""#, false, false, Allowed),
        (session(), r#"{"AWS": "arn:aws:iam::123456789012:role/ops"}"#, false, false, Allowed),
        (session(), r#"{"AWS": "arn:aws:iam::123456789012:role/ops"}"#, false, true, ImplicitlyDenied),
        (session(), r#"{"AWS": "arn:aws:sts::123456789012:assumed-role/ops/alice"}"#, false, true, Allowed),
        (stranger(), r#"{"AWS": "210987654321"}"#, true, false, Allowed),
        (stranger(), r#"{"AWS": "210987654321"}"#, false, false, ImplicitlyDenied),
        (stranger(), r#"{"AWS": "arn:aws:iam::210987654321:user/alice"}"#, false, false, ImplicitlyDenied),
        (stranger(), r#""*""#, false, false, ImplicitlyDenied),
        (stranger(), r#""*""#, true, true, ImplicitlyDenied),
        (Principal::Service("ec2.amazonaws.com".into()), r#"{"Service": "ec2.amazonaws.com"}"#, false, false, Allowed),
        (Principal::Service("ec2.amazonaws.com".into()), r#"{"AWS": "*"}"#, false, false, ImplicitlyDenied),
    ] {
        let trust = trust(names);
        let policies = Policies {
            identity: if may_assume { vec![named("may", &may)] } else { vec![] },
            boundary: bounded.then_some(named("boundary", &other)),
            session: vec![],
            trust: Some(named("trust", &trust)),
        };
        let about = Request { principal, ..request("sts:AssumeRole", ROLE) };
        let found = evaluate(&policies, &about);
        assert_eq!(found.decision(), expected, "{:?} {names} {may_assume} {bounded}", about.principal);
    }
}

#[test]
fn a_deny_in_a_trust_policy_wins_and_not_principal_excepts() {
    let text = |principal: &str| {
        format!(
            r#"{{"Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}},
                {{"Sid": "Only", "Effect": "Deny", "Action": "sts:*", {principal}}}]}}"#
        )
    };
    for (principal, expected) in [
        (format!(r#""Principal": {{"AWS": "{USER}"}}"#), ExplicitlyDenied),
        (r#""Principal": {"AWS": "123456789012"}"#.to_owned(), ExplicitlyDenied),
        (r#""Principal": {"AWS": "210987654321"}"#.to_owned(), Allowed),
        (format!(r#""NotPrincipal": {{"AWS": ["{USER}", "123456789012"]}}"#), Allowed),
        (r#""NotPrincipal": {"AWS": "210987654321"}"#.to_owned(), ExplicitlyDenied),
    ] {
        let trust = Document::parse(&text(&principal), Kind::Trust).unwrap();
        let policies = Policies { trust: Some(named("trust", &trust)), ..Policies::default() };
        let found = evaluate(&policies, &request("sts:AssumeRole", ROLE));
        assert_eq!(found.decision(), expected, "{principal}");
    }
}

#[test]
fn a_document_of_the_wrong_kind_allows_nothing() {
    let (anybody, all, none) = (trust(r#""*""#), allow("*"), deny("*"));
    let place = |identity, trust| Policies { identity: vec![identity], trust, ..Policies::default() };
    let about = request("sts:AssumeRole", ROLE);
    let [anybody, all, none] = [&anybody, &all, &none].map(|document| named("p", document));
    assert_eq!(evaluate(&place(all, Some(anybody)), &about).decision(), Allowed);
    assert_eq!(evaluate(&place(anybody, None), &about).decision(), ImplicitlyDenied);
    assert_eq!(evaluate(&place(all, Some(all)), &about).decision(), ImplicitlyDenied);
    assert_eq!(evaluate(&place(all, Some(none)), &about).decision(), ExplicitlyDenied);
}

#[test]
fn decisions_are_spelled_as_the_simulator_spells_them() {
    let spelled = [Allowed, ImplicitlyDenied, ExplicitlyDenied].map(Decision::as_str);
    assert_eq!(spelled, ["allowed", "implicitDeny", "explicitDeny"]);
}

#[test]
fn doubt_allows_no_more_and_denies_what_may_be_meant() {
    let parse = |text: &str| Document::parse(text, Kind::Identity).unwrap();
    let everything = parse(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#);
    let decide = |deny: &str, action: &str, doubt: Doubt| {
        let deny = parse(deny);
        let identity = [("all", &everything), ("deny", &deny)].map(|(name, document)| Source { name, document });
        let policies = Policies { identity: identity.to_vec(), ..Policies::default() };
        let request = Request {
            action: action.to_owned(),
            resources: vec!["*".to_owned()],
            principal: Principal::User { arn: "arn:aws:iam::123456789012:user/alice".to_owned() },
            context: Context::new(),
        };
        evaluate_in_doubt(&policies, &request, doubt).decision()
    };
    let resource = Doubt { resource: true, ..Doubt::default() };
    let action = Doubt { action: true, ..resource };
    let one_action = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"db:Delete","Resource":"*"}}"#;
    assert_eq!(decide(one_action, "db:Unknown", action), Decision::ExplicitlyDenied);
    assert_eq!(decide(one_action, "db:Unknown", Doubt::default()), Decision::Allowed);
    assert_eq!(decide(one_action, "other:Unknown", action), Decision::Allowed);
    assert_eq!(decide(one_action, "db:Read", resource), Decision::Allowed);
    let one_resource =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"db:*","Resource":"arn:aws:db:::t"}}"#;
    assert_eq!(decide(one_resource, "db:Read", resource), Decision::ExplicitlyDenied);
    assert_eq!(decide(one_resource, "db:Read", Doubt::default()), Decision::Allowed);
    // A condition that doesn't hold denies nothing, in doubt or not.
    let conditional = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*",
        "Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}}"#;
    assert_eq!(decide(conditional, "db:Unknown", action), Decision::Allowed);
}

#[test]
fn doubt_excepts_from_what_is_allowed_whatever_may_be_meant() {
    let decide = |rest: &str, doubt: Doubt| {
        let document = identity(&format!(r#"{{"Effect": "Allow", {rest}}}"#));
        let policies = Policies { identity: vec![named("p", &document)], ..Policies::default() };
        evaluate_in_doubt(&policies, &request("db:Unknown", "*"), doubt).decision()
    };
    let resource = Doubt { resource: true, ..Doubt::default() };
    let action = Doubt { action: true, ..Doubt::default() };
    let not_action = r#""NotAction": ["db:Delete"], "Resource": "*""#;
    assert_eq!(decide(not_action, Doubt::default()), Allowed);
    assert_eq!(decide(not_action, action), ImplicitlyDenied);
    assert_eq!(decide(r#""NotAction": ["iam:*"], "Resource": "*""#, action), Allowed);
    let not_resource = r#""Action": "db:*", "NotResource": "arn:aws:db:::secret""#;
    assert_eq!(decide(not_resource, Doubt::default()), Allowed);
    assert_eq!(decide(not_resource, resource), ImplicitlyDenied);
    assert_eq!(decide(r#""Action": "db:*", "Resource": "*""#, resource), Allowed);
}

#[test]
fn a_character_in_doubt_is_the_one_that_denies() {
    let decide = |effect: &str, target: &str, doubt: Doubt| {
        let all = allow("*");
        let document =
            identity(&format!(r#"{{"Effect": "{effect}", "Action": "*", "{target}": "arn:aws:db:::secret-AbC"}}"#));
        let mut identity = vec![named("p", &document)];
        if effect == "Deny" {
            identity.push(named("all", &all));
        }
        let policies = Policies { identity, ..Policies::default() };
        evaluate_in_doubt(&policies, &request("db:Read", "arn:aws:db:::secret-???"), doubt).decision()
    };
    let characters = Doubt { characters: true, ..Doubt::default() };
    assert_eq!(decide("Deny", "Resource", Doubt::default()), Allowed);
    assert_eq!(decide("Deny", "Resource", characters), ExplicitlyDenied);
    assert_eq!(decide("Deny", "NotResource", characters), ExplicitlyDenied);
    assert_eq!(decide("Allow", "Resource", characters), ImplicitlyDenied);
    assert_eq!(decide("Allow", "NotResource", Doubt::default()), Allowed);
    assert_eq!(decide("Allow", "NotResource", characters), ImplicitlyDenied);
}

#[test]
fn a_condition_on_a_key_in_doubt_holds_of_a_denial_and_not_of_an_allow() {
    let decide = |effect: &str, condition: &str, doubt: Doubt| {
        let all = allow("*");
        let document = identity(&format!(
            r#"{{"Effect": "{effect}", "Action": "*", "Resource": "*", "Condition": {{{condition}}}}}"#
        ));
        let mut identity = vec![named("p", &document)];
        if effect == "Deny" {
            identity.push(named("all", &all));
        }
        let policies = Policies { identity, ..Policies::default() };
        evaluate_in_doubt(&policies, &request("db:Read", "*"), doubt).decision()
    };
    let of_requester = Doubt { keys: Keys::OfRequester, ..Doubt::default() };
    for (condition, in_doubt) in [
        (r#""StringEquals": {"db:Table": "t"}"#, true),
        (r#""StringNotEquals": {"db:Table": "t"}"#, true),
        (r#""StringEqualsIfExists": {"AWS:ResourceTag/team": "red"}"#, true),
        (r#""Null": {"aws:TagKeys": "true"}"#, true),
        (r#""StringNotEquals": {"aws:username": "${db:Owner}"}"#, true),
        (r#""StringEquals": {"aws:username": "alice"}"#, false),
        (r#""BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}"#, false),
    ] {
        assert_eq!(decide("Deny", condition, of_requester), ExplicitlyDenied, "{condition}");
        let expected = if in_doubt { ImplicitlyDenied } else { Allowed };
        assert_eq!(decide("Allow", condition, of_requester), expected, "{condition}");
    }
    let one = Doubt { keys: Keys::Except("iam:PassedToService"), ..Doubt::default() };
    let passed = r#""StringNotEquals": {"iam:passedtoservice": "ec2.amazonaws.com"}"#;
    assert_eq!(decide("Allow", passed, one), ImplicitlyDenied);
    assert_eq!(decide("Allow", passed, Doubt::default()), Allowed);
    assert_eq!(decide("Allow", r#""StringNotEquals": {"db:Table": "t"}"#, one), Allowed);
}

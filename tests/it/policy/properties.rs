//! What holds whatever the policies are and whatever is asked.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn one_or_more(items: &[&'static str]) -> impl Strategy<Value = Vec<&'static str>> + use<> {
    prop::sample::subsequence(items.to_vec(), 1..=items.len())
}

fn condition() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({}),
        json!({}),
        json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
        json!({"Bool": {"aws:MultiFactorAuthPresent": ["true"]}}),
        json!({"Null": {"aws:MultiFactorAuthAge": "true"}}),
        json!({"StringNotLike": {"aws:username": ["a*", "c*"]}, "NumericLessThan": {"aws:MultiFactorAuthAge": 60}}),
        json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["x"]}}),
        json!({"StringEquals": {"aws:username": "${aws:PrincipalTag/owner}"}}),
    ])
}

fn statement() -> impl Strategy<Value = Value> {
    let actions = one_or_more(&["*", "iam:*", "iam:Get*", "iam:EnableMFADevice", "s3:*", "*:?etUser"]);
    let arns = ["arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:mfa/*", "arn:aws:s3:::${aws:userid}", "arn:*"];
    let resources = prop_oneof![Just(vec!["*"]), one_or_more(&arns)];
    (any::<[bool; 3]>(), actions, resources, condition()).prop_map(|([deny, not, not_on], actions, on, condition)| {
        json!({
            "Effect": if deny { "Deny" } else { "Allow" },
            (if not { "NotAction" } else { "Action" }): actions,
            (if not_on { "NotResource" } else { "Resource" }): on,
            "Condition": condition,
        })
    })
}

fn statements() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(statement(), 1..6)
}

fn asked() -> impl Strategy<Value = Request> {
    let actions = prop::sample::select(vec!["iam:GetUser", "iam:EnableMFADevice", "s3:PutObject", "sts:AssumeRole"]);
    let resources = prop::sample::select(vec!["*", "user/alice", "user/bob", "mfa/alice", "arn:aws:s3:::b/k"]);
    let signed = prop::sample::select(vec!["long-term", "session", "mfa:10", "mfa:4000"]);
    (actions, resources, signed, prop::sample::select(vec!["alice", "team/bob"]))
        .prop_map(|(action, resource, signed, user)| request(action, resource, signed, user))
}

fn document(statements: &[Value]) -> Document {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Document::parse(&text, Kind::Identity).unwrap()
}

/// As one policy with all statements.
fn decided(statements: &[Value], request: &Request) -> Decision {
    let document = document(statements);
    let identity = vec![Source { name: "p", document: &document }];
    evaluate(&Policies { identity, ..Policies::default() }, request).decision()
}

/// As a policy for each statement.
fn decided_apart(statements: &[Value], request: &Request) -> Decision {
    let documents: Vec<Document> = statements.iter().map(|one| document(std::slice::from_ref(one))).collect();
    let identity = documents.iter().map(|document| Source { name: "p", document }).collect();
    evaluate(&Policies { identity, ..Policies::default() }, request).decision()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_deny_wins_and_else_an_allow(statements in statements(), request in asked()) {
        let each: Vec<_> = statements.iter().map(|one| decided(std::slice::from_ref(one), &request)).collect();
        let expected = if each.contains(&Decision::ExplicitlyDenied) {
            Decision::ExplicitlyDenied
        } else if each.contains(&Decision::Allowed) {
            Decision::Allowed
        } else {
            Decision::ImplicitlyDenied
        };
        prop_assert_eq!(decided(&statements, &request), expected);
        prop_assert_eq!(decided_apart(&statements, &request), expected);
    }

    #[test]
    fn another_statement_moves_a_decision_its_own_way_only(
        mut statements in statements(),
        more in statement(),
        request in asked(),
    ) {
        let before = decided(&statements, &request);
        let allows = more["Effect"] == "Allow";
        statements.push(more);
        let after = decided(&statements, &request);
        if allows {
            prop_assert!(before != Decision::Allowed || after == Decision::Allowed);
            prop_assert!(after != Decision::ExplicitlyDenied || before == after);
        } else {
            prop_assert!(before == Decision::Allowed || after != Decision::Allowed);
        }
    }

    #[test]
    fn the_order_of_statements_does_not_matter(
        (statements, shuffled) in statements().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        request in asked(),
    ) {
        prop_assert_eq!(decided(&statements, &request), decided(&shuffled, &request));
    }

    #[test]
    fn a_boundary_or_session_policy_only_takes_away(
        statements in statements(),
        limits in statements(),
        request in asked(),
    ) {
        let (own, limit) = (document(&statements), document(&limits));
        let [own, limit] = [&own, &limit].map(|document| Source { name: "p", document });
        let free = evaluate(&Policies { identity: vec![own], ..Policies::default() }, &request).decision();
        let by = decided(&limits, &request);
        let expected = match (free, by) {
            (Decision::ExplicitlyDenied, _) | (_, Decision::ExplicitlyDenied) => Decision::ExplicitlyDenied,
            (Decision::Allowed, Decision::Allowed) => Decision::Allowed,
            _ => Decision::ImplicitlyDenied,
        };
        let bounded = Policies { identity: vec![own], boundary: Some(limit), ..Policies::default() };
        let session = Policies { identity: vec![own], session: vec![limit], ..Policies::default() };
        prop_assert_eq!(evaluate(&bounded, &request).decision(), expected);
        prop_assert_eq!(evaluate(&session, &request).decision(), expected);
    }
}

#[test]
fn the_cases_reach_every_decision() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeMap::<&str, usize>::new();
    for _ in 0..500 {
        let (statements, request) = (statements(), asked()).new_tree(&mut runner).unwrap().current();
        *seen.entry(decided(&statements, &request).as_str()).or_default() += 1;
    }
    assert!(seen.len() == 3 && seen.values().all(|count| *count >= 25), "{seen:?}");
}

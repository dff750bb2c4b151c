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

/// Whether one condition on `x:y` holds of an Allow, and of a Deny.
fn held(operator: &str, wanted: &Value, context: &Context) -> (bool, bool) {
    let statement = |effect: &str| json!({"Effect": effect, "Action": "*", "Resource": "*", "Condition": {operator: {"x:y": wanted}}});
    let mut request = request("s3:PutObject", "*", "long-term", "alice");
    request.context = context.clone();
    let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let allows = decided(&[statement("Allow")], &request) == Decision::Allowed;
    (allows, decided(&[everything, statement("Deny")], &request) == Decision::ExplicitlyDenied)
}

fn comparison() -> impl Strategy<Value = (&'static str, &'static str, Value)> {
    prop::sample::select(vec![
        ("StringEquals", "StringNotEquals", json!(["a", "1", ""])),
        ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", json!("A")),
        ("StringLike", "StringNotLike", json!(["a*", "?", "${aws:userid}"])),
        ("NumericEquals", "NumericNotEquals", json!(["1", "2.5", "1e3"])),
        ("DateEquals", "DateNotEquals", json!("1970-01-01T00:00:01Z")),
        ("IpAddress", "NotIpAddress", json!(["10.0.0.0/8", "2001:db8::/32"])),
        ("ArnLike", "ArnNotLike", json!(["arn:aws:iam::*:user/*", "*"])),
    ])
}

fn given() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a1.:/*?-]{0,6}",
        "[0-9]{1,3}(e[0-9])?",
        "10\\.[0-9]{1,3}\\.0{0,2}1\\.[0-9]{1,4}",
        Just("arn:aws:iam::123456789012:user/a".to_owned()),
        Just("2001:db8::1".to_owned()),
        Just("1970-01-01T00:00:01Z".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_operator_and_its_negation_never_hold_both((plain, negated, wanted) in comparison(), value in given()) {
        let context = Context::from_iter([("x:y", value.as_str())]);
        let (plain_holds, plain_denies) = held(plain, &wanted, &context);
        let (negated_holds, negated_denies) = held(negated, &wanted, &context);
        prop_assert!(!(plain_holds && negated_holds), "{plain} {value}");
        prop_assert_eq!((plain_holds, negated_holds), (plain_denies, negated_denies), "no ARN of the policy is open");
        // Only what is no address or ARN is neither.
        let whole = !plain.starts_with("Ip") && !plain.starts_with("Arn");
        prop_assert!(!whole || plain_holds != negated_holds, "{plain} {value}");
    }

    #[test]
    fn a_list_holds_of_no_operator_without_a_quantifier(
        (plain, negated, wanted) in comparison(),
        values in prop::collection::vec(given(), 1..4),
        if_exists in any::<bool>(),
    ) {
        let mut context = Context::new();
        context.set_list("x:y", values);
        for operator in [plain, negated] {
            let operator = format!("{operator}{}", if if_exists { "IfExists" } else { "" });
            prop_assert_eq!(held(&operator, &wanted, &context), (false, false), "{}", operator);
        }
    }

    #[test]
    fn quantifiers_ask_each_value_by_itself(
        (plain, negated, wanted) in comparison(),
        values in prop::collection::vec(given(), 1..4),
    ) {
        let mut context = Context::new();
        context.set_list("x:y", &values);
        for operator in [plain, negated] {
            let each = values.iter().map(|value| held(operator, &wanted, &Context::from_iter([("x:y", value)])).0);
            let each: Vec<bool> = each.collect();
            let all = held(&format!("ForAllValues:{operator}"), &wanted, &context).0;
            let any = held(&format!("ForAnyValue:{operator}"), &wanted, &context).0;
            prop_assert_eq!((all, any), (each.iter().all(|one| *one), each.contains(&true)), "{}", operator);
        }
    }

    #[test]
    fn doubt_never_allows_more(
        statements in statements(),
        request in asked(),
        action in any::<bool>(),
        resource in any::<bool>(),
        characters in any::<bool>(),
        keys in prop::sample::select(vec![Keys::Known, Keys::OfRequester, Keys::Except("aws:TagKeys")]),
    ) {
        let document = document(&statements);
        let identity = vec![Source { name: "p", document: &document }];
        let policies = Policies { identity, ..Policies::default() };
        let sure = evaluate(&policies, &request).decision();
        let doubt = Doubt { action, resource, characters, keys };
        let unsure = evaluate_in_doubt(&policies, &request, doubt).decision();
        prop_assert!(unsure >= sure, "{sure:?} becomes {unsure:?} with {doubt:?}");
    }
}

#[test]
fn hostile_patterns_and_values_take_no_longer_than_their_product() {
    let stars = "*a".repeat(2_000);
    let value = "a".repeat(20_000);
    let statement =
        |condition: Value| json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
    let request = |value: &str| {
        let mut request = request("s3:PutObject", "*", "long-term", "alice");
        request.context.set("x:y", [value]);
        request
    };
    let began = std::time::Instant::now();
    let like = statement(json!({"StringLike": {"x:y": format!("{stars}b")}}));
    assert_eq!(decided(&[like], &request(&value)), Decision::ImplicitlyDenied);
    let arn = statement(json!({"ArnLike": {"x:y": format!("arn:{stars}b:{stars}:{stars}:{stars}:{stars}b")}}));
    assert_eq!(
        decided(&[arn], &request(&format!("arn:{value}:{value}:{value}:{value}:{value}"))),
        Decision::ImplicitlyDenied
    );
    let number = statement(json!({"NumericLessThan": {"x:y": "1e2000000000"}}));
    assert_eq!(decided(&[number], &request("-1e2000000000")), Decision::Allowed);
    // Exponential work would take years.
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
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

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::policy::{Effect, limits};

fn identity(text: &str) -> Result<Document, Error> {
    Document::parse(text, Kind::Identity)
}

fn trust(text: &str) -> Result<Document, Error> {
    Document::parse(text, Kind::Trust)
}

/// A statement that is whole, with these elements in place of its own; `null` takes one away.
fn with(changes: serde_json::Value) -> String {
    let mut statement = json!({"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"});
    for (name, value) in changes.as_object().unwrap() {
        match value.is_null() {
            true => statement.as_object_mut().unwrap().remove(name),
            false => statement.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn trusting(changes: serde_json::Value) -> String {
    let mut all = json!({"Action": "sts:AssumeRole", "Resource": null, "Principal": {"AWS": "123456789012"}});
    all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    with(all)
}

fn first() -> Place {
    Place { statement: Some(1), sid: None }
}

#[test]
fn a_document_is_read_in_all_its_forms() {
    let document = identity(
        r#"{"Id": "x y", "Version": "2012-10-17", "Statement": {"Sid": "One", "Effect": "Deny", "NotAction": ["iam:*",
            "*:*"], "NotResource": ["arn:aws:s3:::a/${aws:username}", "arn:*"], "Condition": {"Bool": {"aws:x": true},
            "NumericLessThan": {"aws:y": [1, "2.5"]}, "ForAnyValue:StringLikeIfExists": {"aws:z": []}}}}"#,
    )
    .unwrap();
    assert_eq!((document.version(), document.kind(), document.id()), (Version::V2012, Kind::Identity, Some("x y")));
    let [statement] = document.statements() else { panic!("one statement") };
    assert_eq!((statement.sid(), statement.effect()), (Some("One"), Effect::Deny));
    assert_eq!(document.context_keys(), ["aws:username", "aws:x", "aws:y", "aws:z"]);
    let document = identity(r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#).unwrap();
    assert_eq!((document.version(), document.id()), (Version::V2008, None));
    for changes in [
        json!({}),
        json!({"Principal": "*"}),
        json!({"Principal": null, "NotPrincipal": {"AWS": ["123456789012", "arn:aws:iam::123456789012:user/a"]}}),
        json!({"Principal": {"Service": "ec2.amazonaws.com", "Federated": ["a", "b"]}, "Sid": "with spaces"}),
        json!({"Action": ["sts:AssumeRole", "STS:Tag*"]}),
    ] {
        let text = trusting(changes);
        assert!(trust(&text).is_ok(), "{text}");
    }
}

#[test]
fn elements_that_are_missing_unknown_or_exclude_each_other_are_named() {
    let missing = |element| Err(Error::Missing { place: first(), element });
    let both = |one, other| Err(Error::Both { place: first(), one, other });
    let prohibited = |element, kind| Err(Error::Prohibited { place: first(), element, kind });
    assert_eq!(identity(&with(json!({"Effect": null}))), missing("Effect"));
    assert_eq!(identity(&with(json!({"Action": null}))), missing("Action or NotAction"));
    assert_eq!(identity(&with(json!({"Resource": null}))), missing("Resource or NotResource"));
    assert_eq!(trust(&trusting(json!({"Principal": null}))), missing("Principal or NotPrincipal"));
    assert_eq!(identity(&with(json!({"NotAction": "iam:*"}))), both("Action", "NotAction"));
    assert_eq!(identity(&with(json!({"NotResource": "*"}))), both("Resource", "NotResource"));
    assert_eq!(trust(&trusting(json!({"NotPrincipal": "*"}))), both("Principal", "NotPrincipal"));
    assert_eq!(identity(&with(json!({"Principal": "*"}))), prohibited("Principal", "an identity policy"));
    assert_eq!(identity(&with(json!({"NotPrincipal": "*"}))), prohibited("NotPrincipal", "an identity policy"));
    assert_eq!(trust(&trusting(json!({"Resource": "*"}))), prohibited("Resource", "a trust policy"));
    let unknown = |place, element: &str| Err(Error::Unknown { place, element: element.to_owned() });
    assert_eq!(identity(&with(json!({"action": "iam:*"}))), unknown(first(), "action"));
    assert_eq!(trust(&trusting(json!({"Principal": {"aws": "*"}}))), unknown(first(), "aws"));
    let extra = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}, "Comment": ""}"#;
    assert_eq!(identity(extra), unknown(Place::default(), "Comment"));
    for none in ["{}", r#"{"Statement": []}"#] {
        assert_eq!(identity(none), Err(Error::Missing { place: Place::default(), element: "Statement" }));
    }
}

#[test]
fn what_occurs_twice_is_named() {
    let twice = |place, key: &str| Err(Error::Duplicate { place, key: key.to_owned() });
    assert_eq!(identity(r#"{"Statement": [], "Statement": []}"#), twice(Place::default(), "Statement"));
    let effects = r#"{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "*", "Resource": "*"}}"#;
    assert_eq!(identity(effects), twice(first(), "Effect"));
    let keys = json!({"Condition": {"Bool": {"aws:x": "true", "AWS:X": "true"}}});
    assert_eq!(identity(&with(keys)), twice(first(), "Bool/aws:x"));
    let sids = r#"{"Statement": [{"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
    let error = identity(sids).unwrap_err();
    assert_eq!(error.to_string(), "statement 2 (`A`): `A` in `Sid`: another statement has this Sid");
    assert!(identity(&sids.replace("\"A\"", "\"\"")).is_ok());
}

#[test]
fn values_that_say_nothing_are_named() {
    let condition = |operator: &str, value: serde_json::Value| json!({"Condition": {operator: {"aws:x": value}}});
    for (changes, key) in [
        (json!({"Sid": "no spaces"}), "Sid"),
        (json!({"Effect": "allow"}), "Effect"),
        (json!({"Action": "GetUser"}), "Action"),
        (json!({"Action": "iam:"}), "Action"),
        (json!({"Action": "iam:Get:User"}), "Action"),
        (json!({"Action": ["iam:GetUser", "iam:Get User"]}), "Action"),
        (json!({"Resource": "alice"}), "Resource"),
        (json!({"Resource": "arn:aws:iam"}), "Resource"),
        (json!({"Resource": "**"}), "Resource"),
        (json!({"Resource": "arn:aws:iam::*:user/${aws:username"}), "Resource"),
        (json!({"Resource": "${*}"}), "Resource"),
        (condition("StringMatches", json!("a")), "Condition"),
        (condition("stringEquals", json!("a")), "Condition"),
        (condition("NullIfExists", json!("true")), "Condition"),
        (condition("ForAllValues:Null", json!("true")), "Condition"),
        (condition("ForSomeValues:StringLike", json!("a")), "Condition"),
        (condition("NumericAbout", json!("1")), "Condition"),
        (condition("Bool", json!("maybe")), "Bool/aws:x"),
        (condition("Null", json!("")), "Null/aws:x"),
        (condition("NumericEquals", json!("one")), "NumericEquals/aws:x"),
        (condition("DateLessThan", json!("soon")), "DateLessThan/aws:x"),
        (condition("IpAddress", json!("10.0.0.0/33")), "IpAddress/aws:x"),
        (condition("BinaryEquals", json!("%")), "BinaryEquals/aws:x"),
        (condition("StringLike", json!("${")), "StringLike/aws:x"),
        (condition("Bool", json!("${aws:y}")), "Bool/aws:x"),
        (json!({"Condition": {"Bool": {"x": "true"}}}), "Bool"),
    ] {
        match identity(&with(changes.clone())) {
            Err(Error::Value { place, key: found, .. }) => {
                assert_eq!((place.statement, found.as_str()), (Some(1), key), "{changes}");
            }
            other => panic!("{changes}: {other:?}"),
        }
    }
    for (changes, key) in [
        (json!({"Action": "iam:GetUser"}), "Action"),
        (json!({"Action": "*"}), "Action"),
        (json!({"Principal": "alice"}), "Principal"),
        (json!({"Principal": {"AWS": "arn:aws:iam::123456789012:user/*"}}), "AWS"),
    ] {
        let found = trust(&trusting(changes.clone()));
        assert!(matches!(&found, Err(Error::Value { key: found, .. }) if found == key), "{changes}: {found:?}");
    }
    let version = identity(r#"{"Version": "2012-10-18", "Statement": []}"#);
    assert!(matches!(version, Err(Error::Value { place: Place { statement: None, .. }, .. })));
}

#[test]
fn values_of_another_type_are_named() {
    for (changes, key) in [
        (json!({"Sid": 1}), "Sid"),
        (json!({"Effect": true}), "Effect"),
        (json!({"Action": 1}), "Action"),
        (json!({"Action": []}), "Action"),
        (json!({"Action": {}}), "Action"),
        (json!({"Resource": []}), "Resource"),
        (json!({"Resource": [["*"]]}), "Resource"),
        (json!({"Condition": []}), "Condition"),
        (json!({"Condition": {"Bool": "true"}}), "Bool"),
        (json!({"Condition": {"Bool": {"aws:x": {}}}}), "Bool/aws:x"),
        (json!({"Condition": {"Bool": {"aws:x": [["true"]]}}}), "Bool/aws:x"),
    ] {
        let found = identity(&with(changes.clone()));
        assert!(matches!(&found, Err(Error::Type { key: found, .. }) if found == key), "{changes}: {found:?}");
    }
    for principal in [json!({}), json!({"AWS": []}), json!([])] {
        let found = trust(&trusting(json!({"Principal": principal})));
        assert!(matches!(found, Err(Error::Type { .. })), "{found:?}");
    }
    for text in ["[]", "1", "null", r#"{"Statement": 1}"#, r#"{"Version": 1}"#, r#"{"Statement": [1]}"#] {
        assert!(matches!(identity(text), Err(Error::Type { .. })), "{text}");
    }
}

#[test]
fn the_oldest_version_has_no_variables() {
    let text = with(json!({"Resource": "arn:aws:iam::${aws:username:user/x"}));
    assert!(identity(&text).is_err());
    assert!(identity(&text.replace("2012", "2008")).is_ok());
}

#[test]
fn as_many_statements_as_the_limit_takes_are_read() {
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let count = (limits::BYTES - 20) / (statement.len() + 1);
    let text = format!(r#"{{"Statement":[{}]}}"#, vec![statement; count].join(","));
    assert_eq!(identity(&text).unwrap().statements().len(), count);
}

/// Text out of what documents are made of.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"Statement\":",
        "\"Effect\":",
        "\"Allow\"",
        "\"Action\":",
        "\"iam:*\"",
        "\"Resource\":",
        "\"*\"",
        "\"Condition\":",
        "\"Bool\":",
        "\"aws:x\":",
        "\"${\"",
        "\"arn:aws:iam::${a:b}\"",
        "\"Principal\":",
        "\"AWS\":",
        "true",
        "-1e9",
        "null",
        "\\",
        "\"",
        "é",
        "\"\\ud800\"",
    ]);
    prop::collection::vec(scrap, 0..40).prop_map(|scraps| scraps.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(any in ".{0,200}", scraps in scraps(), value in "\\PC{0,60}", at in 0..6_usize) {
        let names = ["Action", "Resource", "Sid", "Effect", "NotResource", "Principal"];
        let whole = with(json!({(names[at]): value.clone()}));
        let operators = ["StringLike", "NumericEquals", "DateEquals", "IpAddress", "BinaryEquals", "ArnLike"];
        let condition = with(json!({"Condition": {(operators[at]): {"aws:x": value.clone()}}}));
        let principal = trusting(json!({"Principal": {"AWS": value}}));
        for text in [any, scraps, whole, condition, principal] {
            for kind in [Kind::Identity, Kind::Trust] {
                if let Err(error) = Document::parse(&text, kind) {
                    prop_assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}

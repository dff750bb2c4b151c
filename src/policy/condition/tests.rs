use super::*;

fn condition(operator: &str, values: &[&str]) -> Condition {
    let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
    Condition::new(Operator::parse(operator).unwrap(), "aws:key", &values, true).unwrap()
}

/// The key with these values; `None` for no key.
fn context(values: Option<&[&str]>) -> Context {
    let mut context = Context::from_iter([("aws:username", "al*ce")]);
    if let Some(values) = values {
        context.set("AWS:Key", values.iter().copied());
    }
    context
}

fn holds(operator: &str, wanted: &[&str], values: Option<&[&str]>) -> bool {
    condition(operator, wanted).holds(&context(values), &mut Missing::default())
}

const POSITIVE: [(&str, &str, &str); 17] = [
    ("StringEquals", "a", "b"),
    ("StringEqualsIgnoreCase", "A", "b"),
    ("StringLike", "a*", "b"),
    ("NumericEquals", "1.0", "2"),
    ("NumericLessThan", "2", "1"),
    ("NumericLessThanEquals", "1", "0"),
    ("NumericGreaterThan", "0", "1"),
    ("NumericGreaterThanEquals", "1", "2"),
    ("DateEquals", "1970-01-01T00:00:01Z", "2"),
    ("DateLessThan", "1970-01-02", "1"),
    ("DateLessThanEquals", "1", "0"),
    ("DateGreaterThan", "1970", "1"),
    ("DateGreaterThanEquals", "1", "2"),
    ("Bool", "TRUE", "false"),
    ("BinaryEquals", "YQ==", "Yg=="),
    ("IpAddress", "10.0.0.0/8", "11.0.0.0/8"),
    ("ArnLike", "arn:aws:iam::*:user/*", "arn:aws:iam::*:role/*"),
];

/// A value of the request that the first value of the policy takes in and the second doesn't.
fn value_for(operator: &str) -> &'static str {
    match operator {
        "Bool" => "true",
        "BinaryEquals" => "YQ==",
        "IpAddress" | "NotIpAddress" => "10.1.2.3",
        _ if operator.starts_with("Arn") => "arn:aws:iam::123456789012:user/alice",
        _ if operator.starts_with("String") => "a",
        _ => "1",
    }
}

const NEGATED: [(&str, &str); 8] = [
    ("StringNotEquals", "StringEquals"),
    ("StringNotEqualsIgnoreCase", "StringEqualsIgnoreCase"),
    ("StringNotLike", "StringLike"),
    ("NumericNotEquals", "NumericEquals"),
    ("DateNotEquals", "DateEquals"),
    ("NotIpAddress", "IpAddress"),
    ("ArnNotLike", "ArnLike"),
    ("ArnNotEquals", "ArnLike"),
];

fn operands(positive: &str) -> (&'static str, &'static str) {
    POSITIVE.iter().find(|(name, ..)| *name == positive).map(|(_, yes, no)| (*yes, *no)).unwrap()
}

#[test]
fn every_operator_takes_any_of_its_values_and_an_absent_key_fails_it() {
    for (operator, yes, no) in POSITIVE {
        let value = [value_for(operator)];
        let value = Some(&value[..]);
        assert!(holds(operator, &[yes], value), "{operator}");
        assert!(!holds(operator, &[no], value), "{operator}");
        assert!(holds(operator, &[no, yes], value), "{operator}");
        assert!(!holds(operator, &[], value), "{operator}");
        assert!(!holds(operator, &[yes], None), "{operator}");
        assert!(!holds(operator, &[yes], Some(&[])), "{operator}");
        assert!(!holds(operator, &[yes], Some(&["§"])), "{operator}");
        let if_exists = format!("{operator}IfExists");
        assert!(holds(&if_exists, &[no], None), "{operator}");
        assert!(!holds(&if_exists, &[no], value), "{operator}");
        assert!(holds(&if_exists, &[yes], value), "{operator}");
        assert!(!holds(&if_exists, &[yes], Some(&[])), "{operator}: a key without values is there");
    }
}

#[test]
fn a_negated_operator_takes_none_of_its_values_and_an_absent_key() {
    for (operator, positive) in NEGATED {
        let (yes, no) = operands(positive);
        let value = [value_for(operator)];
        let value = Some(&value[..]);
        assert!(!holds(operator, &[yes], value), "{operator}");
        assert!(holds(operator, &[no], value), "{operator}");
        assert!(!holds(operator, &[no, yes], value), "{operator}: neither the one nor the other");
        assert!(holds(operator, &[], value), "{operator}");
        assert!(holds(operator, &[yes], None), "{operator}");
        assert!(holds(&format!("{operator}IfExists"), &[yes], None), "{operator}");
        assert!(!holds(&format!("{operator}IfExists"), &[yes], value), "{operator}");
    }
}

#[test]
fn set_operators_ask_all_values_of_the_request_or_any() {
    for (operator, wanted, values, all, any) in [
        ("StringEquals", &["a", "b"][..], Some(&["a", "b"][..]), true, true),
        ("StringEquals", &["a", "b"], Some(&["a", "c"]), false, true),
        ("StringEquals", &["a", "b"], Some(&["c", "d"]), false, false),
        ("StringEquals", &["a"], None, true, false),
        ("StringEquals", &["a"], Some(&[]), true, false),
        ("StringEquals", &["a"], Some(&[""]), true, false),
        ("StringNotEquals", &["a", "b"], Some(&["c", "d"]), true, true),
        ("StringNotEquals", &["a", "b"], Some(&["a", "c"]), false, true),
        ("StringNotEquals", &["a", "b"], Some(&["a", "b"]), false, false),
        ("StringNotEquals", &["a"], None, true, false),
        ("Bool", &["true"], Some(&["true", "false"]), false, true),
        ("NumericLessThan", &["3"], Some(&["2", "3"]), false, true),
    ] {
        let found = [
            holds(&format!("ForAllValues:{operator}"), wanted, values),
            holds(&format!("ForAnyValue:{operator}"), wanted, values),
        ];
        assert_eq!(found, [all, any], "{operator} {wanted:?} {values:?}");
    }
    assert!(holds("ForAnyValue:StringEqualsIfExists", &["a"], None));
    assert!(!holds("ForAnyValue:StringEqualsIfExists", &["a"], Some(&[])));
    assert!(holds("ForAllValues:StringEqualsIfExists", &["a"], None));
}

#[test]
fn without_a_set_operator_several_values_are_alternatives_and_negation_wants_none() {
    assert!(holds("StringEquals", &["a"], Some(&["x", "a"])));
    assert!(!holds("StringNotEquals", &["a"], Some(&["x", "a"])));
    assert!(holds("StringNotEquals", &["a"], Some(&["x", "y"])));
}

#[test]
fn null_asks_whether_a_key_is_absent() {
    for (wanted, values, expected) in [
        (&["true"][..], None, true),
        (&["false"], None, false),
        (&["true"], Some(&["x"][..]), false),
        (&["false"], Some(&["x"]), true),
        (&["true"], Some(&[]), true),
        (&["false"], Some(&["", "x"]), true),
        (&["true", "false"], None, true),
    ] {
        assert_eq!(holds("Null", wanted, values), expected, "{wanted:?} {values:?}");
    }
}

#[test]
fn wildcards_and_case_are_as_the_operator_says() {
    assert!(!holds("StringEquals", &["a*"], Some(&["ab"])));
    assert!(holds("StringEquals", &["a*"], Some(&["a*"])));
    assert!(!holds("StringEquals", &["A"], Some(&["a"])));
    assert!(!holds("StringLike", &["A*"], Some(&["ab"])));
    assert!(holds("StringEqualsIgnoreCase", &["ÄB"], Some(&["äb"])));
    assert!(!holds("ArnLike", &["arn:aws:iam:*:user/alice"], Some(&["arn:aws:iam::123456789012:user/alice"])));
    assert!(!holds("ArnEquals", &["arn:aws:*:user/alice"], Some(&["arn:aws:iam::123456789012:user/alice"])));
}

#[test]
fn variables_are_literal_text_of_the_request() {
    assert!(holds("StringLike", &["x/${aws:username}"], Some(&["x/al*ce"])));
    assert!(!holds("StringLike", &["x/${aws:username}"], Some(&["x/alice"])));
    assert!(holds("StringEquals", &["${aws:username}"], Some(&["al*ce"])));
    assert!(holds("StringEquals", &["${*}${aws:userid, 'x'}"], Some(&["*x"])));
    let arn = "arn:aws:iam::123456789012:user/al*ce";
    assert!(holds("ArnLike", &["arn:aws:iam::*:user/${aws:username}"], Some(&[arn])));
}

#[test]
fn a_variable_without_a_value_fails_the_comparison() {
    for operator in ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "ArnLike", "ArnNotLike"] {
        assert!(!holds(operator, &["${aws:userid}"], Some(&["a"])), "{operator}");
        assert!(!holds(&format!("{operator}IfExists"), &["${aws:userid}"], Some(&["a"])), "{operator}");
        assert!(holds(&format!("{operator}IfExists"), &["${aws:userid}"], None), "{operator}");
    }
    assert!(holds("StringEquals", &["${aws:userid}", "a"], Some(&["a"])));
    assert!(!holds("StringNotEquals", &["${aws:userid}", "b"], Some(&["a"])));
}

#[test]
fn missing_keys_are_noted_whatever_becomes_of_the_condition() {
    let mut missing = Missing::default();
    assert!(condition("BoolIfExists", &["false"]).holds(&context(None), &mut missing));
    assert!(condition("StringEquals", &["a", "${aws:userid}"]).holds(&context(Some(&["a"])), &mut missing));
    assert_eq!(missing.into_names(), ["aws:key", "aws:userid"]);
}

#[test]
fn there_are_all_operators_of_iam() {
    let names = POSITIVE.iter().map(|(name, ..)| *name).chain(NEGATED.map(|(name, _)| name)).chain(["ArnEquals"]);
    let mut count = 0;
    for name in names {
        for set in ["", "ForAllValues:", "ForAnyValue:"] {
            for if_exists in ["", "IfExists"] {
                assert!(Operator::parse(&format!("{set}{name}{if_exists}")).is_some(), "{set}{name}{if_exists}");
            }
        }
        count += 1;
    }
    assert_eq!(count, 26);
    assert!(Operator::parse("Null").is_some());
    for name in ["", "IfExists", "Numeric", "Date", "String", "BoolIfExistsIfExists", ":Bool", "NotBool"] {
        assert!(Operator::parse(name).is_none(), "{name}");
    }
}

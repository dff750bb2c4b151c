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
    condition(operator, wanted).holds(&context(values)).unwrap()
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
        assert!(!holds(operator, &[], value), "{operator}");
        assert!(!holds(operator, &[], None), "{operator}");
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
        ("StringEquals", &["a"], Some(&[""]), false, false),
        ("StringEquals", &[""], Some(&[""]), true, true),
        ("StringEquals", &[], None, true, false),
        ("StringNotEquals", &[], Some(&["a"]), false, false),
        ("NotIpAddress", &["10.0.0.0/8"], Some(&["11.0.0.1", "x"]), false, true),
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
    assert!(!holds("ForAnyValue:StringEqualsIfExists", &["a"], None), "no value is among them");
    assert!(!holds("ForAnyValue:StringEqualsIfExists", &["a"], Some(&[])));
    assert!(holds("ForAllValues:StringEqualsIfExists", &["a"], None));
}

#[test]
fn a_list_fails_whatever_is_no_set_operator() {
    let list = |values: &[&str]| {
        let mut context = Context::new();
        context.set_list("aws:key", values.iter().copied());
        context
    };
    for values in [&["a"][..], &["b"], &["a", "b"]] {
        for operator in
            ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "ArnNotLike", "NumericNotEquals"]
        {
            let wanted = if operator == "NumericNotEquals" { "1" } else { "a" };
            for if_exists in ["", "IfExists"] {
                let condition = condition(&format!("{operator}{if_exists}"), &[wanted]);
                assert_eq!(condition.holds(&list(values)), Some(false), "{operator}{if_exists} {values:?}");
            }
        }
        assert_eq!(condition("Null", &["false"]).holds(&list(values)), Some(true));
    }
    assert_eq!(condition("ForAnyValue:StringEquals", &["a"]).holds(&list(&["a"])), Some(true));
    assert_eq!(condition("StringNotEquals", &["a"]).holds(&Context::new()), Some(true));
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
        (&["false"], Some(&[""]), true),
        (&["true"], Some(&[""]), false),
        (&[], None, false),
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
    for (one, other, same) in [
        ("ΟΣ", "ος", true),
        ("ΟΣ", "οσ", false),
        ("ΟΣΑ", "οσα", true),
        ("Σ", "ς", false),
        ("K", "\u{212a}", true),
        ("s", "ſ", false),
        ("ß", "ẞ", true),
        ("ß", "SS", false),
        ("i", "İ", false),
        ("İ", "i\u{307}", true),
        ("É", "é", true),
        ("𐐀", "𐐨", false),
        ("a𐐀Σ", "A𐐀ς", true),
    ] {
        assert_eq!(holds("StringEqualsIgnoreCase", &[one], Some(&[other])), same, "{one} {other}");
        assert_eq!(holds("StringNotEqualsIgnoreCase", &[one], Some(&[other])), !same, "{one} {other}");
    }
}

#[test]
fn arns_are_compared_part_by_part_and_what_is_none_is_equal_to_nothing() {
    let user = "arn:aws:iam::123456789012:user/alice";
    for (wanted, value, like, not_like) in [
        ("arn:aws:iam::*:user/*", user, true, false),
        ("*", user, true, false),
        ("arn:aws:iam::*:role/*", user, false, true),
        ("arn:aws:*:*:*:alice", user, false, true),
        ("arn:aws:iam::*:user/*", "alice", false, false),
        ("*", "alice", false, false),
        ("*", "", false, false),
    ] {
        for equals in ["Equals", "Like"] {
            assert_eq!(holds(&format!("Arn{equals}"), &[wanted], Some(&[value])), like, "{wanted} {value}");
            assert_eq!(holds(&format!("ArnNot{equals}"), &[wanted], Some(&[value])), not_like, "{wanted} {value}");
        }
    }
    // An ARN of the policy that is none leaves it open.
    let open = |operator: &str, wanted: &[&str], value| condition(operator, wanted).holds(&context(Some(&[value])));
    for operator in ["ArnLike", "ArnNotLike", "ArnEqualsIfExists", "ForAnyValue:ArnLike"] {
        assert_eq!(open(operator, &["arn:aws:iam:*:user/alice"], user), None, "{operator}");
        assert_eq!(open(operator, &["alice"], "alice"), Some(false), "{operator}");
    }
    assert_eq!(open("ArnLike", &["*", "alice"], user), Some(true));
    assert_eq!(open("ArnLike", &["alice", "*"], user), None);
}

#[test]
fn values_that_an_operator_cannot_read_are_as_iam_was_observed_to_take_them() {
    for (operator, wanted, value, expected) in [
        ("NumericEquals", "1", "one", false),
        ("NumericNotEquals", "1", "one", true),
        ("NumericNotEquals", "1", "", true),
        ("NumericNotEquals", "1", "1e0", false),
        ("NumericLessThan", "1", "-Infinity", false),
        ("DateNotEquals", "2030-01-01T00:00:00Z", "soon", true),
        ("DateEquals", "2030-01-01T00:00:00Z", "1893456000", true),
        ("IpAddress", "192.0.2.0/24", "192.000.2.1", true),
        ("NotIpAddress", "192.0.2.0/24", "192.000.2.1", false),
        ("NotIpAddress", "192.0.2.0/24", "192.0.2.1/32", false),
        ("NotIpAddress", "192.0.2.0/24", "address", false),
        ("NotIpAddress", "192.0.2.0/24", "", false),
        ("NotIpAddress", "192.0.2.0/24", "2001:db8::1", true),
        ("Bool", "true", "TRUE", true),
        ("Bool", "true", "1", false),
        ("Bool", "false", "no", true),
        ("Bool", "false", "", true),
        ("BinaryEquals", "YQ==", "YQ", false),
        ("BinaryEquals", "YQ==", "YR==", false),
    ] {
        assert_eq!(holds(operator, &[wanted], Some(&[value])), expected, "{operator} {wanted} {value}");
    }
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
fn a_variable_without_a_value_is_equal_to_nothing() {
    let arn = "arn:aws:iam::123456789012:user/a";
    for (operator, negated) in [("String", false), ("StringNot", true), ("Arn", false), ("ArnNot", true)] {
        for operator in [format!("{operator}Equals"), format!("{operator}Like")] {
            assert_eq!(holds(&operator, &["${aws:userid}"], Some(&[arn])), negated, "{operator}");
            assert_eq!(holds(&format!("{operator}IfExists"), &["${aws:userid}"], Some(&[arn])), negated, "{operator}");
            assert!(holds(&format!("{operator}IfExists"), &["${aws:userid}"], None), "{operator}");
        }
    }
    assert!(holds("StringEquals", &["${aws:userid}", "a"], Some(&["a"])));
    assert!(!holds("StringNotEquals", &["${aws:userid}", "a"], Some(&["a"])));
}

#[test]
fn a_list_is_no_value_of_a_variable_default_or_not() {
    let mut context = context(Some(&["team"]));
    context.set("aws:TagKeys", ["team"]);
    for variable in ["${aws:TagKeys}", "${aws:TagKeys, 'team'}"] {
        assert_eq!(condition("StringEquals", &[variable]).holds(&context), Some(false), "{variable}");
        assert_eq!(condition("StringNotEquals", &[variable]).holds(&context), Some(true), "{variable}");
    }
}

#[test]
fn a_condition_asks_for_its_key_and_those_of_variables() {
    let condition = condition("StringEquals", &["a", "${aws:userid}${*}"]);
    assert_eq!(condition.keys().collect::<Vec<_>>(), ["aws:key", "aws:userid"]);
    let mut missing = crate::policy::context::Missing::default();
    context(None).note(condition.keys().chain(["AWS:UserId", "aws:username"]), &mut missing);
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

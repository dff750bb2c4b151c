//! Conditions and resources, a comparison a line.

use serde_json::{Deserializer, Value, json};

use super::*;

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// What a statement with this effect, and an Allow of everything beside a Deny, makes of a request.
fn decided(effect: &str, rest: &Value, request: &Request) -> Decision {
    let mut statement = json!({"Effect": effect, "Action": "*"});
    statement.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let statements = if effect == "Deny" { json!([everything, statement]) } else { json!([statement]) };
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let document = Document::parse(&text, Kind::Identity).unwrap_or_else(|error| panic!("{text}: {error}"));
    let identity = vec![Source { name: "p", document: &document }];
    evaluate(&Policies { identity, ..Policies::default() }, request).decision()
}

fn ask(resource: &str) -> Request {
    let mut request = request("kms:Decrypt", resource, "long-term", "al*ce");
    request.context.set("aws:TagKeys", ["team"]);
    request.context.set("aws:PrincipalAccount", ["123456789012"]);
    request.context.set("aws:PrincipalTag/service", ["kms"]);
    request.context.set("aws:PrincipalTag/arn", ["arn:aws:kms:us-east-1:123456789012:key/k"]);
    request
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn conditions_hold_as_aws_documents_it_and_was_observed() {
    let table = fs::read_to_string(vector("policies/conditions.txt")).unwrap();
    let (mut failures, mut count) = (Vec::new(), 0);
    for (number, line) in lines(&table) {
        let (operator, rest) = line.split_once(' ').unwrap();
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        let [wanted, given] = [(); 2].map(|()| values.next().unwrap().unwrap());
        let expected = rest[values.byte_offset()..].trim();
        let mut request = ask("*");
        match &given {
            Value::Null => {}
            Value::String(text) => request.context.set("x:y", [text]),
            list => request.context.set_list("x:y", texts(list)),
        }
        let rest = json!({"Resource": "*", "Condition": {operator: {"X:Y": wanted}}});
        let allows = decided("Allow", &rest, &request) == Decision::Allowed;
        let denies = decided("Deny", &rest, &request) == Decision::ExplicitlyDenied;
        let found = match (allows, denies) {
            (true, true) => "yes",
            (false, false) => "no",
            (false, true) => "open",
            (true, false) => "allows and doesn't deny",
        };
        if found != expected {
            failures.push(format!("line {number}: {expected} is expected, and found is {found}: {line}"));
        }
        count += 1;
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(count > 100, "only {count} lines");
}

#[test]
fn resources_are_taken_in_as_aws_documents_it_and_was_observed() {
    let table = fs::read_to_string(vector("policies/resources.txt")).unwrap();
    let (mut failures, mut count) = (Vec::new(), 0);
    for (number, line) in lines(&table) {
        let columns: Vec<&str> = line.split("  ").map(str::trim).filter(|column| !column.is_empty()).collect();
        let [policy, resource, expected] = columns[..] else { panic!("line {number} hasn't three columns") };
        let request = ask(resource);
        let found = ["Resource", "NotResource"].map(|element| {
            let rest = json!({element: policy});
            let allows = decided("Allow", &rest, &request) == Decision::Allowed;
            (allows, decided("Deny", &rest, &request) == Decision::ExplicitlyDenied)
        });
        let wanted = match expected {
            "yes" => [(true, true), (false, false)],
            "no" => [(false, false), (true, true)],
            "unknown" => [(false, false), (false, true)],
            other => panic!("line {number}: {other}"),
        };
        if found != wanted {
            failures.push(format!("line {number}: {expected} is expected, and found is {found:?}: {line}"));
        }
        count += 1;
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(count > 10, "only {count} lines");
}

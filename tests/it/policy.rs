//! What policies decide: scenarios of MFA in policies, and properties of the logic.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use vmfa::policy::mfa::Credentials;
use vmfa::policy::{
    Context, Decision, Document, Doubt, Evaluation, Keys, Kind, Policies, Principal, Request, Source, evaluate,
    evaluate_in_doubt,
};
use vmfa::time::Timestamp;

use crate::support::vector;

mod properties;
mod tables;

const NOW: u64 = 1_795_320_000;

/// The documents of `vectors/policies`, by name.
fn documents() -> BTreeMap<String, Document> {
    let mut documents = BTreeMap::new();
    for entry in fs::read_dir(vector("policies")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let document = Document::parse(&fs::read_to_string(&path).unwrap(), Kind::Identity);
            documents.insert(name, document.unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        }
    }
    documents
}

fn credentials(text: &str) -> Credentials {
    match text.split_once(':') {
        None if text == "long-term" => Credentials::LongTerm,
        None if text == "session" => Credentials::Temporary { authenticated: None },
        Some(("mfa", age)) => {
            let then = NOW - age.parse::<u64>().unwrap();
            Credentials::Temporary { authenticated: Some(Timestamp::from_unix(then)) }
        }
        _ => panic!("no credentials are called {text}"),
    }
}

fn request(action: &str, resource: &str, signed: &str, user: &str) -> Request {
    let arn = |rest: &str| format!("arn:aws:iam::123456789012:{rest}");
    let resource = if resource.starts_with(['u', 'm']) { arn(resource) } else { resource.to_owned() };
    let name = Path::new(user).file_name().unwrap().to_str().unwrap();
    let mut context = Context::from_iter([("aws:username", name)]);
    credentials(signed).apply(Timestamp::from_unix(NOW), &mut context);
    let principal = Principal::User { arn: arn(&format!("user/{user}")) };
    Request { action: action.to_owned(), resources: vec![resource], principal, context }
}

fn decide(documents: &BTreeMap<String, Document>, names: &str, request: &Request) -> Evaluation {
    let source = |name| Source { name, document: documents.get(name).unwrap_or_else(|| panic!("no policy {name}")) };
    let policies = Policies { identity: names.split(',').map(source).collect(), ..Policies::default() };
    evaluate(&policies, request)
}

#[test]
fn policies_decide_as_aws_documents_it() {
    let documents = documents();
    let table = fs::read_to_string(vector("policies/decisions.txt")).unwrap();
    let (mut failures, mut seen, mut used) = (Vec::new(), BTreeMap::<&str, usize>::new(), BTreeSet::new());
    for (number, line) in (1..).zip(table.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let [names, action, resource, signed, user, expected] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("line {number} hasn't six columns");
        };
        let found = decide(&documents, names, &request(action, resource, signed, user));
        if found.decision().as_str() != expected {
            failures.push(format!("line {number}: {expected} is expected for {user} ({signed}); {found}"));
        }
        *seen.entry(expected).or_default() += 1;
        used.extend(names.split(','));
    }
    assert!(failures.is_empty(), "{} lines fail:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), ["allowed", "explicitDeny", "implicitDeny"]);
    assert!(seen.values().sum::<usize>() >= 50, "only {seen:?} seen");
    assert_eq!(used, documents.keys().map(String::as_str).collect(), "policies that no line is about");
}

#[test]
fn why_is_said_in_words() {
    let documents = documents();
    let about =
        |names, action, resource, signed| decide(&documents, names, &request(action, resource, signed, "alice"));
    let allowed = about("own-mfa", "iam:EnableMFADevice", "user/alice", "long-term");
    let words = "iam:EnableMFADevice on arn:aws:iam::123456789012:user/alice: \
                 allowed by statement 3 (`OwnUser`) of the identity policy `own-mfa`";
    assert_eq!(allowed.to_string(), words);
    let denied = about("ec2,own-mfa,force-mfa", "ec2:RunInstances", "*", "long-term");
    let words = "ec2:RunInstances on *: \
                 explicitly denied by statement 1 (`NothingElseWithoutMfa`) of the identity policy `force-mfa`";
    assert_eq!(denied.to_string(), words);
    assert_eq!(denied.missing, ["aws:MultiFactorAuthPresent"]);
    let nobody = about("own-mfa", "iam:ListUsers", "*", "long-term");
    assert_eq!(nobody.to_string(), "iam:ListUsers on *: implicitly denied: no identity policy allows it");
}

#[test]
fn the_shapes_name_the_keys_they_ask_for() {
    let documents = documents();
    for (name, keys) in [
        ("own-mfa", &["aws:username"][..]),
        ("own-mfa-no-version", &[]),
        ("force-mfa", &["aws:MultiFactorAuthPresent"]),
        ("only-iam-without-mfa", &["aws:MultiFactorAuthAge"]),
    ] {
        assert_eq!(documents[name].context_keys(), keys, "{name}");
    }
}

//! `vectors/sigv4`: every case is signed and must give AWS's signature; it is verified; and no change goes unnoticed.

use std::fs;

use super::*;
use crate::support::vector;

#[derive(Default)]
struct Case {
    name: String,
    access: String,
    secret: String,
    service: String,
    time: String,
    expires: Option<u64>,
    unnormalized: bool,
    content_hash: bool,
    unsigned: bool,
    token: Option<String>,
    late_token: Option<String>,
    sent: Sent,
    canonical: [String; 2],
    signatures: [Option<String>; 2],
}

const HEADER: usize = 0;
const QUERY: usize = 1;

fn cases(file: &str) -> Vec<Case> {
    let text = fs::read_to_string(vector(file)).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        let text = value.to_owned();
        if key == "case" {
            cases.push(Case {
                name: text,
                access: "AKIDEXAMPLE".into(),
                secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
                service: "service".into(),
                time: "20150830T123600Z".into(),
                ..Case::default()
            });
            continue;
        }
        let case = cases.last_mut().unwrap();
        let append = |canonical: &mut String| {
            let separator = if canonical.is_empty() { "" } else { "\n" };
            *canonical += separator;
            *canonical += value.strip_prefix('|').unwrap();
        };
        match key {
            "access" => case.access = text,
            "secret" => case.secret = text,
            "service" => case.service = text,
            "time" => case.time = text,
            "expires" => case.expires = Some(value.parse().unwrap()),
            "unnormalized" => case.unnormalized = true,
            "content-hash" => case.content_hash = true,
            "unsigned" => case.unsigned = true,
            "token" => case.token = Some(text),
            "unsigned-token" => case.late_token = Some(text),
            "method" => case.sent.method = text,
            "path" => case.sent.path = text,
            "query" => case.sent.query = text,
            "header" => {
                let (name, value) = value.split_once(':').unwrap();
                case.sent.add(name, value);
            }
            "body" => case.sent.body = value.into(),
            "header-canonical" => append(&mut case.canonical[HEADER]),
            "query-canonical" => append(&mut case.canonical[QUERY]),
            "header-signature" => case.signatures[HEADER] = Some(text),
            "query-signature" => case.signatures[QUERY] = Some(text),
            "signature" => case.signatures[usize::from(case.expires.is_some())] = Some(text),
            _ => panic!("{file}: what is `{key}`?"),
        }
    }
    cases
}

impl Case {
    fn accept(&self) -> Accept<'_> {
        let accept = Accept::new(&self.service, time(&self.time));
        Accept { style: if self.unnormalized { Style::S3 } else { accept.style }, ..accept }
    }

    /// Signs in one of the two forms; what goes out, and its signature.
    fn signed(&self, form: usize) -> (Sent, String) {
        let credentials = Credentials::new(&self.access, &self.secret, self.token.as_deref());
        let signer = Signer::new(&credentials, "us-east-1", &self.service);
        let content_hash = signer.content_hash || self.content_hash;
        let signer = Signer { style: self.accept().style, content_hash, ..signer };
        let payload = if self.unsigned { Payload::Unsigned } else { self.sent.payload() };
        let (mut sent, at) = (self.sent.clone(), time(&self.time));
        let signature = if form == HEADER {
            sent.sign(&signer, Some(payload), at);
            sent.header("authorization").rsplit_once("Signature=").unwrap().1.to_owned()
        } else {
            let query = signer.presign(&sent.request(), payload, at, self.expires.unwrap_or(3600)).unwrap();
            sent.query = query.to_string();
            sent.query.rsplit_once("X-Amz-Signature=").unwrap().1.to_owned()
        };
        (sent, signature)
    }

    /// What is wrong with this case in one of the two forms.
    fn failures(&self, form: usize, failures: &mut Vec<String>) -> usize {
        let Some(expected) = &self.signatures[form] else { return 0 };
        let mut fail = |what: String| failures.push(format!("{} ({}): {what}", self.name, ["header", "query"][form]));
        let (mut sent, signature) = self.signed(form);
        if signature != *expected {
            fail(format!("signed {signature}"));
        }
        if let Some(token) = self.late_token.as_ref().filter(|_| form == HEADER) {
            sent.add("X-Amz-Security-Token", token);
        }
        let accept = self.accept();
        if self.unnormalized && form == QUERY {
            // The style that takes a path as it is is S3's, which doesn't sign the body of a presigned request.
            return 1;
        }
        if let Err(error) = sent.verify(&self.secret, &accept) {
            fail(error.why());
        }
        let Err(Error::Mismatch(mismatch)) = sent.verify("another key", &accept) else {
            fail("another key is taken".into());
            return 1;
        };
        let mut canonical = self.canonical[form].clone();
        if let Some((_, rest)) = canonical.split_once(["x-amz-security-token:", "X-Amz-Security-Token="][form]) {
            let token = rest.find(['\n', '&']).unwrap();
            canonical = [&canonical[..canonical.len() - rest.len()], "…", &rest[token..]].concat();
        }
        if !canonical.is_empty() && mismatch.canonical_request != canonical {
            fail(format!("canonical request:\n{}", mismatch.canonical_request));
        }
        for (what, changed) in mutations(&sent, self) {
            if changed.verify(&self.secret, &accept).is_ok() {
                fail(format!("a change goes unnoticed: {what}"));
            }
        }
        1
    }
}

/// The text with each character changed in turn.
fn changed(text: &str) -> impl Iterator<Item = String> {
    text.char_indices().map(|(index, character)| {
        let (before, after) = text.split_at(index);
        // Not the same in another case: names of headers know none.
        let other = if character.eq_ignore_ascii_case(&'q') { 'Z' } else { 'Q' };
        format!("{before}{other}{}", &after[character.len_utf8()..])
    })
}

fn mutations(sent: &Sent, case: &Case) -> Vec<(String, Sent)> {
    let mut all = Vec::new();
    let mut push = |what: &str, sent: Sent| all.push((what.to_owned(), sent));
    for method in changed(&sent.method) {
        push("method", Sent { method, ..sent.clone() });
    }
    // What `..` takes out of a path may be anything.
    for path in changed(&sent.path).filter(|_| !sent.path.contains("..")) {
        push(&path.clone(), Sent { path, ..sent.clone() });
    }
    for query in changed(&sent.query) {
        push(&query.clone(), Sent { query, ..sent.clone() });
    }
    push("parameter", Sent { query: format!("{}&more", sent.query), ..sent.clone() });
    for (index, (name, value)) in sent.headers.iter().enumerate() {
        if case.late_token.is_some() && name == "X-Amz-Security-Token" {
            continue;
        }
        let mut replace = |name: String, value: String| {
            let mut sent = sent.clone();
            let what = format!("{name}: {value}");
            sent.headers[index] = (name, value);
            push(&what, sent);
        };
        for name in changed(name) {
            replace(name, value.clone());
        }
        for value in changed(value) {
            // By the access key id the key was found.
            if name != "authorization" || value.contains(&format!("={}/", case.access)) {
                replace(name.clone(), value);
            }
        }
        let mut removed = sent.clone();
        removed.headers.remove(index);
        push("header removed", removed);
        let mut again = sent.clone();
        again.headers.insert(index, (name.clone(), "Z".to_owned()));
        push("header added", again);
    }
    if !case.unsigned {
        for index in 0..=sent.body.len() {
            let mut sent = sent.clone();
            sent.body.splice(index..(index + 1).min(sent.body.len()), [b'Z']);
            push("body", sent);
        }
    }
    all
}

fn run(file: &str, at_least: usize) {
    let cases = cases(file);
    let mut failures = Vec::new();
    let seen: usize = cases
        .iter()
        .map(|case| [HEADER, QUERY].map(|form| case.failures(form, &mut failures)).iter().sum::<usize>())
        .sum();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(seen >= at_least, "{file}: {seen} signatures seen");
}

#[test]
fn aws_test_suite_is_signed_and_verified() {
    run("sigv4/aws-signing-test-suite.txt", 76);
}

#[test]
fn aws_documented_requests_are_signed_and_verified() {
    run("sigv4/documentation.txt", 6);
}

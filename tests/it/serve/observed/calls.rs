//! Calls of IAM and STS outside MFA: `vectors/aws/observed/calls`, a file a story, a JSON object a line.
//!
//! - `do` is a step of the story that must succeed, `case` with `call` an observation.
//! - `in` are the parameters (`$key:NAME`, `$marker:CASE` and `$code:STEPS` are filled in; `repeat` and `times` are a long text),
//!   `as` is who signs: the administrator, the access key that a step gave a `name`, or `session:NAME`; `at` moves time on.
//! - `code`, `message` and `status` are what AWS answered; `has` are values of the answer by path, `counts` lengths of
//!   lists, `members` the names of an element's members, `decisions` those of a simulation by resource (by `""` that of all together),
//!   `report` the header and some rows of a credential report. `any_order` is about the lists of `has`.
//!
//! What isn't compared stands in `left-out.txt` with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use vmfa::serve::time::Clock;
use vmfa::serve::{Options, Stand};
use vmfa::time::Timestamp;
use vmfa::wire::query::Form;
use vmfa::wire::sigv4::Credentials;
use vmfa::wire::xml::Failure;

use super::super::support::{ACCOUNT, Answer, Aws, Device, Foreseeable};

/// How many observations there are.
const TOTAL: usize = 616;

/// What a line may have.
const KEYS: &[&str] = &[
    "any_order",
    "as",
    "at",
    "call",
    "case",
    "code",
    "counts",
    "decisions",
    "do",
    "has",
    "in",
    "members",
    "message",
    "name",
    "report",
    "status",
];

/// When a story without times begins.
const START: u64 = 1_789_156_800;

#[test]
fn calls_are_answered_as_aws_was_observed_to() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/aws/observed/calls");
    let mut left_out = LeftOut::read(&folder.join("left-out.txt"));
    let mut stories: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    stories.retain(|path| path.file_stem().unwrap() != "left-out");
    stories.sort();
    let (mut total, mut wrong) = (0, String::new());
    for path in stories {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for (case, differences) in Story::begin(&path).run() {
            total += 1;
            match (left_out.take(&name, &case), differences.is_empty()) {
                (false, false) => writeln!(wrong, "{name}: {case}\n    {}", differences.join("\n    ")).unwrap(),
                (true, true) => writeln!(wrong, "{name}: {case}\n    is left out, and agrees").unwrap(),
                _ => {}
            }
        }
    }
    for (name, case) in &left_out.0 {
        writeln!(wrong, "{name}: {case}\n    is left out, and isn't there").unwrap();
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert_eq!(total, TOTAL);
}

/// The observations that aren't compared: below a line with the reason, `STORY: CASE`, indented.
struct LeftOut(BTreeSet<(String, String)>);

impl LeftOut {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().filter_map(|line| line.strip_prefix("  "));
        Self(lines.map(|line| line.split_once(": ").unwrap()).map(|(name, case)| (name.into(), case.into())).collect())
    }

    fn take(&mut self, name: &str, case: &str) -> bool {
        self.0.remove(&(name.to_owned(), case.to_owned()))
    }
}

/// A file, and the account that it happens in.
struct Story {
    lines: Vec<Map<String, Value>>,
    aws: Aws,
    signers: BTreeMap<String, Credentials>,
    markers: BTreeMap<String, String>,
    devices: BTreeMap<String, Device>,
}

impl Story {
    fn begin(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let lines: Vec<Map<String, Value>> =
            lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
        let misspelt = lines.iter().flat_map(Map::keys).find(|key| !KEYS.contains(&key.as_str()));
        assert_eq!(misspelt, None, "{}", path.display());
        let first = lines.iter().filter_map(time).next().unwrap_or(START);
        let options = Options {
            account: ACCOUNT.to_owned(),
            alias: None,
            clock: Clock::standing_at(Timestamp::from_unix(first - 60)),
            starts_at: None,
            random: Box::new(Foreseeable(1)),
            state: None,
            scenario: None,
        };
        let (stand, begun) = Stand::open(options).unwrap();
        let aws = Aws::of(stand, &begun);
        let signers = BTreeMap::from([(String::new(), aws.administrator.clone())]);
        Self { lines, aws, signers, markers: BTreeMap::new(), devices: BTreeMap::new() }
    }

    /// Each observation with what differs.
    fn run(mut self) -> Vec<(String, Vec<String>)> {
        let mut results = Vec::new();
        for line in std::mem::take(&mut self.lines) {
            if let Some(time) = time(&line) {
                self.aws.clock.set(Timestamp::from_unix(time), true).unwrap();
            }
            let case = text(&line, "case");
            let action = case.map_or_else(|| text(&line, "do").unwrap(), |_| text(&line, "call").unwrap());
            let (status, body) = self.call(action, &line);
            if let Some(case) = case {
                results.push((case.to_owned(), differences(&line, status, &body)));
            } else {
                assert_eq!(status, 200, "{action}: {body}");
            }
            if status == 200 {
                self.learn(action, &line, &Answer(body));
            }
        }
        results
    }

    fn call(&self, action: &str, line: &Map<String, Value>) -> (u16, String) {
        let sts = ["AssumeRole", "GetSessionToken", "GetCallerIdentity"].contains(&action);
        let (service, version) = if sts { ("sts", "2011-06-15") } else { ("iam", "2010-05-08") };
        let mut pairs = Vec::new();
        for (name, value) in line.get("in").and_then(Value::as_object).into_iter().flatten() {
            flatten(&mut pairs, name, value);
        }
        let serial = pairs.iter().find(|(name, _)| name == "SerialNumber").map(|(_, value)| value.clone());
        for (_, value) in &mut pairs {
            if let Some(filled) = self.filled(value, serial.as_deref()) {
                *value = filled;
            }
        }
        let form = pairs.iter().fold(Form::new(action, version), |form, (name, value)| form.pair(name, value));
        let signer = &self.signers[text(line, "as").unwrap_or_default()];
        let response = self.aws.client(signer).send(service, form.body().as_bytes());
        (response.status, String::from_utf8(response.body.to_vec()).unwrap())
    }

    /// What only the stand-in knows.
    fn filled(&self, value: &str, serial: Option<&str>) -> Option<String> {
        let (kind, name) = value.strip_prefix('$')?.split_once(':')?;
        match kind {
            "key" => Some(self.signers[name].access_key_id.clone()),
            "marker" => Some(self.markers.get(name).map_or("none", String::as_str).to_owned()),
            "code" => Some(self.devices[serial?].code(self.aws.now(), name.parse().unwrap())),
            _ => None,
        }
    }

    fn learn(&mut self, action: &str, line: &Map<String, Value>, answer: &Answer) {
        let name = text(line, "name").unwrap_or_default().to_owned();
        match action {
            "CreateAccessKey" => {
                let credentials = Credentials::new(&answer.text("AccessKeyId"), &answer.text("SecretAccessKey"), None);
                self.signers.insert(name, credentials);
            }
            "AssumeRole" | "GetSessionToken" => {
                self.signers.insert(format!("session:{name}"), answer.credentials());
            }
            "CreateVirtualMFADevice" => {
                let device = Device::of(answer);
                self.devices.insert(device.serial.clone(), device);
            }
            _ => {}
        }
        if let (Some(case), true) = (text(line, "case"), answer.has("Marker")) {
            self.markers.insert(case.to_owned(), answer.text("Marker"));
        }
    }
}

fn text<'a>(line: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    line.get(name).and_then(Value::as_str)
}

fn time(line: &Map<String, Value>) -> Option<u64> {
    text(line, "at").map(|at| Timestamp::parse(at, Timestamp::from_unix(0)).unwrap().as_unix())
}

/// A parameter as the Query protocol has it.
fn flatten(pairs: &mut Vec<(String, String)>, name: &str, value: &Value) {
    match value {
        // The form that botocore gives an empty list.
        Value::Array(items) if items.is_empty() => pairs.push((name.to_owned(), String::new())),
        Value::Array(items) => {
            for (number, item) in (1..).zip(items) {
                flatten(pairs, &format!("{name}.member.{number}"), item);
            }
        }
        Value::Object(fields) => match long(fields) {
            Some(text) => pairs.push((name.to_owned(), text)),
            None => fields.iter().for_each(|(field, value)| flatten(pairs, &format!("{name}.{field}"), value)),
        },
        Value::String(text) => pairs.push((name.to_owned(), text.clone())),
        other => pairs.push((name.to_owned(), other.to_string())),
    }
}

/// A text that is one part many times.
fn long(fields: &Map<String, Value>) -> Option<String> {
    let times = fields.get("times")?.as_u64()?;
    Some(text(fields, "repeat")?.repeat(usize::try_from(times).unwrap()))
}

fn differences(line: &Map<String, Value>, status: u16, body: &str) -> Vec<String> {
    let mut differences = Differences(Vec::new());
    let failure = (status != 200).then(|| Failure::read(body.as_bytes()).unwrap_or_else(|| panic!("{body}")));
    let code = failure.as_ref().map_or("Success", |failure| &failure.code);
    let said = failure.as_ref().map(|failure| &failure.message);
    if text(line, "code") != Some(code) {
        differences.add("code", &line["code"], &format!("{code} {}", said.map_or("", String::as_str)));
    }
    if let (Some(message), Some(said)) = (line.get("message"), said) {
        differences.compare("message", message, &Value::from(said.as_str()), false);
    }
    if let Some(expected) = line.get("status") {
        differences.compare("status", expected, &Value::from(status), false);
    }
    if failure.is_some() || !differences.0.is_empty() {
        return differences.0;
    }
    let answer = tree(body);
    let answer = answer.as_object().and_then(|answer| answer.iter().find(|(name, _)| name.ends_with("Result")));
    let answer = answer.map(|(_, result)| result.clone()).unwrap_or_default();
    let any_order = line.contains_key("any_order");
    for (path, expected) in parts(line, "has") {
        differences.compare(path, expected, reach(&answer, path), any_order);
    }
    for (path, expected) in parts(line, "counts") {
        // An empty list has no elements; what isn't there has no length.
        let count = match reach(&answer, path) {
            Value::Array(list) => Value::from(list.len()),
            Value::String(text) if text.is_empty() => Value::from(0),
            other => other.clone(),
        };
        differences.compare(&format!("number of {path}"), expected, &count, false);
    }
    for (path, expected) in parts(line, "members") {
        let names = reach(&answer, path).as_object().map(|members| members.keys().cloned().collect::<Vec<_>>());
        differences.compare(&format!("members of {path}"), expected, &Value::from(names.unwrap_or_default()), false);
    }
    for (resource, expected) in parts(line, "decisions") {
        let result = reach(&answer, "EvaluationResults.0");
        let each = reach(result, "ResourceSpecificResults").as_array().cloned().unwrap_or_default();
        let of_resource = each.iter().find(|each| each["EvalResourceName"] == **resource);
        let decision = match resource.as_str() {
            "" => &result["EvalDecision"],
            _ => of_resource.map_or(&Value::Null, |each| &each["EvalResourceDecision"]),
        };
        differences.compare(&format!("decision on {resource}"), expected, decision, false);
    }
    if let Some(expected) = line.get("report").and_then(Value::as_array) {
        differences.report(expected, answer["Content"].as_str().unwrap_or_default());
    }
    differences.0
}

fn parts<'a>(line: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    line.get(name).and_then(Value::as_object).into_iter().flatten()
}

struct Differences(Vec<String>);

impl Differences {
    fn add(&mut self, what: &str, expected: &impl std::fmt::Display, actual: &impl std::fmt::Display) {
        self.0.push(format!("{what}: AWS {expected}; here {actual}"));
    }

    fn compare(&mut self, what: &str, expected: &Value, actual: &Value, any_order: bool) {
        let long = expected.as_object().and_then(long).map(Value::from);
        let (mut expected, mut actual) = (plain(long.as_ref().unwrap_or(expected)), plain(actual));
        if let (true, Value::Array(expected), Value::Array(actual)) = (any_order, &mut expected, &mut actual) {
            expected.sort_by_key(Value::to_string);
            actual.sort_by_key(Value::to_string);
        }
        if expected != actual {
            self.add(what, &expected, &actual);
        }
    }

    /// The header, and those rows in that order; other users may stand between them.
    fn report(&mut self, expected: &[Value], content: &str) {
        use base64::Engine as _;
        let content = String::from_utf8(base64::prelude::BASE64_STANDARD.decode(content).unwrap()).unwrap();
        let user = |row: &str| row.split(',').next().unwrap_or_default().to_owned();
        let expected: Vec<&str> = expected.iter().filter_map(Value::as_str).collect();
        let users: Vec<String> = expected.iter().map(|row| user(row)).collect();
        let rows: Vec<&str> = content.split('\n').filter(|row| row.is_empty() || users.contains(&user(row))).collect();
        if rows != expected {
            self.add("report", &format!("\n{}", expected.join("\n")), &format!("\n{}", rows.join("\n")));
        }
    }
}

/// With numbers and booleans as texts, and an element without content as an empty list, as answers in XML have them.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        Value::String(text) if text.is_empty() => Value::Array(Vec::new()),
        Value::Bool(_) | Value::Number(_) => value.to_string().into(),
        _ => value.clone(),
    }
}

fn reach<'a>(value: &'a Value, path: &str) -> &'a Value {
    const NOTHING: &Value = &Value::Null;
    path.split('.').filter(|part| !part.is_empty()).fold(value, |value, part| match part.parse::<usize>() {
        Ok(index) => value.get(index).unwrap_or(NOTHING),
        Err(_) => value.get(part).unwrap_or(NOTHING),
    })
}

/// What is within the root element: objects, lists where there are members, texts.
fn tree(xml: &str) -> Value {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut open = vec![(String::new(), Vec::<(String, Value)>::new(), String::new())];
    loop {
        let (_, children, text) = open.last_mut().unwrap();
        match reader.read_event().unwrap() {
            Event::Start(tag) => open.push((tag.local_name().as_ref().to_owned(), Vec::new(), String::new())),
            Event::Empty(tag) => children.push((tag.local_name().as_ref().to_owned(), Value::from(""))),
            Event::Text(part) => text.push_str(&part.into_inner()),
            Event::GeneralRef(name) => {
                let reference = format!("&{};", name.into_inner());
                text.push_str(&quick_xml::escape::unescape(&reference).unwrap());
            }
            Event::End(_) => {
                let (name, children, text) = open.pop().unwrap();
                let value = match children.first() {
                    None => Value::from(text),
                    Some((first, _)) if first == "member" => children.into_iter().map(|(_, value)| value).collect(),
                    Some(_) => children.into_iter().collect(),
                };
                open.last_mut().unwrap().1.push((name, value));
            }
            Event::Eof => return children.pop().map(|(_, root)| root).unwrap_or_default(),
            _ => {}
        }
    }
}

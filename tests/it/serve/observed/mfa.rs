//! Virtual MFA devices: `vectors/aws/observed/mfa`, whose README has the notation, call by call on virtual time.

mod notation;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use quick_xml::Reader;
use quick_xml::events::Event;
use vmfa::serve::time::{Clock, Instant};
use vmfa::serve::{Options, Stand};
use vmfa::time::Timestamp;
use vmfa::wire::sigv4::Credentials;

use self::notation::{Expected, Line, Observation, Story, Who};
use super::super::support::{ACCOUNT, Answer, Aws, Device, Foreseeable, Refused};

/// How many observations there are.
const TOTAL: usize = 755;

/// How long before its answer was seen AWS is taken to have decided about a call. Any value up to 300 ms gives the same.
const UNDER_WAY: Duration = Duration::from_millis(150);

/// By how much a date may be off, in seconds: it is the captures' and the call's, each cut to a second.
const INEXACT: u64 = 1;

#[test]
fn devices_are_treated_as_aws_was_observed_to() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/aws/observed/mfa");
    let mut unexplained = unexplained(&fs::read_to_string(folder.join("unexplained.txt")).unwrap());
    let (mut total, mut wrong) = (0, String::new());
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|extension| extension != "txt") || name == "unexplained" {
            continue;
        }
        for (case, differences) in Replay::of(&Story::read(&fs::read_to_string(&path).unwrap())) {
            total += 1;
            match (unexplained.remove(&(name.clone(), case.clone())), differences.is_empty()) {
                (false, false) => writeln!(wrong, "{name} {case}:\n    {}", differences.join("\n    ")).unwrap(),
                (true, true) => writeln!(wrong, "{name} {case}: agrees, and isn't unexplained any more").unwrap(),
                _ => {}
            }
        }
    }
    for (name, case) in &unexplained {
        writeln!(wrong, "{name} {case}: is unexplained, and isn't there").unwrap();
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert_eq!(total, TOTAL);
}

/// `FILE CASE`, each with its reason indented below.
fn unexplained(text: &str) -> BTreeSet<(String, String)> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with([' ', '#']));
    lines.map(|line| line.split_once(' ').unwrap()).map(|(file, case)| (file.into(), case.into())).collect()
}

/// A story as it is told to the stand-in.
struct Replay<'a> {
    story: &'a Story,
    aws: Aws,
    users: BTreeMap<String, Credentials>,
    sessions: BTreeMap<String, Credentials>,
    /// The ids of users by name.
    ids: BTreeMap<String, String>,
    /// By serial number, all that had it.
    devices: BTreeMap<String, Vec<Device>>,
}

impl<'a> Replay<'a> {
    /// Each observation with what differs.
    fn of(story: &'a Story) -> Vec<(String, Vec<String>)> {
        let options = Options {
            account: ACCOUNT.to_owned(),
            alias: None,
            clock: Clock::standing_at(Timestamp::from_unix(story.start().timestamp().as_unix() - 60)),
            starts_at: None,
            random: Box::new(Foreseeable(1)),
            state: None,
            scenario: None,
        };
        let (stand, begun) = Stand::open(options).unwrap();
        let mut replay = Self {
            story,
            aws: Aws::of(stand, &begun),
            users: BTreeMap::new(),
            sessions: BTreeMap::new(),
            ids: BTreeMap::new(),
            devices: BTreeMap::new(),
        };
        story.lines.iter().filter_map(|line| replay.tell(line)).collect()
    }

    fn tell(&mut self, line: &Line) -> Option<(String, Vec<String>)> {
        match line {
            Line::User { name, path, at } => {
                self.go_to(*at);
                let made = self.aws.root().ok("CreateUser", &[("UserName", name), ("Path", path)]);
                self.ids.insert(name.clone(), made.text("UserId"));
            }
            Line::Key { user } => drop(self.users.insert(user.clone(), self.aws.key_of(user).credentials)),
            Line::Policy { user, name, document } => {
                let parameters = [("UserName", user.as_str()), ("PolicyName", name), ("PolicyDocument", document)];
                self.aws.root().ok("PutUserPolicy", &parameters);
            }
            Line::Observed(observation) => {
                self.go_to(Instant::from_unix_millis(
                    observation.seen.as_unix_millis() - u64::try_from(UNDER_WAY.as_millis()).unwrap(),
                ));
                return Some((observation.case.clone(), self.observe(observation)));
            }
        }
        None
    }

    /// Time that was passed meanwhile stays.
    fn go_to(&self, at: Instant) {
        self.aws.clock.set(at.max(self.aws.clock.instant()), false).unwrap();
    }

    fn serial(&self, device: &str) -> String {
        let path = self.story.paths.get(device).map_or("/", String::as_str);
        format!("arn:aws:iam::{ACCOUNT}:mfa{path}{device}")
    }

    fn observe(&mut self, observation: &Observation) -> Vec<String> {
        let parameters = self.parameters(observation);
        let signer = match &observation.who {
            Who::Administrator => &self.aws.administrator,
            Who::User(name) => &self.users[name],
            Who::Session(name) => &self.sessions[name],
        };
        let borrowed: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let result = self.aws.client(signer).call(&observation.action, &borrowed);
        if let (Ok(answer), "CreateVirtualMFADevice") = (&result, observation.action.as_str()) {
            let device = Device::of(answer);
            self.devices.entry(device.serial.clone()).or_default().push(device);
        }
        if let (Ok(answer), Some(name)) = (&result, &observation.session) {
            self.sessions.insert(name.clone(), answer.credentials());
        }
        let mut differences = self.differences(observation, &result);
        if !differences.is_empty() {
            differences.push(format!("why: {}", self.aws.why()));
        }
        differences
    }

    fn parameters(&self, observation: &Observation) -> Vec<(&'static str, String)> {
        let mut rest = observation.arguments.iter().map(String::as_str);
        let mut next = || rest.next().unwrap_or_else(|| panic!("{} lacks an argument", observation.case)).to_owned();
        let mut parameters = Vec::new();
        let action = observation.action.as_str();
        match action {
            "CreateVirtualMFADevice" => {
                let name = next();
                let path = self.story.paths.get(&name).cloned();
                parameters.push(("VirtualMFADeviceName", name));
                parameters.extend(path.map(|path| ("Path", path)));
                if let Some((key, value)) = rest.next().and_then(|tag| tag.split_once(':')) {
                    parameters.extend([("Tags.member.1.Key", key.into()), ("Tags.member.1.Value", value.into())]);
                }
            }
            "EnableMFADevice" | "ResyncMFADevice" | "DeactivateMFADevice" | "GetMFADevice" => {
                parameters.extend([("UserName", next()), ("SerialNumber", self.serial(&next()))]);
            }
            "DeleteVirtualMFADevice" | "GetSessionToken" => parameters.push(("SerialNumber", self.serial(&next()))),
            "ListMFADevices" | "DeleteUser" => parameters.push(("UserName", next())),
            "ListVirtualMFADevices" => parameters.push(("AssignmentStatus", next())),
            "GetCallerIdentity" => {}
            other => panic!("{other} isn't known here"),
        }
        if !matches!(action, "EnableMFADevice" | "ResyncMFADevice" | "GetSessionToken") {
            assert_eq!(rest.next(), None, "{}", observation.case);
            return parameters;
        }
        let mut next = || rest.next().unwrap_or_default();
        let (steps, how) = (next().parse::<i64>().unwrap(), next());
        let devices = &self.devices[&parameters.last().unwrap().1];
        let device = &devices[devices.len() - if how == "old" { 2 } else { 1 }];
        let seen = observation.seen.timestamp().as_unix();
        let [first, second] = [device.code(seen, steps - 1), device.code(seen, steps)];
        let [first, second] = match how {
            "equal" => [second.clone(), second],
            "reversed" => [second, first],
            "old" | "" => [first, second],
            other => panic!("{other} isn't known here"),
        };
        match action {
            "GetSessionToken" => parameters.push(("TokenCode", second)),
            _ => parameters.extend([("AuthenticationCode1", first), ("AuthenticationCode2", second)]),
        }
        parameters
    }

    fn differences(&self, observation: &Observation, result: &Result<Answer, Refused>) -> Vec<String> {
        let answered = match result {
            Ok(_) => Expected::Success,
            Err(refused) => Expected::Refused(refused.code.clone(), refused.status, refused.message.clone()),
        };
        let expected = match &observation.expected {
            Expected::Created => &Expected::Success,
            other => other,
        };
        if answered != *expected {
            return vec![format!("AWS {expected:?}"), format!("here {answered:?}")];
        }
        let Ok(answer) = result else { return Vec::new() };
        let output = flat(&answer.0);
        let mut differences = Vec::new();
        if observation.expected == Expected::Created {
            differences.extend(self.unlike_a_new_device(observation, &output));
        }
        if !observation.output.is_empty() {
            let expected = observation.output.iter().map(|(path, value)| (path.clone(), self.filled(value)));
            let expected: BTreeMap<String, String> = expected.collect();
            for path in expected.keys().chain(output.keys()).collect::<BTreeSet<_>>() {
                let (aws, here) = (expected.get(path), output.get(path));
                if !alike(path, aws, here) {
                    differences.push(format!("{path}: AWS {aws:?}, here {here:?}"));
                }
            }
        }
        differences
    }

    /// A value with the ids that only the stand-in knows.
    fn filled(&self, value: &str) -> String {
        let name = value.strip_prefix("id(").and_then(|rest| rest.strip_suffix(')'));
        name.map_or_else(|| value.to_owned(), |name| self.ids[name].clone())
    }

    fn unlike_a_new_device(&self, observation: &Observation, output: &BTreeMap<String, String>) -> Option<String> {
        let [name, tags @ ..] = &observation.arguments[..] else { panic!("no name") };
        let mut expected = BTreeMap::from([("VirtualMFADevice.SerialNumber".to_owned(), self.serial(name))]);
        for (index, tag) in (1..).zip(tags) {
            let (key, value) = tag.split_once(':').unwrap();
            expected.insert(format!("VirtualMFADevice.Tags.{index}.Key"), key.to_owned());
            expected.insert(format!("VirtualMFADevice.Tags.{index}.Value"), value.to_owned());
        }
        let mut output = output.clone();
        let decoded = |text: Option<String>| base64::prelude::BASE64_STANDARD.decode(text.unwrap_or_default()).ok();
        let seed = decoded(output.remove("VirtualMFADevice.Base32StringSeed"));
        let picture = decoded(output.remove("VirtualMFADevice.QRCodePNG"));
        let good = seed.is_some_and(|seed| seed.len() == 64)
            && picture.is_some_and(|picture| picture.starts_with(b"\x89PNG"))
            && output == expected;
        (!good).then(|| format!("AWS {expected:?} with a seed and a picture, here {output:?}"))
    }
}

fn alike(path: &str, aws: Option<&String>, here: Option<&String>) -> bool {
    let date = |text: Option<&String>| Instant::parse(text?, Instant::from_unix_millis(0)).ok();
    match (date(aws), date(here)) {
        (Some(aws), Some(here)) if path.ends_with("Date") => {
            aws.timestamp().as_unix().abs_diff(here.timestamp().as_unix()) <= INEXACT
        }
        _ => aws == here,
    }
}

/// The texts of an answer's result by path; the members of a list are counted from 1.
fn flat(xml: &str) -> BTreeMap<String, String> {
    let mut reader = Reader::from_str(xml);
    // Of each open element the name, how many members it had, and whether it had children.
    let mut open: Vec<(String, usize, bool)> = Vec::new();
    let (mut found, mut text) = (BTreeMap::new(), String::new());
    let mut close = |open: &mut Vec<(String, usize, bool)>, text: &mut String| {
        let (_, _, parent) = open.last().unwrap();
        let names: Vec<&str> = open.iter().map(|(name, ..)| name.as_str()).collect();
        if let ([_, result, path @ ..], false) = (&names[..], *parent)
            && result.ends_with("Result")
            && !path.is_empty()
        {
            found.insert(path.join("."), std::mem::take(text));
        }
        text.clear();
        open.pop();
    };
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let mut name = tag.local_name().as_ref().to_owned();
                if let Some((_, members, parent)) = open.last_mut() {
                    *parent = true;
                    if name == "member" {
                        *members += 1;
                        name = members.to_string();
                    }
                }
                open.push((name, 0, false));
                text.clear();
                if matches!(event, Event::Empty(_)) {
                    close(&mut open, &mut text);
                }
            }
            Event::Text(part) => text.push_str(part),
            Event::End(_) => close(&mut open, &mut text),
            Event::GeneralRef(name) => panic!("no text here has an entity: {name:?}"),
            Event::Eof => break,
            _ => {}
        }
    }
    found
}

//! The notation of `vectors/aws/observed/mfa`, as its README has it.

use std::collections::BTreeMap;

use vmfa::serve::time::Instant;

use super::super::super::support::{BAD_CODE, INVALID_PAIR, NEEDS_MFA, UNABLE};

/// A file.
pub struct Story {
    /// The paths of devices that aren't `/`.
    pub paths: BTreeMap<String, String>,
    pub lines: Vec<Line>,
}

/// What happens.
pub enum Line {
    User { name: String, path: String, at: Instant },
    Key { user: String },
    Policy { user: String, name: String, document: String },
    Observed(Observation),
}

/// A call and its answer.
pub struct Observation {
    pub case: String,
    pub seen: Instant,
    pub who: Who,
    pub action: String,
    pub arguments: Vec<String>,
    pub expected: Expected,
    /// The session that it gives.
    pub session: Option<String>,
    /// The output, where it was captured.
    pub output: Vec<(String, String)>,
}

/// Who signs.
pub enum Who {
    Administrator,
    User(String),
    Session(String),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Expected {
    Success,
    /// A device with its seed and picture.
    Created,
    /// Code, status, message.
    Refused(String, u16, String),
}

impl Story {
    pub fn read(text: &str) -> Self {
        let mut story = Self { paths: BTreeMap::new(), lines: Vec::new() };
        let mut date = "";
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(output) = line.strip_prefix("    ") {
                let Some(Line::Observed(observation)) = story.lines.last_mut() else {
                    panic!("whose output is {line}")
                };
                let (path, value) = output.split_once(' ').unwrap_or((output, ""));
                observation.output.push((path.to_owned(), value.to_owned()));
                continue;
            }
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["date", day] => date = day,
                ["device", name, path] => drop(story.paths.insert(name.to_owned(), path.to_owned())),
                ["user", name, path, time] => {
                    let (name, path) = (name.to_owned(), path.to_owned());
                    story.lines.push(Line::User { name, path, at: instant(date, time) });
                }
                ["key", user] => story.lines.push(Line::Key { user: user.to_owned() }),
                ["policy", user, name, ..] => {
                    let document = line.splitn(4, ' ').nth(3).unwrap().to_owned();
                    story.lines.push(Line::Policy { user: user.to_owned(), name: name.to_owned(), document });
                }
                _ => story.lines.push(Line::Observed(observation(date, line))),
            }
        }
        story
    }

    /// When it begins.
    pub fn start(&self) -> Instant {
        let times = self.lines.iter().filter_map(|line| match line {
            Line::User { at, .. } => Some(*at),
            Line::Observed(observation) => Some(observation.seen),
            _ => None,
        });
        times.min().unwrap()
    }
}

fn instant(date: &str, time: &str) -> Instant {
    Instant::parse(&format!("{date}T{time}Z"), Instant::from_unix_millis(0)).unwrap()
}

fn observation(date: &str, line: &str) -> Observation {
    let (call, result) = line.split_once(" => ").unwrap_or_else(|| panic!("no result in {line}"));
    let (head, call) = call.split_once(": ").unwrap_or_else(|| panic!("no case in {line}"));
    let (time, case) = head.split_once(' ').unwrap();
    let mut words: Vec<String> = call.split(' ').map(str::to_owned).collect();
    let is_action = |word: &str| word.starts_with(|first: char| first.is_ascii_uppercase());
    let who = if is_action(&words[0]) { None } else { Some(words.remove(0)) };
    let who = who.map_or(Who::Administrator, |who| match who.strip_prefix('@') {
        Some(session) => Who::Session(session.to_owned()),
        None => Who::User(who),
    });
    let action = words.remove(0);
    let (result, session) = match result.split_once(" @") {
        Some((result, session)) => (result, Some(session.to_owned())),
        None => (result, None),
    };
    Observation {
        case: case.to_owned(),
        seen: instant(date, time),
        who,
        action,
        arguments: words,
        expected: expected(result),
        session,
        output: Vec::new(),
    }
}

fn expected(result: &str) -> Expected {
    let refused = |(code, status, message): (&str, u16, &str)| Expected::Refused(code.into(), status, message.into());
    match result {
        "ok" => Expected::Success,
        "created" => Expected::Created,
        "bad-pair" => refused(INVALID_PAIR),
        "bad-code" => refused(BAD_CODE),
        "unable" => refused(UNABLE),
        "needs-mfa" => refused(NEEDS_MFA),
        other => {
            let words: Vec<&str> = other.splitn(3, ' ').collect();
            let [code, status, message] = words[..] else { panic!("no result: {other}") };
            refused((code, status.parse().unwrap(), message))
        }
    }
}

#[test]
fn a_line_is_read_in_all_its_parts() {
    let text = "# A story.\ndate 2026-09-11\ndevice phone /devices/\nuser owner /a/ 19:58:24\n\
                19:58:46.671 old one: @s1 GetSessionToken phone +2 old => ok @s2\n    Tags\n    A.1.B c d\n\
                19:58:47.000 again: DeleteUser owner => DeleteConflict 409 Cannot delete.\n";
    let story = Story::read(text);
    assert_eq!(story.paths["phone"], "/devices/");
    assert_eq!(story.start().to_string(), "2026-09-11T19:58:24Z");
    let [Line::User { .. }, Line::Observed(one), Line::Observed(two)] = &story.lines[..] else { panic!() };
    assert_eq!((one.case.as_str(), one.seen.to_string().as_str()), ("old one", "2026-09-11T19:58:46.671Z"));
    assert!(matches!(&one.who, Who::Session(name) if name == "s1"));
    assert_eq!((one.action.as_str(), &one.arguments.join(" ")[..]), ("GetSessionToken", "phone +2 old"));
    assert_eq!((&one.expected, one.session.as_deref()), (&Expected::Success, Some("s2")));
    assert_eq!(one.output, [("Tags".to_owned(), String::new()), ("A.1.B".to_owned(), "c d".to_owned())]);
    assert!(matches!(&two.who, Who::Administrator));
    assert_eq!(two.expected, Expected::Refused("DeleteConflict".into(), 409, "Cannot delete.".into()));
}

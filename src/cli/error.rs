//! Errors as people and programs see them: a kind, which alone picks the exit code; a message; hints.

mod aws;
mod device;
mod exchange;
mod registry;
mod source;
mod vault;

use std::borrow::Cow;
use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;

pub(super) use vault::NOBODY_TO_ASK;

use super::hints;
use super::note::{note, plain};
use crate::aws::Refusal;
use crate::time::Timestamp;
use crate::{name, oath, serve, time};

/// What sort of failure this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The answer is no.
    No,
    /// The command line is wrong.
    Usage,
    /// Vault or registry.
    Storage,
    /// A server.
    Remote,
    /// Input that can't be read.
    Input,
    /// A signal of this number, while waiting.
    Interrupted(u8),
    /// A command that was to be run, or was: its exit code.
    Command(u8),
}

/// A failure, ready to be shown.
#[derive(Debug)]
pub(super) struct Error {
    kind: Kind,
    code: Cow<'static, str>,
    message: String,
    hints: Vec<String>,
    /// When what was asked for can be had, and in how many seconds.
    available: Option<(Timestamp, u64)>,
    /// What AWS said.
    refusal: Option<Box<Refusal>>,
    of_one_device: bool,
}

/// What `--json` writes to stderr when a command fails.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Written<'a> {
    error: Fields<'a>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Fields<'a> {
    /// For programs to compare; docs/json.md lists them.
    code: &'a str,
    /// For people: what failed, then why.
    message: &'a str,
    /// For people: commands to run, or things to do.
    hints: &'a [String],
    /// From when what was asked for can be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    available_at: Option<String>,
    /// How many seconds that takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_seconds: Option<u64>,
    /// What AWS said, if it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    aws: Option<Said<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Said<'a> {
    /// Such as `EnableMFADevice`.
    action: &'a str,
    /// Of HTTP.
    status: u16,
    /// Such as `AccessDenied`.
    code: &'a str,
    message: &'a str,
    request_id: Option<&'a str>,
}

/// The most characters of what another program says.
const LONGEST_CODE: usize = 60;
const LONGEST_MESSAGE: usize = 1_000;

/// As many hints as are read.
const MOST_HINTS: usize = 12;

/// A message without the numbers of the system's errors: the words before them say the same.
fn without_numbers(message: String) -> String {
    const START: &str = " (os error ";
    let Some((before, after)) = message.split_once(START) else { return message };
    match after.split_once(')') {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            without_numbers(format!("{before}{rest}"))
        }
        _ => message,
    }
}

pub(super) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// `code` is stable: programs compare it.
    pub(super) fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        let message = without_numbers(message.into());
        Self {
            kind,
            code: Cow::Borrowed(code),
            message,
            hints: Vec::new(),
            available: None,
            refusal: None,
            of_one_device: false,
        }
    }

    /// As another vmfa said it, far away.
    pub(super) fn told(kind: Kind, code: &str, message: &str) -> Self {
        let shortened =
            |text: &str, most: usize| text.chars().filter(|c| !c.is_control()).take(most).collect::<String>();
        let code = Cow::Owned(shortened(code, LONGEST_CODE));
        let message = shortened(message, LONGEST_MESSAGE);
        Self { kind, code, message, hints: Vec::new(), available: None, refusal: None, of_one_device: false }
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, "usage", message)
    }

    pub(super) fn input(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Input, code, message)
    }

    /// A file that was named and can't be read. `code` is what else is wrong with such a file.
    pub(super) fn unreadable(code: &'static str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let path = path.display();
        Self::input(
            code,
            match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no file `{path}`"),
                _ => format!("{path}: {error}"),
            },
        )
    }

    /// A file that would be overwritten. The caller adds how to agree to that.
    pub(super) fn file_exists(path: &std::path::Path) -> Self {
        Self::new(Kind::No, "file-exists", format!("{} exists already", path.display()))
    }

    /// Everything has been said already.
    pub(super) fn silent(kind: Kind) -> Self {
        Self::new(kind, "silent", "")
    }

    pub(super) fn available(mut self, at: Timestamp, wait: u64) -> Self {
        self.available = Some((at, wait));
        self
    }

    /// With what AWS said.
    pub(super) fn said_by_aws(mut self, refusal: Box<Refusal>) -> Self {
        self.refusal = Some(refusal);
        self
    }

    /// A signal ended a wait. The caller adds what happened to the code that it waited for.
    pub(super) fn interrupted(signal: u8) -> Self {
        Self::new(Kind::Interrupted(signal), "interrupted", "interrupted")
    }

    /// The same after what had been taken was given back, or wasn't.
    pub(super) fn given_back(mut self, given_back: bool) -> Self {
        if matches!(self.kind, Kind::Interrupted(_)) {
            let end = if given_back { "nothing was used up" } else { "the codes that it took count as handed out" };
            self.message = format!("{}: {end}", self.message);
        }
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same, before the other hints.
    pub(super) fn hint_first(mut self, hint: impl Into<String>) -> Self {
        self.hints.insert(0, hint.into());
        self
    }

    /// The same without these hints.
    pub(super) fn without(mut self, hints: &[&str]) -> Self {
        self.hints.retain(|hint| !hints.contains(&hint.as_str()));
        self
    }

    /// The same with one hint in the place of another.
    pub(super) fn instead(mut self, hint: &str, other: &str) -> Self {
        self.hints.iter_mut().filter(|had| *had == hint).for_each(|had| other.clone_into(had));
        self
    }

    /// The same without any hint.
    pub(super) fn without_hints(mut self) -> Self {
        self.hints.clear();
        self
    }

    /// The same with what came of it behind it.
    pub(super) fn followed_by(mut self, outcome: &str) -> Self {
        self.message = format!("{}: {outcome}", self.message);
        self
    }

    /// The same with `before: ` in front, to name the thing that it is about.
    pub(super) fn about(mut self, before: &str) -> Self {
        self.message = format!("{before}: {}", self.message);
        self
    }

    pub(super) fn secret_in_argv(index: usize, what: &str) -> Self {
        Self::new(
            Kind::Usage,
            "secret-in-argv",
            format!("argument {index} {what}, and other processes can read arguments; it was not used"),
        )
        .hint(hints::usage::PASTE)
        .hint(hints::usage::PIPE)
        .hint(hints::usage::HISTORY)
    }

    /// `as_file` is whether it stands where the path of its file belongs.
    pub(super) fn identity_in_argv(index: usize, as_file: bool) -> Self {
        let failure = Self::new(
            Kind::Usage,
            "secret-in-argv",
            format!("argument {index} holds an identity, and other processes can read arguments; it was not used"),
        );
        let failure = if as_file {
            failure.hint(hints::usage::PATH_OF_IDENTITY)
        } else {
            failure.hint(hints::usage::PUBLIC_PART).hint(hints::usage::IDENTITY_BY_FILE)
        };
        failure.hint(hints::usage::HISTORY)
    }

    pub(super) fn secret_in_variable(name: &str) -> Self {
        let message =
            format!("{name} holds a secret itself, where its file or another name belongs; it is not repeated here");
        Self::new(Kind::Usage, "secret-in-variable", message)
            .hint(hints::usage::IDENTITY_BY_STDIN)
            .hint(hints::usage::LOGGED)
    }

    pub(super) fn password_in_argv(index: usize) -> Self {
        Self::new(
            Kind::Usage,
            "secret-in-argv",
            format!(
                "argument {index} holds a database's password, and other processes can read arguments; it was not used"
            ),
        )
        .hint(hints::registries::PASSWORD)
        .hint(hints::registries::CHANGE_PASSWORD)
    }

    pub(super) fn keys_in_argv(index: usize) -> Self {
        let message =
            format!("argument {index} holds keys of AWS, and other processes can read arguments; it was not used");
        Self::new(Kind::Usage, "secret-in-argv", message)
            .hint(hints::registries::KEYS)
            .hint(hints::registries::REVOKE_KEYS)
    }

    pub(super) fn code(&self) -> &str {
        &self.code
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Marks it as one about one device's secret.
    pub(super) fn of_one_device(self, is: bool) -> Self {
        Self { of_one_device: is, ..self }
    }

    /// Whether it is about one device's secret: others of its pool have theirs.
    pub(super) fn is_of_one_device(&self) -> bool {
        self.of_one_device
    }

    /// From when what was asked for can be had.
    pub(super) fn available_at(&self) -> Option<Timestamp> {
        self.available.map(|(at, _)| at)
    }

    /// How many seconds that takes.
    pub(super) fn wait_seconds(&self) -> Option<u64> {
        self.available.map(|(_, wait)| wait)
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn hints(&self) -> &[String] {
        &self.hints
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::No => 1,
            Kind::Usage => 2,
            Kind::Storage => 3,
            Kind::Remote => 4,
            Kind::Input => 5,
            Kind::Interrupted(signal) => 128_u8.saturating_add(signal),
            Kind::Command(code) => code,
        })
    }

    /// What `--json` tells of every error.
    pub(super) fn fields(&self) -> Fields<'_> {
        let (at, wait) = self.available.map(|(at, wait)| (at.to_rfc3339(), wait)).unzip();
        Fields {
            code: &self.code,
            message: &self.message,
            hints: &self.hints,
            available_at: at,
            wait_seconds: wait,
            aws: None,
        }
    }

    /// To stderr, as text or as one line of JSON. That stderr may be closed is no reason to fail again.
    pub(super) fn print(&self, json: bool) {
        if self.code == "silent" {
            return;
        }
        if json {
            let aws = self.refusal.as_deref().map(|refusal| Said {
                action: &refusal.action,
                status: refusal.status,
                code: &refusal.code,
                message: &refusal.message,
                request_id: refusal.request_id.as_deref(),
            });
            let mut line = Vec::new();
            let _ = super::json::write(&mut line, &Written { error: Fields { aws, ..self.fields() } });
            line.push(b'\n');
            let _ = std::io::stderr().write_all(&line);
            return;
        }
        note(&format!("vmfa: {}", plain(&self.message)));
        if let Some(refusal) = self.refusal.as_ref().filter(|refusal| refusal.to_string() != self.message) {
            note(&format!("AWS said: {}", plain(&refusal.to_string())));
        }
        for hint in self.hints.iter().take(MOST_HINTS) {
            note(&format!("hint: {}", plain(hint)));
        }
        if self.hints.len() > MOST_HINTS {
            note(&format!("hint: … and {} more", self.hints.len().saturating_sub(MOST_HINTS)));
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<serve::Error> for Error {
    fn from(error: serve::Error) -> Self {
        match &error {
            serve::Error::Account(_) | serve::Error::Alias(_) => Self::usage(error.to_string()),
            serve::Error::Random(_) => Self::new(Kind::Storage, "random", error.to_string()),
            serve::Error::Store(_) => Self::new(Kind::Storage, "state", error.to_string()),
            serve::Error::Scenario(_) => Self::input("scenario", error.to_string()),
        }
    }
}

impl From<name::Error> for Error {
    fn from(error: name::Error) -> Self {
        Self::new(Kind::Usage, "name", error.to_string())
    }
}

impl From<time::Error> for Error {
    fn from(error: time::Error) -> Self {
        let failure = Self::new(Kind::Usage, "time", error.to_string());
        match error {
            time::Error::Finer { seconds, .. } => failure.hint(hints::serve::whole_seconds(seconds)),
            _ => failure,
        }
    }
}

impl From<oath::Error> for Error {
    fn from(error: oath::Error) -> Self {
        let failure = Self::new(Kind::Usage, "no-such-code", error.to_string());
        match error {
            oath::Error::Code => Self::input("code", error.to_string()),
            oath::Error::CounterBased => failure.hint(hints::devices::IN_ORDER),
            _ => failure,
        }
    }
}

#[cfg(test)]
super::schema::answers! {
    "error": Written<'static>;
}

//! Errors as people and programs see them: a kind, which alone picks the exit code; a message; hints.

mod aws;
mod source;

use std::io::Write as _;
use std::process::ExitCode;

use serde_json::json;

use super::note::{note, plain};
use super::places::is_place;
use crate::aws::Refusal;
use crate::time::Timestamp;
use crate::vault::{Kind as VaultKind, Provider};
use crate::{device, name, oath, registry, serve, time, vault};

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
    code: &'static str,
    message: String,
    hints: Vec<String>,
    /// When what was asked for can be had, and in how many seconds.
    available: Option<(Timestamp, u64)>,
    /// What AWS said.
    refusal: Option<Box<Refusal>>,
}

/// Unlocks GNOME Keyring without a desktop, making its login collection where there is none; the password is
/// read without a line end. Only for a keyring of its own kind: it takes the place of any other.
const UNLOCK: &str = "printf %s \"$PASSWORD\" | gnome-keyring-daemon --replace --unlock --components=secrets";

/// Starts GNOME Keyring where no keyring runs.
const START: &str = "printf %s \"$PASSWORD\" | gnome-keyring-daemon --unlock --components=secrets";

/// What to do where there are no devices.
pub(super) const NO_DEVICES: &str = "there are no devices yet: vmfa add NAME SOURCE";

/// For whatever can't be written.
pub(super) const MAKE_WRITABLE: &str =
    "make it and its directory writable for you, or set VMFA_HOME to a directory that is";

/// As many hints as are read.
const MOST_HINTS: usize = 12;

pub(super) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// `code` is stable: programs compare it.
    pub(super) fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), hints: Vec::new(), available: None, refusal: None }
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, "usage", message)
    }

    pub(super) fn input(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Input, code, message)
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
            let end = if given_back { "nothing was used up" } else { "the reserved codes count as handed out" };
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
        .hint("leave the source out and paste at the hidden prompt: vmfa add NAME")
        .hint("or by stdin or clipboard: vmfa add NAME - < FILE; vmfa code --from clipboard")
        .hint("the shell's history may hold it now: clear it there")
    }

    pub(super) fn code(&self) -> &'static str {
        self.code
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

    /// To stderr, as text or as one line of JSON. That stderr may be closed is no reason to fail again.
    pub(super) fn print(&self, json: bool) {
        if self.code == "silent" {
            return;
        }
        if json {
            let mut error = serde_json::Map::new();
            error.insert("code".to_owned(), self.code.into());
            error.insert("message".to_owned(), self.message.as_str().into());
            error.insert("hints".to_owned(), self.hints.as_slice().into());
            if let Some((at, wait)) = self.available {
                error.insert("available_at".to_owned(), at.to_rfc3339().into());
                error.insert("wait_seconds".to_owned(), wait.into());
            }
            if let Some(refusal) = &self.refusal {
                error.insert(
                    "aws".to_owned(),
                    json!({
                        "action": refusal.action,
                        "status": refusal.status,
                        "code": refusal.code,
                        "message": refusal.message,
                        "request_id": refusal.request_id,
                    }),
                );
            }
            let mut line = Vec::new();
            let _ = super::json::write(&mut line, &json!({ "error": error }));
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
            time::Error::Finer { seconds, .. } => failure.hint(format!("times are in seconds: {seconds}")),
            _ => failure,
        }
    }
}

impl From<oath::Error> for Error {
    fn from(error: oath::Error) -> Self {
        let failure = Self::new(Kind::Usage, "no-such-code", error.to_string());
        match error {
            oath::Error::Code => Self::input("code", error.to_string()),
            oath::Error::CounterBased => failure.hint("its codes come in order: leave out --at, --next and --previous"),
            _ => failure,
        }
    }
}

impl From<vault::Error> for Error {
    fn from(error: vault::Error) -> Self {
        use vault::Error as E;
        let code = match &error {
            E::UnknownKind(_) => return Self::usage(error.to_string()),
            E::NoBus { .. } => "keyring-no-bus",
            E::NoProvider => "keyring-no-provider",
            E::NoCollection(_) => "keyring-no-collection",
            E::Locked(_) => "keyring-locked",
            E::Unconfirmed(_) => "keyring-unconfirmed",
            E::NotThere { .. } => "secret-not-there",
            E::Exists { .. } => "secret-exists",
            E::TimedOut { .. } => "keyring-timeout",
            E::Keyring(_) => "keyring",
            E::AgeFile { .. } => "age-file",
            E::NoIdentity | E::IdentityMissing(_) | E::IdentityTooOpen { .. } | E::Identity(_) => "age-identity",
            E::Io { .. } | E::ReadOnly { .. } => "io",
        };
        let failure = Self::new(Kind::Storage, code, error.to_string());
        let instead = "without a keyring (CI, containers, servers): vmfa init --vault age";
        match error {
            E::NoBus { .. } => failure.hint(instead).hint("with a keyring: dbus-run-session, and unlock one in it first"),
            E::NoProvider => failure
                .hint("install and start one: GNOME Keyring, KWallet or KeePassXC")
                .hint(format!("GNOME Keyring without a desktop: {START}"))
                .hint(instead),
            E::NoCollection(provider) => failure.hint(no_collection(&provider)).hint(instead),
            E::Locked(provider) => failure.hint(locked(&provider)).hint(instead),
            E::Unconfirmed(provider) => failure.hint(unconfirmed(&provider)),
            E::ReadOnly { .. } => failure.hint(MAKE_WRITABLE),
            E::TimedOut { .. } => {
                failure.hint("is an unlock prompt waiting? VMFA_KEYRING_TIMEOUT=SECONDS waits longer")
            }
            E::NotThere { kind: VaultKind::Keyring, .. } => {
                failure.hint("was it deleted in another program, or is this another keyring? `vmfa doctor` looks")
            }
            E::Keyring(text) if text.contains("libqca-ossl") => {
                failure.hint("KWallet needs a plugin for it: apt-get install libqca-qt5-2-plugins")
            }
            E::IdentityMissing(_) => failure
                .hint("if it moved, give its new path: --identity-file FILE or VMFA_IDENTITY_FILE")
                .hint("to remember the new path: vmfa init --vault age --use-identity FILE"),
            E::IdentityTooOpen { path, .. } => failure
                .hint(format!("chmod 600 {path}"))
                .hint(format!("if you can't change it: VMFA_IDENTITY_FILE=/dev/stdin, with < {path}")),
            E::NoIdentity => failure
                .hint("for existing devices, give the identity they were added with: --identity-file or VMFA_IDENTITY_FILE")
                .hint("for a first device: vmfa init --vault age"),
            _ => failure,
        }
    }
}

/// How a keyring gets a collection to store in.
fn no_collection(provider: &Provider) -> String {
    match provider {
        Provider::GnomeKeyring => format!("make one: log in to the desktop once, or: {UNLOCK}"),
        Provider::KWallet(_) => {
            "make a wallet and set it as the default in KWalletManager, then log in again".to_owned()
        }
        Provider::KeePassXc => {
            "open a database in KeePassXC, and expose a group: Database Settings, Secret Service Integration".to_owned()
        }
        _ => "log in to the desktop once, or make one in the keyring's own program".to_owned(),
    }
}

/// How a keyring is unlocked.
fn locked(provider: &Provider) -> String {
    match provider {
        Provider::GnomeKeyring => format!("unlock it in the desktop, or: {UNLOCK}"),
        Provider::KWallet(_) => "open the wallet in KWalletManager, or run vmfa in a terminal to be asked".to_owned(),
        Provider::KeePassXc => {
            "unlock the database in KeePassXC, and allow access when it asks; not to be asked: Settings, Secret Service \
             Integration"
                .to_owned()
        }
        _ => "unlock it in the keyring's own program, or run vmfa in a terminal to be asked".to_owned(),
    }
}

/// How a keyring comes to do something without asking.
fn unconfirmed(provider: &Provider) -> String {
    match provider {
        Provider::KeePassXc => {
            "confirm it in KeePassXC and try again; not to be asked: Settings, Secret Service Integration".to_owned()
        }
        _ => "run vmfa in a terminal, and answer the keyring's question".to_owned(),
    }
}

impl From<registry::Error> for Error {
    fn from(error: registry::Error) -> Self {
        use registry::Error as E;
        let (kind, code) = match &error {
            E::NameTaken(_) => (Kind::No, "name-taken"),
            E::Busy { .. } => (Kind::Storage, "busy"),
            E::Conflict(_) | E::LedgerConflict => (Kind::Storage, "conflict"),
            E::Gone => (Kind::No, "no-such-device"),
            E::TooNew { .. } => (Kind::Storage, "registry-too-new"),
            E::Damaged { .. } | E::NotIntact { .. } => (Kind::Storage, "registry-damaged"),
            E::Locked { .. } => (Kind::Storage, "registry-locked"),
            E::Full { .. } => (Kind::Storage, "registry-full"),
            E::ReadOnly { .. } => (Kind::Storage, "registry-read-only"),
            E::NoLocks { .. } => (Kind::Storage, "registry-no-locks"),
            E::Restored { .. } => (Kind::Storage, "registry-restored"),
            E::OtherKey { .. } => (Kind::Storage, "vault-key"),
            E::Engine { .. } => (Kind::Storage, "registry"),
        };
        let failure = Self::new(kind, code, error.to_string());
        match error {
            E::Conflict(_) | E::LedgerConflict => failure.hint("try again"),
            E::TooNew { .. } => failure.hint("upgrade vmfa, or use another VMFA_HOME"),
            E::Damaged { .. } | E::NotIntact { .. } => failure
                .hint("keep the file, and restore its newest backup: it holds which codes were handed out")
                .hint("then `vmfa doctor --restored`; the secrets are not in it, and are not lost"),
            E::Locked { holder: Some(holder), .. } if holder.ends_with("stopped") => {
                let pid = holder.split_whitespace().nth(1).unwrap_or("PID");
                failure.hint(format!("resume it: kill -CONT {pid}"))
            }
            E::Locked { .. } => failure.hint("nothing was changed: try again when it has ended"),
            E::Full { .. } => failure.hint("nothing was changed: free some space there, and try again"),
            // What isn't there can't be read either.
            E::ReadOnly { place, .. } if std::path::Path::new(&place).exists() => failure
                .hint(MAKE_WRITABLE)
                .hint("to look without changing anything: `vmfa list`, `vmfa show NAME`, `vmfa code NAME --at TIME`"),
            E::ReadOnly { .. } => failure.hint(MAKE_WRITABLE),
            E::NoLocks { .. } => {
                failure.hint("without locks two processes can get the same code: set VMFA_HOME to a local directory")
            }
            E::Restored { .. } => failure
                .hint("restore the newest copy, if you have one")
                .hint("to use this one: `vmfa doctor --restored`; codes up to now then count as handed out"),
            E::OtherKey { place, gone } => {
                let restore = match place.split_once(' ') {
                    Some((_, file)) => {
                        format!("restore it from a backup: items/{file}.age in the age vault's directory")
                    }
                    None if gone => "is this another keyring, or was it deleted in another program?".to_owned(),
                    None => "is this another keyring? use the one that was there before".to_owned(),
                };
                failure
                    .hint(restore)
                    .hint("to go on with a new key: `vmfa doctor --restored`; codes up to now then count as handed out")
            }
            E::Engine { .. } => failure.hint("`vmfa doctor` looks at the file"),
            E::NameTaken(_) | E::Busy { .. } | E::Gone => failure,
        }
    }
}

impl From<device::Error> for Error {
    fn from(error: device::Error) -> Self {
        let message = error.to_string();
        match error {
            device::Error::Vault(error) => error.into(),
            device::Error::Registry(error) => error.into(),
            device::Error::Oath(error) => error.into(),
            device::Error::NoSuchDevice { nearest, name, any } => {
                let failure = Self::new(Kind::No, "no-such-device", message);
                if name.contains(['*', '?']) {
                    return failure.hint("only `vmfa code --fresh` takes a pool of devices");
                }
                if is_place(&name) {
                    return failure
                        .hint(format!("that is a source: --from {name} reads it, `vmfa add NAME {name}` keeps it"));
                }
                if (6..=10).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_digit()) {
                    return failure.hint("that looks like a code: the device's name comes first");
                }
                match nearest {
                    _ if !any => failure.hint(NO_DEVICES),
                    Some(name) => failure.hint(format!("did you mean `{name}`? `vmfa list` shows them all")),
                    None => failure.hint("`vmfa list` shows them all"),
                }
            }
            device::Error::OtherVault { its, .. } => {
                Self::new(Kind::Usage, "other-vault", message).hint(format!("leave --vault out, or say --vault {its}"))
            }
            device::Error::NotDeletedYet { .. } => Self::new(Kind::Storage, "not-deleted-yet", message)
                .hint("`vmfa doctor` deletes it once the vault answers; it takes two minutes to become due"),
            device::Error::Changed { .. } => Self::new(Kind::Storage, "stored", message)
                .hint("somebody changed the item in another program: enrol the device again, with --replace"),
            device::Error::Stored { .. } => Self::new(Kind::Storage, "stored", message),
            device::Error::CounterExhausted(_) => Self::new(Kind::No, "counter-exhausted", message),
            device::Error::NoFreeStep { free, wait, .. } => Self::new(Kind::No, "no-free-step", message)
                .available(free, wait)
                .hint("--window also takes unused codes near the current one, which the service accepts; --timeout waits longer"),
            device::Error::TooLong { .. } => {
                Self::new(Kind::Usage, "min-validity", message).hint("choose a shorter --min-validity, or allow other codes with --window")
            }
            device::Error::NoPairYet { name, ready, wait } => Self::new(Kind::No, "no-pair-yet", message)
                .available(ready, wait)
                .hint("to wait for it: --wait")
                .hint(format!("if the last pair never reached the service: vmfa release {name} --pair")),
            device::Error::NoSuchStep => Self::new(Kind::Usage, "no-such-code", message),
        }
    }
}

//! Keys that another program holds: `age-plugin-NAME`, by age's plugin protocol (C2SP, age-plugin.md).
//!
//! It is spoken here and not by the `age` crate, whose client keeps no hold on the process: it waits without end for one that
//! hangs, reads without a limit, leaves a zombie for each secret that is read, and shows file keys if `AGEDEBUG` is set.

mod person;
mod session;
mod stanza;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use age::secrecy::ExposeSecret as _;
use age::{DecryptError, EncryptError};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza as Header};
use age_core::primitives::bech32_decode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::super::{Error, Trouble};
use person::Questions;
use session::Session;
use stanza::Stanza;

pub use person::{Person, Plugins, unanswered};

const RECIPIENT: &str = "age1";
const IDENTITY: &str = "AGE-PLUGIN-";

/// The most of a plugin's error that is shown, in characters.
const MOST_SHOWN: usize = 500;

/// Whose recipient a text is: what follows `age-plugin-` in the plugin's name.
pub(super) fn of_recipient(text: &str) -> Option<&str> {
    let (prefix, _) = text.rsplit_once('1')?;
    let name = prefix.strip_prefix(RECIPIENT).filter(|name| is_name(name))?;
    checks(text).then_some(name)
}

/// Whose identity a line of an identity file is.
pub(super) fn of_identity(line: &str) -> Option<String> {
    let (prefix, _) = line.rsplit_once('1')?;
    let name = prefix.strip_prefix(IDENTITY)?.strip_suffix('-')?.to_ascii_lowercase();
    (is_name(&name) && checks(line)).then_some(name)
}

/// No name leads out of the directories in PATH.
fn is_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-._".contains(&byte);
    !name.is_empty() && name.bytes().all(good)
}

fn checks(text: &str) -> bool {
    bech32_decode(text, |_| (), |_| Ok(()), |_, _| Ok(())).is_ok()
}

/// An identity that a plugin opens files with. Its text may be all of the key.
#[derive(Clone)]
pub(super) struct Stub {
    pub(super) plugin: String,
    pub(super) text: Zeroizing<String>,
}

/// All recipients of one plugin. Those of identities are known to the plugin alone.
pub(super) struct Recipients {
    pub(super) plugin: String,
    pub(super) texts: Vec<String>,
    pub(super) identities: Vec<Stub>,
    pub(super) plugins: Plugins,
    /// Set where what was sealed depends on a secret that a person was asked for.
    pub(super) asked: Arc<AtomicBool>,
}

impl age::Recipient for Recipients {
    fn wrap_file_key(&self, key: &FileKey) -> Result<(Vec<Header>, HashSet<String>), EncryptError> {
        self.wrapped(key).map_err(|error| EncryptError::Io(std::io::Error::other(error)))
    }
}

impl Recipients {
    fn wrapped(&self, key: &FileKey) -> Result<(Vec<Header>, HashSet<String>), Error> {
        let mut run = Run::start(&self.plugins, &self.plugin, "recipient-v1")?;
        for text in &self.texts {
            run.session.send(&["add-recipient", text], b"");
        }
        for identity in &self.identities {
            run.session.send(&["add-identity", &identity.text], b"");
        }
        run.session.send(&["extension-labels"], b"");
        run.session.send(&["wrap-file-key"], key.expose_secret());
        run.session.send(&["done"], b"");
        let (mut stanzas, mut labels) = (Vec::new(), None);
        let outcome = run.converse(|command| match (command.tag.as_str(), command.arguments.as_slice()) {
            ("recipient-stanza", [file, tag, arguments @ ..]) if file == "0" => {
                stanzas.push(Header { tag: tag.clone(), args: arguments.to_vec(), body: command.body.to_vec() });
                Ok(Said::Known)
            }
            ("labels", all) if labels.is_none() => {
                labels = Some(all.iter().cloned().collect());
                Ok(Said::Known)
            }
            ("recipient-stanza" | "labels", _) => Err(Trouble::Nonsense),
            _ => Ok(Said::Unknown),
        });
        let outcome = outcome.and_then(|errors| match errors {
            None if stanzas.is_empty() => Err(run.session.failed(Trouble::Nonsense)),
            None => Ok(()),
            Some(error) => Err(error),
        });
        self.asked.fetch_or(run.questions.asked(), Ordering::Relaxed);
        match outcome {
            Ok(()) => Ok((stanzas, labels.unwrap_or_default())),
            Err(error) => Err(run.failure(error)),
        }
    }
}

/// All identities of one plugin.
pub(super) struct Identities {
    pub(super) plugin: String,
    pub(super) identities: Vec<Stub>,
    pub(super) plugins: Plugins,
}

impl age::Identity for Identities {
    fn unwrap_stanza(&self, stanza: &Header) -> Option<Result<FileKey, DecryptError>> {
        self.unwrap_stanzas(std::slice::from_ref(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Header]) -> Option<Result<FileKey, DecryptError>> {
        let unwrapped = self.unwrapped(stanzas).transpose()?;
        Some(unwrapped.map_err(|error| DecryptError::Io(std::io::Error::other(error))))
    }
}

impl Identities {
    fn unwrapped(&self, stanzas: &[Header]) -> Result<Option<FileKey>, Error> {
        let mut run = Run::start(&self.plugins, &self.plugin, "identity-v1")?;
        for identity in &self.identities {
            run.session.send(&["add-identity", &identity.text], b"");
        }
        for Header { tag, args, body } in stanzas {
            let mut words = vec!["recipient-stanza", "0", tag];
            words.extend(args.iter().map(String::as_str));
            run.session.send(&words, body);
        }
        run.session.send(&["done"], b"");
        let mut key = None;
        let outcome = run.converse(|command| match (command.tag.as_str(), command.arguments.as_slice()) {
            ("file-key", [file]) if file == "0" && key.is_none() => {
                let bytes: &[u8; FILE_KEY_BYTES] = command.body.as_slice().try_into().map_err(|_| Trouble::Nonsense)?;
                key = Some(FileKey::init_with_mut(|key| key.copy_from_slice(bytes)));
                Ok(Said::Known)
            }
            ("file-key", _) => Err(Trouble::Nonsense),
            _ => Ok(Said::Unknown),
        });
        match (outcome, key) {
            (Ok(_), Some(key)) => {
                run.questions.were_right();
                Ok(Some(key))
            }
            (Ok(None), None) => {
                run.questions.were_wrong();
                Ok(None)
            }
            (Ok(Some(error)) | Err(error), _) => Err(run.failure(error)),
        }
    }
}

/// Makes sure that a plugin is there and speaks, without giving it anything to do.
pub(super) fn greet(plugins: &Plugins, plugin: &str) -> Result<(), Error> {
    let mut run = Run::start(plugins, plugin, "identity-v1")?;
    run.session.send(&["done"], b"");
    run.converse(|_| Ok(Said::Unknown)).map(drop)
}

/// Whether a command was one of those that are expected.
enum Said {
    Known,
    Unknown,
}

/// A plugin at work.
struct Run<'a> {
    session: Session,
    questions: Questions<'a>,
}

impl<'a> Run<'a> {
    fn start(plugins: &'a Plugins, plugin: &'a str, machine: &str) -> Result<Self, Error> {
        // In this order: others wait before they start theirs.
        let questions = plugins.run(plugin);
        Ok(Self { session: Session::start(plugin, machine, plugins.limit())?, questions })
    }

    /// Answers commands until the plugin is done. `Some` is what it says went wrong.
    fn converse(&mut self, mut expected: impl FnMut(&Stanza) -> Result<Said, Trouble>) -> Result<Option<Error>, Error> {
        let mut wrong: Option<String> = None;
        let mut told = false;
        loop {
            let questions = &self.questions;
            let silent = || questions.tell("no answer yet; it may wait for you");
            let command = self.session.receive(|| {
                if !told {
                    silent()
                }
            })?;
            let text = command.text();
            let (mut words, mut body) = (vec!["ok"], Zeroizing::new(Vec::new()));
            match command.tag.as_str() {
                "done" => return Ok(wrong.map(|text| self.session.failed(Trouble::Says(text)))),
                "msg" => {
                    told = true;
                    self.questions.tell(&text);
                }
                "request-secret" => match self.questions.secret(&text) {
                    Some(secret) => body.extend_from_slice(secret.as_bytes()),
                    None => words = vec!["fail"],
                },
                "request-public" => match self.questions.text(&text) {
                    Some(answer) => body.extend_from_slice(answer.as_bytes()),
                    None => words = vec!["fail"],
                },
                "confirm" => {
                    let [yes, no] =
                        choices(&command.arguments).ok_or_else(|| self.session.failed(Trouble::Nonsense))?;
                    match self.questions.confirm(&text, [&yes, &no]) {
                        Some(true) => words.push("yes"),
                        Some(false) => words.push("no"),
                        None => words = vec!["fail"],
                    }
                }
                "error" => {
                    let text = text.trim().chars().take(MOST_SHOWN).collect();
                    wrong.get_or_insert(text);
                }
                _ => match expected(&command).map_err(|trouble| self.session.failed(trouble))? {
                    Said::Known => {}
                    Said::Unknown => words = vec!["unsupported"],
                },
            }
            self.session.send(&words, &body);
        }
    }

    /// What a run failed with, after which no answer of it counts as right.
    fn failure(&mut self, error: Error) -> Error {
        self.questions.were_wrong();
        self.questions.cause(error)
    }
}

/// What stands on the two buttons of a confirmation, in base64; a plugin may leave the second one out.
fn choices(arguments: &[String]) -> Option<[String; 2]> {
    let decoded = |text: &String| {
        let bytes = STANDARD_NO_PAD.decode(text).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let yes = decoded(arguments.first()?)?;
    let no = arguments.get(1).map_or_else(|| Some("cancel".to_owned()), decoded)?;
    Some([yes, no])
}

//! Recipients: what an age file is encrypted to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use age::{ssh, x25519};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::super::Error;
use super::plugin::{self, Plugins, Stub};

/// The recipients of an age file.
#[derive(Default)]
pub(super) struct Recipients {
    pub(super) texts: Vec<String>,
    /// Identities whose recipients only their plugins know.
    pub(super) held: Vec<Stub>,
}

impl Recipients {
    pub(super) fn of_texts(texts: &[String]) -> Self {
        Self { texts: texts.to_vec(), held: Vec::new() }
    }

    /// What tells them from others, as 16 digits.
    pub(super) fn digest(&self) -> String {
        let mut texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        texts.extend(self.held.iter().map(|stub| stub.text.as_str()));
        texts.sort_unstable();
        let joined = Zeroizing::new(texts.join("\n"));
        let print = Sha256::digest(joined.as_bytes());
        print.iter().take(8).fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
    }

    /// Whether somebody may be asked before anything is encrypted to them: plugins do that.
    pub(super) fn ask(&self) -> bool {
        let native = |text: &String| matches!(Recipient::read(text.trim()), Ok(Recipient::Native(_)));
        !self.held.is_empty() || !self.texts.iter().all(native)
    }

    /// What encrypts to them: each plugin once, for all of its own.
    pub(super) fn sealers(&self, plugins: &Plugins) -> Result<Sealers, Error> {
        let mut sealers = Sealers::default();
        let of_plugin = |plugin: &String| plugin::Recipients {
            plugin: plugin.clone(),
            texts: Vec::new(),
            identities: Vec::new(),
            plugins: plugins.clone(),
            asked: Arc::clone(&sealers.asked),
        };
        let mut of_plugins = BTreeMap::new();
        for text in self.texts.iter().map(|text| text.trim()) {
            match Recipient::read(text)? {
                Recipient::Native(recipient) => sealers.recipients.push(recipient),
                Recipient::Plugin(plugin) => {
                    of_plugins.entry(plugin).or_insert_with_key(of_plugin).texts.push(text.to_owned());
                }
            }
        }
        for stub in &self.held {
            of_plugins.entry(stub.plugin.clone()).or_insert_with_key(of_plugin).identities.push(stub.clone());
        }
        sealers.recipients.extend(of_plugins.into_values().map(|recipients| Box::new(recipients) as _));
        Ok(sealers)
    }
}

/// What encrypts.
#[derive(Default)]
pub(super) struct Sealers {
    recipients: Vec<Box<dyn age::Recipient + Send>>,
    asked: Arc<AtomicBool>,
}

impl Sealers {
    pub(super) fn recipients(&self) -> impl Iterator<Item = &dyn age::Recipient> {
        self.recipients.iter().map(|recipient| &**recipient as &dyn age::Recipient)
    }

    /// Whether what they encrypted depends on a secret that a person was asked for: a slip makes another one of it.
    pub(super) fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Whether a text is a recipient.
///
/// # Errors
///
/// [`Error::Identity`], which repeats it only if it begins like one.
pub fn check_recipient(text: &str) -> Result<(), Error> {
    Recipient::read(text.trim()).map(drop)
}

/// A recipient by its text.
enum Recipient {
    Native(Box<dyn age::Recipient + Send>),
    /// The plugin's name.
    Plugin(String),
}

impl Recipient {
    fn read(text: &str) -> Result<Self, Error> {
        if let Ok(recipient) = text.parse::<x25519::Recipient>() {
            return Ok(Self::Native(Box::new(recipient)));
        }
        if let Some(plugin) = plugin::of_recipient(text) {
            return Ok(Self::Plugin(plugin.to_owned()));
        }
        match text.parse::<ssh::Recipient>() {
            Ok(recipient) => Ok(Self::Native(Box::new(recipient))),
            // A private key put here by mistake must not show.
            Err(_) if text.starts_with("age1") || text.starts_with("ssh-") => {
                Err(Error::Identity(format!("`{text}` is no recipient that age can encrypt to")))
            }
            Err(_) => Err(Error::Identity(
                "this is not a recipient: a recipient begins with `age1`, `ssh-ed25519 ` or `ssh-rsa `".to_owned(),
            )),
        }
    }
}

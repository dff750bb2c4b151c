//! What a backup holds, and the JSON that it is written as.
//!
//! Everything that a registry and a vault know of devices, but for what can be had again. The secrets are in it in clear:
//! it is encrypted as a whole before it is written.

mod error;
mod made;
mod restored;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::name::Name;
use crate::oath::relying_party::State;
use crate::provision::Enrolment;
use crate::provision::uri::{self, MAX_TEXT};
use crate::registry::{History, Runs};
use crate::time::{Drift, Step, Timestamp};

pub use error::{Error, VERSION};
pub use restored::{Fate, Planned};

/// What it says of itself.
const FORMAT: &str = "vmfa-backup";

/// The largest that is read, in bytes.
pub const LARGEST: u64 = 64 << 20;

/// A backup, as it is written.
#[derive(Serialize, Deserialize)]
#[cfg_attr(all(test, feature = "cli"), derive(schemars::JsonSchema))]
pub struct Backup {
    /// `vmfa-backup`.
    format: String,
    /// 1.
    version: u32,
    /// When it was made, in Unix seconds.
    created: u64,
    /// The registry that it was made of: that one knows all that it handed out since.
    registry: Option<String>,
    /// All devices, with those in the trash.
    devices: Vec<Kept>,
    /// What was handed out, by the id that devices name.
    #[cfg_attr(all(test, feature = "cli"), schemars(with = "BTreeMap<String, KeptLedger>"))]
    ledgers: BTreeMap<String, KeptLedger>,
}

impl fmt::Debug for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backup").field("devices", &self.devices.len()).finish_non_exhaustive()
    }
}

/// One device.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(all(test, feature = "cli"), derive(schemars::JsonSchema))]
struct Kept {
    #[cfg_attr(all(test, feature = "cli"), schemars(with = "String"))]
    name: Name,
    /// An `otpauth://` URI with the secret, as any authenticator reads it.
    #[cfg_attr(all(test, feature = "cli"), schemars(with = "String"))]
    uri: Zeroizing<String>,
    /// The ARN of an AWS device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    /// What `vmfa edit --note` says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// When it was added, in Unix seconds.
    created: u64,
    /// Since when it is in the trash, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    removed: Option<u64>,
    /// What `vmfa drift` gave its clock: seconds, parts per million, and since when, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drift: Option<(i64, i64, u64)>,
    /// The key of its ledger in `ledgers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ledger: Option<String>,
}

/// What was handed out and accepted for one secret.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(all(test, feature = "cli"), derive(schemars::JsonSchema))]
struct KeptLedger {
    /// Steps that were handed out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    taken: Vec<u64>,
    /// The same long ago, as runs: `3-7,9-9`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    runs: String,
    /// The second step of the last pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_pair: Option<u64>,
    /// The next counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counter: Option<u64>,
    /// What `vmfa verify` remembers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(all(test, feature = "cli"), schemars(with = "Option<serde_json::Value>"))]
    verified: Option<State>,
    /// When something was last handed out or verified, in Unix seconds.
    changed: u64,
}

impl Backup {
    /// One without devices.
    #[must_use]
    pub fn new(registry: Option<String>, now: Timestamp) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            created: now.as_unix(),
            registry,
            devices: Vec::new(),
            ledgers: BTreeMap::new(),
        }
    }

    /// Reads one, and checks all of it, so that nothing is stored of one that is wrong somewhere.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn read(text: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let format = |error: serde_json::Error| Error::Format { line: error.line(), column: error.column() };
        let head: Head = serde_json::from_slice(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => Error::Other,
            _ => format(error),
        })?;
        if head.format != FORMAT {
            return Err(Error::Other);
        }
        if head.version > VERSION {
            return Err(Error::TooNew { found: head.version });
        }
        let backup: Self = serde_json::from_slice(text).map_err(format)?;
        if backup.devices.len() > error::MOST_DEVICES {
            return Err(Error::TooMany { found: backup.devices.len() });
        }
        for device in &backup.devices {
            device.enrolment()?;
            if device.ledger.as_ref().is_some_and(|ledger| !backup.ledgers.contains_key(ledger)) {
                return Err(Error::Ledger);
            }
        }
        backup.ledgers.values().try_for_each(|ledger| ledger.history().map(drop))?;
        Ok(backup)
    }

    /// The JSON that it is written as.
    ///
    /// # Errors
    ///
    /// None that a backup could cause.
    pub fn text(&self) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
        // Its length first, so that no copy is left behind by growing.
        let mut length = Length(0);
        serde_json::to_writer(&mut length, self)?;
        let mut text = Zeroizing::new(Vec::with_capacity(length.0.saturating_add(1)));
        serde_json::to_writer(&mut *text, self)?;
        text.push(b'\n');
        Ok(text)
    }

    /// When it was made.
    #[must_use]
    pub const fn created(&self) -> Timestamp {
        Timestamp::from_unix(self.created)
    }

    /// The registry that it was made of.
    #[must_use]
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// Whether any of them goes by a counter.
    #[must_use]
    pub fn has_counters(&self) -> bool {
        self.devices.iter().any(|device| device.uri.starts_with("otpauth://hotp/"))
    }

    /// How many devices it holds, and how many of them are in the trash.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.devices.len(), self.devices.iter().filter(|device| device.removed.is_some()).count())
    }
}

impl Kept {
    fn enrolment(&self) -> Result<Enrolment, Error> {
        let wrong = |what| Error::Device { name: self.name.clone(), what };
        let long = |text: &Option<String>| {
            text.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT || text.chars().any(char::is_control))
        };
        if long(&self.note) {
            return Err(wrong("note"));
        }
        if long(&self.serial_number) {
            return Err(wrong("serial number"));
        }
        let found = uri::parse(&self.uri).map_err(|_| wrong("URI"))?;
        let mut enrolment = found.enrolments.into_iter().next().ok_or_else(|| wrong("URI"))?;
        enrolment.serial.clone_from(&self.serial_number);
        Ok(enrolment)
    }

    fn drift(&self) -> Drift {
        let (seconds, ppm, since) = self.drift.unwrap_or_default();
        Drift { seconds, ppm, since }
    }
}

impl KeptLedger {
    fn history(&self) -> Result<History, Error> {
        /// No step lies further, and no counter: registries keep signed numbers.
        const FAR: u64 = i64::MAX.unsigned_abs();
        let runs: Runs = self.runs.parse().map_err(|_| Error::Ledger)?;
        let last_of_runs = runs.as_slice().last().map(|run| run.last.value());
        let mut numbers = self.taken.iter().chain(&self.last_pair).chain(&last_of_runs);
        if numbers.any(|number| *number > FAR) {
            return Err(Error::Ledger);
        }
        Ok(History {
            taken: self.taken.iter().copied().map(Step::new).collect(),
            runs,
            last_pair: self.last_pair.map(Step::new),
            counter: self.counter,
            relying_party: self.verified.clone(),
            changed: Timestamp::from_unix(self.changed),
        })
    }
}

/// Counts what is written.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

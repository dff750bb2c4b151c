//! Vaults: where secrets live.
//!
//! A secret is written once, under a new [`Id`], as an ASCII `otpauth://` URI that any other
//! tool can use, and never rewritten. The back-end that was chosen opens or errors: there is no
//! next one to try, and none that keeps clear text.

#[cfg(feature = "age")]
pub mod age;
#[cfg(feature = "keyring")]
pub mod keyring;
pub mod memory;
mod provider;
mod trouble;

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub use provider::{KWallet, Provider};
pub use trouble::Trouble;

use crate::name::Name;

/// What a device's secret is stored under: a random UUID (RFC 9562, version 4), never used twice; or one that is made
/// from something, by which it is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(uuid::Uuid);

impl Id {
    /// A new one, from the OS's random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }

    /// The one that always goes with a text (RFC 9562, version 8, by SHA-256).
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut bytes = [0; 16];
        for (byte, hashed) in bytes.iter_mut().zip(Sha256::digest(text)) {
            *byte = hashed;
        }
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Half of its bits, for tokens.
    pub(crate) fn low_bits(self) -> u64 {
        self.0.as_u64_pair().1
    }

    /// Under which a device's vault keeps what can be had again with the device's codes, such as sessions: it goes when
    /// the device goes.
    #[must_use]
    pub fn companion(self) -> Self {
        Self::of(&format!("vmfa companion 1\n{self}"))
    }
}

#[cfg(feature = "postgres")]
impl Id {
    /// As a database stores it.
    pub(crate) const fn uuid(self) -> uuid::Uuid {
        self.0
    }

    /// From what a database stored.
    pub(crate) const fn from_uuid(uuid: uuid::Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for Id {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// What is stored: the secret, and what people see of it in their keyring's own program.
///
/// A device's is an `otpauth://` URI; any other ASCII text is stored alike.
///
/// `Debug` leaves the secret out.
pub struct Item {
    /// The device's name, for a label.
    pub name: Name,
    /// Who gave the secret, where it said.
    pub issuer: Option<String>,
    /// For which account.
    pub account: String,
    /// The secret: for a device an ASCII `otpauth://` URI.
    pub secret: Zeroizing<String>,
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("name", &self.name)
            .field("issuer", &self.issuer)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// What people see of a device's item in their keyring's own program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label<'a> {
    /// A device of this name.
    Device(&'a Name),
    /// One that is in the trash.
    Trashed(&'a Name),
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(name) => write!(f, "vmfa: {name}"),
            Self::Trashed(name) => write!(f, "vmfa: {name} (in the trash)"),
        }
    }
}

/// A place for secrets. Every call ends: what may wait for a person has a time limit.
pub trait Vault: Send + Sync + fmt::Debug {
    /// Which back-end this is.
    fn kind(&self) -> Kind;

    /// Stores an item. When this returns, it has reached the disk (or wherever the back-end keeps it).
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] if there is one under this id: a secret is written once.
    fn put(&self, id: Id, item: &Item) -> Result<(), Error>;

    /// Stores several items, as [`put`](Self::put) does one: when this returns, all have reached the disk. It is quicker
    /// where the back-end can have them reach it together.
    ///
    /// # Errors
    ///
    /// That of the first which wasn't stored, and its place: those before it are.
    fn put_all(&self, items: &[(Id, Item)]) -> Result<(), (usize, Error)> {
        for (place, (id, item)) in items.iter().enumerate() {
            self.put(*id, item).map_err(|error| (place, error))?;
        }
        Ok(())
    }

    /// The secret that was stored.
    ///
    /// # Errors
    ///
    /// [`Error::NotThere`] if there is none.
    fn get(&self, id: Id) -> Result<Zeroizing<String>, Error>;

    /// Forgets an item for good.
    ///
    /// # Errors
    ///
    /// [`Error::NotThere`] if there is none.
    fn delete(&self, id: Id) -> Result<(), Error>;

    /// Whether there is an item, found out without reading it: nothing is decrypted.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn holds(&self, id: Id) -> Result<bool, Error>;

    /// Shows another label where the back-end shows labels; the secret is not touched.
    ///
    /// # Errors
    ///
    /// [`Error::NotThere`] if there is none.
    fn relabel(&self, id: Id, label: Label<'_>) -> Result<(), Error>;

    /// The vault's own key: ASCII text of 244 random bits, made when it is first asked for and the same ever after, for
    /// every process. It makes fingerprints that are useless to anybody who can't open the vault.
    ///
    /// # Errors
    ///
    /// Those of storing and reading.
    fn own_key(&self) -> Result<Zeroizing<String>, Error>;

    /// The same, where it was made already; `None` where it wasn't, or is lost.
    ///
    /// # Errors
    ///
    /// Those of reading.
    fn find_own_key(&self) -> Result<Option<Zeroizing<String>>, Error>;

    /// What the vault's own key belongs to, by which it is known again: the kind, then the key's name where there may be
    /// several.
    ///
    /// # Errors
    ///
    /// Those of reading what the vault belongs to.
    fn own_key_place(&self) -> Result<String, Error> {
        Ok(self.kind().to_string())
    }

    /// Whether secrets could be stored and read now, found out without prompting anyone and without
    /// storing anything; and one line on where that would be.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    fn probe(&self) -> Result<String, Error>;
}

/// The text of a key for [`Vault::own_key`], from the OS's random numbers.
fn new_key() -> Zeroizing<String> {
    let (one, two) = (Id::random(), Id::random());
    Zeroizing::new(format!("{one}/{two}"))
}

/// The back-ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The OS keyring: Secret Service, Keychain, Credential Manager.
    Keyring,
    /// One age file a device.
    Age,
    /// The database of the registry: the same as age files, in a table.
    Shared,
    /// This process's memory, for tests.
    Memory,
}

impl Kind {
    /// Those that keep something from run to run.
    pub const LASTING: [Self; 3] = [Self::Keyring, Self::Age, Self::Shared];

    /// Whether age encrypts its items, to recipients that are chosen.
    #[must_use]
    pub const fn has_recipients(self) -> bool {
        matches!(self, Self::Age | Self::Shared)
    }

    /// The word for it on the command line, in the configuration and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Age => "age",
            Self::Shared => "shared",
            Self::Memory => "memory",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::LASTING
            .into_iter()
            .chain([Self::Memory])
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| Error::UnknownKind(text.to_owned()))
    }
}

/// Why a vault didn't do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no back-end of this name.
    #[error("there is no vault `{0}`: it is `keyring`, `age` or `shared`")]
    UnknownKind(String),
    /// No message bus of the session (Linux).
    #[error("no keyring can be reached: there is no D-Bus session")]
    NoBus {
        /// Which address was tried, and what it answered.
        tried: String,
    },
    /// A bus, and nobody on it who offers the Secret Service.
    #[error("the session bus has no keyring: nobody offers org.freedesktop.secrets")]
    NoProvider,
    /// A Secret Service without a default collection.
    #[error("the keyring{} has no default collection to store in", provider::Named(.0))]
    NoCollection(Provider),
    /// The default collection is locked and nobody was there to unlock it.
    #[error("the keyring{} is locked", provider::Named(.0))]
    Locked(Provider),
    /// The keyring asked a person before it stored or deleted something, and nobody said yes.
    #[error("the keyring{} asked for a confirmation, and nobody gave it", provider::Named(.0))]
    Unconfirmed(Provider),
    /// Nothing stored under this id.
    #[error("the {kind} vault holds nothing under {id}")]
    NotThere {
        /// Which vault.
        kind: Kind,
        /// Under what.
        id: Id,
    },
    /// Something is stored under this id already.
    #[error("the {kind} vault holds something under {id} already")]
    Exists {
        /// Which vault.
        kind: Kind,
        /// Under what.
        id: Id,
    },
    /// No answer in time.
    #[error("the keyring gave no answer within {}", crate::time::words(*seconds))]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// Anything else the keyring said.
    #[error("the keyring failed: {0}")]
    Keyring(String),
    /// An age file that is not what it should be.
    #[error("{path} {reason}")]
    AgeFile {
        /// Which file.
        path: String,
        /// What is wrong with it, as what is said of the path: "is damaged"; never its content.
        reason: String,
    },
    /// The age vault without anything that opens it.
    #[error("the age vault has no identity that opens it")]
    NoIdentity,
    /// The file of the identity isn't there.
    #[error("{0}: the age identity isn't there")]
    IdentityMissing(String),
    /// The file of the identity can be read by others.
    #[error("{path}: permissions {mode:04o} are too open for an identity")]
    IdentityTooOpen {
        /// Which file.
        path: String,
        /// Its permissions.
        mode: u32,
    },
    /// An identity that can't be read, or doesn't fit.
    #[error("{0}")]
    Identity(String),
    /// An age plugin that doesn't do its work.
    #[error("age-plugin-{name} {trouble}")]
    Plugin {
        /// What follows `age-plugin-`.
        name: String,
        /// What it did instead.
        trouble: Trouble,
    },
    /// The database that keeps a shared vault's items, or the way to it.
    #[error("{0}")]
    Engine(Box<dyn std::error::Error + Send + Sync>),
    /// It can be read, perhaps, and not written.
    #[error("{path} can't be written: {reason}")]
    ReadOnly {
        /// Which file or directory.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// The file system.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// What the OS said.
        source: std::io::Error,
    },
}

impl Error {
    /// Whether a call that failed with this has certainly changed nothing. An answer that didn't come may
    /// have been on its way.
    #[must_use]
    pub const fn changed_nothing(&self) -> bool {
        matches!(
            self,
            Self::UnknownKind(_)
                | Self::NoBus { .. }
                | Self::NoProvider
                | Self::NoCollection(_)
                | Self::Locked(_)
                | Self::Exists { .. }
                | Self::NoIdentity
                | Self::IdentityMissing(_)
                | Self::IdentityTooOpen { .. }
                | Self::Identity(_)
                | Self::Plugin { .. }
                | Self::ReadOnly { .. }
        )
    }
}

//! Why a call brought no answer that can be used, or a flow came to no end.

use super::cause::Cause;
use super::denied::Denied;
use super::holder::Holder;
use super::refusal::Refusal;
use crate::device;
use crate::name::Name;
use crate::time::{Timestamp, words};

/// A signal came that would have ended the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted {
    /// Its number.
    pub signal: u8,
}

/// Why a call brought no answer that can be used, or a flow came to no end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service said no.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// No answer.
    #[error("{endpoint}: {reason}")]
    Unreachable {
        /// Where the service was looked for.
        endpoint: String,
        /// What happened.
        reason: String,
        /// Whether the call may have had its effect all the same.
        perhaps_done: bool,
    },
    /// An answer that can't be read.
    #[error("the answer to {action} {what}")]
    Unreadable {
        /// Which action.
        action: String,
        /// What is wrong with it; never its content.
        what: &'static str,
    },
    /// What can't be signed.
    #[error("{action} can't be signed: {reason}")]
    Unsigned {
        /// Which action.
        action: String,
        /// Why.
        reason: String,
    },
    /// A signal.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The service said no, and it was found out why.
    #[error("{cause}")]
    Explained {
        /// Why.
        cause: Box<Cause>,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// The service denied it, and it was found out what denies it.
    #[error("{denied}")]
    Denied {
        /// What.
        denied: Box<Denied>,
        /// What the service said.
        refusal: Box<Refusal>,
    },
    /// Vault or registry.
    #[error(transparent)]
    Device(#[from] device::Error),
    /// What keeps runs from getting into each other's way.
    #[error("{path}: {source}")]
    Lock {
        /// Which file.
        path: String,
        /// What the OS said.
        source: std::io::Error,
    },
    /// Somebody else has it for too long.
    #[error("{path} is locked by {holder}; gave up after {}", words(*seconds))]
    Locked {
        /// Which file.
        path: String,
        /// Who has it.
        holder: Holder,
        /// How long was waited.
        seconds: u64,
    },
    /// A wait for a clock that stands.
    #[error("{what} needs up to {} more, and the time at {endpoint} stands still", words(*seconds))]
    StandsStill {
        /// Whose clock.
        endpoint: String,
        /// How many seconds were to be waited.
        seconds: u64,
        /// Until when, by that clock.
        until: Timestamp,
        /// For what.
        what: String,
    },
    /// A new session that doesn't last as long as it has to.
    #[error("the new session lasts {}, less than the {} asked for", words(*left), words(*least))]
    TooShort {
        /// What it has left.
        left: u64,
        /// What it has to have left.
        least: u64,
    },
    /// A device that AWS may know, but not by which number.
    #[error("`{0}` has no serial number (ARN)")]
    NoSerial(Name),
    /// The keys are those of another account.
    #[error("{serial} is of another account than {arn}")]
    OtherAccount {
        /// Which device.
        serial: String,
        /// Who calls.
        arn: String,
    },
    /// Temporary credentials where AWS wants those of a user.
    #[error("GetSessionToken takes a user's own keys, and these are temporary")]
    Temporary,
    /// A user who has a device adds another only in a session with MFA.
    #[error("{user} has {serial} already, and AWS takes another device only in a session with it")]
    NeedsSession {
        /// The user.
        user: String,
        /// The devices that they have.
        serial: String,
    },
    /// A name that is taken here by something else.
    #[error("a device named `{name}` exists already, and it isn't {serial}")]
    NameTaken {
        /// Which name.
        name: Name,
        /// The device that was to have it.
        serial: String,
    },
    /// Enabled already, by a secret that isn't here.
    #[error("{serial} is enabled already, and its secret isn't here")]
    EnabledElsewhere {
        /// Which device.
        serial: String,
        /// Whose it is.
        user: String,
    },
    /// Assigned to somebody else.
    #[error("{serial} belongs to {owner}")]
    OfAnother {
        /// Which device.
        serial: String,
        /// Whose it is, as far as that can be known.
        owner: String,
    },
    /// An unassigned device that nobody holds the secret of, and that may not be deleted.
    #[error("{serial} was created before and never enabled, its secret isn't here, and deleting it isn't allowed")]
    Orphan {
        /// Which device.
        serial: String,
        /// What IAM said.
        refusal: Box<Refusal>,
    },
    /// Held here, and not known there.
    #[error("AWS has no device {serial}, though `{name}` has its secret")]
    NotThere {
        /// Its name here.
        name: Name,
        /// Which device.
        serial: String,
    },
    /// AWS and this program have different secrets.
    #[error("AWS doesn't take the codes of `{name}` for {serial}: it has another secret")]
    OtherSecret {
        /// Its name here.
        name: Name,
        /// Which device.
        serial: String,
    },
    /// Others change the same at the same time, or the service doesn't show what it did.
    #[error("{what} comes to no end: what is done isn't there when it is looked for")]
    NoEnd {
        /// What.
        what: String,
    },
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<crate::vault::Error> for Error {
    fn from(error: crate::vault::Error) -> Self {
        Self::Device(error.into())
    }
}

impl From<crate::registry::Error> for Error {
    fn from(error: crate::registry::Error) -> Self {
        Self::Device(error.into())
    }
}

impl Error {
    /// The refusal, where it is one.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal)
            | Self::Explained { refusal, .. }
            | Self::Denied { refusal, .. }
            | Self::Orphan { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// Whether it is a refusal with this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == code)
    }

    /// Whether it is unknown if the call took effect, so that the caller has to look.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_failure(),
            Self::Unreachable { perhaps_done, .. } => *perhaps_done,
            _ => false,
        }
    }
}

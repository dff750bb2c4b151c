//! Why a registry didn't do what it was asked to.

use crate::name::Name;
use crate::time::Timestamp;
use crate::vault::Id;

/// Why a registry didn't do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Names are unique.
    #[error("a device named `{0}` exists already")]
    NameTaken(Name),
    /// So are the names of access tokens.
    #[error("an access token named `{0}` exists already")]
    TokenNameTaken(Name),
    /// An `add` of this name is under way elsewhere, or was interrupted.
    #[error("an `add` of `{name}` is under way, or was interrupted; it can be tried again after {until}")]
    Busy {
        /// Which name.
        name: Name,
        /// When the other's time is up.
        until: Timestamp,
    },
    /// Somebody else was faster.
    #[error("`{0}` was changed by another process")]
    Conflict(Name),
    /// Somebody else was faster.
    #[error("another process handed out or accepted codes at the same time")]
    LedgerConflict,
    /// The device, or what was written down of it, isn't there any more.
    #[error("the device was removed by another process")]
    Gone,
    /// Written by a newer version.
    #[error("{path} has schema version {found}; this vmfa knows {known} and older")]
    TooNew {
        /// Which file.
        path: String,
        /// Its version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// Another process has the lock.
    #[error("{place} is locked{}", by(.holder))]
    Locked {
        /// Which file.
        place: String,
        /// The other process, where the system tells.
        holder: Option<String>,
    },
    /// There is no room for what was to be written down.
    #[error("{place} can't be written: the disk is full")]
    Full {
        /// Which file.
        place: String,
    },
    /// It can be read and not written.
    #[error("{place} can't be written: {reason}")]
    ReadOnly {
        /// Which file.
        place: String,
        /// What the system said.
        reason: String,
    },
    /// The file system grants a lock to everybody who asks, so that two processes could hand out one code.
    #[error("the file system of {place} doesn't lock files")]
    NoLocks {
        /// Which file.
        place: String,
    },
    /// The file isn't what it was.
    #[error("{place} is damaged: {reason}")]
    NotIntact {
        /// Which file.
        place: String,
        /// What the engine said.
        reason: String,
    },
    /// An older state of the file came back, or another file stands in its place.
    #[error("{place} is {what}, so it doesn't know all codes that were handed out")]
    Restored {
        /// Which file.
        place: String,
        /// Which of the two.
        what: Restored,
    },
    /// The key that the registry's fingerprints were made with is gone, or another one is in its place.
    #[error("{} {}, so codes of a secret that is added again could be handed out twice", of_vault(.place), if *.gone { "is gone" } else { "is not the one that was there before" })]
    OtherKey {
        /// Whose key, as its vault calls it.
        place: String,
        /// Whether there is none.
        gone: bool,
    },
    /// A device can't be copied now.
    #[error("`{0}` is being added or removed")]
    Unfinished(Name),
    /// What was read back isn't what was written.
    #[error("the copy lacks something of the ledger {0}")]
    Incomplete(Id),
    /// The engine.
    #[error("{place}: {reason}")]
    Engine {
        /// Which file or server.
        place: String,
        /// What it said.
        reason: String,
    },
    /// A server, or the way to it.
    #[error("{place} can't be reached: {reason}")]
    Unreachable {
        /// Which server.
        place: String,
        /// What was said last.
        reason: String,
    },
    /// A server that doesn't let in, or doesn't allow what is asked; or one that isn't let in here.
    #[error("{place}: {reason}")]
    Refused {
        /// Which server.
        place: String,
        /// What it said.
        reason: String,
    },
    /// The connection was lost before the server said how a change ended.
    #[error("the connection to {place} was lost while a change was stored, so it may have been made or not: {reason}")]
    Unknown {
        /// Which server.
        place: String,
        /// How it was lost.
        reason: String,
    },
    /// Another machine would be spoken to in clear text.
    #[error("{place} is another machine, and without TLS others could read and change what goes there")]
    ClearText {
        /// Which server.
        place: String,
    },
    /// A database without a registry.
    #[error("{place} has no registry")]
    NoRegistry {
        /// Which server.
        place: String,
    },
    /// Written by an older version; its owner has to bring it up to date.
    #[error("{place} has schema version {found}; this vmfa needs {known}")]
    Outdated {
        /// Which server.
        place: String,
        /// Its version.
        found: i64,
        /// The one that this program needs.
        known: i64,
    },
    /// A record that can't be understood.
    #[error("{place}: the record of {record} {id} is damaged: {field}")]
    Damaged {
        /// Which file or server.
        place: String,
        /// Of what: a device, or a ledger.
        record: &'static str,
        /// Its id as stored.
        id: String,
        /// Which field.
        field: &'static str,
    },
}

/// How a registry can know less than was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// An older state of the same registry.
    Older,
    /// Another registry, or a new one.
    Another,
}

impl std::fmt::Display for Restored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Older => "an older copy",
            Self::Another => "not the registry that was here before",
        })
    }
}

/// A vault's own key, by the vault's name and, where there may be several, the key's.
fn of_vault(place: &str) -> String {
    match place.split_once(' ') {
        Some((vault, key)) => format!("the {vault} vault's own key ({key})"),
        None => format!("the {place} vault's own key"),
    }
}

fn by(holder: &Option<String>) -> String {
    holder.as_ref().map(|holder| format!(" by {holder}")).unwrap_or_default()
}

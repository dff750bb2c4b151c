//! Registries: where everything but the secrets lives.
//!
//! A registry knows devices by id and name, and what changes about them. Every change is atomic: a
//! call changes all that it was given or nothing.

pub mod memory;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::fmt;

use crate::name::Name;
use crate::oath::Parameters;
use crate::time::Timestamp;
use crate::vault::{Id, Kind};

/// What is known of a device, but for its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Under which its secret is stored in the vault.
    pub id: Id,
    /// Unique among active devices.
    pub name: Name,
    /// Who gave the secret, where it said.
    pub issuer: Option<String>,
    /// For which account; may be empty.
    pub account: String,
    /// How codes are made; for HOTP, `next` is the counter of the next code.
    pub parameters: Parameters,
    /// The serial number (ARN) of an AWS device.
    pub serial: Option<String>,
    /// The vault that holds its secret.
    pub vault: Kind,
    /// When it was added.
    pub created: Timestamp,
    /// Where it stands between being added and being gone.
    pub state: State,
    /// Counts the changes, so that two writers notice each other.
    pub revision: u64,
}

/// Where a device stands. Secret and record live in two places; the states in between say what an
/// interruption left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its name is reserved and its secret on the way into the vault.
    Pending {
        /// All that one `add` brings has one batch, and becomes active together.
        batch: Id,
        /// The active device of the same name that it takes the place of.
        replaces: Option<Id>,
        /// Until when whoever adds it has time; later, anybody may finish or undo the work.
        until: Timestamp,
    },
    /// In use.
    Active,
    /// Its secret is on the way out of the vault.
    Retired {
        /// Until when whoever removes it has time; later, anybody may finish the work.
        until: Timestamp,
    },
}

/// A place for what is known of devices.
pub trait Registry: Send + Sync + fmt::Debug {
    /// Takes new devices in, all or none.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] where a pending device has the name, or an active one that isn't the one
    /// to be replaced.
    fn insert(&self, devices: &[Device]) -> Result<(), Error>;

    /// The active device of this very name.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn find(&self, name: &Name) -> Result<Option<Device>, Error>;

    /// All devices in all states, by name.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn list(&self) -> Result<Vec<Device>, Error>;

    /// Writes changed devices over those of the same id, in this order, all or none. Each carries the
    /// revision that it was read with; the stored one becomes the next.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where the stored revision is another one or the device is gone, and
    /// [`Error::NameTaken`] as for [`Registry::insert`].
    fn update(&self, devices: &[Device]) -> Result<(), Error>;

    /// Forgets devices, all or none; ids that aren't there are passed over.
    ///
    /// # Errors
    ///
    /// Those of the back-end.
    fn remove(&self, ids: &[Id]) -> Result<(), Error>;

    /// One line on where this registry is and what it holds, after a look at it.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn probe(&self) -> Result<String, Error>;
}

/// Why a registry didn't do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Names are unique.
    #[error("a device named `{0}` exists already")]
    NameTaken(Name),
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
    /// The engine.
    #[error("{place}: {reason}")]
    Engine {
        /// Which file or server.
        place: String,
        /// What it said.
        reason: String,
    },
    /// A record that can't be understood.
    #[error("{place}: the record of device {id} is damaged: {field}")]
    Damaged {
        /// Which file or server.
        place: String,
        /// The device's id as stored.
        id: String,
        /// Which field.
        field: &'static str,
    },
}

/// The rules for names, over what a back-end holds: shared by all back-ends, so that none bends them.
/// `new` may stand beside `old` unless both claim the name.
fn names_clash(new: &Device, old: &Device) -> bool {
    if new.id == old.id || new.name != old.name {
        return false;
    }
    match (new.state, old.state) {
        (State::Retired { .. }, _) | (_, State::Retired { .. }) => false,
        (State::Pending { replaces, .. }, State::Active) => replaces != Some(old.id),
        (State::Active, State::Pending { replaces, .. }) => replaces != Some(new.id),
        (State::Pending { .. }, State::Pending { .. }) | (State::Active, State::Active) => true,
    }
}

/// The error for a clash with `old`.
fn clash(old: &Device) -> Error {
    match old.state {
        State::Pending { until, .. } => Error::Busy { name: old.name.clone(), until },
        State::Active | State::Retired { .. } => Error::NameTaken(old.name.clone()),
    }
}

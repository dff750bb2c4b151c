//! Why something could not be done with a device.

use crate::name::Name;
use crate::time::{Timestamp, words};
use crate::vault::Kind;
use crate::{provision, registry, vault};

/// Why something could not be done with a device.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing by that name.
    #[error("no device is named `{name}`")]
    NoSuchDevice {
        /// What was asked for.
        name: String,
        /// A name that is near.
        nearest: Option<String>,
        /// Whether there are devices at all.
        any: bool,
        /// Whether one of this name is in the trash.
        trashed: bool,
    },
    /// Nothing by that name or id in the trash.
    #[error("no device named `{name}` is in the trash")]
    NotTrashed {
        /// What was asked for.
        name: String,
        /// A name that is near.
        nearest: Option<String>,
        /// Whether anything is in the trash.
        any: bool,
    },
    /// Its secret is in another vault than the one opened.
    #[error("the secret of `{name}` is in the {its} vault, not in the {chosen} vault")]
    OtherVault {
        /// Which device.
        name: Name,
        /// Where its secret is.
        its: Kind,
        /// Which vault was chosen.
        chosen: Kind,
    },
    /// What the vault holds under its id is no otpauth URI.
    #[error("what the {vault} vault holds for `{name}` can't be read: {source}")]
    Stored {
        /// Which device.
        name: Name,
        /// Which vault.
        vault: Kind,
        /// What is wrong.
        source: provision::Error,
    },
    /// What the vault holds under its id makes other codes than what was added.
    #[error(
        "what the {vault} vault holds for `{name}` is not what was added: another type, algorithm, length or period"
    )]
    Changed {
        /// Which device.
        name: Name,
        /// Which vault.
        vault: Kind,
    },
    /// Removed, but for the secret.
    #[error("`{name}` is removed, but its secret could not be deleted yet: {source}")]
    NotDeletedYet {
        /// Which device.
        name: Name,
        /// What stood in the way.
        source: vault::Error,
    },
    /// An issuer or account by which other codes would be read.
    #[error("`{name}` can't have this issuer or account: {source}")]
    Misnamed {
        /// Which device.
        name: Name,
        /// What would be read.
        source: provision::Error,
    },
    /// A counter that lies behind what was handed out.
    #[error("counters of `{name}` below {next} were handed out")]
    CounterUsed {
        /// Which device.
        name: Name,
        /// The first that nobody was given.
        next: u64,
    },
    /// The counter has come to its end.
    #[error("the counter of `{0}` has no next value")]
    CounterExhausted(Name),
    /// All that may be had within the time given is taken.
    #[error("{}; the next is at {free}, in {}", used(name, *validity, *restored), words(*wait))]
    NoFreeStep {
        /// Which device.
        name: String,
        /// For how many seconds its code was to be good.
        validity: u64,
        /// Whether its codes up to then are set aside because the registry was restored.
        restored: bool,
        /// When the next step is ready.
        free: Timestamp,
        /// In how many seconds that is.
        wait: u64,
    },
    /// No code is ever valid that long.
    #[error("{validity} s is too long: a code is valid for at most {longest} s")]
    TooLong {
        /// For how many seconds it should be.
        validity: u64,
        /// For how many it can be.
        longest: u64,
    },
    /// What was handed out is too recent.
    #[error("`{name}` has no unused pair of codes yet; the next is at {ready}, in {}", words(*wait))]
    NoPairYet {
        /// Which device.
        name: String,
        /// When the next pair is ready.
        ready: Timestamp,
        /// In how many seconds that is.
        wait: u64,
        /// Whether the last pair stands in the way, which might be given back.
        handed_out: bool,
    },
    /// A step before T0 or past 64 bits.
    #[error("that step lies before 1970 or past what 64 bits count")]
    NoSuchStep,
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A backup.
    #[error(transparent)]
    Backup(#[from] super::backup::Error),
    /// The parameters.
    #[error(transparent)]
    Oath(#[from] crate::oath::Error),
}

/// What stands in the way of a code.
fn used(name: &str, validity: u64, restored: bool) -> String {
    if restored {
        return format!(
            "the registry was restored, so codes of `{name}` that may have been given before are set aside"
        );
    }
    if validity == 0 {
        return format!("all codes of `{name}` up to now are used");
    }
    format!("no unused code of `{name}` is good for {} now", words(validity))
}

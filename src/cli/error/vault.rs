//! What vaults fail with, and what to do about it.

use super::{Error, Kind};
use crate::cli::environment;
use crate::cli::hints::{self, vaults};
use crate::registry;
use crate::vault::{self, Kind as VaultKind, Provider, Trouble, age};

/// How the error ends that a passphrase is needed where nobody can be asked.
pub(in crate::cli) const NOBODY_TO_ASK: &str = "there is no terminal to ask at";

impl From<vault::Error> for Error {
    fn from(error: vault::Error) -> Self {
        use vault::Error as E;
        let error = match error {
            E::Engine(said) => match said.downcast::<registry::Error>() {
                Ok(said) => return (*said).into(),
                Err(said) => return Self::new(Kind::Storage, "registry", said.to_string()),
            },
            error => error,
        };
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
            E::Plugin { .. } => "age-plugin",
            E::Io { .. } | E::ReadOnly { .. } => "io",
            E::Engine(_) => "registry",
        };
        let failure = Self::new(Kind::Storage, code, error.to_string()).of_one_device(is_of_one_secret(&error));
        let instead = if environment::somebody_there() { vaults::AGE_INSTEAD } else { vaults::AGE_INSTEAD_UNATTENDED };
        match error {
            E::NoBus { .. } => failure.hint(instead).hint(vaults::WITH_BUS),
            E::NoProvider => failure.hint(vaults::INSTALL_KEYRING).hint(vaults::START_GNOME).hint(instead),
            E::NoCollection(provider) => failure.hint(no_collection(&provider)).hint(instead),
            E::Locked(provider) => failure.hint(locked(&provider)).hint(instead),
            E::Unconfirmed(provider) => failure.hint(unconfirmed(&provider)),
            E::ReadOnly { .. } => failure.hint(hints::MAKE_WRITABLE),
            E::TimedOut { .. } => failure.hint(vaults::WAIT_LONGER),
            E::NotThere { kind: VaultKind::Keyring, .. } => failure.hint(vaults::NOT_IN_KEYRING),
            E::Keyring(text) if text.contains("libqca-ossl") => failure.hint(vaults::KWALLET_PLUGIN),
            E::IdentityMissing(_) if environment::variable("VMFA_IDENTITY").is_some() => {
                failure.hint(vaults::IDENTITY_NOT_USED)
            }
            E::IdentityMissing(_) => failure.hint(vaults::IDENTITY_MOVED).hint(vaults::REMEMBER_IDENTITY),
            E::IdentityTooOpen { path, .. } => failure.hint(vaults::chmod(&path)).hint(vaults::by_stdin(&path)),
            E::AgeFile { reason, .. } if reason == age::FOR_ANOTHER => failure.hint(vaults::ITS_IDENTITY),
            E::Identity(text) if text.ends_with(NOBODY_TO_ASK) => {
                failure.hint(vaults::UNLOCK).hint(vaults::PASSPHRASE_FD)
            }
            E::Identity(text) if [age::EMPTY, age::NO_IDENTITY].iter().any(|said| text.ends_with(said)) => {
                failure.hint(vaults::WHAT_IDENTITY)
            }
            E::Plugin { name, trouble } => match trouble {
                Trouble::Missing => failure.hint(vaults::install_plugin(&name)).hint(vaults::OTHER_OPENER),
                Trouble::TimedOut { .. } => failure.hint(vaults::PLUGIN_LONGER),
                Trouble::Asks { .. } => failure.hint(vaults::PLUGIN_ASKS),
                Trouble::Ended(_) | Trouble::Nonsense => failure.hint(vaults::try_plugin(&name)),
                _ => failure,
            },
            E::NoIdentity => failure.hint(vaults::FIRST_IDENTITY).hint(vaults::NAME_IDENTITY),
            _ => failure,
        }
    }
}

/// Whether only one item of a vault is wrong: it isn't there, or is not what it should be. A vault names items by their places.
fn is_of_one_secret(error: &vault::Error) -> bool {
    match error {
        vault::Error::NotThere { .. } => true,
        vault::Error::AgeFile { path, .. } => path.ends_with(".age") || path.contains(": item "),
        _ => false,
    }
}

impl Error {
    /// A backup that can't be opened: what opens it is given by other options than the vault's.
    pub(in crate::cli) fn of_backup(error: vault::Error) -> Self {
        let hint = match &error {
            vault::Error::AgeFile { reason, .. } if reason == age::FOR_ANOTHER => vaults::BACKUP_IDENTITY,
            vault::Error::AgeFile { reason, .. } if reason == age::NOT_AGE => vaults::NOT_A_BACKUP,
            vault::Error::Identity(text) if text.ends_with(NOBODY_TO_ASK) => vaults::BACKUP_PASSPHRASE,
            vault::Error::IdentityMissing(_) => vaults::BACKUPS_OWN_IDENTITY,
            _ => return error.into(),
        };
        Self::from(error).without_hints().hint(hint)
    }
}

/// How a keyring gets a collection to store in.
const fn no_collection(provider: &Provider) -> &'static str {
    match provider {
        Provider::GnomeKeyring => vaults::NO_COLLECTION_GNOME,
        Provider::KWallet(_) => vaults::NO_COLLECTION_KWALLET,
        Provider::KeePassXc => vaults::NO_COLLECTION_KEEPASSXC,
        _ => vaults::NO_COLLECTION,
    }
}

/// How a keyring is unlocked.
const fn locked(provider: &Provider) -> &'static str {
    match provider {
        Provider::GnomeKeyring => vaults::LOCKED_GNOME,
        Provider::KWallet(_) => vaults::LOCKED_KWALLET,
        Provider::KeePassXc => vaults::LOCKED_KEEPASSXC,
        _ => vaults::LOCKED,
    }
}

/// How a keyring comes to do something without asking.
const fn unconfirmed(provider: &Provider) -> &'static str {
    match provider {
        Provider::KeePassXc => vaults::UNCONFIRMED_KEEPASSXC,
        _ => vaults::UNCONFIRMED,
    }
}

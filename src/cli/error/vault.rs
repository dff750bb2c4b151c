//! What vaults fail with, and what to do about it.

use super::{Error, Kind, MAKE_WRITABLE};
use crate::vault::{self, Kind as VaultKind, Provider};

/// Unlocks GNOME Keyring without a desktop, making its login collection where there is none; the password is
/// read without a line end. Only for a keyring of its own kind: it takes the place of any other.
const UNLOCK: &str = "printf %s \"$PASSWORD\" | gnome-keyring-daemon --replace --unlock --components=secrets";

/// Starts GNOME Keyring where no keyring runs.
const START: &str = "printf %s \"$PASSWORD\" | gnome-keyring-daemon --unlock --components=secrets";

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

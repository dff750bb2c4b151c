//! What registries fail with, and what to do about it.

use super::{Error, Kind, MAKE_WRITABLE};
use crate::registry;

impl From<registry::Error> for Error {
    fn from(error: registry::Error) -> Self {
        use registry::Error as E;
        let (kind, code) = match &error {
            E::NameTaken(_) => (Kind::No, "name-taken"),
            E::Busy { .. } => (Kind::Storage, "busy"),
            E::Conflict(_) | E::LedgerConflict => (Kind::Storage, "conflict"),
            E::Gone => (Kind::No, "no-such-device"),
            E::TooNew { .. } => (Kind::Storage, "registry-too-new"),
            E::Damaged { .. } | E::NotIntact { .. } => (Kind::Storage, "registry-damaged"),
            E::Locked { .. } => (Kind::Storage, "registry-locked"),
            E::Full { .. } => (Kind::Storage, "registry-full"),
            E::ReadOnly { .. } => (Kind::Storage, "registry-read-only"),
            E::NoLocks { .. } => (Kind::Storage, "registry-no-locks"),
            E::Restored { .. } => (Kind::Storage, "registry-restored"),
            E::OtherKey { .. } => (Kind::Storage, "vault-key"),
            E::Engine { .. } => (Kind::Storage, "registry"),
        };
        let failure = Self::new(kind, code, error.to_string());
        match error {
            E::Conflict(_) | E::LedgerConflict => failure.hint("try again"),
            E::TooNew { .. } => failure.hint("upgrade vmfa, or use another VMFA_HOME"),
            E::Damaged { .. } | E::NotIntact { .. } => failure
                .hint("keep the file, and restore its newest backup: it holds which codes were handed out")
                .hint("then `vmfa doctor --restored`; the secrets are not in it, and are not lost"),
            E::Locked { holder: Some(holder), .. } if holder.ends_with("stopped") => {
                let pid = holder.split_whitespace().nth(1).unwrap_or("PID");
                failure.hint(format!("resume it: kill -CONT {pid}"))
            }
            E::Locked { .. } => failure.hint("nothing was changed: try again when it has ended"),
            E::Full { .. } => failure.hint("nothing was changed: free some space there, and try again"),
            // What isn't there can't be read either.
            E::ReadOnly { place, .. } if std::path::Path::new(&place).exists() => failure
                .hint(MAKE_WRITABLE)
                .hint("to look without changing anything: `vmfa list`, `vmfa show NAME`, `vmfa code NAME --at TIME`"),
            E::ReadOnly { .. } => failure.hint(MAKE_WRITABLE),
            E::NoLocks { .. } => {
                failure.hint("without locks two processes can get the same code: set VMFA_HOME to a local directory")
            }
            E::Restored { .. } => failure
                .hint("restore the newest copy, if you have one")
                .hint("to use this one: `vmfa doctor --restored`; codes up to now then count as handed out"),
            E::OtherKey { place, gone } => {
                let restore = match place.split_once(' ') {
                    Some((_, file)) => {
                        format!("restore it from a backup: items/{file}.age in the age vault's directory")
                    }
                    None if gone => "is this another keyring, or was it deleted in another program?".to_owned(),
                    None => "is this another keyring? use the one that was there before".to_owned(),
                };
                failure
                    .hint(restore)
                    .hint("to go on with a new key: `vmfa doctor --restored`; codes up to now then count as handed out")
            }
            E::Engine { .. } => failure.hint("`vmfa doctor` looks at the file"),
            E::NameTaken(_) | E::Busy { .. } | E::Gone => failure,
        }
    }
}

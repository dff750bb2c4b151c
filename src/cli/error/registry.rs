//! What registries fail with, and what to do about it.

use super::{Error, Kind};
use crate::cli::hints::{self, registries, vaults};
use crate::registry;

impl From<registry::Error> for Error {
    fn from(error: registry::Error) -> Self {
        use registry::Error as E;
        let (kind, code) = match &error {
            E::NameTaken(_) | E::TokenNameTaken(_) => (Kind::No, "name-taken"),
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
            E::Unfinished(_) => (Kind::No, "registry-unfinished"),
            E::Incomplete(_) => (Kind::Storage, "registry-incomplete"),
            E::Engine { .. } => (Kind::Storage, "registry"),
            E::Unreachable { .. } => (Kind::Storage, "registry-unreachable"),
            E::Refused { .. } => (Kind::Storage, "registry-refused"),
            E::Unknown { .. } => (Kind::Storage, "registry-unknown"),
            E::ClearText { .. } => (Kind::Usage, "registry-clear-text"),
            E::NoRegistry { .. } => (Kind::Storage, "registry-missing"),
            E::Outdated { .. } => (Kind::Storage, "registry-outdated"),
        };
        let failure = Self::new(kind, code, error.to_string());
        match error {
            E::Conflict(_) | E::LedgerConflict => failure.hint(hints::TRY_AGAIN),
            E::TooNew { .. } => failure.hint(vaults::UPGRADE),
            E::Damaged { .. } | E::NotIntact { .. } => failure.hint(vaults::RESTORE_REGISTRY).hint(vaults::RESTORED),
            E::Locked { holder: Some(holder), .. } if holder.ends_with("stopped") => {
                let pid = holder.split_whitespace().nth(1).unwrap_or("PID");
                failure.hint(vaults::resume(pid))
            }
            E::Locked { .. } => failure.hint(vaults::WHEN_ENDED),
            E::Full { .. } => failure.hint(vaults::FREE_SPACE),
            // What isn't there can't be read either.
            E::ReadOnly { place, .. } if std::path::Path::new(&place).exists() => {
                failure.hint(hints::MAKE_WRITABLE).hint(vaults::ONLY_LOOK)
            }
            E::ReadOnly { .. } => failure.hint(hints::MAKE_WRITABLE),
            E::NoLocks { .. } => failure.hint(vaults::LOCAL_DIRECTORY),
            E::Restored { .. } => failure.hint(vaults::NEWEST_COPY).hint(vaults::GO_ON),
            E::OtherKey { place, gone } => {
                let restore = match place.split_once(' ') {
                    Some((_, file)) => vaults::restore_key(file),
                    None if gone => vaults::KEY_DELETED.to_owned(),
                    None => vaults::KEYRING_BEFORE.to_owned(),
                };
                failure.hint(restore).hint(vaults::GO_ON)
            }
            E::Unfinished(_) => failure.hint(registries::SETTLE),
            E::Incomplete(_) => failure.hint(registries::STOP_AND_COPY),
            E::Engine { .. } => failure.hint(vaults::DOCTOR),
            E::Unreachable { .. } => failure.hint(registries::REACH),
            E::Refused { reason, .. } if reason.contains("password") => failure.hint(registries::PASSWORD),
            E::Refused { place, .. } if place.starts_with("dynamodb://") => failure.hint(registries::POLICIES),
            E::Unknown { .. } => failure.hint(registries::LOOK_AGAIN),
            E::ClearText { .. } => failure.hint(registries::TLS),
            E::NoRegistry { .. } | E::Outdated { .. } => failure.hint(registries::MAKE),
            E::TokenNameTaken(_) => failure.hint(hints::share::LIST_TOKENS),
            E::NameTaken(_) | E::Busy { .. } | E::Gone | E::Refused { .. } => failure,
        }
    }
}

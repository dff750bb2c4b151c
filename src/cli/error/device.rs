//! What devices fail with, and what to do about it.

use super::{Error, Kind};
use crate::cli::empty::looked_in;
use crate::cli::hints;
use crate::cli::places::is_place;
use crate::device;

impl Error {
    /// The same for want of any device, with what to do.
    pub(in crate::cli) fn no_devices(self) -> Self {
        looked_in().into_iter().fold(self.hint(hints::devices::NO_DEVICES), Self::hint)
    }
}

impl From<device::Error> for Error {
    fn from(error: device::Error) -> Self {
        let message = error.to_string();
        match error {
            device::Error::Vault(error) => error.into(),
            device::Error::Registry(error) => error.into(),
            device::Error::Oath(error) => error.into(),
            device::Error::Backup(_) => Self::input("backup", message),
            device::Error::NoSuchDevice { nearest, name, any, trashed } => {
                let failure = Self::new(Kind::No, "no-such-device", message);
                if trashed {
                    return failure.hint(hints::devices::in_trash(&name));
                }
                if name.contains(['*', '?']) {
                    return failure.hint(hints::devices::NO_POOL);
                }
                if is_place(&name) {
                    return failure.hint(hints::devices::is_source(&name));
                }
                if (6..=10).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_digit()) {
                    return failure.hint(hints::devices::LOOKS_LIKE_CODE);
                }
                match nearest {
                    _ if !any => failure.no_devices(),
                    Some(name) => failure.hint(hints::devices::did_you_mean(&name)),
                    None => failure.hint(hints::devices::LIST),
                }
            }
            device::Error::NotTrashed { nearest, any, .. } => {
                let failure = Self::new(Kind::No, "not-in-trash", message);
                match nearest {
                    _ if !any => failure.hint(hints::devices::TRASH_EMPTY),
                    Some(name) => failure.hint(hints::devices::did_you_mean_in_trash(&name)),
                    None => failure.hint(hints::devices::TRASH_LIST),
                }
            }
            device::Error::OtherVault { its, .. } => {
                Self::new(Kind::Usage, "other-vault", message).hint(hints::devices::other_vault(its.as_str()))
            }
            device::Error::NotDeletedYet { .. } => {
                Self::new(Kind::Storage, "not-deleted-yet", message).hint(hints::devices::DELETED_LATER)
            }
            device::Error::Changed { .. } => Self::new(Kind::Storage, "stored", message).hint(hints::devices::CHANGED),
            device::Error::Stored { .. } => Self::new(Kind::Storage, "stored", message),
            device::Error::Misnamed { source, .. } => {
                let failure = Self::usage(message);
                let steam = matches!(source, crate::provision::Error::NotSteam { .. });
                if steam { failure.hint(hints::devices::STEAM) } else { failure }
            }
            device::Error::CounterUsed { next, .. } => {
                Self::new(Kind::No, "counter-used", message).hint(hints::devices::counter_from(next))
            }
            device::Error::CounterExhausted(_) => Self::new(Kind::No, "counter-exhausted", message),
            device::Error::NoFreeStep { restored, free, wait, .. } => {
                let failure = Self::new(Kind::No, "no-free-step", message).available(free, wait);
                // No neighbour is free either.
                if restored {
                    return failure.hint(hints::devices::wait_for_it(wait));
                }
                failure.hint(hints::devices::WINDOW_OR_TIMEOUT)
            }
            device::Error::TooLong { .. } => {
                Self::new(Kind::Usage, "min-validity", message).hint(hints::devices::SHORTER_VALIDITY)
            }
            device::Error::NoPairYet { name, ready, wait, handed_out } => {
                let failure = Self::new(Kind::No, "no-pair-yet", message).available(ready, wait);
                let failure = failure.hint(hints::devices::WAIT_FOR_PAIR);
                if handed_out { failure.hint(hints::devices::release_pair(&name)) } else { failure }
            }
            device::Error::NoSuchStep => Self::new(Kind::Usage, "no-such-code", message),
        }
    }
}

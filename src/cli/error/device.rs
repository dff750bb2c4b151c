//! What devices fail with, and what to do about it.

use super::{Error, Kind};
use crate::cli::empty::{NO_DEVICES, looked_in};
use crate::cli::places::is_place;
use crate::device;

impl From<device::Error> for Error {
    fn from(error: device::Error) -> Self {
        let message = error.to_string();
        match error {
            device::Error::Vault(error) => error.into(),
            device::Error::Registry(error) => error.into(),
            device::Error::Oath(error) => error.into(),
            device::Error::NoSuchDevice { nearest, name, any } => {
                let failure = Self::new(Kind::No, "no-such-device", message);
                if name.contains(['*', '?']) {
                    return failure.hint("only `vmfa code --fresh` takes a pool of devices");
                }
                if is_place(&name) {
                    return failure
                        .hint(format!("that is a source: --from {name} reads it, `vmfa add NAME {name}` keeps it"));
                }
                if (6..=10).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_digit()) {
                    return failure.hint("that looks like a code: the device's name comes first");
                }
                match nearest {
                    _ if !any => looked_in().into_iter().fold(failure.hint(NO_DEVICES), Self::hint),
                    Some(name) => failure.hint(format!("did you mean `{name}`? `vmfa list` shows them all")),
                    None => failure.hint("`vmfa list` shows them all"),
                }
            }
            device::Error::OtherVault { its, .. } => {
                Self::new(Kind::Usage, "other-vault", message).hint(format!("leave --vault out, or say --vault {its}"))
            }
            device::Error::NotDeletedYet { .. } => Self::new(Kind::Storage, "not-deleted-yet", message)
                .hint("`vmfa doctor` deletes it once the vault answers; it takes two minutes to become due"),
            device::Error::Changed { .. } => Self::new(Kind::Storage, "stored", message)
                .hint("somebody changed the item in another program: enrol the device again, with --replace"),
            device::Error::Stored { .. } => Self::new(Kind::Storage, "stored", message),
            device::Error::CounterExhausted(_) => Self::new(Kind::No, "counter-exhausted", message),
            device::Error::NoFreeStep { free, wait, .. } => Self::new(Kind::No, "no-free-step", message)
                .available(free, wait)
                .hint("--window also takes unused codes near the current one, which the service accepts; --timeout waits longer"),
            device::Error::TooLong { .. } => {
                Self::new(Kind::Usage, "min-validity", message).hint("choose a shorter --min-validity, or allow other codes with --window")
            }
            device::Error::NoPairYet { name, ready, wait } => Self::new(Kind::No, "no-pair-yet", message)
                .available(ready, wait)
                .hint("to wait for it: --wait")
                .hint(format!("if the last pair never reached the service: vmfa release {name} --pair")),
            device::Error::NoSuchStep => Self::new(Kind::Usage, "no-such-code", message),
        }
    }
}

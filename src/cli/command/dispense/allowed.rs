//! Which devices there are for a client: those that `--allow` names, and no others.

use crate::cli::error::{Error, Kind, Result};
use crate::cli::hints;
use crate::cli::pattern::Pool;
use crate::device;
use crate::name::Name;
use crate::registry::{Device, Registry};

/// The patterns of `--allow`.
#[derive(Debug)]
pub(in crate::cli::command) struct Allowed(Vec<Pattern>);

#[derive(Debug)]
enum Pattern {
    Pool(Pool),
    Name(Name),
}

impl Allowed {
    /// # Errors
    ///
    /// A pattern that can't be read, or a name that no device can have.
    pub(in crate::cli::command) fn of(patterns: &[String]) -> Result<Self> {
        let pattern = |text: &String| {
            let pattern = match Pool::of(text)? {
                Some(pool) => Pattern::Pool(pool),
                None => Pattern::Name(text.parse()?),
            };
            Ok(pattern)
        };
        let patterns = patterns.iter().map(|text| pattern(text).map_err(|error: Error| error.about("--allow")));
        Ok(Self(patterns.collect::<Result<_>>()?))
    }

    pub(in crate::cli::command) fn has(&self, device: &Device) -> bool {
        self.0.iter().any(|pattern| match pattern {
            Pattern::Pool(pool) => pool.has(device),
            Pattern::Name(name) => device.name == *name,
        })
    }

    /// The active devices that are allowed, by name.
    pub(in crate::cli::command) fn devices(&self, registry: &dyn Registry) -> Result<Vec<Device>> {
        let mut devices = device::active(registry)?;
        devices.retain(|device| self.has(device));
        Ok(devices)
    }

    /// The device that a client names; without a name the only one. One that isn't allowed is as one that isn't there.
    pub(in crate::cli::command) fn device(&self, registry: &dyn Registry, name: Option<&str>) -> Result<Device> {
        let mut devices = self.devices(registry)?;
        let Some(name) = name else {
            return match (devices.len(), devices.pop()) {
                (1, Some(only)) => Ok(only),
                (0, _) => Err(none_allowed()),
                (count, _) => {
                    let message = format!("no device is named, and there are {count}");
                    Err(Error::usage(message).hint(hints::agents::SET_DEVICE))
                }
            };
        };
        device::find_among(devices, name).map_err(|error| match error {
            // Not as for a command line: its hints tell which files there are.
            device::Error::NoSuchDevice { any: false, .. } => none_allowed(),
            device::Error::NoSuchDevice { ref nearest, .. } => {
                let failure = Error::new(Kind::No, "no-such-device", error.to_string());
                let near = nearest.iter().map(|near| hints::did_you_mean(near));
                near.fold(failure, Error::hint).hint(hints::agents::LIST)
            }
            error => error.into(),
        })
    }
}

fn none_allowed() -> Error {
    Error::new(Kind::No, "no-such-device", "there is no device that you may use").hint(hints::agents::NONE_ALLOWED)
}

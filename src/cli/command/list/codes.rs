//! The current codes of all that is listed, at one moment.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::chosen_clock::Clock;
use crate::cli::command::code::Code;
use crate::cli::error::{Error, Result};
use crate::cli::open::Place;
use crate::device::issue::Moment;
use crate::device::{self, Devices};
use crate::oath::MovingFactor;
use crate::registry::{Device, Kept};
use crate::time::words;

/// What is told of a device's current code.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(super) enum Current {
    Code(Code),
    /// Why there is none.
    Failed {
        error: Failure,
    },
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Failure {
    code: String,
    message: String,
}

impl Current {
    /// The code, and how long it is valid.
    pub(super) fn columns(&self) -> [String; 2] {
        match self {
            Self::Code(code) => [code.text().to_owned(), code.seconds_left().map(words).unwrap_or_default()],
            Self::Failed { error } => [format!("({})", error.code), String::new()],
        }
    }
}

/// The code of each device, in order; none of a counter device, whose codes are used up by a look. A device whose code can't
/// be had is no reason not to show the others'; the first such failure is returned.
///
/// # Errors
///
/// A registry that can't be written.
pub(super) fn current(
    place: &Place,
    registry: &dyn Kept,
    devices: &[Device],
    clock: &Clock,
) -> Result<(Vec<Option<Current>>, Option<Error>)> {
    registry.expect_writable()?;
    let mut by_vault: BTreeMap<&str, Vec<(usize, &Device)>> = BTreeMap::new();
    let timed = |device: &Device| matches!(device.parameters.factor, MovingFactor::Time { .. });
    for (index, device) in devices.iter().enumerate().filter(|(_, device)| timed(device)) {
        by_vault.entry(device.vault.as_str()).or_default().push((index, device));
    }
    let mut read = Vec::new();
    for group in by_vault.values() {
        let Some((_, first)) = group.first() else { continue };
        match place.vault_of(first) {
            Ok(vault) => {
                let members: Vec<&Device> = group.iter().map(|(_, device)| *device).collect();
                let enrolments = Devices { vault: vault.as_ref(), registry }.enrolments(&members);
                for ((index, device), enrolment) in group.iter().zip(enrolments) {
                    read.push((*index, *device, vault.clone(), enrolment));
                }
            }
            // The same for all of them, and told once.
            Err(error) => return Err(error),
        }
    }
    // Reading takes time, and a person may have had to be asked: all codes are of the moment after it.
    let moment = clock.moment();
    let mut current: Vec<Option<Current>> = devices.iter().map(|_| None).collect();
    let mut failure = None;
    for (index, device, vault, enrolment) in read {
        let devices = Devices { vault: vault.as_ref(), registry };
        let code = enrolment.and_then(|enrolment| code(&devices, device, &enrolment, moment));
        let told = code.map_or_else(
            |error| {
                let error = Error::from(error);
                let failed = Failure { code: error.code().to_owned(), message: error.message().to_owned() };
                failure.get_or_insert(error);
                Current::Failed { error: failed }
            },
            Current::Code,
        );
        if let Some(place) = current.get_mut(index) {
            *place = Some(told);
        }
    }
    Ok((current, failure))
}

fn code(
    devices: &Devices<'_>,
    device: &Device,
    enrolment: &crate::provision::Enrolment,
    moment: Moment,
) -> std::result::Result<Code, device::Error> {
    let issued = devices.codes(device, enrolment, moment, 0, 1)?;
    let issued = issued.first().ok_or(device::Error::NoSuchStep)?;
    Ok(Code::of_device(issued, moment.time))
}

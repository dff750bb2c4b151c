//! How much of a fleet is in use: what its devices gave lately, and what is waited for.

use std::collections::BTreeMap;

use super::issue::LATELY;
use super::{Error, active};
use crate::oath::totp;
use crate::registry::{Device, Registry, Taken};
use crate::time::{Period, Step, Timestamp};
use crate::vault::Id;

/// What active devices that go by time gave in the last [`LATELY`] seconds. Devices of one secret count once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many there are.
    pub devices: usize,
    /// How many of them gave a code.
    pub used: usize,
    /// How many codes they gave.
    pub codes: usize,
    /// How many codes of later steps are taken: by pairs, and by those who wait for them.
    pub ahead: usize,
    /// When the last of those begins.
    pub until: Option<Timestamp>,
}

/// How many of these devices go by time, and of how many of them nobody has the code of the current step. Devices of one secret
/// count once.
///
/// # Errors
///
/// Those of the registry.
pub fn free_now(registry: &dyn Registry, devices: &[Device], now: Timestamp) -> Result<(usize, usize), Error> {
    let mut fresh: usize = 0;
    let mut current: BTreeMap<Id, Step> = BTreeMap::new();
    for device in devices {
        let Ok(period) = device.parameters.period() else { continue };
        let Some((step, _)) = period.step_at(now, totp::EPOCH) else { continue };
        match device.ledger {
            Some(ledger) => drop(current.insert(ledger, step)),
            // One that gave no code yet has no ledger.
            None => fresh = fresh.saturating_add(1),
        }
    }
    let from: Vec<(Id, Step)> = current.into_iter().collect();
    let is_free = |taken: &Taken, step: Step| taken.steps.first() != Some(&step) && !taken.forgotten.contains(step);
    let taken = registry.taken(&from)?;
    let free = taken.iter().zip(&from).filter(|(taken, (_, step))| is_free(taken, *step)).count();
    Ok((fresh.saturating_add(from.len()), fresh.saturating_add(free)))
}

/// Looks at all devices, with two questions to the registry.
///
/// # Errors
///
/// Those of the registry.
pub fn survey(registry: &dyn Registry, now: Timestamp) -> Result<Survey, Error> {
    let mut found = Survey::default();
    let mut ledgers: BTreeMap<Id, Period> = BTreeMap::new();
    for device in active(registry)? {
        let Ok(period) = device.parameters.period() else { continue };
        // One that gave no code yet has no ledger.
        let known = device.ledger.map(|ledger| ledgers.insert(ledger, period).is_some());
        if known != Some(true) {
            found.devices = found.devices.saturating_add(1);
        }
    }
    let begun =
        |period: Period, time: Timestamp| period.step_at(time, totp::EPOCH).map_or(Step::new(0), |(step, _)| step);
    let earlier = Timestamp::from_unix(now.as_unix().saturating_sub(LATELY));
    let from: Vec<(Id, Step)> = ledgers.iter().map(|(ledger, period)| (*ledger, begun(*period, earlier))).collect();
    for (taken, period) in registry.taken(&from)?.into_iter().zip(ledgers.into_values()) {
        let current = begun(period, now);
        let (past, later): (Vec<Step>, Vec<Step>) = taken.steps.into_iter().partition(|step| *step <= current);
        found.used = found.used.saturating_add(usize::from(!past.is_empty()));
        found.codes = found.codes.saturating_add(past.len());
        found.ahead = found.ahead.saturating_add(later.len());
        let last = later.last().and_then(|step| period.start_of(*step, totp::EPOCH));
        found.until = found.until.max(last);
    }
    Ok(found)
}

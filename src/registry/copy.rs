//! All that one registry knows, copied into another: a fleet that moves to a database, or back.
//!
//! Devices keep their ids, so the same vaults hold their secrets. What was handed out or accepted counts as that in the copy.
//! Copied again, it takes over what is new.

use std::collections::BTreeMap;

use super::{Device, Error, History, Kept, Run, State, Taken};
use crate::time::Step;
use crate::vault::Id;

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// How many devices came in.
    pub devices: usize,
    /// How many were there already.
    pub there: usize,
    /// For how many secrets something was handed out.
    pub ledgers: usize,
    /// Whether the first registry was changed meanwhile: then the copy may lack that.
    pub changed: bool,
}

/// Copies everything, and reads it back. `done` is told how many devices there are, and how many were looked at.
///
/// # Errors
///
/// [`Error::Unfinished`] where a device is being added or removed; [`Error::NameTaken`] where another device has a name in the
/// other registry; [`Error::OtherKey`] where that one knows another key of a vault; [`Error::Incomplete`] where what was
/// read back isn't what was written; and those of both registries. What was copied by then stays.
pub fn copy(from: &dyn Kept, to: &dyn Kept, mut done: impl FnMut(usize, usize)) -> Result<Copied, Error> {
    let began = from.changes()?;
    let devices = from.list()?;
    if let Some(device) = devices.iter().find(|device| !is_settled(device)) {
        return Err(Error::Unfinished(device.name.clone()));
    }
    to.expect_writable()?;
    for (place, print) in from.known_keys()? {
        to.see_key(&place, &print)?;
    }
    let there: BTreeMap<Id, Device> = to.list()?.into_iter().map(|device| (device.id, device)).collect();
    let last_uses = from.last_uses()?;
    let mut copied = Copied::default();
    let mut ledgers: BTreeMap<Id, Id> = BTreeMap::new();
    for (place, device) in devices.iter().enumerate() {
        match there.get(&device.id) {
            Some(known) => {
                let newer = Device { ledger: known.ledger, revision: known.revision, ..device.clone() };
                if newer != *known {
                    to.update(&[newer])?;
                }
                copied.there = copied.there.saturating_add(1);
            }
            None => {
                to.insert(&[Device { ledger: None, revision: 0, ..device.clone() }])?;
                copied.devices = copied.devices.saturating_add(1);
            }
        }
        if let Some(ledger) = device.ledger {
            let other = to.join(device.id, &from.fingerprint(ledger)?)?;
            if ledgers.insert(ledger, other).is_none() {
                let mut history = history(from, ledger)?;
                history.changed = last_uses.get(&ledger).map_or(history.changed, |last| history.changed.max(*last));
                to.unite(other, &history)?;
            }
        }
        done(place.saturating_add(1), devices.len());
    }
    copied.ledgers = ledgers.len();
    for (ledger, other) in &ledgers {
        expect_copied(from, *ledger, to, *other)?;
    }
    copied.changed = from.changes()? != began;
    Ok(copied)
}

const fn is_settled(device: &Device) -> bool {
    matches!(device.state, State::Active | State::Trashed { .. })
}

/// All that is known of a ledger.
fn history(from: &dyn Kept, id: Id) -> Result<History, Error> {
    let ledger = from.ledger(id)?;
    Ok(History {
        taken: from.claimed(id, Step::new(0), FAR)?,
        runs: ledger.forgotten,
        last_pair: ledger.last_pair.map(|pair| pair.second),
        counter: ledger.counter,
        relying_party: ledger.relying_party,
        changed: ledger.changed,
    })
}

/// A step that no clock reaches.
const FAR: Step = Step::new(i64::MAX.unsigned_abs());

/// Makes sure that a copy knows all that the original does. It may know more.
fn expect_copied(from: &dyn Kept, ledger: Id, to: &dyn Kept, other: Id) -> Result<(), Error> {
    let Taken { restored, .. } = to.taken(&[(other, FAR)])?.into_iter().next().ok_or(Error::Gone)?;
    let complete = covers(&history(to, other)?, restored, &history(from, ledger)?);
    if complete { Ok(()) } else { Err(Error::Incomplete(other)) }
}

/// Whether a copy has each step, and all else, that the original knows.
fn covers(copy: &History, restored: Option<Step>, known: &History) -> bool {
    let before = |step: Step| restored.is_some_and(|last| step <= last);
    let has_step = |step: &Step| before(*step) || copy.runs.contains(*step) || copy.taken.binary_search(step).is_ok();
    // From its first step to its last, and not the two alone.
    let has_run =
        |run: &Run| before(run.last) || copy.runs.run_of(run.first).is_some_and(|found| found.last >= run.last);
    known.taken.iter().all(has_step)
        && known.runs.as_slice().iter().all(has_run)
        && known.last_pair <= copy.last_pair
        && known.counter <= copy.counter
        && (known.relying_party.is_none() || copy.relying_party.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn history(taken: &[u64], runs: &str) -> History {
        History {
            taken: taken.iter().copied().map(Step::new).collect(),
            runs: runs.parse().unwrap(),
            last_pair: None,
            counter: None,
            relying_party: None,
            changed: Timestamp::from_unix(0),
        }
    }

    #[test]
    fn a_copy_has_every_step_of_a_run() {
        let known = history(&[20], "1-9");
        for (copy, restored, complete) in [
            (history(&[20], "1-9"), None, true),
            (history(&[], "1-30"), None, true),
            (history(&[20], "1-3,7-9"), None, false),
            (history(&[20], "2-9"), None, false),
            (history(&[], "1-9"), None, false),
            (history(&[], ""), Some(20), true),
            (history(&[20], ""), Some(8), false),
        ] {
            assert_eq!(covers(&copy, restored.map(Step::new), &known), complete, "{copy:?} {restored:?}");
        }
    }
}

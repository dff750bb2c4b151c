//! A registry in this process's memory, for tests.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    Claim, Device, Error, Fingerprint, History, Holder, Ledger, REMEMBERED, REMEMBERED_AT_LEAST, Registry, Run, State,
    Token, clash, names_clash,
};
use crate::name::Name;
use crate::time::{Step, Timestamp};
use crate::vault::Id;

/// Forgets everything when dropped.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    devices: Vec<Device>,
    /// With the fingerprint, and the period of the device that began it, in seconds.
    ledgers: BTreeMap<Id, (Fingerprint, u64, Ledger)>,
    /// When each step was claimed, and by which claim.
    claimed: BTreeMap<(Id, Step), (Timestamp, Holder)>,
    /// What was given back.
    released: BTreeSet<(Id, Step)>,
    /// The key that each place was first seen with.
    keys: BTreeMap<String, Fingerprint>,
}

impl Memory {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_names(devices: &[Device]) -> Result<(), Error> {
    for (index, new) in devices.iter().enumerate() {
        let others = devices.get(..index).unwrap_or_default();
        if let Some(old) = others.iter().find(|old| names_clash(new, old)) {
            return Err(clash(old));
        }
    }
    Ok(())
}

impl Registry for Memory {
    fn insert(&self, devices: &[Device]) -> Result<(), Error> {
        let mut tables = self.tables();
        let mut next = tables.devices.clone();
        next.extend_from_slice(devices);
        check_names(&next)?;
        tables.devices = next;
        Ok(())
    }

    fn find(&self, name: &Name) -> Result<Option<Device>, Error> {
        Ok(self.tables().devices.iter().find(|device| device.state == State::Active && device.name == *name).cloned())
    }

    fn list(&self) -> Result<Vec<Device>, Error> {
        let mut devices = self.tables().devices.clone();
        devices.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(devices)
    }

    fn update(&self, devices: &[Device]) -> Result<(), Error> {
        let mut tables = self.tables();
        let mut next = tables.devices.clone();
        for device in devices {
            let place = next.iter_mut().find(|old| old.id == device.id && old.revision == device.revision);
            let place = place.ok_or_else(|| Error::Conflict(device.name.clone()))?;
            *place = Device { ledger: place.ledger, revision: device.revision.saturating_add(1), ..device.clone() };
        }
        check_names(&next)?;
        tables.devices = next;
        Ok(())
    }

    fn join(&self, device: Id, fingerprint: &Fingerprint) -> Result<Id, Error> {
        let mut tables = self.tables();
        let Tables { devices, ledgers, .. } = &mut *tables;
        let device = devices.iter_mut().find(|known| known.id == device).ok_or(Error::Gone)?;
        if let Some(known) = device.ledger {
            return Ok(known);
        }
        let known = ledgers.iter().find(|(_, (known, ..))| known == fingerprint).map(|(id, _)| *id);
        let id = known.unwrap_or_else(Id::random);
        let period = device.parameters.period().map_or(0, |period| period.seconds());
        ledgers.entry(id).or_insert_with(|| (*fingerprint, period, Ledger::new(id)));
        device.ledger = Some(id);
        Ok(id)
    }

    fn ledger_of(&self, fingerprint: &Fingerprint) -> Result<Option<Id>, Error> {
        Ok(self.tables().ledgers.iter().find(|(_, (known, ..))| known == fingerprint).map(|(id, _)| *id))
    }

    fn see_key(&self, place: &str, print: &Fingerprint) -> Result<(), Error> {
        match *self.tables().keys.entry(place.to_owned()).or_insert(*print) {
            known if known == *print => Ok(()),
            _ => Err(Error::OtherKey { place: place.to_owned(), gone: false }),
        }
    }

    fn knows_key(&self, place: &str) -> Result<bool, Error> {
        Ok(self.tables().keys.contains_key(place))
    }

    fn expect_no_key(&self, place: &str) -> Result<(), Error> {
        if self.knows_key(place)? { Err(Error::OtherKey { place: place.to_owned(), gone: true }) } else { Ok(()) }
    }

    fn sharers(&self, ledger: Id) -> Result<Vec<Device>, Error> {
        let mut devices = self.list()?;
        devices.retain(|device| device.ledger == Some(ledger) && device.state == State::Active);
        Ok(devices)
    }

    fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Step>, Error> {
        let mut tables = self.tables();
        let Tables { ledgers, claimed, .. } = &mut *tables;
        let forgotten = ledgers.get_mut(&claim.ledger).map(|(.., ledger)| &mut ledger.forgotten);
        let forgotten = forgotten.ok_or(Error::Gone)?;
        let mut taken = Vec::new();
        for step in claim.candidates.iter().filter(|step| !forgotten.contains(**step)) {
            if taken.len() >= claim.most {
                break;
            }
            match claimed.entry((claim.ledger, *step)) {
                Entry::Vacant(free) => {
                    let given = *step <= claim.ready;
                    free.insert((claim.now, Holder { token: claim.token, again: false, given }));
                    taken.push(*step);
                }
                Entry::Occupied(mut taken) => taken.get_mut().1.again |= claim.again,
            }
        }
        if !taken.is_empty() {
            let forget = claim.forget;
            claimed.retain(|(ledger, step), (since, _)| {
                let kept = *ledger != claim.ledger || *step >= forget.below || *since >= forget.before;
                if !kept {
                    forgotten.add(Run { first: *step, last: *step });
                }
                kept
            });
        }
        Ok(taken)
    }

    fn release(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        let mut tables = self.tables();
        let Tables { claimed, released, .. } = &mut *tables;
        let own = claimed.get(&(ledger, step)).is_some_and(|(_, holder)| holder.token == token && !holder.again);
        if own {
            claimed.remove(&(ledger, step));
            released.insert((ledger, step));
        }
        Ok(own)
    }

    fn give(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        let mut tables = self.tables();
        let own = tables.claimed.get_mut(&(ledger, step)).map(|(_, holder)| holder);
        Ok(own.filter(|holder| holder.token == token).is_some_and(|holder| {
            holder.given = true;
            true
        }))
    }

    fn holder(&self, ledger: Id, step: Step) -> Result<Option<Holder>, Error> {
        let tables = self.tables();
        let retaken = tables.released.contains(&(ledger, step));
        let holder = tables.claimed.get(&(ledger, step)).map(|(_, holder)| *holder);
        Ok(holder.map(|holder| Holder { again: holder.again || retaken, ..holder }))
    }

    fn claimed(&self, ledger: Id, first: Step, last: Step) -> Result<Vec<Step>, Error> {
        if first > last {
            return Ok(Vec::new());
        }
        Ok(self.tables().claimed.range((ledger, first)..=(ledger, last)).map(|((_, step), _)| *step).collect())
    }

    fn claimed_by(&self, ledger: Id, token: Token) -> Result<Vec<Step>, Error> {
        let tables = self.tables();
        let of_ledger = tables.claimed.range((ledger, Step::new(0))..=(ledger, Step::new(u64::MAX)));
        Ok(of_ledger.filter(|(_, (_, holder))| holder.token == token).map(|((_, step), _)| *step).collect())
    }

    fn last_uses(&self) -> Result<BTreeMap<Id, Timestamp>, Error> {
        let tables = self.tables();
        let changed = tables.ledgers.iter().map(|(id, (.., ledger))| (*id, ledger.changed));
        let given = tables.claimed.iter().map(|((id, _), (since, _))| (*id, *since));
        let mut last = BTreeMap::new();
        for (id, time) in changed.chain(given).filter(|(_, time)| time.as_unix() > 0) {
            let known = last.entry(id).or_insert(time);
            *known = time.max(*known);
        }
        Ok(last)
    }

    fn ledger(&self, id: Id) -> Result<Ledger, Error> {
        self.tables().ledgers.get(&id).map(|(.., ledger)| ledger.clone()).ok_or(Error::Gone)
    }

    fn update_ledger(&self, ledger: &Ledger) -> Result<(), Error> {
        let mut tables = self.tables();
        let stored = tables.ledgers.get_mut(&ledger.id).map(|(.., stored)| stored);
        let stored = stored.filter(|stored| stored.revision == ledger.revision).ok_or(Error::LedgerConflict)?;
        let revision = ledger.revision.saturating_add(1);
        *stored = Ledger { revision, forgotten: stored.forgotten.clone(), ..ledger.clone() };
        Ok(())
    }

    fn unite(&self, ledger: Id, history: &History) -> Result<(), Error> {
        let mut tables = self.tables();
        let Tables { ledgers, claimed, .. } = &mut *tables;
        let stored = ledgers.get_mut(&ledger).map(|(.., stored)| stored).ok_or(Error::Gone)?;
        let united = history.united_with(stored);
        if united != *stored {
            *stored = Ledger { revision: stored.revision.saturating_add(1), ..united };
        }
        for step in history.taken.iter().filter(|step| !stored.forgotten.contains(**step)) {
            let other = Holder { token: Token::NONE, again: true, given: true };
            claimed.entry((ledger, *step)).or_insert((history.changed, other)).1.again = true;
        }
        Ok(())
    }

    fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        let mut tables = self.tables();
        let Tables { devices, ledgers, claimed, .. } = &mut *tables;
        ledgers.retain(|id, (_, period, ledger)| {
            if devices.iter().any(|device| device.ledger == Some(*id)) {
                return true;
            }
            let remembered = period.saturating_mul(REMEMBERED).max(REMEMBERED_AT_LEAST);
            let since = Timestamp::from_unix(now.as_unix().saturating_sub(remembered));
            claimed.retain(|(owner, step), (when, _)| {
                let passed = step.value().saturating_mul(*period) < since.as_unix();
                let kept = owner != id || *when >= since || !passed;
                if !kept {
                    ledger.forgotten.add(Run { first: *step, last: *step });
                }
                kept
            });
            let empty = Ledger { revision: ledger.revision, changed: ledger.changed, ..Ledger::new(*id) };
            *ledger != empty || claimed.keys().any(|(owner, _)| owner == id)
        });
        claimed.retain(|(ledger, _), _| ledgers.contains_key(ledger));
        Ok(())
    }

    fn remove(&self, ids: &[Id]) -> Result<(), Error> {
        self.tables().devices.retain(|device| !ids.contains(&device.id));
        Ok(())
    }

    fn probe(&self) -> Result<String, Error> {
        Ok(format!("this process's memory, {} devices", self.tables().devices.len()))
    }
}

//! When something of each ledger was last handed out, and how often anything changed: one small item a ledger, and one for all
//! devices.
//!
//! They are written after what they tell of, by additions that never refuse each other. A process that dies between the two
//! leaves them as they were: then a list shows an earlier use, and who watches hears of the change with the next one.

use std::collections::BTreeMap;

use super::DynamoDb;
use super::action::{Key, Look, Write};
use super::book::partition;
use super::step::{Claimed, number_of};
use super::value::{flag, number, number_in, text_in};
use crate::registry::Error;
use crate::time::Timestamp;
use crate::vault::Id;

/// The partition of all of them.
const PARTITION: &str = "used";

/// How many of the newest steps are looked at for the last that wasn't given back.
const NEWEST: u32 = 25;

impl DynamoDb {
    /// Notes a change that has no time.
    pub(super) fn tick(&self, what: &str) {
        let write = Write::update(Key::new(PARTITION, what), "ADD #count :one", vec![(":one", number(1))]);
        // What it tells of is done.
        let _ = self.client.write(&write);
    }

    /// Notes a use.
    pub(super) fn note_use(&self, ledger: Id, at: Timestamp) {
        let values = vec![(":at", number(at.as_unix())), (":one", number(1))];
        let key = Key::new(PARTITION, ledger.to_string());
        let _ = self.client.write(&Write::update(key, "SET #at = :at ADD #count :one", values));
    }

    /// The same, unless a later use is known.
    pub(super) fn note_use_not_before(&self, ledger: Id, at: Timestamp) {
        let values = vec![(":at", number(at.as_unix())), (":one", number(1))];
        let key = Key::new(PARTITION, ledger.to_string());
        let write = Write::update(key, "SET #at = :at ADD #count :one", values);
        let _ = self.client.write(&write.only_if("attribute_not_exists(#at) OR #at < :at", Vec::new()));
    }

    /// Notes that a step was given back: the last use is that of another one.
    pub(super) fn note_release(&self, ledger: Id) {
        let mut look = Look::at(partition(ledger));
        look.backwards = true;
        look.filter = Some(("attribute_not_exists(#released) OR #released = :false", vec![(":false", flag(false))]));
        look.page = Some(NEWEST);
        let Ok((items, _)) = self.client.page(&look, None) else { return };
        let steps = items.iter().filter(|item| number_of(item).is_some()).map(|item| self.claimed_in(item));
        let newest = steps.filter_map(Result::ok).map(|claimed: Claimed| claimed.since).max();
        let changed = items.iter().find_map(|item| number_in::<u64>(item, "changed"));
        self.note_use(ledger, Timestamp::from_unix(newest.max(changed).unwrap_or(0)));
    }

    pub(super) fn uses_of_ledgers(&self) -> Result<BTreeMap<Id, Timestamp>, Error> {
        self.ready()?;
        let items = self.client.look(&Look::at(PARTITION))?;
        let uses = items.iter().filter_map(|item| {
            let at = number_in::<u64>(item, "at").filter(|at| *at > 0)?;
            Some((text_in(item, "sk")?.parse().ok()?, Timestamp::from_unix(at)))
        });
        Ok(uses.collect())
    }

    /// How often anything was changed, by anybody.
    pub(super) fn count_changes(&self) -> Result<u64, Error> {
        self.ready()?;
        let mut look = Look::at(PARTITION);
        look.only = Some("#count");
        let items = self.client.look(&look)?;
        Ok(items.iter().filter_map(|item| number_in::<u64>(item, "count")).fold(0, u64::wrapping_add))
    }
}

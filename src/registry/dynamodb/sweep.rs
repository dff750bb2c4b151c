//! Forgetting: steps that passed long ago become runs, and ledgers in which nothing is are closed.

use std::collections::BTreeSet;

use super::DynamoDb;
use super::action::Write;
use super::book::Book;
use super::step::{Claimed, between, key};
use super::value::{flag, number};
use crate::registry::{Error, Forget, REMEMBERED, REMEMBERED_AT_LEAST, Run};
use crate::time::{Step, Timestamp};
use crate::vault::Id;

/// How many steps a sweep forgets in one turn.
const PAGE: u32 = 500;

/// How often a sweep tries to shorten a ledger that others shorten meanwhile.
const ATTEMPTS: u8 = 10;

impl DynamoDb {
    /// Makes runs of up to `most` steps that lie before a step and were handed out before a moment, and tells whether there
    /// may be more. The runs are written before any step is deleted, which claims rely on ([`super::claim`]).
    pub(super) fn forget(&self, book: &Book, forget: Forget, most: u32) -> Result<bool, Error> {
        let Some(last) = forget.below.value().checked_sub(1) else { return Ok(false) };
        let mut look = between(book.ledger.id, Step::new(0), Step::new(last));
        look.filter = Some(("#since < :limit", vec![(":limit", number(forget.before.as_unix()))]));
        look.page = Some(most);
        // A step that was written a moment ago isn't old.
        look.is_consistent = false;
        let (items, next) = self.client.page(&look, None)?;
        let old = items.iter().map(|item| self.claimed_in(item)).collect::<Result<Vec<Claimed>, _>>()?;
        if old.is_empty() {
            return Ok(false);
        }
        let mut runs = book.ledger.forgotten.clone();
        for claimed in old.iter().filter(|claimed| !claimed.released) {
            runs.add(Run { first: claimed.step, last: claimed.step });
        }
        if runs != book.ledger.forgotten && !self.write_runs(book, &runs)? {
            // Somebody else forgets just now.
            return Ok(true);
        }
        for claimed in old {
            let delete = Write::delete(key(book.ledger.id, claimed.step));
            // What was given back is in no run, and may be taken again meanwhile.
            let delete = if claimed.released {
                delete.only_if("#released = :true", vec![(":true", flag(true))])
            } else {
                delete
            };
            self.client.write(&delete)?;
        }
        Ok(next.is_some())
    }

    pub(super) fn sweep_ledgers(&self, now: Timestamp) -> Result<(), Error> {
        self.ready()?;
        let ledgers = self.unused(&self.restless_ledgers()?)?;
        if ledgers.is_empty() {
            return Ok(());
        }
        // Ledgers are read before devices are looked at again: one that a device joins after that isn't closed.
        let books = self.books(&ledgers)?;
        for ledger in self.unused(&ledgers)? {
            let Some(book) = books.get(&ledger) else { continue };
            self.shorten(book, now)?;
            let has_steps = self.has_steps(ledger)?;
            if !has_steps && (!is_blank(book) || self.close(book)?) {
                self.rest(book)?;
            }
        }
        Ok(())
    }

    /// Those of some ledgers that no device has.
    fn unused(&self, ledgers: &[Id]) -> Result<Vec<Id>, Error> {
        let devices = self.stored_devices()?;
        let used: BTreeSet<Id> =
            devices.iter().flat_map(|stored| stored.device.ledger.into_iter().chain(stored.former)).collect();
        Ok(ledgers.iter().copied().filter(|ledger| !used.contains(ledger)).collect())
    }

    fn shorten(&self, book: &Book, now: Timestamp) -> Result<(), Error> {
        let Some(period) = book.period.map(i64::cast_unsigned).filter(|period| *period > 0) else { return Ok(()) };
        let remembered = period.saturating_mul(REMEMBERED).max(REMEMBERED_AT_LEAST);
        let before = now.as_unix().saturating_sub(remembered);
        let below = Step::new(before.checked_div(period).unwrap_or(0));
        let forget = Forget { below, before: Timestamp::from_unix(before) };
        let mut book = book.clone();
        let mut turns = 0_u8;
        while self.forget(&book, forget, PAGE)? {
            turns = turns.saturating_add(1);
            let Some(next) = self.any_book(book.ledger.id)? else { return Ok(()) };
            // Pages of which nothing is old don't change it.
            if next.ledger.forgotten == book.ledger.forgotten && turns > ATTEMPTS {
                return Ok(());
            }
            book = next;
        }
        Ok(())
    }

    fn has_steps(&self, ledger: Id) -> Result<bool, Error> {
        let mut look = between(ledger, Step::new(0), Step::new(u64::MAX));
        look.page = Some(1);
        Ok(!self.client.page(&look, None)?.0.is_empty())
    }
}

/// Whether nothing was ever handed out or accepted, but for steps.
fn is_blank(book: &Book) -> bool {
    let ledger = &book.ledger;
    ledger.counter.is_none()
        && ledger.last_pair.is_none()
        && ledger.forgotten.is_empty()
        && ledger.relying_party.is_none()
}

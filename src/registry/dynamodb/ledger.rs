//! What was handed out and accepted, but for the steps of single codes.

use super::DynamoDb;
use super::action::{Key, Look, Values, Write};
use super::book::{self, Book, runs_text, state_of};
use super::client::{Pauses, Refusal};
use super::devices;
use super::hexadecimal::hexadecimal;
use super::value::{Item, flag, number, text, text_in};
use crate::oath::MovingFactor;
use crate::registry::{Error, Fingerprint, LastPair, Ledger, Runs};
use crate::vault::Id;

/// The partition with all fingerprints, and so all ledgers.
const PARTITION: &str = "print";

fn print_key(print: &Fingerprint) -> Key {
    Key::new(PARTITION, hexadecimal(print))
}

/// A device joins a ledger: it has none yet, and the one that it had under another key is what was read.
const SET_LEDGER: &str = "SET #ledger = :ledger REMOVE #former";
const HAS_NONE: &str = "attribute_exists(#pk) AND attribute_not_exists(#ledger) AND attribute_not_exists(#former)";
const HAS_FORMER: &str = "attribute_exists(#pk) AND attribute_not_exists(#ledger) AND #former = :former";

/// The ledger hears of it, so that no sweep closes it meanwhile; and one that was closed is open again.
const JOIN: &str = "ADD #joined :one REMOVE #closed";
const IS_THERE: &str = "attribute_exists(#pk)";

impl DynamoDb {
    pub(super) fn join_ledger(&self, device: Id, fingerprint: &Fingerprint) -> Result<Id, Error> {
        self.ready()?;
        let mut pauses = Pauses::new(&self.client);
        loop {
            let item = self.client.get(&devices::key(device))?.ok_or(Error::Gone)?;
            let stored = self.device_in(&item)?;
            if let Some(known) = stored.device.ledger {
                return Ok(known);
            }
            let (ledger, writes) = self.joining(&stored, fingerprint)?;
            match self.client.transact(&writes) {
                Ok(()) => return Ok(ledger),
                // Somebody else was faster.
                Err(Refusal::Cancelled(_)) if pauses.pause(&Error::LedgerConflict) => {}
                Err(Refusal::Cancelled(_)) => return Err(Error::LedgerConflict),
                Err(refusal) => return Err(refusal.into_error(&self.client.place)),
            }
        }
    }

    /// Which ledger a device joins, and what is written for it.
    fn joining(&self, stored: &devices::Stored, print: &Fingerprint) -> Result<(Id, Vec<Write>), Error> {
        // Where the vault has a new key, the ledger that the device had before is the secret's all the same.
        let (same, former) = (self.ledger_of_print(print)?, stored.former);
        let damaged = |field| self.damaged("ledger", &hexadecimal(print), field);
        let (ledger, mut writes) = match (same, former) {
            (Some(same), former) => {
                let following = former.map(|former| self.following(same, former)).transpose()?.flatten();
                let join = || Write::update(book::key(same), JOIN, vec![(":one", number(1))]);
                let joined = following.unwrap_or_else(|| join().only_if(IS_THERE, Vec::new()));
                let awake = Write::update(print_key(print), "REMOVE #resting", Vec::new());
                (same, vec![joined, awake.only_if(IS_THERE, Vec::new())])
            }
            (None, Some(former)) => {
                let old = self.any_book(former)?.ok_or(Error::Gone)?.print;
                let values = vec![(":print", text(hexadecimal(print))), (":one", number(1))];
                let renamed =
                    Write::update(book::key(former), "SET #print = :print ADD #joined :one REMOVE #closed", values);
                let own = vec![("ledger", text(former))];
                let writes = vec![
                    renamed.only_if("#print = :old", vec![(":old", text(hexadecimal(&old)))]),
                    Write::put(&print_key(print), own).if_new(),
                    Write::delete(print_key(&old)),
                ];
                (former, writes)
            }
            (None, None) => {
                let new = Id::random();
                let period = match stored.device.parameters.factor {
                    MovingFactor::Time { period } => Some(period.seconds()),
                    MovingFactor::Counter { .. } => None,
                };
                let attributes = book::new(&hexadecimal(print), period).map_err(damaged)?;
                let writes = vec![
                    Write::put(&book::key(new), attributes).if_new(),
                    Write::put(&print_key(print), vec![("ledger", text(new))]).if_new(),
                ];
                (new, writes)
            }
        };
        let set = Write::update(devices::key(stored.device.id), SET_LEDGER, vec![(":ledger", text(ledger))]);
        writes.push(match former {
            Some(former) => set.only_if(HAS_FORMER, vec![(":former", text(former))]),
            None => set.only_if(HAS_NONE, Vec::new()),
        });
        Ok((ledger, writes))
    }

    /// A ledger's counter follows the one that a device had before, if it is a counter's.
    fn following(&self, ledger: Id, former: Id) -> Result<Option<Write>, Error> {
        let mut books = self.books(&[ledger, former])?;
        let (Some(book), Some(former)) = (books.remove(&ledger), books.remove(&former)) else { return Ok(None) };
        if book.period.is_some() {
            return Ok(None);
        }
        let counter = book.ledger.counter.max(former.ledger.counter).or(Some(0));
        let ledger = Ledger { counter, ..book.ledger };
        let state = state_of(&ledger).map_err(|field| self.damaged("ledger", &ledger.id.to_string(), field))?;
        let values = vec![(":state", state), (":one", number(1)), (":before", number(ledger.revision))];
        let expression = "SET #state = :state ADD #joined :one, #revision :one REMOVE #closed";
        Ok(Some(Write::update(book::key(ledger.id), expression, values).only_if("#revision = :before", Vec::new())))
    }

    fn ledger_of_print(&self, print: &Fingerprint) -> Result<Option<Id>, Error> {
        self.client.get(&print_key(print))?.map(|item| self.ledger_in(&item)).transpose()
    }

    fn ledger_in(&self, item: &Item) -> Result<Id, Error> {
        let id = text_in(item, "sk").unwrap_or("?");
        let ledger = text_in(item, "ledger").and_then(|text| text.parse().ok());
        ledger.ok_or_else(|| self.damaged("fingerprint", id, "ledger"))
    }

    /// All ledgers but those that rest.
    pub(super) fn restless_ledgers(&self) -> Result<Vec<Id>, Error> {
        let mut look = Look::at(PARTITION);
        look.filter = Some(("attribute_not_exists(#resting)", Vec::new()));
        self.client.look(&look)?.iter().map(|item| self.ledger_in(item)).collect()
    }

    /// Has sweeps pass over a ledger until a device joins it: nothing is left to do for it. If one joins just now, the ledger is
    /// shortened by claims, and that it rests means nothing.
    pub(super) fn rest(&self, book: &Book) -> Result<(), Error> {
        let rest = Write::update(print_key(&book.print), "SET #resting = :true", vec![(":true", flag(true))]);
        self.client.write(&rest.only_if(IS_THERE, Vec::new())).map(drop)
    }

    pub(super) fn ledger_with(&self, fingerprint: &Fingerprint) -> Result<Option<Id>, Error> {
        self.ready()?;
        let Some(ledger) = self.ledger_of_print(fingerprint)? else { return Ok(None) };
        Ok(self.any_book(ledger)?.filter(|book| !book.is_closed).map(|book| book.ledger.id))
    }

    pub(super) fn fingerprint_of(&self, ledger: Id) -> Result<Fingerprint, Error> {
        self.book(ledger).map(|book| book.print)
    }

    pub(super) fn read_ledger(&self, id: Id) -> Result<Ledger, Error> {
        self.book(id).map(Book::seen)
    }

    pub(super) fn write_ledger(&self, ledger: &Ledger) -> Result<(), Error> {
        let book = match self.book(ledger.id) {
            Err(Error::Gone) => return Err(Error::LedgerConflict),
            book => book?,
        };
        if book.ledger.revision != ledger.revision {
            return Err(Error::LedgerConflict);
        }
        let mut new = ledger.clone();
        // The pair that stands for all those before the registry was restored isn't written: that may be moved back.
        if new.last_pair == LastPair::not_before(book.restored, book.ledger.last_pair) {
            new.last_pair = book.ledger.last_pair;
        }
        let (expression, values) = self.written(&book, &new)?;
        let write = Write::update(book::key(new.id), expression, values);
        let write = write.only_if("#revision = :before", vec![(":before", number(ledger.revision))]);
        // Also where the answer to it was lost: what was written then counts as somebody else's.
        if !self.client.write(&write)? {
            return Err(Error::LedgerConflict);
        }
        if ledger.changed.as_unix() > 0 {
            self.note_use(ledger.id, ledger.changed);
        }
        Ok(())
    }

    /// Writes a ledger with its runs, if nobody changed it since it was read.
    pub(super) fn write_all(&self, book: &Book, new: &Ledger) -> Result<bool, Error> {
        let (expression, mut values) = self.written(book, new)?;
        values.push((":new", runs_text(&new.forgotten)));
        let before = vec![(":before", number(book.ledger.revision)), (":runs", runs_text(&book.ledger.forgotten))];
        let write = Write::update(book::key(new.id), format!("{expression}, #runs = :new"), values);
        self.client.write(&write.only_if("#revision = :before AND #runs = :runs", before))
    }

    /// How all but the runs is written; the revision becomes the next.
    fn written(&self, book: &Book, new: &Ledger) -> Result<(&'static str, Values), Error> {
        let state = state_of(new).map_err(|field| self.damaged("ledger", &new.id.to_string(), field))?;
        let values = vec![
            (":state", state),
            (":changed", number(new.changed.as_unix())),
            (":revision", number(book.ledger.revision.saturating_add(1))),
        ];
        Ok(("SET #state = :state, #changed = :changed, #revision = :revision", values))
    }

    /// Writes a ledger's runs, if they are what was read.
    pub(super) fn write_runs(&self, book: &Book, runs: &Runs) -> Result<bool, Error> {
        let write = Write::update(book::key(book.ledger.id), "SET #runs = :new", vec![(":new", runs_text(runs))]);
        self.client.write(&write.only_if("#runs = :runs", vec![(":runs", runs_text(&book.ledger.forgotten))]))
    }

    /// Closes a ledger with nothing in it, if no device joined it since it was read and nobody changed it.
    pub(super) fn close(&self, book: &Book) -> Result<bool, Error> {
        let condition = "#revision = :before AND #runs = :runs AND #joined = :joined";
        let as_read = vec![
            (":before", number(book.ledger.revision)),
            (":runs", runs_text(&book.ledger.forgotten)),
            (":joined", number(book.joined)),
        ];
        let write = Write::update(book::key(book.ledger.id), "SET #closed = :true", vec![(":true", flag(true))]);
        self.client.write(&write.only_if(condition, as_read))
    }
}

//! Having a ledger know what another registry does.

use std::collections::BTreeMap;

use super::DynamoDb;
use super::action::Write;
use super::ask::MOST_ACTIONS;
use super::client::{Pauses, Refusal};
use super::step::{Claimed, between, key};
use super::value::{flag, number, text};
use crate::registry::{Error, History, Token};
use crate::time::{Step, Timestamp};
use crate::vault::Id;

/// Nobody has it yet.
const TAKE: &str =
    "SET #since = :since, #token = :none, #given = :true, #again = :true, #released = :false, #retaken = :false";
const IS_NEW: &str = "attribute_not_exists(#pk)";

/// Somebody here has it: it can't be given back any more.
const SHARE: &str = "SET #again = :true";
const IS_HELD: &str = "#released = :false";

/// Somebody here gave it back.
const RETAKE: &str = "SET #token = :none, #given = :true, #again = :true, #released = :false, #retaken = :true";
const IS_RELEASED: &str = "#released = :true";

/// How often a step is looked at again that others take or give back meanwhile.
const ATTEMPTS: u8 = 10;

impl DynamoDb {
    pub(super) fn unite_ledger(&self, id: Id, history: &History) -> Result<(), Error> {
        let mut pauses = Pauses::new(&self.client);
        let united = loop {
            let book = self.book(id)?;
            let united = history.united_with(&book.ledger);
            if united == book.ledger || self.write_all(&book, &united)? {
                break united;
            }
            if !pauses.pause(&Error::LedgerConflict) {
                return Err(Error::LedgerConflict);
            }
        };
        let wanted = history.taken.iter().copied().filter(|step| !united.forgotten.contains(*step));
        let mut wanted: Vec<Step> = wanted.collect();
        wanted.sort_unstable();
        wanted.dedup();
        for _ in 0..ATTEMPTS {
            wanted = self.unite_steps(id, &wanted, history.changed)?;
            if wanted.is_empty() {
                // It changes what is known of the last use only where that is later.
                self.note_use_not_before(id, history.changed);
                return Ok(());
            }
        }
        Err(Error::LedgerConflict)
    }

    /// Writes steps down, many in one transaction; those that others changed meanwhile are left.
    fn unite_steps(&self, ledger: Id, wanted: &[Step], changed: Timestamp) -> Result<Vec<Step>, Error> {
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok(Vec::new()) };
        let known: BTreeMap<Step, Claimed> =
            self.steps(&between(ledger, *first, *last))?.into_iter().map(|claimed| (claimed.step, claimed)).collect();
        let write = |step: &Step| Some((*step, united(ledger, *step, known.get(step), changed)?));
        let writes: Vec<(Step, Write)> = wanted.iter().filter_map(write).collect();
        let mut left = Vec::new();
        for some in writes.chunks(MOST_ACTIONS) {
            let (steps, some): (Vec<Step>, Vec<Write>) = some.iter().cloned().unzip();
            match self.client.transact(&some) {
                Ok(()) => {}
                Err(Refusal::Cancelled(_)) => left.extend(steps),
                Err(refusal) => return Err(refusal.into_error(&self.client.place)),
            }
        }
        Ok(left)
    }
}

/// What is written for a step that another registry handed out; nothing where it is so already.
fn united(ledger: Id, step: Step, known: Option<&Claimed>, changed: Timestamp) -> Option<Write> {
    let (yes, no, none) = (flag(true), flag(false), text(Token::NONE));
    let key = key(ledger, step);
    Some(match known {
        Some(known) if known.again && !known.released => return None,
        Some(known) if !known.released => {
            Write::update(key, SHARE, vec![(":true", yes)]).only_if(IS_HELD, vec![(":false", no)])
        }
        Some(_) => {
            let values = vec![(":none", none), (":true", yes), (":false", no)];
            Write::update(key, RETAKE, values).only_if(IS_RELEASED, Vec::new())
        }
        None => {
            let since = number(changed.as_unix());
            let values = vec![(":since", since), (":none", none), (":true", yes), (":false", no)];
            Write::update(key, TAKE, values).only_if(IS_NEW, Vec::new())
        }
    })
}

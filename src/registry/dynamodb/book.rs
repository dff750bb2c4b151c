//! A ledger as it is stored: one item, behind those of its steps in the same partition.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::DynamoDb;
use super::action::Key;
use super::table;
use super::value::{Item, flag_in, number, number_in, text, text_in};
use crate::oath::relying_party;
use crate::registry::restored::restored_until;
use crate::registry::{Error, Fingerprint, LastPair, Ledger, Returnable, Run, Runs, Token};
use crate::time::{Step, Timestamp};
use crate::vault::Id;

/// The key of a ledger's item, behind those of its steps ([`super::step`]).
pub(super) const LEDGER: &str = "ledger";

/// A ledger's partition: those of other secrets have others, and don't share its capacity.
pub(super) fn partition(ledger: Id) -> String {
    format!("ledger:{ledger}")
}

pub(super) fn key(ledger: Id) -> Key {
    Key::new(partition(ledger), LEDGER)
}

/// A ledger, and what only this registry knows of it.
#[derive(Debug, Clone)]
pub(super) struct Book {
    /// Without what counts as handed out since the registry was restored.
    pub(super) ledger: Ledger,
    /// Of the device that began it.
    pub(super) period: Option<i64>,
    pub(super) print: Fingerprint,
    /// Counts the devices that joined it.
    pub(super) joined: u64,
    /// Whether a sweep found nothing in it. A device that joins it opens it again: deleted, it could lose a claim that is
    /// on its way.
    pub(super) is_closed: bool,
    /// As [`Ledger::restored`].
    pub(super) restored: Option<Step>,
}

/// What isn't asked for in conditions, as one text.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    pair: Option<Pair>,
    pair_released: Option<u64>,
    counter: Option<u64>,
    relying_party: Option<relying_party::State>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Pair {
    second: u64,
    token: u64,
    given: bool,
    /// Only of one that can be given back.
    claimed: Option<bool>,
    before: Option<u64>,
}

impl Book {
    /// Whether a step counts as handed out, without having an item.
    pub(super) fn has(&self, step: Step) -> bool {
        self.ledger.forgotten.contains(step) || self.restored.is_some_and(|last| step <= last)
    }

    /// The ledger with what counts since the registry was restored.
    pub(super) fn seen(self) -> Ledger {
        let mut ledger = self.ledger;
        ledger.restored = self.restored;
        ledger.last_pair = LastPair::not_before(ledger.restored, ledger.last_pair);
        ledger.forgotten = with_restored(ledger.forgotten, ledger.restored);
        ledger
    }
}

/// Runs, and all up to the last step that counts since the registry was restored.
pub(super) fn with_restored(mut runs: Runs, restored: Option<Step>) -> Runs {
    if let Some(last) = restored {
        runs.add(Run { first: Step::new(0), last });
    }
    runs
}

/// What runs begin with as they are stored: older engines take no text that is empty.
const RUNS: &str = "runs ";

/// Runs as they are stored.
pub(super) fn runs_text(runs: &Runs) -> Value {
    text(format_args!("{RUNS}{runs}"))
}

/// What is stored of a ledger in one text.
pub(super) fn state_of(ledger: &Ledger) -> Result<Value, &'static str> {
    let pair = ledger.last_pair.map(|pair| Pair {
        second: pair.second.value(),
        token: pair.token.value(),
        given: pair.given,
        claimed: pair.returnable.map(|returnable| returnable.claimed),
        before: pair.returnable.and_then(|returnable| returnable.before).map(Step::value),
    });
    let state = State {
        pair,
        pair_released: ledger.pair_released.map(Step::value),
        counter: ledger.counter,
        relying_party: ledger.relying_party.clone(),
    };
    serde_json::to_string(&state).map(text).map_err(|_| "state")
}

/// The attributes of a ledger that begins.
pub(super) fn new(print: &str, period: Option<u64>) -> Result<Vec<(&'static str, Value)>, &'static str> {
    let mut attributes = vec![
        ("print", text(print)),
        ("runs", runs_text(&Runs::NONE)),
        ("state", state_of(&Ledger::new(Id::random()))?),
        ("changed", number(0)),
        ("revision", number(0)),
        ("joined", number(1)),
    ];
    attributes.extend(period.map(|period| ("period", number(period.cast_signed()))));
    Ok(attributes)
}

impl DynamoDb {
    /// A ledger as it is now. A closed one is gone, as far as anybody is told.
    pub(super) fn book(&self, ledger: Id) -> Result<Book, Error> {
        self.any_book(ledger)?.filter(|book| !book.is_closed).ok_or(Error::Gone)
    }

    /// The same, closed or not.
    pub(super) fn any_book(&self, ledger: Id) -> Result<Option<Book>, Error> {
        let items = self.client.get_all(&[table::key(), key(ledger)])?;
        let [registry, item] = items.as_slice() else { return Err(self.client.odd()) };
        let accepted = self.registry_in(registry.as_ref())?.accepted;
        item.as_ref().map(|item| self.book_in(ledger, item, accepted)).transpose()
    }

    /// Several as they are now, closed or not; those that aren't there are left out.
    pub(super) fn books(&self, ledgers: &[Id]) -> Result<BTreeMap<Id, Book>, Error> {
        let mut keys = vec![table::key()];
        keys.extend(ledgers.iter().map(|ledger| key(*ledger)));
        let mut items = self.client.get_all(&keys)?.into_iter();
        let accepted = self.registry_in(items.next().flatten().as_ref())?.accepted;
        let there = ledgers.iter().zip(items).filter_map(|(ledger, item)| Some((*ledger, item?)));
        there.map(|(ledger, item)| Ok((ledger, self.book_in(ledger, &item, accepted)?))).collect()
    }

    pub(super) fn book_in(&self, id: Id, item: &Item, accepted: i64) -> Result<Book, Error> {
        let damaged = |field| self.damaged("ledger", &id.to_string(), field);
        let state = text_in(item, "state").and_then(|text| serde_json::from_str::<State>(text).ok());
        let state = state.ok_or_else(|| damaged("state"))?;
        let last_pair = state.pair.map(|pair| LastPair {
            second: Step::new(pair.second),
            token: Token::from_value(pair.token),
            given: pair.given,
            returnable: pair.claimed.map(|claimed| Returnable { claimed, before: pair.before.map(Step::new) }),
        });
        let runs = text_in(item, "runs").and_then(|text| text.strip_prefix(RUNS)?.parse().ok());
        let print = text_in(item, "print").and_then(super::hexadecimal::fingerprint);
        let period = number_in(item, "period");
        let number = |field: &'static str| number_in::<u64>(item, field).ok_or_else(|| damaged(field));
        let ledger = Ledger {
            id,
            last_pair,
            pair_released: state.pair_released.map(Step::new),
            counter: state.counter,
            forgotten: runs.ok_or_else(|| damaged("runs"))?,
            relying_party: state.relying_party,
            restored: None,
            changed: Timestamp::from_unix(number("changed")?),
            revision: number("revision")?,
        };
        Ok(Book {
            ledger,
            period,
            print: print.ok_or_else(|| damaged("print"))?,
            joined: number("joined")?,
            is_closed: flag_in(item, "closed").unwrap_or_default(),
            restored: restored_until(accepted, period),
        })
    }
}

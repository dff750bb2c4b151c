//! A step that was handed out: an item in its ledger's partition, in the order of their numbers.

use super::DynamoDb;
use super::action::{Key, Look};
use super::book::partition;
use super::value::{Item, flag_in, number_in, text_in};
use crate::registry::{Error, Token};
use crate::time::Step;
use crate::vault::Id;

/// What the keys of steps begin with.
const PREFIX: &str = "claimed:";

/// A step's item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claimed {
    pub(super) step: Step,
    /// When, by the clock of who took it, in Unix seconds.
    pub(super) since: u64,
    pub(super) token: Token,
    /// Whether it was shown to somebody else, too.
    pub(super) again: bool,
    pub(super) given: bool,
    /// Whether it was given back.
    pub(super) released: bool,
    /// Whether somebody took it after it was given back.
    pub(super) retaken: bool,
}

/// A step's key in its partition, with leading zeros, so that texts are in the order of numbers.
pub(super) fn sort_key(step: Step) -> String {
    format!("{PREFIX}{:020}", step.value())
}

pub(super) fn key(ledger: Id, step: Step) -> Key {
    Key::new(partition(ledger), sort_key(step))
}

/// The number in a key; none for a ledger's own item.
pub(super) fn number_of(item: &Item) -> Option<Step> {
    text_in(item, "sk")?.strip_prefix(PREFIX)?.parse().ok().map(Step::new)
}

/// The steps from one to another.
pub(super) fn between(ledger: Id, first: Step, last: Step) -> Look {
    Look::between(partition(ledger), sort_key(first), sort_key(last))
}

impl DynamoDb {
    pub(super) fn claimed_in(&self, item: &Item) -> Result<Claimed, Error> {
        let id = text_in(item, "sk").unwrap_or("?");
        let damaged = |field| self.damaged("step", id, field);
        let token = text_in(item, "token").and_then(|text| u64::from_str_radix(text, 16).ok());
        let flag = |field: &'static str| flag_in(item, field).ok_or_else(|| damaged(field));
        Ok(Claimed {
            step: number_of(item).ok_or_else(|| damaged("sk"))?,
            since: number_in(item, "since").ok_or_else(|| damaged("since"))?,
            token: Token::from_value(token.ok_or_else(|| damaged("token"))?),
            again: flag("again")?,
            given: flag("given")?,
            released: flag("released")?,
            retaken: flag("retaken")?,
        })
    }

    /// The steps of a look, those that were given back too.
    pub(super) fn steps(&self, look: &Look) -> Result<Vec<Claimed>, Error> {
        self.client.look(look)?.iter().map(|item| self.claimed_in(item)).collect()
    }
}

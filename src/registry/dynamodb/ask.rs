//! What is asked of the table: items, partitions, single writes and transactions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::action::{Key, Look, Write};
use super::client::{Client, Refusal};
use super::value::{Item, text_in};
use crate::registry::Error;
use crate::vault::Id;

/// The most items that are read at once (`BatchGetItem`).
const MOST_KEYS: usize = 100;

/// The most items of one partition: what it would cost to read more, nobody wants to pay.
const MOST_ITEMS: usize = 1_000_000;

/// The most actions of one transaction (`TransactWriteItems`).
pub(super) const MOST_ACTIONS: usize = 100;

impl Client {
    /// An item as it is now.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        let request = json!({ "TableName": self.table, "Key": key.item(), "ConsistentRead": true });
        let answer = self.tell("GetItem", request)?;
        match answer.get("Item") {
            None => Ok(None),
            Some(item) => item.as_object().cloned().map(Some).ok_or_else(|| self.odd()),
        }
    }

    /// Items as they are now, in the order of their keys here.
    pub(super) fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Error> {
        let mut found: BTreeMap<(String, String), Item> = BTreeMap::new();
        let mut distinct: Vec<&Key> = keys.iter().collect();
        distinct.sort_unstable_by_key(|key| (&key.pk, &key.sk));
        distinct.dedup();
        for keys in distinct.chunks(MOST_KEYS) {
            let mut wanted = json!(keys.iter().map(|key| key.item()).collect::<Vec<_>>());
            let mut pauses = super::client::Pauses::new(self);
            loop {
                let request = json!({ "RequestItems": { &self.table: { "Keys": wanted, "ConsistentRead": true } } });
                let answer = self.tell("BatchGetItem", request)?;
                let items =
                    answer.get("Responses").and_then(|tables| tables.get(&self.table)).and_then(Value::as_array);
                for item in items.ok_or_else(|| self.odd())? {
                    let item = item.as_object().ok_or_else(|| self.odd())?;
                    let key = (text_in(item, "pk"), text_in(item, "sk"));
                    let (Some(pk), Some(sk)) = key else { return Err(self.odd()) };
                    found.insert((pk.to_owned(), sk.to_owned()), item.clone());
                }
                // What the service had no capacity for.
                let left = answer.get("UnprocessedKeys").and_then(|tables| tables.get(&self.table)?.get("Keys"));
                match left {
                    None => break,
                    Some(left) => wanted = left.clone(),
                }
                let reason = "the table's capacity is used up".to_owned();
                let error = Error::Engine { place: self.place.clone(), reason };
                if !pauses.pause(&error) {
                    return Err(error);
                }
            }
        }
        Ok(keys.iter().map(|key| found.get(&(key.pk.clone(), key.sk.clone())).cloned()).collect())
    }

    /// The items of a partition, page by page.
    pub(super) fn look(&self, look: &Look) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        let mut from: Option<Value> = None;
        loop {
            let (page, next) = self.page(look, from.as_ref())?;
            items.extend(page);
            match next {
                None => return Ok(items),
                // An answer that leads nowhere would be asked for without end.
                next if next == from || items.len() > MOST_ITEMS => return Err(self.odd()),
                next => from = next,
            }
        }
    }

    /// One page, and where the next one begins.
    pub(super) fn page(&self, look: &Look, from: Option<&Value>) -> Result<(Vec<Item>, Option<Value>), Error> {
        let answer = self.tell("Query", Value::Object(look.request(&self.table, from)))?;
        let items = answer.get("Items").and_then(Value::as_array).ok_or_else(|| self.odd())?;
        let items = items.iter().map(|item| item.as_object().cloned().ok_or_else(|| self.odd()));
        Ok((items.collect::<Result<_, _>>()?, answer.get("LastEvaluatedKey").cloned()))
    }

    /// A write; false where its condition isn't met. Repeated after a lost answer, it finds what it did itself, and counts
    /// that as somebody else's.
    pub(super) fn write(&self, write: &Write) -> Result<bool, Error> {
        match self.ask(write.operation(), write.request(&self.table)) {
            Ok(_) => Ok(true),
            Err(Refusal::Condition) => Ok(false),
            Err(refusal) => Err(refusal.into_error(&self.place)),
        }
    }

    /// Writes of several items, all or none; where a condition isn't met, whether each is. Repeated after a lost answer,
    /// it is done once: the service knows it by a token.
    pub(super) fn transact(&self, writes: &[Write]) -> Result<(), Refusal> {
        let items: Vec<Value> = writes.iter().map(|write| write.in_transaction(&self.table)).collect();
        let mut request = Map::new();
        request.insert("TransactItems".to_owned(), items.into());
        request.insert("ClientRequestToken".to_owned(), Id::random().to_string().into());
        self.ask("TransactWriteItems", request).map(drop)
    }

    /// Asks for something without a condition.
    pub(super) fn tell(&self, operation: &'static str, request: Value) -> Result<Value, Error> {
        let Value::Object(request) = request else { return Err(self.odd()) };
        self.ask(operation, request).map_err(|refusal| refusal.into_error(&self.place))
    }
}

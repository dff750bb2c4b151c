//! What is asked of the service: reads and writes of items, as its API has them ("Amazon DynamoDB API Reference").
//!
//! Attributes stand in expressions as `#name`, since many words are reserved there, and values as `:name`.

use serde_json::{Map, Value, json};

use super::value::{Item, text};

/// A value of an expression.
pub(super) type Values = Vec<(&'static str, Value)>;

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// Which partition.
    pub(super) pk: String,
    /// Which item of it.
    pub(super) sk: String,
}

impl Key {
    pub(super) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    pub(super) fn item(&self) -> Item {
        [("pk".to_owned(), text(&self.pk)), ("sk".to_owned(), text(&self.sk))].into_iter().collect()
    }
}

/// A write of one item, alone or in a transaction.
#[derive(Debug, Clone)]
pub(super) struct Write {
    what: What,
    condition: Option<&'static str>,
    values: Values,
}

#[derive(Debug, Clone)]
enum What {
    Put(Item),
    Update(Key, String),
    Delete(Key),
}

impl Write {
    /// An item with these attributes.
    pub(super) fn put(key: &Key, attributes: Vec<(&'static str, Value)>) -> Self {
        let mut item = key.item();
        item.extend(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Self { what: What::Put(item), condition: None, values: Vec::new() }
    }

    /// A change of an item, which is made where there is none.
    pub(super) fn update(key: Key, expression: impl Into<String>, values: Values) -> Self {
        Self { what: What::Update(key, expression.into()), condition: None, values }
    }

    /// An item less.
    pub(super) const fn delete(key: Key) -> Self {
        Self { what: What::Delete(key), condition: None, values: Vec::new() }
    }

    /// The same, only where this holds.
    pub(super) fn only_if(mut self, condition: &'static str, values: Values) -> Self {
        self.condition = Some(condition);
        self.values.extend(values);
        self
    }

    /// The same, only where there is no such item.
    pub(super) fn if_new(self) -> Self {
        self.only_if("attribute_not_exists(#pk)", Vec::new())
    }

    /// The operation that does it alone.
    pub(super) const fn operation(&self) -> &'static str {
        match self.what {
            What::Put(_) => "PutItem",
            What::Update(..) => "UpdateItem",
            What::Delete(_) => "DeleteItem",
        }
    }

    /// The request of that operation.
    pub(super) fn request(&self, table: &str) -> Map<String, Value> {
        let mut request = Map::new();
        request.insert("TableName".to_owned(), table.into());
        let mut expressions = Vec::new();
        match &self.what {
            What::Put(item) => {
                request.insert("Item".to_owned(), item.clone().into());
            }
            What::Update(key, expression) => {
                request.insert("Key".to_owned(), key.item().into());
                request.insert("UpdateExpression".to_owned(), expression.as_str().into());
                expressions.push(expression.as_str());
            }
            What::Delete(key) => {
                request.insert("Key".to_owned(), key.item().into());
            }
        }
        if let Some(condition) = self.condition {
            request.insert("ConditionExpression".to_owned(), condition.into());
            expressions.push(condition);
        }
        explain(&mut request, &expressions, &self.values);
        request
    }

    /// The same in a transaction.
    pub(super) fn in_transaction(&self, table: &str) -> Value {
        let name = match self.what {
            What::Put(_) => "Put",
            What::Update(..) => "Update",
            What::Delete(_) => "Delete",
        };
        json!({ name: self.request(table) })
    }
}

/// A look at one partition, in the order of its keys.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) pk: String,
    /// From this key on.
    pub(super) first: String,
    /// Up to this key.
    pub(super) last: String,
    /// Which of them; all by default.
    pub(super) filter: Option<(&'static str, Values)>,
    /// Which attributes; all by default.
    pub(super) only: Option<&'static str>,
    /// Whether it sees all that was written before it began, which costs twice as much.
    pub(super) is_consistent: bool,
    /// The last first.
    pub(super) backwards: bool,
    /// How many items are looked at in one request, at most.
    pub(super) page: Option<u32>,
}

/// Behind every key that is used here.
const END: &str = "\u{10ffff}";

impl Look {
    /// At all of a partition.
    pub(super) fn at(pk: impl Into<String>) -> Self {
        // A key has at least one character.
        Self::between(pk, " ", END)
    }

    /// At those from one key to another.
    pub(super) fn between(pk: impl Into<String>, first: impl Into<String>, last: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            first: first.into(),
            last: last.into(),
            filter: None,
            only: None,
            is_consistent: true,
            backwards: false,
            page: None,
        }
    }

    pub(super) fn request(&self, table: &str, from: Option<&Value>) -> Map<String, Value> {
        let mut request = Map::new();
        let condition = "#pk = :pk AND #sk BETWEEN :first AND :last";
        let mut expressions = vec![condition];
        let mut values: Values =
            vec![(":pk", text(&self.pk)), (":first", text(&self.first)), (":last", text(&self.last))];
        request.insert("TableName".to_owned(), table.into());
        request.insert("KeyConditionExpression".to_owned(), condition.into());
        request.insert("ConsistentRead".to_owned(), self.is_consistent.into());
        if self.backwards {
            request.insert("ScanIndexForward".to_owned(), false.into());
        }
        if let Some((filter, of_filter)) = &self.filter {
            request.insert("FilterExpression".to_owned(), (*filter).into());
            expressions.push(filter);
            values.extend(of_filter.iter().cloned());
        }
        if let Some(only) = self.only {
            request.insert("ProjectionExpression".to_owned(), only.into());
            expressions.push(only);
        }
        if let Some(page) = self.page {
            request.insert("Limit".to_owned(), page.into());
        }
        if let Some(from) = from {
            request.insert("ExclusiveStartKey".to_owned(), from.clone());
        }
        explain(&mut request, &expressions, &values);
        request
    }
}

/// Says what the names and values of expressions are.
fn explain(request: &mut Map<String, Value>, expressions: &[&str], values: &Values) {
    let names: Map<String, Value> = expressions.iter().flat_map(|text| names_in(text)).collect();
    if !names.is_empty() {
        request.insert("ExpressionAttributeNames".to_owned(), names.into());
    }
    if !values.is_empty() {
        let values: Map<String, Value> =
            values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        request.insert("ExpressionAttributeValues".to_owned(), values.into());
    }
}

fn names_in(expression: &str) -> impl Iterator<Item = (String, Value)> + '_ {
    expression.split('#').skip(1).map(|rest| {
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        (format!("#{name}"), name.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::dynamodb::value::number;

    #[test]
    fn a_write_says_what_its_names_and_values_are() {
        let write = Write::update(Key::new("p", "s"), "SET #a = :a REMOVE #b", vec![(":a", number(1))])
            .only_if("#a = :old AND attribute_exists(#pk)", vec![(":old", number(0))]);
        let expected = json!({
            "TableName": "t",
            "Key": { "pk": { "S": "p" }, "sk": { "S": "s" } },
            "UpdateExpression": "SET #a = :a REMOVE #b",
            "ConditionExpression": "#a = :old AND attribute_exists(#pk)",
            "ExpressionAttributeNames": { "#a": "a", "#b": "b", "#pk": "pk" },
            "ExpressionAttributeValues": { ":a": { "N": "1" }, ":old": { "N": "0" } },
        });
        assert_eq!(Value::Object(write.request("t")), expected);
        assert_eq!(write.in_transaction("t"), json!({ "Update": expected }));
        assert_eq!(write.operation(), "UpdateItem");
        let delete = Write::delete(Key::new("p", "s")).request("t");
        assert_eq!(delete.keys().collect::<Vec<_>>(), ["Key", "TableName"]);
    }
}

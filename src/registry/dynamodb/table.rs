//! The table: made, found to be ours, and brought up to date.

use std::time::Duration;

use serde_json::{Value, json};

use super::action::{Key, Write};
use super::client::{Client, Pauses};
use super::value::{Item, number, number_in, text};
use crate::registry::Error;
use crate::vault::Id;

/// The newest form of what is stored. Version 1 is the first.
pub(super) const KNOWN: i64 = 1;

/// How long a table takes to be made, at most.
const MAKING: Duration = Duration::from_secs(300);

/// The registry's own item.
pub(super) fn key() -> Key {
    Key::new("registry", "registry")
}

/// Makes the table and its registry, or brings that up to date. Nothing changes where it is up to date.
pub(super) fn prepare(client: &Client) -> Result<(), Error> {
    let existed = match client.get(&key()) {
        Ok(Some(item)) => {
            // Who only takes codes may not be allowed to look at the table itself.
            match describe(client) {
                Ok(Some(table)) => expect_fit(client, &table)?,
                Ok(None) | Err(Error::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
            return migrate(client, &item);
        }
        Ok(None) => true,
        // It may be about to be made.
        Err(Error::NoRegistry { .. }) => describe(client)?.is_some(),
        // An item that has other keys than the table.
        Err(error) => match describe(client) {
            Ok(Some(table)) => return Err(expect_fit(client, &table).err().unwrap_or(error)),
            _ => return Err(error),
        },
    };
    if !existed {
        make(client)?;
    }
    expect_fit(client, &active(client)?)?;
    // A table with other things in it is somebody else's.
    let request = json!({ "TableName": client.table, "Limit": 1, "ConsistentRead": true });
    let is_empty = |answer: Value| answer.get("Items").and_then(Value::as_array).is_some_and(Vec::is_empty);
    if existed && !is_empty(client.tell("Scan", request)?) && client.get(&key())?.is_none() {
        return Err(unfit(client, "there are items in it, and no registry"));
    }
    let id = Id::random().to_string().replace('-', "");
    let own = vec![("version", number(KNOWN)), ("id", text(id)), ("accepted", number(0))];
    // Somebody else may have made it meanwhile.
    if !client.write(&Write::put(&key(), own).if_new())?
        && let Some(item) = client.get(&key())?
    {
        return migrate(client, &item);
    }
    Ok(())
}

/// What brings a table from one version to the next stands here, once there is a second one.
fn migrate(client: &Client, item: &Item) -> Result<(), Error> {
    let place = client.place.clone();
    match number_in::<i64>(item, "version") {
        Some(found) if found > KNOWN => Err(Error::TooNew { path: place, found, known: KNOWN }),
        Some(_) => Ok(()),
        None => {
            let id = "registry".to_owned();
            Err(Error::Damaged { place, record: "registry", id, field: "version" })
        }
    }
}

/// The table's description; none where there is no table.
fn describe(client: &Client) -> Result<Option<Value>, Error> {
    match client.tell("DescribeTable", json!({ "TableName": client.table })) {
        Err(Error::NoRegistry { .. }) => Ok(None),
        answer => answer?.get("Table").cloned().map(Some).ok_or_else(|| client.odd()),
    }
}

/// On demand: nobody has to guess how many codes will be wanted. Nobody deletes it by one call.
fn make(client: &Client) -> Result<(), Error> {
    let request = json!({
        "TableName": client.table,
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
        ],
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": true,
    });
    match client.tell("CreateTable", request) {
        // Made by somebody else at the same moment, or by a request whose answer was lost.
        Err(error) if !matches!(describe(client), Ok(Some(_))) => Err(error),
        _ => Ok(()),
    }
}

/// The table's description, once it can be used.
fn active(client: &Client) -> Result<Value, Error> {
    let is_over = client.way.world.deadline(MAKING);
    let mut pauses = Pauses::new(client);
    loop {
        let table = describe(client)?.ok_or_else(|| Error::NoRegistry { place: client.place.clone() })?;
        let status = table.get("TableStatus").and_then(Value::as_str).unwrap_or_default();
        if matches!(status, "ACTIVE" | "UPDATING") {
            return Ok(table);
        }
        let error = unfit(client, &format!("it is {}", super::failure::readable(status).to_lowercase()));
        if is_over() || status == "ARCHIVED" {
            return Err(error);
        }
        if !pauses.pause(&error) {
            pauses = Pauses::new(client);
        }
    }
}

/// Makes sure that a table is one that a registry can be in.
fn expect_fit(client: &Client, table: &Value) -> Result<(), Error> {
    let keys = table.get("KeySchema").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is =
        |index: usize, name: &str| keys.get(index).and_then(|key| key.get("AttributeName")?.as_str()) == Some(name);
    if keys.len() != 2 || !is(0, "pk") || !is(1, "sk") {
        return Err(unfit(client, "its keys are not `pk` and `sk`"));
    }
    // Two regions would each take a step before they hear of each other.
    let is_global = table.get("Replicas").and_then(Value::as_array).is_some_and(|replicas| !replicas.is_empty());
    if is_global && table.get("MultiRegionConsistency").and_then(Value::as_str) != Some("STRONG") {
        return Err(unfit(
            client,
            "it is a global table whose regions hear of each other later, so a code could be handed out twice",
        ));
    }
    Ok(())
}

fn unfit(client: &Client, why: &str) -> Error {
    Error::Refused { place: client.place.clone(), reason: format!("the table can't be used: {why}") }
}

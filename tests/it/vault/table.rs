//! The shared vault in a table of DynamoDB, held to the suite of all vaults; and items that somebody changed there.

use std::sync::Arc;

use serde_json::{Value, json};
use vmfa::registry::dynamodb::Address;
use vmfa::vault::age::{Age, Identity, generate};
use vmfa::vault::{Id, Vault as _};

use super::shared::opened_by_recipients;
use super::{conformance, item, uri_of};
use crate::registry::dynamodb::made;
use crate::support::dynamodb::{ENGINES, Engine, Server};

fn vault(url: &str, recipients: &[&str], identity: &str) -> Age {
    let recipients = recipients.iter().map(|&recipient| recipient.to_owned()).collect();
    Age::on(Arc::new(made(url)), recipients, Identity::Text(identity.to_owned().into()))
}

#[test]
fn items_in_a_table_conform() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let (identity, recipient) = generate();
        conformance::check(&vault(&server.url(), &[&recipient], &identity));
    }
}

#[test]
fn those_who_share_a_table_open_what_is_encrypted_to_them_and_have_one_key() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let url = server.url();
        opened_by_recipients(&|recipients, identity| vault(&url, recipients, identity));
    }
}

/// Items that were exchanged or replaced in the table are found out.
#[test]
fn what_somebody_changes_in_the_table_is_found_out() {
    let server = Server::start(Engine::Dynoxide);
    let url = server.url();
    let (identity, recipient) = generate();
    let vault = vault(&url, &[&recipient], &identity);
    let (one, two) = (Id::random(), Id::random());
    for id in [one, two] {
        vault.put(id, &item("x", &uri_of(id))).unwrap();
    }
    let table = Address::parse(&url).unwrap().table().to_owned();
    let key = |id: Id| json!({ "pk": { "S": "item" }, "sk": { "S": id.to_string() } });
    let set = |id: Id, content: &Value| {
        let mut all = key(id);
        all["item"] = content.clone();
        server.ask("PutItem", &json!({ "TableName": table, "Item": all }));
    };
    let other = server.ask("GetItem", &json!({ "TableName": table, "Key": key(two) }))["Item"]["item"].clone();
    set(one, &other);
    let exchanged = vault.get(one).unwrap_err().to_string();
    assert!(exchanged.contains("another device") && exchanged.contains(&one.to_string()), "{exchanged}");
    set(two, &json!({ "B": "A".repeat(100_000) }));
    assert!(vault.get(two).unwrap_err().to_string().contains("larger than"));
    set(two, &json!({ "S": "text" }));
    assert!(vault.get(two).unwrap_err().to_string().contains("no content"));
}

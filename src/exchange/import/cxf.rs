//! Credential Exchange Format 1.0 of the FIDO Alliance (Proposed Standard, 2025-08-14): JSON in clear text.
//!
//! A credential of type `totp` has its secret as base32 (RFC 4648, section 6); nothing else is taken. The protocol that carries
//! the format between two apps encrypts it to a key that only the other app has, so that can't be read here.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::entry::{Fields, whose};
use super::groups;
use crate::exchange::json::{list, number, number_if_any, text, text_if_any};
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input, MOST_ENTRIES};

pub(super) const IMPORTER: Importer =
    Importer { id: "cxf", title: "an export in the Credential Exchange Format", recognizes, read };

/// The deepest collection that is looked into.
const MOST_LEVELS: usize = 32;

/// Outermost first, and one for all items of a collection.
type Path<'a> = Rc<[&'a str]>;

fn recognizes(input: &Input<'_>) -> bool {
    let json = input.json.as_ref().map(|json| json.value());
    json.is_some_and(|json| {
        json.get("exporterRpId").is_some_and(Value::is_string)
            && json.get("version").is_some_and(|version| version.get("major").is_some())
    })
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let json = input.json.ok_or(Error::Unrecognized)?;
    let version = json.value().get("version").unwrap_or(&Value::Null);
    let numbers = [number(version, "major"), number(version, "minor")];
    if numbers[0] != Some(1) {
        let [major, minor] = numbers.map(|number| number.map_or("?".to_owned(), |number| number.to_string()));
        return Err(Error::Version { version: format!("{major}.{minor}"), known: "1" });
    }
    let accounts = json.value().get("accounts").and_then(Value::as_array);
    let accounts = accounts.ok_or_else(|| Error::damaged("it has no list of accounts"))?;
    let mut found = Entries::default();
    for account in accounts {
        let mut paths = Paths::new();
        add(list(account, "collections"), &mut Vec::new(), &mut paths);
        let items = account.get("items").and_then(Value::as_array);
        for item in items.ok_or_else(|| Error::damaged("an account has no list of items"))? {
            read_item(item, &paths, &mut found)?;
        }
    }
    Ok(Export::Plain(found))
}

fn read_item(item: &Value, paths: &Paths<'_>, found: &mut Entries) -> Result<(), Error> {
    let credentials = list(item, "credentials");
    let user = credentials.iter().find_map(user_name);
    let is_totp = |credential: &&Value| text(credential, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("totp"));
    let path = text(item, "id").and_then(|id| paths.get(id));
    let mut has_any = false;
    for credential in credentials.iter().filter(is_totp) {
        has_any = true;
        let account = text(credential, "username").filter(|name| !name.is_empty()).or(user);
        // An item named after its account names no issuer.
        let title = || text(item, "title").filter(|title| account != Some(title));
        let issuer = text(credential, "issuer").filter(|issuer| !issuer.is_empty()).or_else(title);
        let groups = groups::named(path.iter().flat_map(|path| path.iter().copied()));
        let named = Fields { issuer, account, groups, ..Fields::default() };
        found.push(whose(issuer, account), entry(credential, named));
    }
    if !has_any {
        found.without = found.without.saturating_add(1);
    }
    if found.count().saturating_add(found.without) > MOST_ENTRIES {
        return Err(Error::TooMany { limit: MOST_ENTRIES });
    }
    Ok(())
}

fn entry<'a>(credential: &'a Value, mut fields: Fields<'a>) -> Result<Entry, Flaw> {
    let algorithm = text_if_any(credential, "algorithm", "algorithm")?;
    fields.period = number_if_any(credential, "period", "period")?;
    // Bitwarden's name for codes that the format doesn't have.
    if algorithm.is_some_and(|name| name.eq_ignore_ascii_case("steam")) {
        fields.kind = Some("steam");
    } else {
        fields.algorithm = algorithm;
        fields.digits = number_if_any(credential, "digits", "number of digits")?;
    }
    fields.with_base32(text_if_any(credential, "secret", "secret")?)
}

/// The user name of a login beside the one-time password.
fn user_name(credential: &Value) -> Option<&str> {
    if text(credential, "type") != Some("basic-auth") {
        return None;
    }
    credential.get("username").and_then(|name| text(name, "value"))
}

/// The collections that items are in, by the items' identifiers; the first path where there are several.
type Paths<'a> = HashMap<&'a str, Path<'a>>;

fn add<'a>(collections: &'a [Value], path: &mut Vec<&'a str>, paths: &mut Paths<'a>) {
    if path.len() >= MOST_LEVELS {
        return;
    }
    for collection in collections {
        path.push(text(collection, "title").unwrap_or_default());
        let here: Path<'_> = path.as_slice().into();
        for item in list(collection, "items").iter().filter_map(|linked| text(linked, "item")) {
            paths.entry(item).or_insert_with(|| Rc::clone(&here));
        }
        add(list(collection, "subCollections"), path, paths);
        path.pop();
    }
}

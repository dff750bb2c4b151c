//! Bitwarden: its vault's export as JSON, in clear text or under a password of its own, and as CSV; and the exports of the app
//! Bitwarden Authenticator, which have the same shape. With attachments, the JSON is in a ZIP archive. Vaultwarden's exports are
//! Bitwarden's.

mod encrypted;
mod table;

use serde_json::Value;

use super::groups::{self, Groups};
use super::login::Login;
use crate::exchange::json::{Json, items, text, text_if_any};
use crate::exchange::zip::{Archive, is_archive};
use crate::exchange::{Entries, Error, Export, Importer, Input};

pub(super) const IMPORTER: Importer = Importer { id: "bitwarden", title: "a Bitwarden export", recognizes, read };

/// The export in an archive; the attachments lie beside it.
const MEMBER: &str = "data.json";

fn recognizes(input: &Input<'_>) -> bool {
    match &input.json {
        Some(json) => is_export(json.value()),
        None if is_archive(input.bytes) => unpacked(input.bytes).is_ok_and(|json| is_export(json.value())),
        None => input.text.is_some_and(table::recognizes),
    }
}

fn is_export(json: &Value) -> bool {
    json.get("encrypted").is_some_and(Value::is_boolean)
        && ["items", "data", "encKeyValidation_DO_NOT_EDIT"].iter().any(|key| json.get(key).is_some())
}

fn unpacked(bytes: &[u8]) -> Result<Json, Error> {
    let archive = Archive::open(bytes)?;
    let content = archive.read(archive.find(MEMBER).ok_or(Error::Unrecognized)?, None)?;
    Json::of_bytes(&content).ok_or(Error::Unrecognized)
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let json = match input.json {
        Some(json) => json,
        None if is_archive(input.bytes) => unpacked(input.bytes)?,
        None => return Ok(Export::Plain(table::read(input.text.unwrap_or_default())?)),
    };
    let json = json.value();
    let is = |key: &str| json.get(key) == Some(&Value::Bool(true));
    if !is("encrypted") {
        return Ok(Export::Plain(entries(json)?));
    }
    if !is("passwordProtected") {
        return Err(Error::Unsupported { what: "encrypted with the key of the account, which only Bitwarden has" });
    }
    let locked = encrypted::locked(json)?;
    Export::locked(move |password| entries(locked.open(password)?.value()))
}

fn entries(json: &Value) -> Result<Entries, Error> {
    let mut groups = Groups::of(json.get("folders"), ["id", "name"], "folders")?;
    groups.add(json.get("collections"), ["id", "name"], "collections")?;
    let mut found = Entries::default();
    for item in items(json.get("items"), "items")? {
        let login = item.get("login").unwrap_or(&Value::Null);
        let (title, user) = (text(item, "name"), text(login, "username"));
        let login_of = |groups| Login { title, user, groups };
        match text_if_any(login, "totp", "secret") {
            Ok(None) => found.without = found.without.saturating_add(1),
            Ok(Some(totp)) => found.push(login_of(Vec::new()).whose(totp), login_of(filed(item, &groups)).entry(totp)),
            Err(flaw) => found.push(login_of(Vec::new()).whose(""), Err(flaw)),
        }
    }
    Ok(found)
}

/// The folders and collections that an item is in. They are nested by their names: `Work/Servers`.
fn filed(item: &Value, groups: &Groups) -> Vec<String> {
    let names = groups.name(item.get("folderId")).into_iter().chain(groups.names(item.get("collectionIds")));
    let names: Vec<String> = names.collect();
    groups::named(names.iter().flat_map(|name| name.split('/')))
}

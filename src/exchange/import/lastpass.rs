//! LastPass Authenticator: its export, "Transfer accounts" to a file, in JSON. All of it is TOTP.

use serde_json::Value;

use super::entry::{Fields, whose};
use super::groups::Groups;
use crate::exchange::json::{items, number, number_if_any, text, text_if_any, version};
use crate::exchange::{Entries, Entry, Error, Export, Flaw, Importer, Input};

pub(super) const IMPORTER: Importer =
    Importer { id: "lastpass", title: "a LastPass Authenticator export", recognizes, read };

/// The newest version.
const NEWEST: u64 = 3;

fn recognizes(input: &Input<'_>) -> bool {
    let Some(json) = input.json.as_ref().map(|json| json.value()) else { return false };
    let of_lastpass =
        |account: &Value| account.get("issuerName").is_some() || account.get("originalIssuerName").is_some();
    let accounts = json.get("accounts").and_then(Value::as_array);
    json.get("localDeviceId").is_some() && json.get("accounts").is_some()
        || accounts.is_some_and(|accounts| accounts.iter().any(of_lastpass))
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let json = input.json.ok_or(Error::Unrecognized)?;
    let json = json.value();
    if json.get("version").is_some() && number(json, "version").is_none_or(|version| !(1..=NEWEST).contains(&version)) {
        return Err(Error::Version { version: version(json.get("version")), known: "1 to 3" });
    }
    let folders = Groups::of(json.get("folders"), ["id", "name"], "folders")?;
    let mut found = Entries::default();
    for account in items(json.get("accounts"), "accounts")? {
        found.push(whose(issuer(account), user(account)), read_account(account, &folders));
    }
    Ok(Export::Plain(found))
}

/// What the user made of it, else what the service said.
fn issuer(account: &Value) -> Option<&str> {
    text(account, "issuerName").filter(|name| !name.trim().is_empty()).or_else(|| text(account, "originalIssuerName"))
}

fn user(account: &Value) -> Option<&str> {
    text(account, "userName").filter(|name| !name.trim().is_empty()).or_else(|| text(account, "originalUserName"))
}

fn read_account(account: &Value, folders: &Groups) -> Result<Entry, Flaw> {
    let folder = account.get("folderData").and_then(|data| data.get("folderId"));
    let fields = Fields {
        issuer: issuer(account),
        account: user(account),
        kind: None,
        algorithm: text_if_any(account, "algorithm", "algorithm")?,
        digits: number_if_any(account, "digits", "number of digits")?,
        period: number_if_any(account, "timeStep", "period")?,
        counter: None,
        groups: folders.name(folder).into_iter().collect(),
    };
    fields.with_base32(text_if_any(account, "secret", "secret")?)
}

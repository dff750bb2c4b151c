//! 1Password: its export in 1PUX, documented at support.1password.com/1pux-format. A ZIP archive with `export.data`, JSON.

use serde_json::Value;

use super::groups;
use super::login::Login;
use crate::exchange::json::{Json, list, number, text};
use crate::exchange::zip::{self, Archive};
use crate::exchange::{Entries, Error, Export, Importer, Input, MOST_ENTRIES};

pub(super) const IMPORTER: Importer =
    Importer { id: "1password", title: "a 1Password export (1PUX)", recognizes, read };

const DATA: &str = "export.data";
const ATTRIBUTES: &str = "export.attributes";

/// The version of the format that is documented.
const VERSION: u64 = 3;

fn recognizes(input: &Input<'_>) -> bool {
    zip::is_archive(input.bytes)
        && Archive::open(input.bytes).is_ok_and(|archive| archive.names().any(|name| name == DATA))
}

fn read(input: Input<'_>) -> Result<Export, Error> {
    let archive = Archive::open(input.bytes)?;
    if let Some(attributes) = member(&archive, ATTRIBUTES)? {
        let version = number(attributes.value(), "version");
        if version.is_some_and(|version| version > VERSION) {
            let version = version.unwrap_or_default().to_string();
            return Err(Error::Version { version, known: "3" });
        }
    }
    let data = member(&archive, DATA)?.ok_or(Error::Unrecognized)?;
    let accounts = data.value().get("accounts").and_then(Value::as_array);
    let mut found = Entries::default();
    for account in accounts.ok_or_else(|| Error::damaged("it has no list of accounts"))? {
        for vault in list(account, "vaults") {
            let name = vault.get("attrs").and_then(|attributes| text(attributes, "name"));
            for item in list(vault, "items") {
                // The first version of the format had the item in an object of its own.
                read_item(item.get("item").unwrap_or(item), name, &mut found)?;
            }
        }
    }
    Ok(Export::Plain(found))
}

/// A member that is JSON; `None` where it isn't there.
fn member(archive: &Archive<'_>, name: &str) -> Result<Option<Json>, Error> {
    let Some(member) = archive.find(name) else { return Ok(None) };
    if member.is_encrypted() {
        return Err(Error::Unsupported { what: "an archive under a password; export it again without one" });
    }
    let bytes = archive.read(member, None)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Error::damaged(format!("`{name}` is not UTF-8")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Json::parse(text).map(Some).ok_or_else(|| Error::damaged(format!("`{name}` is not JSON")))
}

fn read_item(item: &Value, vault: Option<&str>, found: &mut Entries) -> Result<(), Error> {
    if item.get("trashed") == Some(&Value::Bool(true)) {
        return Ok(());
    }
    let (overview, details) =
        (item.get("overview").unwrap_or(&Value::Null), item.get("details").unwrap_or(&Value::Null));
    let user = list(details, "loginFields").iter().find(|field| text(field, "designation") == Some("username"));
    let tags = list(overview, "tags").iter().filter_map(Value::as_str);
    let groups = groups::named(vault.into_iter().chain(tags));
    let fields = list(details, "sections").iter().flat_map(|section| list(section, "fields"));
    let mut has_any = false;
    for otp in fields.filter_map(|field| field.get("value").and_then(|value| text(value, "totp"))) {
        if otp.trim().is_empty() {
            continue;
        }
        has_any = true;
        let login = Login {
            title: text(overview, "title"),
            user: user.and_then(|field| text(field, "value")),
            groups: groups.clone(),
        };
        let whose = login.whose(otp);
        found.push(whose, login.entry(otp));
        bounded(found)?;
    }
    if !has_any {
        found.without = found.without.saturating_add(1);
    }
    bounded(found)
}

fn bounded(found: &Entries) -> Result<(), Error> {
    if found.count().saturating_add(found.without) > MOST_ENTRIES {
        return Err(Error::TooMany { limit: MOST_ENTRIES });
    }
    Ok(())
}

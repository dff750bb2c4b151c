//! The CSV export, by the names in its first line. Bitwarden Authenticator writes fewer columns.

use super::super::{groups, login::Login};
use crate::exchange::csv::Table;
use crate::exchange::{Entries, Error, MOST_ENTRIES};

/// The column that no other program's table has.
const SECRET: &str = "login_totp";

pub(super) fn recognizes(text: &str) -> bool {
    Table::open(text).is_some_and(|table| table.has(&[SECRET]))
}

pub(super) fn read(text: &str) -> Result<Entries, Error> {
    let table = Table::open(text).ok_or(Error::Unrecognized)?;
    let [secret, title, user] = [SECRET, "name", "login_username"].map(|name| table.column(name));
    let folder = table.column("folder").or_else(|| table.column("collections"));
    let mut found = Entries::default();
    for record in table {
        let record = record?;
        if found.count().saturating_add(found.without) >= MOST_ENTRIES {
            return Err(Error::TooMany { limit: MOST_ENTRIES });
        }
        let Some(totp) = record.get(secret) else {
            found.without = found.without.saturating_add(1);
            continue;
        };
        let groups = groups::named(record.get(folder).into_iter().flat_map(|name| name.split('/')));
        let login = Login { title: record.get(title), user: record.get(user), groups };
        found.push(login.whose(totp), login.entry(totp));
    }
    Ok(found)
}

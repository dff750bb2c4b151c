//! The names alone, for those who type one: the file is read as it is, and nothing is made, locked, waited for or brought up
//! to date.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, named_params};

use super::Sqlite;
use super::open::{has_log, open_reading};

/// A name begins with a text if it is not before it, and before the text with a byte behind it that UTF-8 doesn't have.
const CONDITION: &str = "name >= :beginning AND name < :beginning || CAST(X'FF' AS TEXT)";

/// Whose names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// Devices in use.
    Active,
    /// Devices in the trash.
    Trashed,
}

impl Of {
    const fn condition(self) -> &'static str {
        match self {
            Self::Active => "state = 'active'",
            Self::Trashed => "trashed IS NOT NULL",
        }
    }
}

impl Sqlite {
    /// Names of devices that begin with a text, in order. If there are more than `most`, the last of them stands behind
    /// the first others, so that what all have in common is what these have. None where the file can't be read.
    pub(crate) fn names(path: &Path, of: Of, beginning: &str, most: usize) -> Option<Vec<String>> {
        // A FIFO would be waited for.
        if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return None;
        }
        // The log's index is only read, too; without a log, nothing beside the file is needed.
        let how = if has_log(path) { "mode=ro&readonly_shm=1" } else { "immutable=1" };
        let connection = open_reading(path, how).ok()?;
        connection.busy_timeout(Duration::ZERO).ok()?;
        let mut names = in_order(&connection, of, beginning, ("ASC", most))?;
        if names.len() == most {
            names.pop();
            names.extend(in_order(&connection, of, beginning, ("DESC", 1))?);
        }
        Some(names)
    }
}

fn in_order(connection: &Connection, of: Of, beginning: &str, (order, most): (&str, usize)) -> Option<Vec<String>> {
    let whose = of.condition();
    let sql =
        format!("SELECT DISTINCT name FROM device WHERE {whose} AND {CONDITION} ORDER BY name {order} LIMIT :most");
    let mut statement = connection.prepare(&sql).ok()?;
    let most = i64::try_from(most).ok()?;
    let rows = statement.query_map(named_params! { ":beginning": beginning, ":most": most }, |row| row.get(0)).ok()?;
    rows.collect::<Result<_, _>>().ok()
}

//! Where an account is kept between two runs: one SQLite file, a row an entity.
//!
//! What a request changed is written before it is answered, in one transaction, and survives a killed process.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::account::{Account, SETTINGS, Table};

/// Why a state isn't read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The directory can't be made or written to.
    #[error("the state directory {path} can't be used: {reason}")]
    Directory {
        /// Which.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// SQLite's word.
    #[error("the state in {path} can't be used: {reason}")]
    Database {
        /// Which file.
        path: String,
        /// SQLite's words.
        reason: String,
    },
    /// Not a file that only this user can read.
    #[error("the state {path} {reason}")]
    File {
        /// Which file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another server has it open.
    #[error("another server uses the state in {path}")]
    InUse {
        /// Which file.
        path: String,
    },
    /// It belongs to an account of another number.
    #[error("the state in {path} is of account {found}, not of {wanted}")]
    OtherAccount {
        /// Which file.
        path: String,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
    /// A row of a later version, or a damaged one.
    #[error("{kind} `{key}` in {path} can't be read: {reason}")]
    Row {
        /// Which file.
        path: String,
        /// Of which kind.
        kind: &'static str,
        /// Under which key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// An open state.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    path: PathBuf,
}

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS entity (kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, \
                      PRIMARY KEY (kind, key)) WITHOUT ROWID";

/// The state holds secret keys, so a file that others can read is refused, and so is a FIFO, which would never open. It isn't
/// opened for that: closing it again would drop the locks that this process has on it.
fn expect_private(path: &Path) -> Result<(), String> {
    let metadata = fs::metadata(path).map_err(|error| format!("can't be used: {error}"))?;
    if !metadata.is_file() {
        return Err("is not a file".to_owned());
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
        return Err("can be read by other users: run chmod 600 on it".to_owned());
    }
    Ok(())
}

/// The kind and key of the row that says whose state it is.
const ACCOUNT: (&str, &str) = ("account", "id");

impl Store {
    /// Opens the state in a directory; makes both where they aren't there, for the user
    /// alone.
    ///
    /// # Errors
    ///
    /// A directory that can't be used; a state that another server has open.
    pub(super) fn open(directory: &Path) -> Result<Self, Error> {
        let unusable = |error: std::io::Error| Error::Directory {
            path: directory.display().to_string(),
            reason: error.to_string(),
        };
        let path = directory.join("account.sqlite");
        crate::file::create_private(&path).map_err(unusable)?;
        expect_private(&path).map_err(|reason| Error::File { path: path.display().to_string(), reason })?;
        let open = || {
            let connection = Connection::open(&path)?;
            // A server holds it until it ends: there is nothing to wait for.
            connection.busy_timeout(std::time::Duration::ZERO)?;
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.execute(SCHEMA, [])?;
            // Takes the lock, and keeps it.
            connection.execute("INSERT OR IGNORE INTO entity VALUES ('account', 'version', '1')", [])?;
            Ok(connection)
        };
        let connection = open().map_err(|error: rusqlite::Error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Error::InUse { path: path.display().to_string() }
            }
            _ => Error::Database { path: path.display().to_string(), reason: error.to_string() },
        })?;
        Ok(Self { connection, path })
    }

    /// The account that is kept here; `None` in a new state, which belongs to `id` from then on.
    ///
    /// # Errors
    ///
    /// Another account's; rows that can't be read.
    pub(super) fn read(&self, id: &str) -> Result<Option<Account>, Error> {
        use rusqlite::OptionalExtension as _;
        let owner: Option<String> = self
            .connection
            .query_row("SELECT value FROM entity WHERE kind = ?1 AND key = ?2", [ACCOUNT.0, ACCOUNT.1], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|error| self.failed(&error))?;
        let Some(owner) = owner else {
            self.connection
                .execute("INSERT INTO entity VALUES (?1, ?2, ?3)", [ACCOUNT.0, ACCOUNT.1, id])
                .map_err(|error| self.failed(&error))?;
            return Ok(None);
        };
        if owner != id {
            let path = self.path.display().to_string();
            return Err(Error::OtherAccount { path, found: owner, wanted: id.to_owned() });
        }
        let mut account = Account::new(id);
        self.load("user", &mut account.users)?;
        self.load("group", &mut account.groups)?;
        self.load("policy", &mut account.policies)?;
        self.load("role", &mut account.roles)?;
        self.load("device", &mut account.devices)?;
        self.load("authenticator", &mut account.authenticators)?;
        self.load("access-key", &mut account.access_keys)?;
        self.load("session", &mut account.sessions)?;
        self.load("settings", &mut account.settings)?;
        account.read();
        Ok(account.settings.contains(SETTINGS).then_some(account))
    }

    /// Writes what changed since the last time.
    ///
    /// # Errors
    ///
    /// When nothing could be written.
    pub(super) fn write(&mut self, account: &mut Account) -> Result<(), Error> {
        if !account.has_changed() {
            return Ok(());
        }
        let path = self.path.display().to_string();
        let failed = |error: rusqlite::Error| Error::Database { path: path.clone(), reason: error.to_string() };
        let transaction = self.connection.transaction().map_err(failed)?;
        save(&transaction, "user", &account.users).map_err(failed)?;
        save(&transaction, "group", &account.groups).map_err(failed)?;
        save(&transaction, "policy", &account.policies).map_err(failed)?;
        save(&transaction, "role", &account.roles).map_err(failed)?;
        save(&transaction, "device", &account.devices).map_err(failed)?;
        save(&transaction, "authenticator", &account.authenticators).map_err(failed)?;
        save(&transaction, "access-key", &account.access_keys).map_err(failed)?;
        save(&transaction, "session", &account.sessions).map_err(failed)?;
        save(&transaction, "settings", &account.settings).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        account.stored();
        Ok(())
    }

    fn load<V: DeserializeOwned>(&self, kind: &'static str, table: &mut Table<V>) -> Result<(), Error> {
        let mut statement = self
            .connection
            .prepare("SELECT key, value FROM entity WHERE kind = ?1")
            .map_err(|error| self.failed(&error))?;
        let mut rows = statement.query([kind]).map_err(|error| self.failed(&error))?;
        while let Some(row) = rows.next().map_err(|error| self.failed(&error))? {
            let read = || Ok((row.get(0)?, Zeroizing::new(row.get(1)?)));
            let (key, value): (String, Zeroizing<String>) = read().map_err(|error| self.failed(&error))?;
            let row = serde_json::from_str(&value).map_err(|error| Error::Row {
                path: self.path.display().to_string(),
                kind,
                key: key.clone(),
                // Its message may quote what it met; the place is enough.
                reason: format!("line {} column {}", error.line(), error.column()),
            })?;
            table.load(key, row);
        }
        Ok(())
    }

    fn failed(&self, error: &rusqlite::Error) -> Error {
        Error::Database { path: self.path.display().to_string(), reason: error.to_string() }
    }
}

fn save<V: Serialize>(connection: &Connection, kind: &str, table: &Table<V>) -> Result<(), rusqlite::Error> {
    for key in table.changed() {
        match table.get(key) {
            Some(row) => {
                let value = serde_json::to_string(row).map(Zeroizing::new);
                let value = value.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                connection.prepare_cached("INSERT OR REPLACE INTO entity VALUES (?1, ?2, ?3)")?.execute(params![
                    kind,
                    key,
                    value.as_str()
                ])?;
            }
            None => {
                connection
                    .prepare_cached("DELETE FROM entity WHERE kind = ?1 AND key = ?2")?
                    .execute([kind, key.as_str()])?;
            }
        }
    }
    Ok(())
}

//! Opening a registry file: making it, bringing it up to date, and reading it where nothing can be written.

use std::fs::TryLockError;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::{READ_ONLY, of_engine, of_io};
use super::files::{FileId, beside};
use super::{Sqlite, locks};
use crate::file::{create_private, may_create};
use crate::registry::Error;

/// What brings a file from one schema version (`PRAGMA user_version`) to the next. Never edited, only
/// added to: files of every version are out there.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE device (
        id         TEXT PRIMARY KEY,
        name       TEXT NOT NULL,
        state      TEXT NOT NULL CHECK (state IN ('pending', 'active', 'retired')),
        batch      TEXT,
        replaces   TEXT,
        until      INTEGER,
        issuer     TEXT,
        account    TEXT NOT NULL,
        algorithm  TEXT NOT NULL,
        digits     INTEGER NOT NULL,
        period     INTEGER,
        counter    INTEGER,
        serial     TEXT,
        vault      TEXT NOT NULL,
        created    INTEGER NOT NULL,
        revision   INTEGER NOT NULL,
        CHECK ((period IS NULL) <> (counter IS NULL))
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX device_name ON device (name);
    CREATE UNIQUE INDEX device_active ON device (name) WHERE state = 'active';
    CREATE UNIQUE INDEX device_pending ON device (name) WHERE state = 'pending';
",
    "
    ALTER TABLE device ADD COLUMN drift_seconds INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE device ADD COLUMN drift_ppm INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE device ADD COLUMN drift_since INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE device ADD COLUMN ledger TEXT;
    CREATE INDEX device_ledger ON device (ledger) WHERE ledger IS NOT NULL;
    CREATE TABLE ledger (
        id             TEXT PRIMARY KEY,
        fingerprint    BLOB NOT NULL UNIQUE,
        period         INTEGER,
        last_pair      INTEGER,
        pair_claimed   INTEGER,
        pair_before    INTEGER,
        counter        INTEGER,
        forgotten      INTEGER,
        relying_party  TEXT,
        changed        INTEGER NOT NULL,
        revision       INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE claimed (
        ledger  TEXT NOT NULL,
        step    INTEGER NOT NULL,
        since   INTEGER NOT NULL,
        again   INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (ledger, step)
    ) STRICT, WITHOUT ROWID;
",
    // A mark up to which all steps counted as handed out became runs; claims have owners; the registry has a name, and
    // counts what it hands out.
    "
    ALTER TABLE claimed ADD COLUMN token INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE claimed ADD COLUMN given INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE claimed ADD COLUMN released INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE claimed ADD COLUMN retaken INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE ledger ADD COLUMN pair_released INTEGER;
    ALTER TABLE ledger ADD COLUMN pair_token INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE ledger ADD COLUMN pair_given INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE ledger ADD COLUMN runs TEXT NOT NULL DEFAULT '';
    UPDATE ledger SET runs = '0-' || forgotten WHERE forgotten IS NOT NULL;
    ALTER TABLE ledger DROP COLUMN forgotten;
    CREATE TABLE registry (
        id        TEXT PRIMARY KEY,
        changes   INTEGER NOT NULL,
        furthest  INTEGER NOT NULL DEFAULT 0,
        accepted  INTEGER NOT NULL DEFAULT 0,
        skip      INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    INSERT INTO registry (id, changes) VALUES (lower(hex(randomblob(16))), 0);
",
    // What counts as handed out since the registry was restored can be moved back to a floor; the keys that fingerprints are
    // made with are recognized; a device whose vault has a new key finds its ledger again.
    "
    ALTER TABLE registry ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE device ADD COLUMN former TEXT;
    CREATE TABLE vault_key (
        place  TEXT NOT NULL,
        print  BLOB NOT NULL,
        known  INTEGER NOT NULL,
        PRIMARY KEY (place, print)
    ) STRICT, WITHOUT ROWID;
",
    // Five digits are the characters of Steam Guard, which older programs would take for damage.
    "",
    // A device in the trash is a retired one that says since when: the first schema knows three states.
    "
    ALTER TABLE device ADD COLUMN trashed INTEGER;
",
    "
    ALTER TABLE device ADD COLUMN note TEXT;
",
    "
    CREATE TABLE access_token (
        name     TEXT PRIMARY KEY,
        hash     BLOB NOT NULL UNIQUE,
        allow    TEXT NOT NULL,
        created  INTEGER NOT NULL,
        expires  INTEGER
    ) STRICT, WITHOUT ROWID;
",
];

/// The newest schema version.
const KNOWN: i64 = MIGRATIONS.len().cast_signed() as i64;

/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most memory that pages take, in KiB.
const CACHE_KIB: i64 = 16 << 10;

/// How many bytes of write-ahead log are left to the next process, which reads all of them: some sixty codes.
const LONGEST_LOG: u64 = 256 << 10;

impl Sqlite {
    /// Opens a registry, making it (mode 0600, in a directory of mode 0700) where there is none and
    /// bringing an older one up to date.
    ///
    /// On a read-only file system it can be read.
    ///
    /// # Errors
    ///
    /// [`Error::TooNew`], and what the file system or SQLite said.
    pub fn open(path: &Path) -> Result<Self, Error> {
        create_private(path).map_err(|error| of_io(path, &error))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| of_engine(path, &error))?;
        let sqlite = Self::over(path, connection);
        if !sqlite.read_only(&sqlite.connection())? {
            sqlite.prepare()?;
            return Ok(sqlite);
        }
        match sqlite.prepare_reading() {
            // Without the files of the write-ahead log, and with no way to make them, there is nothing but this file.
            Err(Error::Engine { .. } | Error::ReadOnly { .. }) if !has_log(path) => {
                *sqlite.connection() = open_immutable(path)?;
                sqlite.prepare_reading()?;
            }
            result => result?,
        }
        Ok(sqlite)
    }

    /// Opens a registry where there is one; else an empty one that is in memory alone, so that looking makes no file and no
    /// directory.
    ///
    /// # Errors
    ///
    /// The same.
    #[cfg(feature = "cli")]
    pub(crate) fn open_to_look(path: &Path) -> Result<Self, Error> {
        if !path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Self::open(path);
        }
        let connection = Connection::open_in_memory().map_err(|error| of_engine(path, &error))?;
        for migration in MIGRATIONS {
            connection.execute_batch(migration).map_err(|error| of_engine(path, &error))?;
        }
        Ok(Self::over(path, connection))
    }

    fn over(path: &Path, connection: Connection) -> Self {
        let (file, locks) = (FileId::of(path), AtomicBool::new(false));
        Self { path: path.to_owned(), mark: None, file, locks, connection: Mutex::new(connection) }
    }

    /// Makes sure that the file is still the one that was opened. Another one in its place has its own hand-outs, and what is
    /// written to a file that was moved away is read by nobody.
    pub(super) fn expect_in_place(&self) -> Result<(), Error> {
        if self.file.is_none() || FileId::of(&self.path) == self.file {
            return Ok(());
        }
        let reason = "it was moved or replaced while it was open".to_owned();
        Err(Error::NotIntact { place: self.path.display().to_string(), reason })
    }

    /// Whether anything can be written down.
    ///
    /// # Errors
    ///
    /// [`Error::ReadOnly`] where nothing can be.
    pub fn expect_writable(&self) -> Result<(), Error> {
        self.expect_in_place()?;
        if let Err(error) = may_create(&self.path) {
            return Err(of_io(&self.path, &error));
        }
        if self.read_only(&self.connection())? {
            let reason = READ_ONLY.to_owned();
            return Err(Error::ReadOnly { place: self.path.display().to_string(), reason });
        }
        Ok(())
    }

    fn read_only(&self, connection: &Connection) -> Result<bool, Error> {
        connection.is_readonly("main").map_err(|error| self.failed(&error))
    }

    /// The same, where nothing can be written: no older file is brought up to date.
    fn prepare_reading(&self) -> Result<(), Error> {
        let connection = self.connection();
        let found = self.version(&connection)?;
        self.refuse_newer(found, KNOWN)?;
        if found < KNOWN {
            let reason = "it was written by an older version, and needs to be migrated first".to_owned();
            return Err(Error::ReadOnly { place: self.path.display().to_string(), reason });
        }
        Ok(())
    }

    fn prepare(&self) -> Result<(), Error> {
        let mut connection = self.connection();
        connection.busy_timeout(PATIENCE).map_err(|error| self.failed(&error))?;
        let known = KNOWN;
        // What was written down has reached the disk; what is only shown is the exception, in `claim_steps`.
        connection.pragma_update(None, "synchronous", "FULL").map_err(|error| self.failed(&error))?;
        // Not all at once, but as pages are read: a fleet's changes and lists needn't read any twice.
        connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(|error| self.failed(&error))?;
        let long = std::fs::metadata(beside(&self.path, "-wal")).is_ok_and(|log| log.len() > LONGEST_LOG);
        self.leave_log(&connection, !long)?;
        let found = self.version(&connection)?;
        if found == known {
            return Ok(());
        }
        self.refuse_newer(found, known)?;
        // One at a time: no time limit of SQLite's covers the switch to the write-ahead log.
        let lock = self.lock_of_makers()?;
        if self.version(&connection)? == known {
            return Ok(());
        }
        connection.pragma_update(None, "journal_mode", "WAL").map_err(|error| self.failed(&error))?;
        let transaction = self.begin_change(&mut connection)?;
        // Asked again under the lock: another process may have been first.
        let found = self.version(&transaction)?;
        self.refuse_newer(found, known)?;
        for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
            transaction.execute_batch(migration).map_err(|error| self.failed(&error))?;
        }
        transaction.pragma_update(None, "user_version", known).map_err(|error| self.failed(&error))?;
        transaction.commit().map_err(|error| self.failed(&error))?;
        drop(lock);
        Ok(())
    }

    /// The lock of those who make or migrate the file, on a file beside it, until it is dropped.
    fn lock_of_makers(&self) -> Result<std::fs::File, Error> {
        let path = self.path.with_extension("lock");
        create_private(&path).map_err(|error| of_io(&path, &error))?;
        let file = std::fs::File::options().write(true).open(&path).map_err(|error| of_io(&path, &error))?;
        locks::within(&file, PATIENCE).map_err(|error| match error {
            TryLockError::WouldBlock => {
                Error::Locked { place: path.display().to_string(), holder: locks::holder(&path) }
            }
            TryLockError::Error(error) => of_io(&path, &error),
        })?;
        Ok(file)
    }

    fn refuse_newer(&self, found: i64, known: i64) -> Result<(), Error> {
        if found > known {
            return Err(Error::TooNew { path: self.path.display().to_string(), found, known });
        }
        Ok(())
    }

    fn version(&self, connection: &Connection) -> Result<i64, Error> {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|error| self.failed(&error))
    }

    /// Whether the write-ahead log is left when this process ends. What is in it is as safe there. Moving it to the
    /// main file would cost a code four more flushes; that is done where it got long, and after a change of devices, so
    /// that a copy of the main file has them.
    pub(super) fn leave_log(&self, connection: &Connection, leave: bool) -> Result<(), Error> {
        let result = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave);
        result.map(|_| ()).map_err(|error| self.failed(&error))
    }
}

pub(super) fn has_log(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// A file that nobody can change meanwhile.
fn open_immutable(path: &Path) -> Result<Connection, Error> {
    open_reading(path, "immutable=1")
}

/// A file that is only read, by the parameters of SQLite's URIs.
pub(super) fn open_reading(path: &Path, parameters: &str) -> Result<Connection, Error> {
    let path_in_uri = path.to_str().map(|path| percent_encoding::utf8_percent_encode(path, IN_URI).to_string());
    let Some(path_in_uri) = path_in_uri else {
        let reason = "its path is not UTF-8".to_owned();
        return Err(Error::ReadOnly { place: path.display().to_string(), reason });
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{path_in_uri}?{parameters}"), flags)
        .map_err(|error| of_engine(path, &error))
}

/// What has a meaning in the path of SQLite's URIs.
const IN_URI: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS.add(b'?').add(b'#').add(b'%');

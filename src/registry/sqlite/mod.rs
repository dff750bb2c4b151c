//! The registry in one SQLite file: write-ahead log, every change one immediate transaction.

mod access;
mod columns;
mod failure;
mod files;
mod keys;
mod ledger;
mod locks;
mod mark;
#[cfg(feature = "cli")]
mod names;
mod open;
mod restored;
mod united;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, named_params, params_from_iter};

pub use super::restored::{AHEAD, Accepted};
use columns::Column;
use files::FileId;
#[cfg(feature = "cli")]
pub(crate) use names::Of;

use super::record::Record;
use super::{
    AccessToken, Claim, Device, Error, Fingerprint, History, Holder, Kept, Ledger, Registry, Taken, Token, clash,
    names_clash,
};
use crate::name::Name;
use crate::time::{Step, Timestamp};
use crate::vault::Id;

/// A registry file. One connection, guarded; other processes have their own.
pub struct Sqlite {
    path: PathBuf,
    mark: Option<mark::Mark>,
    /// Which file was opened, where that can be told.
    file: Option<FileId>,
    /// Whether the file system is known to lock files.
    locks: AtomicBool,
    connection: Mutex<Connection>,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Sqlite {
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a change of devices.
    fn begin_change<'a>(&self, connection: &'a mut Connection) -> Result<Transaction<'a>, Error> {
        self.leave_log(connection, false)?;
        self.begin(connection)
    }

    fn begin<'a>(&self, connection: &'a mut Connection) -> Result<Transaction<'a>, Error> {
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|error| self.failed(&error))
    }

    /// Begins to write down what is about to be handed out.
    fn begin_handing_out<'a>(&self, connection: &'a mut Connection, promised: bool) -> Result<Transaction<'a>, Error> {
        let transaction = self.begin(connection)?;
        self.see_mark(&transaction)?;
        // A code that is only shown carries no promise, and the check takes time.
        if promised {
            self.expect_in_place()?;
            self.see_lock()?;
        }
        Ok(transaction)
    }

    /// A number that changes with every change that another connection makes.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    pub fn changes(&self) -> Result<u64, Error> {
        let version = self.connection().query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0));
        version.map(i64::cast_unsigned).map_err(|error| self.failed(&error))
    }

    fn check_name(&self, connection: &Connection, device: &Device) -> Result<(), Error> {
        // Mostly nobody else has the name, which the index alone tells.
        let sql = "SELECT 1 FROM device WHERE name = ?1 AND id <> ?2";
        let others = connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.exists((device.name.as_str(), device.id.to_string())))
            .map_err(|error| self.failed(&error))?;
        if !others {
            return Ok(());
        }
        let same_name =
            self.select(connection, "WHERE name = ?1 AND state <> 'retired'", Some(device.name.as_str()))?;
        match same_name.iter().find(|old| names_clash(device, old)) {
            Some(old) => Err(clash(old)),
            None => Ok(()),
        }
    }

    fn select(&self, connection: &Connection, condition: &str, text: Option<&str>) -> Result<Vec<Device>, Error> {
        let sql = format!("SELECT {} FROM device {condition}", columns::selected());
        let mut statement = connection.prepare_cached(&sql).map_err(|error| self.failed(&error))?;
        let mut rows = statement.query(params_from_iter(text)).map_err(|error| self.failed(&error))?;
        let mut devices = Vec::new();
        while let Some(row) = rows.next().map_err(|error| self.failed(&error))? {
            devices.push(self.read(row)?);
        }
        // Read as they lie in the file, which is faster than by the names' index.
        devices.sort_unstable_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        Ok(devices)
    }

    fn read(&self, row: &Row<'_>) -> Result<Device, Error> {
        let state = self.text(row, Column::State)?;
        // Most devices are active, and have none of these.
        let (batch, replaces, until, trashed) = match &*state {
            "active" => (None, None, None, None),
            _ => (
                self.optional_text(row, Column::Batch)?,
                self.optional_text(row, Column::Replaces)?,
                self.field(row, Column::Until)?,
                self.field(row, Column::Trashed)?,
            ),
        };
        let record = Record {
            id: self.text(row, Column::Id)?,
            name: self.text(row, Column::Name)?,
            state,
            batch,
            replaces,
            until,
            trashed,
            issuer: self.optional_text(row, Column::Issuer)?,
            account: self.text(row, Column::Account)?,
            algorithm: self.text(row, Column::Algorithm)?,
            digits: self.field(row, Column::Digits)?,
            period: self.field(row, Column::Period)?,
            counter: self.field(row, Column::Counter)?,
            serial: self.optional_text(row, Column::Serial)?,
            note: self.optional_text(row, Column::Note)?,
            vault: self.text(row, Column::Vault)?,
            created: self.field(row, Column::Created)?,
            drift_seconds: self.field(row, Column::DriftSeconds)?,
            drift_ppm: self.field(row, Column::DriftPpm)?,
            drift_since: self.field(row, Column::DriftSince)?,
            ledger: self.optional_text(row, Column::Ledger)?,
            revision: self.field(row, Column::Revision)?,
        };
        record.device().map_err(|field| self.damaged(row, field))
    }

    fn field<T: rusqlite::types::FromSql>(&self, row: &Row<'_>, column: Column) -> Result<T, Error> {
        row.get(column.place()).map_err(|_| self.damaged(row, column.name()))
    }

    fn text<'a>(&self, row: &'a Row<'_>, column: Column) -> Result<Cow<'a, str>, Error> {
        self.optional_text(row, column)?.ok_or_else(|| self.damaged(row, column.name()))
    }

    fn optional_text<'a>(&self, row: &'a Row<'_>, column: Column) -> Result<Option<Cow<'a, str>>, Error> {
        let value = row.get_ref(column.place()).map_err(|_| self.damaged(row, column.name()))?;
        let text = value.as_str_or_null().map_err(|_| self.damaged(row, column.name()))?;
        Ok(text.map(Cow::Borrowed))
    }

    fn damaged(&self, row: &Row<'_>, field: &'static str) -> Error {
        let id = row.get(Column::Id.place()).unwrap_or_else(|_| "?".to_owned());
        Error::Damaged { place: self.path.display().to_string(), record: "device", id, field }
    }

    fn write(&self, connection: &Connection, device: &Device, sql: &str) -> Result<usize, Error> {
        let record = Record::from(device);
        let written = connection.prepare_cached(sql).and_then(|mut statement| {
            statement.execute(named_params! {
                ":id": record.id,
                ":name": record.name,
                ":state": record.state,
                ":batch": record.batch,
                ":replaces": record.replaces,
                ":until": record.until,
                ":trashed": record.trashed,
                ":issuer": record.issuer,
                ":account": record.account,
                ":algorithm": record.algorithm,
                ":digits": record.digits,
                ":period": record.period,
                ":counter": record.counter,
                ":serial": record.serial,
                ":note": record.note,
                ":vault": record.vault,
                ":created": record.created,
                ":drift_seconds": record.drift_seconds,
                ":drift_ppm": record.drift_ppm,
                ":drift_since": record.drift_since,
                ":revision": record.revision,
            })
        });
        written.map_err(|error| self.failed(&error))
    }
}

const INSERT: &str = "INSERT INTO device (id, name, state, batch, replaces, until, trashed, issuer, account, algorithm,
    digits, period, counter, serial, note, vault, created, drift_seconds, drift_ppm, drift_since, revision) VALUES (:id, :name,
    :state, :batch, :replaces, :until, :trashed, :issuer, :account, :algorithm, :digits, :period, :counter, :serial,
    :note, :vault, :created, :drift_seconds, :drift_ppm, :drift_since, :revision)";

/// All but the ledger, which only [`Registry::join`] writes.
const UPDATE: &str = "UPDATE device SET name = :name, state = :state, batch = :batch, replaces = :replaces,
    until = :until, trashed = :trashed, issuer = :issuer, account = :account, algorithm = :algorithm, digits = :digits, period = :period,
    counter = :counter, serial = :serial, note = :note, vault = :vault, created = :created, drift_seconds = :drift_seconds,
    drift_ppm = :drift_ppm, drift_since = :drift_since, revision = :revision + 1
    WHERE id = :id AND revision = :revision";

impl Registry for Sqlite {
    fn insert(&self, devices: &[Device]) -> Result<(), Error> {
        let mut connection = self.connection();
        let transaction = self.begin_change(&mut connection)?;
        for device in devices {
            self.check_name(&transaction, device)?;
            self.write(&transaction, device, INSERT)?;
        }
        transaction.commit().map_err(|error| self.failed(&error))
    }

    fn find(&self, name: &Name) -> Result<Option<Device>, Error> {
        let connection = self.connection();
        let found = self.select(&connection, "WHERE name = ?1 AND state = 'active'", Some(name.as_str()))?;
        Ok(found.into_iter().next())
    }

    fn list(&self) -> Result<Vec<Device>, Error> {
        self.select(&self.connection(), "", None)
    }

    fn update(&self, devices: &[Device]) -> Result<(), Error> {
        let mut connection = self.connection();
        let transaction = self.begin_change(&mut connection)?;
        for device in devices {
            self.check_name(&transaction, device)?;
            if self.write(&transaction, device, UPDATE)? == 0 {
                return Err(Error::Conflict(device.name.clone()));
            }
        }
        transaction.commit().map_err(|error| self.failed(&error))
    }

    fn join(&self, device: Id, fingerprint: &Fingerprint) -> Result<Id, Error> {
        self.join_ledger(device, fingerprint)
    }

    fn join_all(&self, joins: &[(Id, Fingerprint)]) -> Vec<Result<Id, Error>> {
        self.join_ledgers(joins)
    }

    fn ledger_of(&self, fingerprint: &Fingerprint) -> Result<Option<Id>, Error> {
        self.ledger_with(fingerprint)
    }

    fn see_key(&self, place: &str, print: &Fingerprint) -> Result<(), Error> {
        self.recognize_key(place, Some(print))
    }

    fn knows_key(&self, place: &str) -> Result<bool, Error> {
        self.has_key(place)
    }

    fn expect_no_key(&self, place: &str) -> Result<(), Error> {
        self.recognize_key(place, None)
    }

    fn sharers(&self, ledger: Id) -> Result<Vec<Device>, Error> {
        self.sharers_of(ledger)
    }

    fn claim(&self, claim: &Claim<'_>) -> Result<Vec<Step>, Error> {
        self.claim_steps(claim)
    }

    fn claim_all(&self, claims: &[Claim<'_>]) -> Vec<Result<Vec<Step>, Error>> {
        self.claim_steps_of_all(claims)
    }

    fn release(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        self.release_step(ledger, step, token)
    }

    fn give(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        self.give_step(ledger, step, token)
    }

    fn holder(&self, ledger: Id, step: Step) -> Result<Option<Holder>, Error> {
        self.holder_of(ledger, step)
    }

    fn claimed(&self, ledger: Id, first: Step, last: Step) -> Result<Vec<Step>, Error> {
        self.claimed_steps(ledger, first, last)
    }

    fn taken(&self, from: &[(Id, Step)]) -> Result<Vec<Taken>, Error> {
        self.taken_of_several(from)
    }

    fn claimed_by(&self, ledger: Id, token: Token) -> Result<Vec<Step>, Error> {
        self.steps_of_claim(ledger, token)
    }

    fn last_uses(&self) -> Result<BTreeMap<Id, Timestamp>, Error> {
        self.uses_of_ledgers()
    }

    fn ledger(&self, id: Id) -> Result<Ledger, Error> {
        self.read_ledger(id)
    }

    fn update_ledger(&self, ledger: &Ledger) -> Result<(), Error> {
        self.write_ledger(ledger)
    }

    fn unite(&self, ledger: Id, history: &History) -> Result<(), Error> {
        self.unite_ledger(ledger, history)
    }

    fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        self.sweep_ledgers(now)
    }

    fn remove(&self, ids: &[Id]) -> Result<(), Error> {
        let mut connection = self.connection();
        let transaction = self.begin_change(&mut connection)?;
        for id in ids {
            transaction
                .execute("DELETE FROM device WHERE id = ?1", [id.to_string()])
                .map_err(|error| self.failed(&error))?;
        }
        transaction.commit().map_err(|error| self.failed(&error))
    }

    fn probe(&self) -> Result<String, Error> {
        let connection = self.connection();
        let damage: Option<String> = connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .optional()
            .map_err(|error| self.failed(&error))?;
        if let Some(reason) = damage.filter(|word| word != "ok") {
            return Err(Error::NotIntact { place: self.path.display().to_string(), reason });
        }
        self.see_mark(&connection)?;
        if let Some(refused) = self.refused_key(&connection)? {
            return Err(refused);
        }
        let devices = self.select(&connection, "WHERE state = 'active'", None)?.len();
        Ok(format!("{}, {devices} device{}", self.path.display(), if devices == 1 { "" } else { "s" }))
    }
}

impl Kept for Sqlite {
    fn id(&self) -> Result<String, Error> {
        Self::id(self)
    }

    fn changes(&self) -> Result<u64, Error> {
        Self::changes(self)
    }

    fn fingerprint(&self, ledger: Id) -> Result<Fingerprint, Error> {
        self.fingerprint_of(ledger)
    }

    fn known_keys(&self) -> Result<Vec<(String, Fingerprint)>, Error> {
        self.keys_of_places()
    }

    fn clock(&self) -> Result<Option<i64>, Error> {
        Ok(None)
    }

    fn expect_writable(&self) -> Result<(), Error> {
        Self::expect_writable(self)
    }

    fn accept_restored(&self, now: Timestamp) -> Result<Accepted, Error> {
        Self::accept_restored(self, now)
    }

    fn access_tokens(&self) -> Result<Vec<AccessToken>, Error> {
        self.tokens()
    }

    fn add_access_token(&self, token: &AccessToken) -> Result<(), Error> {
        self.insert_token(token)
    }

    fn remove_access_token(&self, name: &Name) -> Result<bool, Error> {
        self.delete_token(name)
    }
}

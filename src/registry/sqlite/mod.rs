//! The registry in one SQLite file: write-ahead log, every change one immediate transaction.

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

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, named_params, params_from_iter};

use columns::Column;
#[cfg(feature = "cli")]
pub(crate) use names::Of;
pub use restored::{AHEAD, Accepted};

use super::{Claim, Device, Error, Fingerprint, History, Holder, Ledger, Registry, State, Token, clash, names_clash};
use crate::name::Name;
use crate::oath::{Digits, MovingFactor, Parameters};
use crate::time::{Drift, Period, Step, Timestamp};
use crate::vault::Id;

/// A registry file. One connection, guarded; other processes have their own.
pub struct Sqlite {
    path: PathBuf,
    mark: Option<mark::Mark>,
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
            self.see_lock()?;
        }
        Ok(transaction)
    }

    /// A number that changes with every change that another connection makes.
    #[cfg(feature = "cli")]
    pub(crate) fn changes(&self) -> Result<u64, Error> {
        let version = self.connection().query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0));
        version.map(i64::cast_unsigned).map_err(|error| self.failed(&error))
    }

    fn check_name(&self, connection: &Connection, device: &Device) -> Result<(), Error> {
        let same_name =
            self.select(connection, "WHERE name = ?1 AND state <> 'retired'", Some(device.name.as_str()))?;
        match same_name.iter().find(|old| names_clash(device, old)) {
            Some(old) => Err(clash(old)),
            None => Ok(()),
        }
    }

    fn select(&self, connection: &Connection, condition: &str, text: Option<&str>) -> Result<Vec<Device>, Error> {
        let sql = format!("SELECT {} FROM device {condition} ORDER BY name, id", columns::selected());
        let mut statement = connection.prepare_cached(&sql).map_err(|error| self.failed(&error))?;
        let mut rows = statement.query(params_from_iter(text)).map_err(|error| self.failed(&error))?;
        let mut devices = Vec::new();
        while let Some(row) = rows.next().map_err(|error| self.failed(&error))? {
            devices.push(self.read(row)?);
        }
        Ok(devices)
    }

    fn read(&self, row: &Row<'_>) -> Result<Device, Error> {
        let text = |column: Column| self.field::<Option<String>>(row, column);
        let number = |column: Column| Ok(self.field::<Option<i64>>(row, column)?.map(i64::cast_unsigned));
        let time = |column: Column| Ok::<_, Error>(number(column)?.map(Timestamp::from_unix));
        let id = |column: Column| text(column)?.map(|text| self.parse(row, column, &text)).transpose();
        let there = |column: Column| self.damaged(row, column);

        let state = match text(Column::State)?.as_deref() {
            Some("active") => State::Active,
            Some("pending") => State::Pending {
                batch: id(Column::Batch)?.ok_or_else(|| there(Column::Batch))?,
                replaces: id(Column::Replaces)?,
                until: time(Column::Until)?.ok_or_else(|| there(Column::Until))?,
            },
            Some("retired") => match time(Column::Trashed)? {
                Some(since) => State::Trashed { since },
                None => State::Retired { until: time(Column::Until)?.ok_or_else(|| there(Column::Until))? },
            },
            _ => return Err(there(Column::State)),
        };
        let factor = match (number(Column::Period)?, number(Column::Counter)?) {
            (Some(period), None) => {
                MovingFactor::Time { period: Period::new(period).ok_or_else(|| there(Column::Period))? }
            }
            (None, Some(next)) => MovingFactor::Counter { next },
            _ => return Err(there(Column::Period)),
        };
        let digits = number(Column::Digits)?.and_then(|count| u8::try_from(count).ok()).and_then(digits_of);
        let algorithm: String = self.field(row, Column::Algorithm)?;
        let vault: String = self.field(row, Column::Vault)?;
        let name: String = self.field(row, Column::Name)?;
        Ok(Device {
            id: id(Column::Id)?.ok_or_else(|| there(Column::Id))?,
            name: self.parse(row, Column::Name, &name)?,
            issuer: text(Column::Issuer)?,
            account: self.field(row, Column::Account)?,
            parameters: Parameters {
                algorithm: self.parse(row, Column::Algorithm, &algorithm)?,
                digits: digits.ok_or_else(|| there(Column::Digits))?,
                factor,
            },
            serial: text(Column::Serial)?,
            note: text(Column::Note)?,
            vault: self.parse(row, Column::Vault, &vault)?,
            created: time(Column::Created)?.ok_or_else(|| there(Column::Created))?,
            state,
            drift: Drift {
                seconds: self.field(row, Column::DriftSeconds)?,
                ppm: self.field(row, Column::DriftPpm)?,
                since: number(Column::DriftSince)?.ok_or_else(|| there(Column::DriftSince))?,
            },
            ledger: id(Column::Ledger)?,
            revision: number(Column::Revision)?.ok_or_else(|| there(Column::Revision))?,
        })
    }

    fn field<T: rusqlite::types::FromSql>(&self, row: &Row<'_>, column: Column) -> Result<T, Error> {
        row.get(column.place()).map_err(|_| self.damaged(row, column))
    }

    fn parse<T: FromStr>(&self, row: &Row<'_>, column: Column, text: &str) -> Result<T, Error> {
        text.parse().map_err(|_| self.damaged(row, column))
    }

    fn damaged(&self, row: &Row<'_>, column: Column) -> Error {
        let id = row.get(Column::Id.place()).unwrap_or_else(|_| "?".to_owned());
        Error::Damaged { place: self.path.display().to_string(), record: "device", id, field: column.name() }
    }

    fn write(&self, connection: &Connection, device: &Device, sql: &str) -> Result<usize, Error> {
        let (state, batch, replaces, until, trashed) = match device.state {
            State::Active => ("active", None, None, None, None),
            State::Pending { batch, replaces, until } => ("pending", Some(batch), replaces, Some(until), None),
            State::Trashed { since } => ("retired", None, None, None, Some(since)),
            State::Retired { until } => ("retired", None, None, Some(until), None),
        };
        let (period, counter) = match device.parameters.factor {
            MovingFactor::Time { period } => (Some(period.seconds()), None),
            MovingFactor::Counter { next } => (None, Some(next)),
        };
        let written = connection.prepare_cached(sql).and_then(|mut statement| {
            statement.execute(named_params! {
                ":id": device.id.to_string(),
                ":name": device.name.as_str(),
                ":state": state,
                ":batch": batch.map(|id| id.to_string()),
                ":replaces": replaces.map(|id| id.to_string()),
                ":until": until.map(|time| time.as_unix().cast_signed()),
                ":trashed": trashed.map(|time| time.as_unix().cast_signed()),
                ":issuer": device.issuer,
                ":account": device.account,
                ":algorithm": device.parameters.algorithm.as_str(),
                ":digits": device.parameters.digits.count(),
                ":period": period.map(u64::cast_signed),
                ":counter": counter.map(u64::cast_signed),
                ":serial": device.serial,
                ":note": device.note,
                ":vault": device.vault.as_str(),
                ":created": device.created.as_unix().cast_signed(),
                ":drift_seconds": device.drift.seconds,
                ":drift_ppm": device.drift.ppm,
                ":drift_since": device.drift.since.cast_signed(),
                ":revision": device.revision.cast_signed(),
            })
        });
        written.map_err(|error| self.failed(&error))
    }
}

/// Five are the characters of Steam Guard.
fn digits_of(count: u8) -> Option<Digits> {
    if count == Digits::STEAM.count() { Some(Digits::STEAM) } else { Digits::new(count) }
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

//! What was handed out and accepted, in the same file.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::Sqlite;
use crate::registry::{Claim, Device, Error, Fingerprint, Ledger};
use crate::time::{Step, Timestamp};
use crate::vault::Id;

impl Sqlite {
    pub(super) fn join_ledger(&self, device: Id, fingerprint: &Fingerprint) -> Result<Id, Error> {
        let mut connection = self.connection();
        let transaction = self.begin(&mut connection)?;
        let engine = |error: rusqlite::Error| self.failed(&error);
        let text = |sql: &str, key: &dyn ToSql| {
            let found = transaction.query_row(sql, [key], |row| row.get::<_, Option<String>>(0)).optional();
            found.map_err(engine)
        };
        let device = device.to_string();
        let Some(known) = text("SELECT ledger FROM device WHERE id = ?1", &device)? else { return Err(Error::Gone) };
        if let Some(known) = known {
            return known.parse().map_err(|_| self.damaged_ledger(&known, "device"));
        }
        let id = match text("SELECT id FROM ledger WHERE fingerprint = ?1", fingerprint)?.flatten() {
            Some(known) => known.parse().map_err(|_| self.damaged_ledger(&known, "id"))?,
            None => {
                let new = Id::random();
                let sql = "INSERT INTO ledger (id, fingerprint, changed, revision) VALUES (?1, ?2, 0, 0)";
                transaction.execute(sql, params![new.to_string(), fingerprint]).map_err(engine)?;
                new
            }
        };
        let sql = "UPDATE device SET ledger = ?1 WHERE id = ?2";
        transaction.execute(sql, [&id.to_string(), &device]).map_err(engine)?;
        transaction.commit().map_err(engine)?;
        Ok(id)
    }

    pub(super) fn sharers_of(&self, ledger: Id) -> Result<Vec<Device>, Error> {
        let connection = self.connection();
        self.select(&connection, "WHERE ledger = ?1 AND state = 'active'", Some(&ledger.to_string()))
    }

    pub(super) fn claim_steps(&self, claim: &Claim<'_>) -> Result<Vec<Step>, Error> {
        let mut connection = self.connection();
        self.leave_in_log(&connection)?;
        let transaction = self.begin(&mut connection)?;
        let engine = |error: rusqlite::Error| self.failed(&error);
        let ledger = claim.ledger.to_string();
        let now = claim.now.as_unix().cast_signed();
        let mut taken = Vec::new();
        {
            let sql = "INSERT OR IGNORE INTO claimed (ledger, step, since) VALUES (?1, ?2, ?3)";
            let mut insert = transaction.prepare_cached(sql).map_err(engine)?;
            for step in claim.candidates {
                if taken.len() >= claim.most {
                    break;
                }
                if insert.execute(params![ledger, step.value().cast_signed(), now]).map_err(engine)? == 1 {
                    taken.push(*step);
                }
            }
        }
        if taken.is_empty() {
            return Ok(taken);
        }
        let sql = "DELETE FROM claimed WHERE ledger = ?1 AND step < ?2 AND since < ?3";
        let below = claim.forget.below.value().cast_signed();
        let mut forget = transaction.prepare_cached(sql).map_err(engine)?;
        forget.execute(params![ledger, below, claim.forget.before.as_unix().cast_signed()]).map_err(engine)?;
        drop(forget);
        transaction.commit().map_err(engine)?;
        Ok(taken)
    }

    pub(super) fn release_step(&self, ledger: Id, step: Step) -> Result<bool, Error> {
        let sql = "DELETE FROM claimed WHERE ledger = ?1 AND step = ?2";
        let released = self.connection().execute(sql, params![ledger.to_string(), step.value().cast_signed()]);
        Ok(released.map_err(|error| self.failed(&error))? == 1)
    }

    pub(super) fn claimed_steps(&self, ledger: Id, first: Step, last: Step) -> Result<Vec<Step>, Error> {
        let connection = self.connection();
        let sql = "SELECT step FROM claimed WHERE ledger = ?1 AND step BETWEEN ?2 AND ?3 ORDER BY step";
        let (first, last) = (first.value().cast_signed(), last.value().cast_signed());
        let steps = connection.prepare_cached(sql).and_then(|mut statement| {
            let rows = statement.query_map(params![ledger.to_string(), first, last], |row| row.get::<_, i64>(0))?;
            rows.map(|step| Ok(Step::new(step?.cast_unsigned()))).collect()
        });
        steps.map_err(|error| self.failed(&error))
    }

    pub(super) fn read_ledger(&self, id: Id) -> Result<Ledger, Error> {
        type Columns = (Option<i64>, Option<i64>, Option<String>, i64, i64);
        let connection = self.connection();
        let sql = "SELECT last_pair, pair_before, relying_party, changed, revision FROM ledger WHERE id = ?1";
        let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
        let found: Option<Columns> =
            connection.query_row(sql, [id.to_string()], columns).optional().map_err(|error| self.failed(&error))?;
        let Some((last_pair, pair_before, relying_party, changed, revision)) = found else {
            return Ok(Ledger::new(id));
        };
        let relying_party = relying_party.map(|text| serde_json::from_str(&text)).transpose();
        let step = |number: i64| Step::new(number.cast_unsigned());
        Ok(Ledger {
            id,
            last_pair: last_pair.map(step),
            pair_before: pair_before.map(step),
            relying_party: relying_party.map_err(|_| self.damaged_ledger(&id.to_string(), "relying_party"))?,
            changed: Timestamp::from_unix(changed.cast_unsigned()),
            revision: revision.cast_unsigned(),
        })
    }

    pub(super) fn write_ledger(&self, ledger: &Ledger) -> Result<(), Error> {
        let relying_party = ledger.relying_party.as_ref().map(serde_json::to_string).transpose();
        let relying_party = relying_party.map_err(|_| self.damaged_ledger(&ledger.id.to_string(), "relying_party"))?;
        let sql = "UPDATE ledger SET last_pair = ?1, pair_before = ?2, relying_party = ?3, changed = ?4,
            revision = revision + 1 WHERE id = ?5 AND revision = ?6";
        let number = |step: Option<Step>| step.map(|step| step.value().cast_signed());
        let written = self.connection().execute(
            sql,
            params![
                number(ledger.last_pair),
                number(ledger.pair_before),
                relying_party,
                ledger.changed.as_unix().cast_signed(),
                ledger.id.to_string(),
                ledger.revision.cast_signed(),
            ],
        );
        if written.map_err(|error| self.failed(&error))? == 0 {
            return Err(Error::LedgerConflict);
        }
        Ok(())
    }

    pub(super) fn sweep_ledgers(&self, since: Timestamp) -> Result<(), Error> {
        let mut connection = self.connection();
        let transaction = self.begin(&mut connection)?;
        let since = since.as_unix().cast_signed();
        let engine = |error: rusqlite::Error| self.failed(&error);
        let abandoned = "DELETE FROM ledger WHERE changed < ?1
            AND NOT EXISTS (SELECT 1 FROM device WHERE device.ledger = ledger.id)
            AND NOT EXISTS (SELECT 1 FROM claimed WHERE claimed.ledger = ledger.id AND claimed.since >= ?1)";
        if transaction.execute(abandoned, [since]).map_err(engine)? > 0 {
            let orphans = "DELETE FROM claimed WHERE ledger NOT IN (SELECT id FROM ledger)";
            transaction.execute(orphans, []).map_err(engine)?;
        }
        transaction.commit().map_err(engine)
    }

    /// What is written from here on may stay in the write-ahead log when this process ends: it has reached the disk, and
    /// moving it to the main file would cost four more flushes. Every [`PAGES_IN_LOG`] pages somebody moves it.
    fn leave_in_log(&self, connection: &Connection) -> Result<(), Error> {
        let result = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        result.map(|_| ()).map_err(|error| self.failed(&error))
    }

    fn damaged_ledger(&self, id: &str, field: &'static str) -> Error {
        Error::Damaged { place: self.path.display().to_string(), id: format!("(ledger) {id}"), field }
    }
}

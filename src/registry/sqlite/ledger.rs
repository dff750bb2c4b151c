//! What was handed out and accepted, in the same file.

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::Sqlite;
use crate::registry::{
    Claim, Device, Error, Fingerprint, LastPair, Ledger, REMEMBERED, REMEMBERED_AT_LEAST, Returnable,
};
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
            return known.parse().map_err(|_| self.damaged_ledger(&known, "id"));
        }
        let id = match text("SELECT id FROM ledger WHERE fingerprint = ?1", fingerprint)?.flatten() {
            Some(known) => known.parse().map_err(|_| self.damaged_ledger(&known, "id"))?,
            None => {
                let new = Id::random();
                let sql = "INSERT INTO ledger (id, fingerprint, period, changed, revision)
                    SELECT ?1, ?2, period, 0, 0 FROM device WHERE id = ?3";
                transaction.execute(sql, params![new.to_string(), fingerprint, device]).map_err(engine)?;
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
        if !claim.again {
            return self.claim_within(&mut connection, claim);
        }
        // What is only shown outlives this process; a flush takes as long as everything else together.
        let flush = |connection: &Connection, how: &str| {
            connection.pragma_update(None, "synchronous", how).map_err(|error| self.failed(&error))
        };
        flush(&connection, "NORMAL")?;
        let taken = self.claim_within(&mut connection, claim);
        flush(&connection, "FULL")?;
        taken
    }

    fn claim_within(&self, connection: &mut Connection, claim: &Claim<'_>) -> Result<Vec<Step>, Error> {
        let engine = |error: rusqlite::Error| self.failed(&error);
        let transaction = self.begin(connection)?;
        let ledger = claim.ledger.to_string();
        let now = claim.now.as_unix().cast_signed();
        let forgotten = {
            let sql = "SELECT forgotten FROM ledger WHERE id = ?1";
            let mut select = transaction.prepare_cached(sql).map_err(engine)?;
            let forgotten = select.query_row([&ledger], |row| row.get::<_, Option<i64>>(0)).optional();
            forgotten.map_err(engine)?.ok_or(Error::Gone)?.map(|step| Step::new(step.cast_unsigned()))
        };
        let mut taken = Vec::new();
        let mut changed = false;
        {
            let sql = "INSERT OR IGNORE INTO claimed (ledger, step, since) VALUES (?1, ?2, ?3)";
            let mut insert = transaction.prepare_cached(sql).map_err(engine)?;
            for step in claim.candidates.iter().filter(|step| forgotten.is_none_or(|forgotten| **step > forgotten)) {
                if taken.len() >= claim.most {
                    break;
                }
                if insert.execute(params![ledger, step.value().cast_signed(), now]).map_err(engine)? == 1 {
                    taken.push(*step);
                } else if claim.again {
                    let sql = "UPDATE claimed SET again = 1 WHERE ledger = ?1 AND step = ?2 AND again = 0";
                    let mut update = transaction.prepare_cached(sql).map_err(engine)?;
                    changed |= update.execute(params![ledger, step.value().cast_signed()]).map_err(engine)? == 1;
                }
            }
        }
        if taken.is_empty() && !changed {
            return Ok(taken);
        }
        let old = "FROM claimed WHERE ledger = ?1 AND step < ?2 AND since < ?3";
        let (below, before) = (claim.forget.below.value().cast_signed(), claim.forget.before.as_unix().cast_signed());
        let newest = {
            let mut select = transaction.prepare_cached(&format!("SELECT max(step) {old}")).map_err(engine)?;
            select.query_row(params![ledger, below, before], |row| row.get::<_, Option<i64>>(0)).map_err(engine)?
        };
        if let Some(newest) = newest {
            let sql = "UPDATE ledger SET forgotten = max(coalesce(forgotten, 0), ?2) WHERE id = ?1";
            transaction.execute(sql, params![ledger, newest]).map_err(engine)?;
            transaction.execute(&format!("DELETE {old}"), params![ledger, below, before]).map_err(engine)?;
        }
        transaction.commit().map_err(engine)?;
        Ok(taken)
    }

    pub(super) fn release_step(&self, ledger: Id, step: Step, unless_again: bool) -> Result<bool, Error> {
        let sql = "DELETE FROM claimed WHERE ledger = ?1 AND step = ?2 AND NOT (?3 AND again)";
        let parameters = params![ledger.to_string(), step.value().cast_signed(), unless_again];
        let released = self.connection().execute(sql, parameters);
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
        let connection = self.connection();
        let sql = "SELECT last_pair, pair_claimed, pair_before, counter, forgotten, relying_party, changed, revision
            FROM ledger WHERE id = ?1";
        let read = |row: &Row<'_>| {
            let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(i64::cast_unsigned));
            let step = |column| Ok::<_, rusqlite::Error>(number(column)?.map(Step::new));
            let before = step(2)?;
            let returnable = row.get::<_, Option<bool>>(1)?.map(|claimed| Returnable { claimed, before });
            let ledger = Ledger {
                id,
                last_pair: step(0)?.map(|second| LastPair { second, returnable }),
                counter: number(3)?,
                forgotten: step(4)?,
                relying_party: None,
                changed: Timestamp::from_unix(number(6)?.unwrap_or_default()),
                revision: number(7)?.unwrap_or_default(),
            };
            Ok((ledger, row.get::<_, Option<String>>(5)?))
        };
        let found =
            connection.prepare_cached(sql).and_then(|mut select| select.query_row([id.to_string()], read).optional());
        let (mut ledger, relying_party) = found.map_err(|error| self.failed(&error))?.ok_or(Error::Gone)?;
        let relying_party = relying_party.map(|text| serde_json::from_str(&text)).transpose();
        ledger.relying_party = relying_party.map_err(|_| self.damaged_ledger(&id.to_string(), "relying_party"))?;
        Ok(ledger)
    }

    pub(super) fn write_ledger(&self, ledger: &Ledger) -> Result<(), Error> {
        let relying_party = ledger.relying_party.as_ref().map(serde_json::to_string).transpose();
        let relying_party = relying_party.map_err(|_| self.damaged_ledger(&ledger.id.to_string(), "relying_party"))?;
        let sql = "UPDATE ledger SET last_pair = ?1, pair_claimed = ?2, pair_before = ?3, counter = ?4,
            relying_party = ?5, changed = ?6, revision = revision + 1 WHERE id = ?7 AND revision = ?8";
        let returnable = ledger.last_pair.and_then(|pair| pair.returnable);
        let step = |step: Step| step.value().cast_signed();
        let written = self.connection().execute(
            sql,
            params![
                ledger.last_pair.map(|pair| step(pair.second)),
                returnable.map(|returnable| returnable.claimed),
                returnable.and_then(|returnable| returnable.before).map(step),
                ledger.counter.map(u64::cast_signed),
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

    pub(super) fn sweep_ledgers(&self, now: Timestamp) -> Result<(), Error> {
        let mut connection = self.connection();
        let engine = |error: rusqlite::Error| self.failed(&error);
        let abandoned = "FROM ledger WHERE counter IS NULL
            AND NOT EXISTS (SELECT 1 FROM device WHERE device.ledger = ledger.id)
            AND changed < ?1 - max(coalesce(period, 0) * ?2, ?3)
            AND NOT EXISTS (SELECT 1 FROM claimed WHERE claimed.ledger = ledger.id
                AND claimed.since >= ?1 - max(coalesce(period, 0) * ?2, ?3))";
        let (periods, least) = (REMEMBERED.cast_signed(), REMEMBERED_AT_LEAST.cast_signed());
        let parameters = params![now.as_unix().cast_signed(), periods, least];
        let any = connection.query_row(&format!("SELECT EXISTS (SELECT 1 {abandoned})"), parameters, |row| row.get(0));
        if !any.map_err(engine)? {
            return Ok(());
        }
        let transaction = self.begin_change(&mut connection)?;
        transaction.execute(&format!("DELETE {abandoned}"), parameters).map_err(engine)?;
        let orphans = "DELETE FROM claimed WHERE ledger NOT IN (SELECT id FROM ledger)";
        transaction.execute(orphans, []).map_err(engine)?;
        transaction.commit().map_err(engine)
    }

    fn damaged_ledger(&self, id: &str, field: &'static str) -> Error {
        Error::Damaged { place: self.path.display().to_string(), record: "ledger", id: id.to_owned(), field }
    }
}

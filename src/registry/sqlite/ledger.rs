//! What was handed out and accepted, in the same file.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::Sqlite;
use super::mark::Count;
use super::restored::restored_until;
use crate::registry::{
    Claim, Device, Error, Fingerprint, Holder, LastPair, Ledger, REMEMBERED, REMEMBERED_AT_LEAST, Returnable, Run,
    Runs, Taken, Token,
};
use crate::time::{Step, Timestamp};
use crate::vault::Id;

/// The most that one change counts.
const MOST_COUNTED: u64 = 1 << 20;

impl Sqlite {
    pub(super) fn join_ledger(&self, device: Id, fingerprint: &Fingerprint) -> Result<Id, Error> {
        let mut connection = self.connection();
        let transaction = self.begin(&mut connection)?;
        let ledger = self.join_in(&transaction, device, fingerprint)?;
        transaction.commit().map_err(|error| self.failed(&error))?;
        Ok(ledger)
    }

    /// In one transaction, so that all reach the disk by one flush.
    pub(super) fn join_ledgers(&self, joins: &[(Id, Fingerprint)]) -> Vec<Result<Id, Error>> {
        let together = || {
            let mut connection = self.connection();
            let transaction = self.begin(&mut connection)?;
            let join =
                |(device, fingerprint): &(Id, Fingerprint)| match self.join_in(&transaction, *device, fingerprint) {
                    // It wrote nothing.
                    Err(Error::Gone) => Ok(Err(Error::Gone)),
                    joined => joined.map(Ok),
                };
            let all = joins.iter().map(join).collect::<Result<Vec<_>, Error>>()?;
            transaction.commit().map_err(|error| self.failed(&error))?;
            Ok::<_, Error>(all)
        };
        // What doesn't work for all of them, each tries by itself.
        let alone = |_| joins.iter().map(|(device, fingerprint)| self.join_ledger(*device, fingerprint)).collect();
        together().unwrap_or_else(alone)
    }

    fn join_in(&self, transaction: &Connection, device: Id, fingerprint: &Fingerprint) -> Result<Id, Error> {
        let engine = |error: rusqlite::Error| self.failed(&error);
        let text = |sql: &str, key: &dyn ToSql| {
            let found = transaction.query_row(sql, [key], |row| row.get::<_, Option<String>>(0)).optional();
            found.map_err(engine)
        };
        let device = device.to_string();
        let parsed = |id: String| id.parse().map_err(|_| self.damaged_ledger(&id, "id"));
        let Some(known) = text("SELECT ledger FROM device WHERE id = ?1", &device)? else { return Err(Error::Gone) };
        if let Some(known) = known {
            return parsed(known);
        }
        // Where the vault has a new key, the ledger that the device had before is the secret's all the same.
        let former = text("SELECT former FROM device WHERE id = ?1", &device)?.flatten();
        let same = text("SELECT id FROM ledger WHERE fingerprint = ?1", fingerprint)?.flatten();
        let id = match (same, former) {
            (Some(same), Some(former)) => {
                let sql = "UPDATE ledger SET revision = revision + 1, counter = max(coalesce(counter, 0),
                    coalesce((SELECT counter FROM ledger WHERE id = ?2), 0)) WHERE id = ?1 AND period IS NULL";
                transaction.execute(sql, [&same, &former]).map_err(engine)?;
                parsed(same)?
            }
            (Some(same), None) => parsed(same)?,
            (None, Some(former)) => {
                let sql = "UPDATE ledger SET fingerprint = ?2 WHERE id = ?1";
                transaction.execute(sql, params![former, fingerprint]).map_err(engine)?;
                parsed(former)?
            }
            (None, None) => {
                let new = Id::random();
                let sql = "INSERT INTO ledger (id, fingerprint, period, counter, changed, revision)
                    SELECT ?1, ?2, period, CASE WHEN period IS NULL AND skip > 0 THEN counter + skip END, 0, 0
                    FROM device, registry WHERE device.id = ?3";
                transaction.execute(sql, params![new.to_string(), fingerprint, device]).map_err(engine)?;
                new
            }
        };
        let sql = "UPDATE device SET ledger = ?1, former = NULL WHERE id = ?2";
        transaction.execute(sql, [&id.to_string(), &device]).map_err(engine)?;
        Ok(id)
    }

    pub(super) fn ledger_with(&self, fingerprint: &Fingerprint) -> Result<Option<Id>, Error> {
        let sql = "SELECT id FROM ledger WHERE fingerprint = ?1";
        let found = self.connection().query_row(sql, [fingerprint], |row| row.get::<_, String>(0)).optional();
        let found = found.map_err(|error| self.failed(&error))?;
        found.map(|id| id.parse().map_err(|_| self.damaged_ledger(&id, "id"))).transpose()
    }

    pub(super) fn fingerprint_of(&self, ledger: Id) -> Result<Fingerprint, Error> {
        let sql = "SELECT fingerprint FROM ledger WHERE id = ?1";
        let found = self.connection().query_row(sql, [ledger.to_string()], |row| row.get(0)).optional();
        found.map_err(|error| self.failed(&error))?.ok_or(Error::Gone)
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

    /// In one transaction, so that all reach the disk by one flush.
    pub(super) fn claim_steps_of_all(&self, claims: &[Claim<'_>]) -> Vec<Result<Vec<Step>, Error>> {
        let together = claims.len() > 1 && claims.iter().all(|claim| !claim.again);
        let alone = || claims.iter().map(|claim| self.claim_steps(claim)).collect();
        if !together {
            return alone();
        }
        // What doesn't work for all of them, each tries by itself.
        self.claim_together(claims).unwrap_or_else(|_| alone())
    }

    fn claim_together(&self, claims: &[Claim<'_>]) -> Result<Vec<Result<Vec<Step>, Error>>, Error> {
        let mut connection = self.connection();
        let transaction = self.begin_handing_out(&mut connection, true)?;
        let mut all = Vec::with_capacity(claims.len());
        let mut last_count = None;
        for claim in claims {
            match self.claim_in(&transaction, claim) {
                Ok((taken, count)) => {
                    last_count = count.or(last_count);
                    all.push(Ok(taken));
                }
                // It wrote nothing.
                Err(Error::Gone) => all.push(Err(Error::Gone)),
                Err(error) => return Err(error),
            }
        }
        transaction.commit().map_err(|error| self.failed(&error))?;
        self.leave_mark(last_count.as_ref());
        Ok(all)
    }

    fn claim_within(&self, connection: &mut Connection, claim: &Claim<'_>) -> Result<Vec<Step>, Error> {
        let transaction = self.begin_handing_out(connection, !claim.again)?;
        let (taken, count) = self.claim_in(&transaction, claim)?;
        transaction.commit().map_err(|error| self.failed(&error))?;
        self.leave_mark(count.as_ref());
        Ok(taken)
    }

    /// What a claim takes, and how much the registry has handed out with it.
    fn claim_in(&self, transaction: &Connection, claim: &Claim<'_>) -> Result<(Vec<Step>, Option<Count>), Error> {
        let engine = |error: rusqlite::Error| self.failed(&error);
        let ledger = claim.ledger.to_string();
        let now = claim.now.as_unix().cast_signed();
        let (mut forgotten, restored) = {
            let sql = "SELECT runs, period, accepted FROM ledger, registry WHERE ledger.id = ?1";
            let mut select = transaction.prepare_cached(sql).map_err(engine)?;
            let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, restored_until(row, [2, 1])?));
            let (runs, restored) = select.query_row([&ledger], read).optional().map_err(engine)?.ok_or(Error::Gone)?;
            (self.runs(&ledger, &runs)?, restored)
        };
        let is_free = |step: Step| restored.is_none_or(|last| step > last);
        let mut taken = Vec::new();
        let mut changed = false;
        {
            let sql = "INSERT OR IGNORE INTO claimed (ledger, step, since, token, given) VALUES (?1, ?2, ?3, ?4, ?5)";
            let mut insert = transaction.prepare_cached(sql).map_err(engine)?;
            let token = claim.token.value().cast_signed();
            for step in claim.candidates.iter().filter(|step| is_free(**step) && !forgotten.contains(**step)) {
                if taken.len() >= claim.most {
                    break;
                }
                let number = step.value().cast_signed();
                let given = *step <= claim.ready;
                let retake = || {
                    let sql = "UPDATE claimed SET since = ?3, token = ?4, given = ?5, released = 0, retaken = 1
                        WHERE ledger = ?1 AND step = ?2 AND released = 1";
                    let mut update = transaction.prepare_cached(sql).map_err(engine)?;
                    update.execute(params![ledger, number, now, token, given]).map_err(engine)
                };
                if insert.execute(params![ledger, number, now, token, given]).map_err(engine)? == 1 || retake()? == 1 {
                    taken.push(*step);
                } else if claim.again {
                    let sql = "UPDATE claimed SET again = 1 WHERE ledger = ?1 AND step = ?2 AND again = 0";
                    let mut update = transaction.prepare_cached(sql).map_err(engine)?;
                    changed |= update.execute(params![ledger, number]).map_err(engine)? == 1;
                }
            }
        }
        if taken.is_empty() && !changed {
            return Ok((taken, None));
        }
        self.shorten(transaction, &ledger, &mut forgotten, (claim.forget.below, claim.forget.before))?;
        let last = taken.iter().max().copied();
        let count = if claim.again { None } else { self.count_on(transaction, 1, (&ledger, last))? };
        Ok((taken, count))
    }

    /// Makes runs of the steps of a ledger that lie before a step and were handed out before a moment.
    fn shorten(
        &self,
        connection: &Connection,
        ledger: &str,
        forgotten: &mut Runs,
        (below, before): (Step, Timestamp),
    ) -> Result<(), Error> {
        let engine = |error: rusqlite::Error| self.failed(&error);
        let old = "FROM claimed WHERE ledger = ?1 AND step < ?2 AND since < ?3";
        let old_ones = params![ledger, below.value().cast_signed(), before.as_unix().cast_signed()];
        let steps: Vec<(i64, bool)> = {
            let sql = format!("SELECT step, released {old} ORDER BY step");
            let mut select = connection.prepare_cached(&sql).map_err(engine)?;
            let rows = select.query_map(old_ones, |row| Ok((row.get(0)?, row.get(1)?))).map_err(engine)?;
            rows.collect::<Result<_, _>>().map_err(engine)?
        };
        if steps.is_empty() {
            return Ok(());
        }
        for (step, _) in steps.into_iter().filter(|(_, released)| !released) {
            let step = Step::new(step.cast_unsigned());
            forgotten.add(Run { first: step, last: step });
        }
        let sql = "UPDATE ledger SET runs = ?2 WHERE id = ?1";
        connection.execute(sql, params![ledger, forgotten.to_string()]).map_err(engine)?;
        connection.execute(&format!("DELETE {old}"), old_ones).map_err(engine)?;
        Ok(())
    }

    pub(super) fn release_step(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        // What was shown and given back is remembered: giving it back twice doesn't free what another process took.
        let sql = "UPDATE claimed SET released = 1
            WHERE ledger = ?1 AND step = ?2 AND token = ?3 AND again = 0 AND released = 0";
        let parameters = params![ledger.to_string(), step.value().cast_signed(), token.value().cast_signed()];
        let released = self.connection().execute(sql, parameters);
        Ok(released.map_err(|error| self.failed(&error))? == 1)
    }

    pub(super) fn give_step(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        let sql = "UPDATE claimed SET given = 1 WHERE ledger = ?1 AND step = ?2 AND token = ?3 AND released = 0";
        let parameters = params![ledger.to_string(), step.value().cast_signed(), token.value().cast_signed()];
        let given = self.connection().execute(sql, parameters);
        Ok(given.map_err(|error| self.failed(&error))? == 1)
    }

    pub(super) fn holder_of(&self, ledger: Id, step: Step) -> Result<Option<Holder>, Error> {
        let sql = "SELECT token, again OR retaken, given FROM claimed WHERE ledger = ?1 AND step = ?2 AND released = 0";
        let read = |row: &Row<'_>| {
            let token = Token::from_value(row.get::<_, i64>(0)?.cast_unsigned());
            Ok(Holder { token, again: row.get(1)?, given: row.get(2)? })
        };
        let parameters = params![ledger.to_string(), step.value().cast_signed()];
        let found = self.connection().query_row(sql, parameters, read).optional();
        found.map_err(|error| self.failed(&error))
    }

    pub(super) fn claimed_steps(&self, ledger: Id, first: Step, last: Step) -> Result<Vec<Step>, Error> {
        let connection = self.connection();
        let sql = "SELECT step FROM claimed WHERE ledger = ?1 AND step BETWEEN ?2 AND ?3 AND released = 0
            ORDER BY step";
        let (first, last) = (first.value().cast_signed(), last.value().cast_signed());
        let steps = connection.prepare_cached(sql).and_then(|mut statement| {
            let rows = statement.query_map(params![ledger.to_string(), first, last], |row| row.get::<_, i64>(0))?;
            rows.map(|step| Ok(Step::new(step?.cast_unsigned()))).collect()
        });
        steps.map_err(|error| self.failed(&error))
    }

    /// In one transaction, by two statements that are prepared once.
    pub(super) fn taken_of_several(&self, from: &[(Id, Step)]) -> Result<Vec<Taken>, Error> {
        let engine = |error: rusqlite::Error| self.failed(&error);
        let mut connection = self.connection();
        let transaction = connection.transaction().map_err(engine)?;
        let sql = "SELECT runs, period, accepted FROM ledger, registry WHERE ledger.id = ?1";
        let mut of_ledger = transaction.prepare_cached(sql).map_err(engine)?;
        let sql = "SELECT step FROM claimed WHERE ledger = ?1 AND step >= ?2 AND released = 0 ORDER BY step";
        let mut of_steps = transaction.prepare_cached(sql).map_err(engine)?;
        let taken = |(ledger, first): &(Id, Step)| {
            let id = ledger.to_string();
            let mut rows = of_ledger.query([&id]).map_err(engine)?;
            let row = rows.next().map_err(engine)?.ok_or(Error::Gone)?;
            let restored = restored_until(row, [2, 1]).map_err(engine)?;
            let runs = row.get_ref(0).ok().and_then(|runs| runs.as_str().ok()).unwrap_or("?");
            let mut forgotten = self.runs(&id, runs)?;
            if let Some(last) = restored {
                forgotten.add(Run { first: Step::new(0), last });
            }
            let rows = of_steps.query_map(params![id, first.value().cast_signed()], |row| row.get::<_, i64>(0));
            let steps = rows.and_then(|rows| rows.map(|step| Ok(Step::new(step?.cast_unsigned()))).collect());
            Ok(Taken { steps: steps.map_err(engine)?, forgotten, restored })
        };
        from.iter().map(taken).collect()
    }

    pub(super) fn steps_of_claim(&self, ledger: Id, token: Token) -> Result<Vec<Step>, Error> {
        let connection = self.connection();
        let sql = "SELECT step FROM claimed WHERE ledger = ?1 AND token = ?2 AND released = 0 ORDER BY step";
        let steps = connection.prepare_cached(sql).and_then(|mut statement| {
            let parameters = params![ledger.to_string(), token.value().cast_signed()];
            let rows = statement.query_map(parameters, |row| row.get::<_, i64>(0))?;
            rows.map(|step| Ok(Step::new(step?.cast_unsigned()))).collect()
        });
        steps.map_err(|error| self.failed(&error))
    }

    pub(super) fn uses_of_ledgers(&self) -> Result<BTreeMap<Id, Timestamp>, Error> {
        let connection = self.connection();
        // Ledger by ledger, each by the index of its steps: nothing is sorted.
        let sql = "SELECT id, max(changed, ifnull((SELECT max(since) FROM claimed
            WHERE claimed.ledger = ledger.id AND released = 0), 0)) FROM ledger";
        let mut statement = connection.prepare(sql).map_err(|error| self.failed(&error))?;
        let mut rows = statement.query([]).map_err(|error| self.failed(&error))?;
        let mut uses = BTreeMap::new();
        while let Some(row) = rows.next().map_err(|error| self.failed(&error))? {
            let at: i64 = row.get(1).map_err(|error| self.failed(&error))?;
            if at <= 0 {
                continue;
            }
            let id = row.get_ref(0).ok().and_then(|id| id.as_str().ok()).unwrap_or("?");
            let known = id.parse().map_err(|_| self.damaged_ledger(id, "id"))?;
            uses.insert(known, Timestamp::from_unix(at.cast_unsigned()));
        }
        Ok(uses)
    }

    pub(super) fn read_ledger(&self, id: Id) -> Result<Ledger, Error> {
        let connection = self.connection();
        let sql = "SELECT last_pair, pair_claimed, pair_before, counter, runs, relying_party, changed, revision,
            pair_token, pair_given, pair_released, accepted, period FROM ledger, registry WHERE ledger.id = ?1";
        let read = |row: &Row<'_>| {
            let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(i64::cast_unsigned));
            let step = |column| Ok::<_, rusqlite::Error>(number(column)?.map(Step::new));
            let before = step(2)?;
            let returnable = row.get::<_, Option<bool>>(1)?.map(|claimed| Returnable { claimed, before });
            let (token, given) = (Token::from_value(number(8)?.unwrap_or_default()), row.get(9)?);
            let restored = restored_until(row, [11, 12])?;
            let last_pair = step(0)?.map(|second| LastPair { second, token, given, returnable });
            let ledger = Ledger {
                id,
                last_pair: LastPair::not_before(restored, last_pair),
                counter: number(3)?,
                pair_released: step(10)?,
                forgotten: Runs::NONE,
                relying_party: None,
                restored,
                changed: Timestamp::from_unix(number(6)?.unwrap_or_default()),
                revision: number(7)?.unwrap_or_default(),
            };
            Ok((ledger, row.get::<_, Option<String>>(5)?, row.get::<_, String>(4)?))
        };
        let found =
            connection.prepare_cached(sql).and_then(|mut select| select.query_row([id.to_string()], read).optional());
        let (mut ledger, relying_party, runs) = found.map_err(|error| self.failed(&error))?.ok_or(Error::Gone)?;
        let relying_party = relying_party.map(|text| serde_json::from_str(&text)).transpose();
        ledger.relying_party = relying_party.map_err(|_| self.damaged_ledger(&id.to_string(), "relying_party"))?;
        ledger.forgotten = self.runs(&id.to_string(), &runs)?;
        if let Some(last) = ledger.restored {
            ledger.forgotten.add(Run { first: Step::new(0), last });
        }
        Ok(ledger)
    }

    pub(super) fn write_ledger(&self, ledger: &Ledger) -> Result<(), Error> {
        let relying_party = ledger.relying_party.as_ref().map(serde_json::to_string).transpose();
        let relying_party = relying_party.map_err(|_| self.damaged_ledger(&ledger.id.to_string(), "relying_party"))?;
        let engine = |error: rusqlite::Error| self.failed(&error);
        let mut connection = self.connection();
        let transaction = self.begin_handing_out(&mut connection, true)?;
        let id = ledger.id.to_string();
        let sql = "SELECT coalesce(counter, 0), last_pair, accepted, period FROM ledger, registry
            WHERE ledger.id = ?1 AND revision = ?2";
        let read = |row: &Row<'_>| {
            let second = row.get::<_, Option<i64>>(1)?.map(|step| Step::new(step.cast_unsigned()));
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), second, restored_until(row, [2, 3])?))
        };
        let known = transaction.query_row(sql, params![id, ledger.revision.cast_signed()], read);
        let (known, second, restored) = known.optional().map_err(engine)?.ok_or(Error::LedgerConflict)?;
        // The pair that stands for all those before the registry was restored isn't written: that may be moved back.
        let stands_for_all = ledger.last_pair.is_some() && ledger.last_pair == LastPair::not_before(restored, None);
        let keep = stands_for_all && second.is_none_or(|second| restored.is_some_and(|last| second <= last));
        let sql = "UPDATE ledger SET counter = ?4, relying_party = ?5, changed = ?6, pair_released = ?10,
            last_pair = CASE WHEN ?11 THEN last_pair ELSE ?1 END,
            pair_claimed = CASE WHEN ?11 THEN pair_claimed ELSE ?2 END,
            pair_before = CASE WHEN ?11 THEN pair_before ELSE ?3 END,
            pair_token = CASE WHEN ?11 THEN pair_token ELSE ?8 END,
            pair_given = CASE WHEN ?11 THEN pair_given ELSE ?9 END,
            revision = revision + 1 WHERE id = ?7";
        let returnable = ledger.last_pair.and_then(|pair| pair.returnable);
        let step = |step: Step| step.value().cast_signed();
        transaction
            .execute(
                sql,
                params![
                    ledger.last_pair.map(|pair| step(pair.second)),
                    returnable.map(|returnable| returnable.claimed),
                    returnable.and_then(|returnable| returnable.before).map(step),
                    ledger.counter.map(u64::cast_signed),
                    relying_party,
                    ledger.changed.as_unix().cast_signed(),
                    id,
                    ledger.last_pair.map_or(0, |pair| pair.token.value()).cast_signed(),
                    ledger.last_pair.is_none_or(|pair| pair.given),
                    ledger.pair_released.map(step),
                    keep,
                ],
            )
            .map_err(engine)?;
        // Each counter that was given counts, so that a restored registry knows how many to skip.
        let given = ledger.counter.unwrap_or_default().saturating_sub(known);
        let last = ledger.last_pair.map(|pair| pair.second);
        let count = self.count_on(&transaction, given.clamp(1, MOST_COUNTED), (&id, last))?;
        transaction.commit().map_err(engine)?;
        self.leave_mark(count.as_ref());
        Ok(())
    }

    pub(super) fn sweep_ledgers(&self, now: Timestamp) -> Result<(), Error> {
        let mut connection = self.connection();
        let engine = |error: rusqlite::Error| self.failed(&error);
        // Ledgers without a device: with steps that nobody could accept any more, or with nothing at all.
        let since = "(?1 - max(coalesce(period, 0) * ?2, ?3))";
        // `ledger` has an index; `former` has none, so all of them are collected once.
        let abandoned = "NOT EXISTS (SELECT 1 FROM device WHERE device.ledger = ledger.id)
            AND ledger.id NOT IN (SELECT former FROM device WHERE former IS NOT NULL)";
        let old = format!(
            "FROM ledger WHERE period > 0 AND {abandoned} AND EXISTS (SELECT 1 FROM claimed
                WHERE claimed.ledger = ledger.id AND claimed.since < {since} AND claimed.step < {since} / period)"
        );
        let empty = format!(
            "FROM ledger WHERE {abandoned} AND counter IS NULL AND last_pair IS NULL AND runs = ''
                AND relying_party IS NULL AND NOT EXISTS (SELECT 1 FROM claimed WHERE claimed.ledger = ledger.id)"
        );
        let (periods, least) = (REMEMBERED.cast_signed(), REMEMBERED_AT_LEAST.cast_signed());
        let parameters = params![now.as_unix().cast_signed(), periods, least];
        let any = format!("SELECT EXISTS (SELECT 1 {old}) OR EXISTS (SELECT 1 {empty})");
        if !connection.query_row(&any, parameters, |row| row.get(0)).map_err(engine)? {
            return Ok(());
        }
        let transaction = self.begin_change(&mut connection)?;
        let ledgers: Vec<(String, String, i64, i64)> = {
            let sql = format!("SELECT id, runs, {since}, {since} / period {old}");
            let mut select = transaction.prepare(&sql).map_err(engine)?;
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            let rows = select.query_map(parameters, read).map_err(engine)?;
            rows.collect::<Result<_, _>>().map_err(engine)?
        };
        for (id, runs, before, below) in ledgers {
            let mut runs = self.runs(&id, &runs)?;
            let limits = (Step::new(below.cast_unsigned()), Timestamp::from_unix(before.cast_unsigned()));
            self.shorten(&transaction, &id, &mut runs, limits)?;
        }
        transaction.execute(&format!("DELETE {empty}"), []).map_err(engine)?;
        transaction.commit().map_err(engine)
    }

    pub(super) fn runs(&self, ledger: &str, text: &str) -> Result<Runs, Error> {
        text.parse().map_err(|_| self.damaged_ledger(ledger, "runs"))
    }

    pub(super) fn damaged_ledger(&self, id: &str, field: &'static str) -> Error {
        Error::Damaged { place: self.path.display().to_string(), record: "ledger", id: id.to_owned(), field }
    }
}

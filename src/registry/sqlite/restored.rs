//! Going on with a registry that knows less than was handed out.

use std::path::Path;

use rusqlite::{Connection, Row, params};

use super::Sqlite;
use super::mark::{Count, Mark};
use crate::oath::relying_party::State;
use crate::registry::Error;
use crate::registry::restored::{self, Accepted};
use crate::time::{Step, Timestamp};

impl Sqlite {
    /// Keeps a mark in this file, by which an older copy of the registry is noticed before it hands anything out.
    #[must_use]
    pub fn with_mark(mut self, path: &Path) -> Self {
        self.mark = Some(Mark::at(path));
        self
    }

    /// The registry's own name, which its copies share.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    pub fn id(&self) -> Result<String, Error> {
        Ok(self.count(&self.connection())?.id)
    }

    /// Goes on with a registry that was restored or replaced, or that has another key to make fingerprints with: all codes up
    /// to `now`, by the system's clock, count as handed out and accepted. Counters skip as many as may have been given,
    /// which is known only where the mark objects.
    ///
    /// What was accepted before is replaced, so that a clock that ran ahead doesn't lock codes for as long.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    pub fn accept_restored(&self, now: Timestamp) -> Result<Accepted, Error> {
        let mut connection = self.connection();
        let engine = |error: rusqlite::Error| self.failed(&error);
        let transaction = self.begin_change(&mut connection)?;
        let own = self.count(&transaction)?;
        let marked = self.mark.as_ref().and_then(Mark::read).filter(|marked| marked.objects_to(&own).is_some());
        // Of another registry nothing is known but how much it handed out.
        let missing = marked
            .as_ref()
            .map_or(0, |known| known.changes.saturating_sub(if known.id == own.id { own.changes } else { 0 }));
        let new_key = self.accept_keys(&transaction)?;
        // The ledgers of a new key don't know the steps to come that others have.
        let furthest = marked.as_ref().map_or(0, |known| known.furthest).max(if new_key { own.furthest } else { 0 });
        let (before, floor): (i64, i64) = transaction
            .query_row("SELECT accepted, floor FROM registry", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(engine)?;
        let floor = floor.cast_unsigned().max(furthest);
        let until = now.max(Timestamp::from_unix(floor));
        if missing > 0 {
            self.skip_counters(&transaction, missing)?;
        }
        let sql = "UPDATE registry SET changes = changes + ?1, skip = skip + ?1, accepted = ?2, floor = ?3,
            furthest = max(furthest, ?4)";
        let [missing_now, accepted, floor, furthest] =
            [missing, until.as_unix(), floor, furthest].map(u64::cast_signed);
        transaction.execute(sql, params![missing_now, accepted, floor, furthest]).map_err(engine)?;
        let count = self.count(&transaction)?;
        transaction.commit().map_err(engine)?;
        self.leave_mark(Some(&count));
        let before = Some(Timestamp::from_unix(before.cast_unsigned())).filter(|time| time.as_unix() > 0);
        Ok(Accepted { until, before, noticed: marked.is_some(), new_key })
    }

    /// Each counter that was given was counted: as many are skipped, also by those who begin a ledger later. What
    /// `vmfa verify` accepted was given here, mostly.
    fn skip_counters(&self, connection: &Connection, missing: u64) -> Result<(), Error> {
        let engine = |error: rusqlite::Error| self.failed(&error);
        let sql = "UPDATE ledger SET revision = revision + 1,
            counter = coalesce(counter, (SELECT max(counter) FROM device WHERE ledger.id IN (device.ledger, device.former))) + ?1
            WHERE period IS NULL";
        connection.execute(sql, [missing.cast_signed()]).map_err(engine)?;
        let verified: Vec<(String, String, Option<i64>)> = {
            let sql =
                "SELECT id, relying_party, counter FROM ledger WHERE period IS NULL AND relying_party IS NOT NULL";
            let mut select = connection.prepare(sql).map_err(engine)?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(engine)?;
            rows.collect::<Result<_, _>>().map_err(engine)?
        };
        for (id, state, counter) in verified {
            let damaged = || self.damaged_ledger(&id, "relying_party");
            let state: State = serde_json::from_str(&state).map_err(|_| damaged())?;
            let state = state.expecting(counter.unwrap_or_default().cast_unsigned());
            let state = serde_json::to_string(&state).map_err(|_| damaged())?;
            connection.execute("UPDATE ledger SET relying_party = ?2 WHERE id = ?1", [&id, &state]).map_err(engine)?;
        }
        Ok(())
    }

    /// What the registry says of itself.
    pub(super) fn count(&self, connection: &Connection) -> Result<Count, Error> {
        let read = |row: &rusqlite::Row<'_>| {
            let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.cast_unsigned());
            Ok(Count { id: row.get(0)?, changes: number(1)?, furthest: number(2)? })
        };
        let found = connection
            .prepare_cached("SELECT id, changes, furthest FROM registry")
            .and_then(|mut select| select.query_row([], read));
        found.map_err(|error| self.failed(&error))
    }

    /// Refuses a registry that the mark objects to.
    pub(super) fn see_mark(&self, connection: &Connection) -> Result<(), Error> {
        let Some(mark) = &self.mark else { return Ok(()) };
        // The mark first: outside of a transaction, others may hand out and count on between the two.
        let Some(marked) = mark.read() else { return Ok(()) };
        match marked.objects_to(&self.count(connection)?) {
            Some(what) => Err(Error::Restored { place: self.path.display().to_string(), what }),
            None => Ok(()),
        }
    }

    /// Counts what is handed out, in the transaction that writes it down, and how far its steps of `ledger` go. The mark
    /// is for afterwards.
    pub(super) fn count_on(
        &self,
        connection: &Connection,
        by: u64,
        (ledger, last): (&str, Option<Step>),
    ) -> Result<Option<Count>, Error> {
        if self.mark.is_none() {
            return Ok(None);
        }
        let added = connection
            .prepare_cached(
                "UPDATE registry SET changes = changes + ?1,
                furthest = max(furthest, coalesce((SELECT period FROM ledger WHERE id = ?2) * ?3, 0))",
            )
            .and_then(|mut update| {
                // A step that no clock reaches doesn't overflow.
                let end = last.map(|step| step.value().saturating_add(1).min(1 << 40).cast_signed());
                update.execute(params![by.cast_signed(), ledger, end])
            });
        added.map_err(|error| self.failed(&error))?;
        self.count(connection).map(Some)
    }

    pub(super) fn leave_mark(&self, count: Option<&Count>) {
        if let (Some(mark), Some(count)) = (&self.mark, count) {
            mark.write(count);
        }
    }
}

/// The last step that counts as handed out because the registry was restored, from the columns with `accepted` and a period.
pub(super) fn restored_until(row: &Row<'_>, [accepted, period]: [usize; 2]) -> rusqlite::Result<Option<Step>> {
    Ok(restored::restored_until(row.get(accepted)?, row.get(period)?))
}

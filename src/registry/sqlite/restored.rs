//! Going on with a registry that knows less than was handed out.

use std::path::Path;

use rusqlite::{Connection, params};

use super::Sqlite;
use super::mark::{Count, Mark};
use crate::registry::{Error, Run, Runs};
use crate::time::{Step, Timestamp};

/// Steps after the present that may have been handed out as well: whoever waits for one has it already.
const AHEAD: u64 = 10;

impl Sqlite {
    /// Keeps a mark in this file, by which an older copy of the registry is noticed before it hands anything out.
    #[must_use]
    pub fn with_mark(mut self, path: &Path) -> Self {
        self.mark = Some(Mark::at(path));
        self
    }

    /// Goes on with a registry that was restored or replaced: all codes up to `now`, by the system's clock, count as
    /// handed out, and counters skip as many as may have been given. Nothing to do where the mark doesn't object.
    ///
    /// # Errors
    ///
    /// Those of the engine.
    pub fn accept_restored(&self, now: Timestamp) -> Result<bool, Error> {
        let Some(mark) = &self.mark else { return Ok(false) };
        let mut connection = self.connection();
        let engine = |error: rusqlite::Error| self.failed(&error);
        let transaction = self.begin(&mut connection)?;
        let own = self.count(&transaction)?;
        let Some(known) = mark.read().filter(|marked| marked.objects_to(&own).is_some()) else { return Ok(false) };
        // Of another registry nothing is known but how much it handed out.
        let missing = known.changes.saturating_sub(if known.id == own.id { own.changes } else { 0 });
        let until = now.max(Timestamp::from_unix(known.furthest));
        let ledgers: Vec<(String, i64, String)> = {
            let sql = "SELECT id, period, runs FROM ledger WHERE period > 0";
            let mut select = transaction.prepare(sql).map_err(engine)?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(engine)?;
            rows.collect::<Result<_, _>>().map_err(engine)?
        };
        for (id, period, runs) in ledgers {
            let Some(last) = last_step(until, period) else { continue };
            let mut runs: Runs = runs.parse().map_err(|_| self.damaged_ledger(&id, "runs"))?;
            runs.add(Run { first: Step::new(0), last });
            let sql = "UPDATE ledger SET runs = ?2, last_pair = max(coalesce(last_pair, 0), ?3), pair_claimed = NULL,
                pair_before = NULL, pair_token = 0, pair_given = 1, revision = revision + 1 WHERE id = ?1";
            let parameters = params![id, runs.to_string(), last.value().cast_signed()];
            transaction.execute(sql, parameters).map_err(engine)?;
        }
        // Each counter that was given was counted: as many are skipped, also by those who begin a ledger later.
        let sql = "UPDATE ledger SET revision = revision + 1,
            counter = coalesce(counter, (SELECT max(counter) FROM device WHERE device.ledger = ledger.id)) + ?1
            WHERE period IS NULL";
        transaction.execute(sql, [missing.cast_signed()]).map_err(engine)?;
        let changes = own.changes.saturating_add(missing);
        let sql = "UPDATE registry SET changes = ?1, accepted = ?2, furthest = max(furthest, ?3), skip = skip + ?4";
        let [changes_now, accepted, furthest, skip] =
            [changes, until.as_unix(), known.furthest, missing].map(u64::cast_signed);
        transaction.execute(sql, params![changes_now, accepted, furthest, skip]).map_err(engine)?;
        let count = self.count(&transaction)?;
        transaction.commit().map_err(engine)?;
        mark.write(&count);
        Ok(true)
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

/// The last step that may have been handed out by this time.
pub(super) fn last_step(now: Timestamp, period: i64) -> Option<Step> {
    let step = now.as_unix().checked_div(period.cast_unsigned())?;
    Some(Step::new(step.saturating_add(AHEAD)))
}

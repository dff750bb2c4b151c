//! Forgetting: steps that passed long ago become runs, and ledgers in which nothing is go.

use tokio_postgres::types::Type;

use super::Postgres;
use super::failure::Failure;
use super::link::Link;
use super::values::{from_ranges, of_row, step, value};
use crate::registry::{Error, REMEMBERED, REMEMBERED_AT_LEAST, Run};
use crate::time::Timestamp;
use crate::vault::Id;

/// No claim takes a step of this ledger meanwhile, and each that comes after it sees the runs. What is forgotten needn't be so
/// after a crash, so nobody waits for the disk.
const LOCKED: &str = "SELECT runs::text, set_config('synchronous_commit', 'off', true)
    FROM vmfa.ledger WHERE id = $1 FOR UPDATE";

const FORGET: &str = "DELETE FROM vmfa.claimed WHERE ledger = $1 AND step < $2 AND since < $3
    RETURNING step, released";

const SET_RUNS: &str = "UPDATE vmfa.ledger SET runs = $2::text::int8multirange WHERE id = $1";

/// Ledgers without a device with steps that nobody could accept any more, and up to when and which step.
const OLD: &str = "SELECT id, before, before / period FROM vmfa.ledger,
    LATERAL (SELECT $1 - greatest(coalesce(period, 0) * $2, $3) AS before) AS limits
    WHERE period > 0 AND NOT EXISTS (SELECT FROM vmfa.device WHERE ledger = vmfa.ledger.id)
    AND NOT EXISTS (SELECT FROM vmfa.device WHERE former = vmfa.ledger.id)
    AND EXISTS (SELECT FROM vmfa.claimed WHERE claimed.ledger = vmfa.ledger.id AND since < before
        AND step < before / period)";

/// Those with nothing at all. The first time they are locked, so that no claim and no device takes them; what one did
/// meanwhile is seen the second time.
const EMPTY: &str = "SELECT id FROM vmfa.ledger WHERE counter IS NULL AND last_pair IS NULL AND runs = '{}'
    AND relying_party IS NULL AND NOT EXISTS (SELECT FROM vmfa.device WHERE ledger = vmfa.ledger.id)
    AND NOT EXISTS (SELECT FROM vmfa.device WHERE former = vmfa.ledger.id)
    AND NOT EXISTS (SELECT FROM vmfa.claimed WHERE claimed.ledger = vmfa.ledger.id) FOR UPDATE OF ledger";

const DELETE: &str = "DELETE FROM vmfa.ledger WHERE id = ANY ($1) AND counter IS NULL AND last_pair IS NULL
    AND runs = '{}' AND relying_party IS NULL AND NOT EXISTS (SELECT FROM vmfa.device WHERE ledger = vmfa.ledger.id)
    AND NOT EXISTS (SELECT FROM vmfa.device WHERE former = vmfa.ledger.id)
    AND NOT EXISTS (SELECT FROM vmfa.claimed WHERE claimed.ledger = vmfa.ledger.id)";

impl Postgres {
    /// Makes runs of the steps of a ledger that lie before a step and were handed out before a moment.
    pub(super) fn shorten(&self, link: &mut Link, ledger: uuid::Uuid, below: i64, before: i64) -> Result<(), Failure> {
        let rows = link.ask(LOCKED, &[(&ledger, Type::UUID)])?;
        if rows.is_empty() {
            return Ok(());
        }
        let runs = from_ranges(value(&self.place, &rows, 0)?);
        let mut runs = runs.ok_or_else(|| self.damaged_ledger(Id::from_uuid(ledger), "runs"))?;
        let forgotten = link.ask(FORGET, &[(&ledger, Type::UUID), (&below, Type::INT8), (&before, Type::INT8)])?;
        for row in &forgotten {
            let (number, released): (i64, bool) = (of_row(&self.place, row, 0)?, of_row(&self.place, row, 1)?);
            if !released {
                runs.add(Run { first: step(number), last: step(number) });
            }
        }
        if !forgotten.is_empty() {
            link.ask(SET_RUNS, &[(&ledger, Type::UUID), (&super::values::to_ranges(&runs), Type::TEXT)])?;
        }
        Ok(())
    }

    pub(super) fn sweep_ledgers(&self, now: Timestamp) -> Result<(), Error> {
        let now = now.as_unix().cast_signed();
        let old = self.again(&mut |link| {
            let limits = [now, REMEMBERED.cast_signed(), REMEMBERED_AT_LEAST.cast_signed()];
            let [now, periods, least] = limits.each_ref().map(|limit| (limit as _, Type::INT8));
            let rows = link.ask(OLD, &[now, periods, least])?;
            let place = self.place.as_str();
            let read = |row| Ok((of_row::<uuid::Uuid>(place, row, 0)?, of_row(place, row, 1)?, of_row(place, row, 2)?));
            rows.iter().map(read).collect::<Result<Vec<_>, Failure>>()
        })?;
        for (ledger, before, below) in old {
            self.change(&mut |link| self.shorten(link, ledger, below, before))?;
        }
        self.change(&mut |link| {
            let rows = link.ask(EMPTY, &[])?;
            let ids = rows.iter().map(|row| of_row::<uuid::Uuid>(&self.place, row, 0));
            let ids: Vec<uuid::Uuid> = ids.collect::<Result<_, _>>()?;
            if !ids.is_empty() {
                link.ask(DELETE, &[(&ids, Type::UUID_ARRAY)])?;
            }
            Ok(())
        })
    }
}

//! Having a ledger know what another registry does.

use tokio_postgres::types::Type;

use super::Postgres;
use super::failure::Failure;
use super::link::Link;
use super::values::{to_ranges, value};
use crate::registry::{Error, History};
use crate::vault::Id;

const LOCKED: &str = "SELECT row_to_json(ledger)::text FROM vmfa.ledger WHERE id = $1 FOR UPDATE";

const WRITE: &str = "UPDATE vmfa.ledger SET runs = $2::text::int8multirange, counter = $3, relying_party = $4,
    changed = $5, last_pair = coalesce($6, last_pair),
    pair_claimed = CASE WHEN $6 IS NULL THEN pair_claimed END,
    pair_before = CASE WHEN $6 IS NULL THEN pair_before END,
    pair_token = CASE WHEN $6 IS NULL THEN pair_token ELSE 0 END,
    pair_given = CASE WHEN $6 IS NULL THEN pair_given ELSE true END,
    revision = revision + 1 WHERE id = $1";

/// In the order of their numbers, as claims take them.
const TAKE: &str = "INSERT INTO vmfa.claimed AS old (ledger, step, since, token, given, again)
    SELECT DISTINCT $1::uuid, step, $3::bigint, 0, true, true FROM unnest($2::bigint[]) AS step ORDER BY step
    ON CONFLICT (ledger, step) DO UPDATE SET again = true, retaken = old.retaken OR old.released,
        token = CASE WHEN old.released THEN 0 ELSE old.token END, given = old.given OR old.released, released = false
    WHERE NOT old.again OR old.released";

impl Postgres {
    pub(super) fn unite_ledger(&self, id: Id, history: &History) -> Result<(), Error> {
        self.change(&mut |link| self.unite_in(link, id, history))
    }

    fn unite_in(&self, link: &mut Link, id: Id, history: &History) -> Result<(), Failure> {
        let rows = link.ask(LOCKED, &[(&id.uuid(), Type::UUID)])?;
        if rows.is_empty() {
            return Err(Error::Gone.into());
        }
        let (known, _) = self.stored(id, value(&self.place, &rows, 0)?)?;
        let united = history.united_with(&known);
        if united != known {
            let pair = united.last_pair.filter(|pair| Some(*pair) != known.last_pair);
            link.ask(
                WRITE,
                &[
                    (&id.uuid(), Type::UUID),
                    (&to_ranges(&united.forgotten), Type::TEXT),
                    (&united.counter.map(u64::cast_signed), Type::INT8),
                    (&self.relying_party_of(&united)?, Type::TEXT),
                    (&united.changed.as_unix().cast_signed(), Type::INT8),
                    (&pair.map(|pair| pair.second.value().cast_signed()), Type::INT8),
                ],
            )?;
        }
        let taken = history.taken.iter().filter(|step| !united.forgotten.contains(**step));
        let taken: Vec<i64> = taken.map(|step| step.value().cast_signed()).collect();
        let since = history.changed.as_unix().cast_signed();
        link.ask(TAKE, &[(&id.uuid(), Type::UUID), (&taken, Type::INT8_ARRAY), (&since, Type::INT8)])?;
        Ok(())
    }
}

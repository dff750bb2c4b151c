//! Having a ledger know what another registry does.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Sqlite;
use crate::oath::relying_party::State;
use crate::registry::{Error, History, LastPair, Ledger, Token};
use crate::time::{Step, Timestamp};
use crate::vault::Id;

impl Sqlite {
    pub(super) fn unite_ledger(&self, id: Id, history: &History) -> Result<(), Error> {
        let mut connection = self.connection();
        let engine = |error: rusqlite::Error| self.failed(&error);
        let transaction = self.begin_handing_out(&mut connection, true)?;
        let known = self.ledger_as_stored(&transaction, id)?;
        let united = history.united_with(&known);
        let id = id.to_string();
        let changed = united != known;
        if changed {
            let relying_party = united.relying_party.as_ref().map(serde_json::to_string).transpose();
            let relying_party = relying_party.map_err(|_| self.damaged_ledger(&id, "relying_party"))?;
            let pair = united.last_pair.filter(|pair| Some(*pair) != known.last_pair);
            let sql = "UPDATE ledger SET runs = ?2, counter = ?3, relying_party = ?4, changed = ?5,
                last_pair = CASE WHEN ?6 IS NULL THEN last_pair ELSE ?6 END,
                pair_claimed = CASE WHEN ?6 IS NULL THEN pair_claimed END,
                pair_before = CASE WHEN ?6 IS NULL THEN pair_before END,
                pair_token = CASE WHEN ?6 IS NULL THEN pair_token ELSE 0 END,
                pair_given = CASE WHEN ?6 IS NULL THEN pair_given ELSE 1 END,
                revision = revision + 1 WHERE id = ?1";
            let parameters = params![
                id,
                united.forgotten.to_string(),
                united.counter.map(u64::cast_signed),
                relying_party,
                united.changed.as_unix().cast_signed(),
                pair.map(|pair| pair.second.value().cast_signed()),
            ];
            transaction.execute(sql, parameters).map_err(engine)?;
        }
        {
            let sql = "INSERT INTO claimed (ledger, step, since, token, given, again) VALUES (?1, ?2, ?3, 0, 1, 1)
                ON CONFLICT (ledger, step) DO UPDATE SET again = 1, retaken = max(retaken, released),
                token = CASE WHEN released = 1 THEN 0 ELSE token END, given = max(given, released), released = 0
                WHERE again = 0 OR released = 1";
            let mut insert = transaction.prepare(sql).map_err(engine)?;
            for step in history.taken.iter().filter(|step| !united.forgotten.contains(**step)) {
                let parameters = params![id, step.value().cast_signed(), history.changed.as_unix().cast_signed()];
                insert.execute(parameters).map_err(engine)?;
            }
        }
        let furthest = history.taken.iter().chain(&history.last_pair).max().copied();
        let count = self.count_on(&transaction, u64::from(changed), (&id, furthest))?;
        transaction.commit().map_err(engine)?;
        self.leave_mark(count.as_ref());
        Ok(())
    }

    /// What uniting changes of a ledger, without what counts as handed out since the registry was restored: that may be
    /// moved back.
    fn ledger_as_stored(&self, connection: &Connection, id: Id) -> Result<Ledger, Error> {
        let text = id.to_string();
        let sql = "SELECT last_pair, counter, runs, relying_party, changed FROM ledger WHERE id = ?1";
        let read = |row: &rusqlite::Row<'_>| {
            let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(i64::cast_unsigned));
            let last_pair = number(0)?.map(Step::new);
            let last_pair =
                last_pair.map(|second| LastPair { second, token: Token::NONE, given: true, returnable: None });
            let changed = Timestamp::from_unix(number(4)?.unwrap_or_default());
            let ledger = Ledger { last_pair, counter: number(1)?, changed, ..Ledger::new(id) };
            Ok((ledger, row.get::<_, String>(2)?, row.get::<_, Option<String>>(3)?))
        };
        let found = connection.query_row(sql, [&text], read).optional().map_err(|error| self.failed(&error))?;
        let (mut ledger, runs, relying_party) = found.ok_or(Error::Gone)?;
        ledger.forgotten = self.runs(&text, &runs)?;
        let relying_party: Option<State> = relying_party
            .map(|state| serde_json::from_str(&state))
            .transpose()
            .map_err(|_| self.damaged_ledger(&text, "relying_party"))?;
        ledger.relying_party = relying_party;
        Ok(ledger)
    }
}

//! What was handed out and accepted, but for the steps of single codes.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio_postgres::types::Type;

use super::Postgres;
use super::failure::Failure;
use super::link::Link;
use super::values::{from_ranges, of_row, step, value};
use crate::registry::restored::restored_until;
use crate::registry::{AHEAD, Error, Fingerprint, LastPair, Ledger, Returnable, Run, Token};
use crate::time::{Step, Timestamp};
use crate::vault::Id;

const LEDGER_OF_DEVICE: &str = "SELECT ledger, former FROM vmfa.device WHERE id = $1";

/// Nobody else gives the device a ledger meanwhile.
const LOCKED_DEVICE: &str = "SELECT ledger, former FROM vmfa.device WHERE id = $1 FOR UPDATE";

/// Nobody deletes the ledger meanwhile, as a sweep does.
const WITH_FINGERPRINT: &str = "SELECT id FROM vmfa.ledger WHERE fingerprint = $1 FOR KEY SHARE";

const OF_FINGERPRINT: &str = "SELECT id FROM vmfa.ledger WHERE fingerprint = $1";

const FINGERPRINT_OF: &str = "SELECT fingerprint FROM vmfa.ledger WHERE id = $1";

const BEGIN_LEDGER: &str = "INSERT INTO vmfa.ledger (id, fingerprint, period)
    SELECT $1, $2, period FROM vmfa.device WHERE id = $3 ON CONFLICT (fingerprint) DO NOTHING RETURNING id";

const NEW_FINGERPRINT: &str = "UPDATE vmfa.ledger SET fingerprint = $2 WHERE id = $1";

const FOLLOW_COUNTER: &str = "UPDATE vmfa.ledger SET revision = revision + 1, counter = greatest(coalesce(counter, 0),
    (SELECT counter FROM vmfa.ledger WHERE id = $2)) WHERE id = $1 AND period IS NULL";

const SET_LEDGER: &str = "UPDATE vmfa.device SET ledger = $1, former = NULL WHERE id = $2";

const READ: &str = "SELECT row_to_json(ledger)::text, accepted FROM vmfa.ledger, vmfa.registry WHERE ledger.id = $1";

/// The pair that stands for all those before the registry was restored isn't written: that may be moved back.
const WRITE: &str = "WITH old AS (
        SELECT last_pair, CASE WHEN accepted > 0 AND period > 0 THEN accepted / period + $12 END AS restored
        FROM vmfa.ledger, vmfa.registry WHERE ledger.id = $1
    ), pair AS (
        SELECT $3 IS NOT NULL AND $3 = restored AND $6 = 0 AND $7 AND $4 IS NULL
            AND (last_pair IS NULL OR last_pair <= restored) IS TRUE AS keep FROM old
    )
    UPDATE vmfa.ledger SET counter = $9, relying_party = $10, changed = $11, pair_released = $8,
        last_pair = CASE WHEN keep THEN last_pair ELSE $3 END,
        pair_claimed = CASE WHEN keep THEN pair_claimed ELSE $4 END,
        pair_before = CASE WHEN keep THEN pair_before ELSE $5 END,
        pair_token = CASE WHEN keep THEN pair_token ELSE $6 END,
        pair_given = CASE WHEN keep THEN pair_given ELSE $7 END,
        revision = revision + 1
    FROM pair WHERE id = $1 AND revision = $2 RETURNING 1";

const USES: &str = "SELECT id, greatest(changed, coalesce((SELECT max(since) FROM vmfa.claimed
    WHERE claimed.ledger = ledger.id AND NOT released), 0)) FROM vmfa.ledger";

/// A ledger's row, but for its fingerprint.
#[derive(Debug, Deserialize)]
struct Stored {
    last_pair: Option<i64>,
    pair_claimed: Option<bool>,
    pair_before: Option<i64>,
    pair_token: i64,
    pair_given: bool,
    pair_released: Option<i64>,
    counter: Option<i64>,
    runs: String,
    relying_party: Option<String>,
    changed: i64,
    period: Option<i64>,
    revision: i64,
}

impl Postgres {
    pub(super) fn join_ledger(&self, device: Id, fingerprint: &Fingerprint) -> Result<Id, Error> {
        let known = self.again(&mut |link| {
            let rows = link.ask(LEDGER_OF_DEVICE, &[(&device.uuid(), Type::UUID)])?;
            if rows.is_empty() {
                return Err(Error::Gone.into());
            }
            value::<Option<uuid::Uuid>>(&self.place, &rows, 0)
        })?;
        match known {
            Some(known) => Ok(Id::from_uuid(known)),
            None => self.change(&mut |link| self.join_in(link, device, fingerprint)),
        }
    }

    fn join_in(&self, link: &mut Link, device: Id, fingerprint: &Fingerprint) -> Result<Id, Failure> {
        let (device, print) = (device.uuid(), fingerprint.as_slice());
        let rows = link.ask(LOCKED_DEVICE, &[(&device, Type::UUID)])?;
        if rows.is_empty() {
            return Err(Error::Gone.into());
        }
        if let Some(known) = value::<Option<uuid::Uuid>>(&self.place, &rows, 0)? {
            return Ok(Id::from_uuid(known));
        }
        // Where the vault has a new key, the ledger that the device had before is the secret's all the same.
        let former = value::<Option<uuid::Uuid>>(&self.place, &rows, 1)?;
        let rows = link.ask(WITH_FINGERPRINT, &[(&print, Type::BYTEA)])?;
        let same = rows.first().map(|row| of_row::<uuid::Uuid>(&self.place, row, 0)).transpose()?;
        let id = match (same, former) {
            (Some(same), Some(former)) => {
                link.ask(FOLLOW_COUNTER, &[(&same, Type::UUID), (&former, Type::UUID)])?;
                same
            }
            (Some(same), None) => same,
            (None, Some(former)) => {
                link.ask(NEW_FINGERPRINT, &[(&former, Type::UUID), (&print, Type::BYTEA)])?;
                former
            }
            (None, None) => {
                let new = Id::random().uuid();
                let begun =
                    link.ask(BEGIN_LEDGER, &[(&new, Type::UUID), (&print, Type::BYTEA), (&device, Type::UUID)])?;
                if begun.is_empty() {
                    // Somebody else has begun it meanwhile.
                    return Err(Failure::Again(Error::LedgerConflict));
                }
                new
            }
        };
        link.ask(SET_LEDGER, &[(&id, Type::UUID), (&device, Type::UUID)])?;
        Ok(Id::from_uuid(id))
    }

    pub(super) fn ledger_with(&self, fingerprint: &Fingerprint) -> Result<Option<Id>, Error> {
        self.again(&mut |link| {
            let rows = link.ask(OF_FINGERPRINT, &[(&fingerprint.as_slice(), Type::BYTEA)])?;
            Ok(rows.first().map(|row| of_row::<uuid::Uuid>(&self.place, row, 0)).transpose()?.map(Id::from_uuid))
        })
    }

    pub(super) fn fingerprint_of(&self, ledger: Id) -> Result<Fingerprint, Error> {
        self.again(&mut |link| {
            let rows = link.ask(FINGERPRINT_OF, &[(&ledger.uuid(), Type::UUID)])?;
            let found: Vec<u8> = of_row(&self.place, rows.first().ok_or(Error::Gone)?, 0)?;
            let damaged = || self.damaged_ledger(ledger, "fingerprint");
            found.try_into().map_err(|_| damaged().into())
        })
    }

    pub(super) fn read_ledger(&self, id: Id) -> Result<Ledger, Error> {
        self.again(&mut |link| {
            let rows = link.ask(READ, &[(&id.uuid(), Type::UUID)])?;
            if rows.is_empty() {
                return Err(Error::Gone.into());
            }
            let (text, accepted) = (value(&self.place, &rows, 0)?, value(&self.place, &rows, 1)?);
            let (mut ledger, period) = self.stored(id, text)?;
            ledger.restored = restored_until(accepted, period);
            ledger.last_pair = LastPair::not_before(ledger.restored, ledger.last_pair);
            if let Some(last) = ledger.restored {
                ledger.forgotten.add(Run { first: Step::new(0), last });
            }
            Ok(ledger)
        })
    }

    /// A ledger as it is stored, without what counts as handed out since the registry was restored; and its period.
    pub(super) fn stored(&self, id: Id, text: &str) -> Result<(Ledger, Option<i64>), Error> {
        let damaged = |field| self.damaged_ledger(id, field);
        let row: Stored = serde_json::from_str(text).map_err(|_| damaged("row"))?;
        let before = row.pair_before.map(step);
        let returnable = row.pair_claimed.map(|claimed| Returnable { claimed, before });
        let (token, given) = (Token::from_value(row.pair_token.cast_unsigned()), row.pair_given);
        let relying_party = row.relying_party.map(|text| serde_json::from_str(&text)).transpose();
        let ledger = Ledger {
            id,
            last_pair: row.last_pair.map(step).map(|second| LastPair { second, token, given, returnable }),
            pair_released: row.pair_released.map(step),
            counter: row.counter.map(i64::cast_unsigned),
            forgotten: from_ranges(&row.runs).ok_or_else(|| damaged("runs"))?,
            relying_party: relying_party.map_err(|_| damaged("relying_party"))?,
            restored: None,
            changed: Timestamp::from_unix(row.changed.cast_unsigned()),
            revision: row.revision.cast_unsigned(),
        };
        Ok((ledger, row.period))
    }

    pub(super) fn write_ledger(&self, ledger: &Ledger) -> Result<(), Error> {
        let relying_party = self.relying_party_of(ledger)?;
        let returnable = ledger.last_pair.and_then(|pair| pair.returnable);
        let number = |step: Step| step.value().cast_signed();
        let written = self.ask(
            WRITE,
            &[
                (&ledger.id.uuid(), Type::UUID),
                (&ledger.revision.cast_signed(), Type::INT8),
                (&ledger.last_pair.map(|pair| number(pair.second)), Type::INT8),
                (&returnable.map(|returnable| returnable.claimed), Type::BOOL),
                (&returnable.and_then(|returnable| returnable.before).map(number), Type::INT8),
                (&ledger.last_pair.map_or(0, |pair| pair.token.value()).cast_signed(), Type::INT8),
                (&ledger.last_pair.is_none_or(|pair| pair.given), Type::BOOL),
                (&ledger.pair_released.map(number), Type::INT8),
                (&ledger.counter.map(u64::cast_signed), Type::INT8),
                (&relying_party, Type::TEXT),
                (&ledger.changed.as_unix().cast_signed(), Type::INT8),
                (&AHEAD.cast_signed(), Type::INT8),
            ],
        )?;
        // Also where the answer to it was lost: what was written then counts as somebody else's.
        if written.is_empty() { Err(Error::LedgerConflict) } else { Ok(()) }
    }

    pub(super) fn relying_party_of(&self, ledger: &Ledger) -> Result<Option<String>, Error> {
        let text = ledger.relying_party.as_ref().map(serde_json::to_string).transpose();
        text.map_err(|_| self.damaged_ledger(ledger.id, "relying_party"))
    }

    pub(super) fn uses_of_ledgers(&self) -> Result<BTreeMap<Id, Timestamp>, Error> {
        self.again(&mut |link| {
            let mut uses = BTreeMap::new();
            for row in link.ask(USES, &[])? {
                let at = Timestamp::from_unix(of_row::<i64>(&self.place, &row, 1)?.cast_unsigned());
                if at.as_unix() > 0 {
                    uses.insert(Id::from_uuid(of_row(&self.place, &row, 0)?), at);
                }
            }
            Ok(uses)
        })
    }

    pub(super) fn damaged_ledger(&self, id: Id, field: &'static str) -> Error {
        Error::Damaged { place: self.place.clone(), record: "ledger", id: id.to_string(), field }
    }
}

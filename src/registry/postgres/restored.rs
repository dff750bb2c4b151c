//! What the database says of itself, and going on with one that knows less than was handed out.

use tokio_postgres::types::Type;

use super::Postgres;
use super::values::value;
use crate::registry::{Accepted, Error};
use crate::time::Timestamp;

const ID: &str = "SELECT id FROM vmfa.registry";

/// A number that grows with every change that anybody makes in the database's server.
const CHANGES: &str = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint";

const CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

const LOCKED: &str = "SELECT accepted FROM vmfa.registry FOR UPDATE";

const ACCEPT: &str = "UPDATE vmfa.registry SET accepted = $1";

/// Devices of vaults whose keys are accepted find their ledgers again when their secrets are read next: those get
/// fingerprints of the new key.
const LEAVE_LEDGERS: &str =
    "UPDATE vmfa.device SET former = coalesce(ledger, former), ledger = NULL WHERE EXISTS (SELECT
    FROM vmfa.vault_key WHERE NOT known AND (place = device.vault OR place LIKE device.vault || ' %'))";

const ACCEPT_KEYS: &str = "UPDATE vmfa.vault_key SET known = true WHERE NOT known RETURNING 1";

impl Postgres {
    pub(super) fn own_name(&self) -> Result<String, Error> {
        let id = self.again(&mut |link| value::<uuid::Uuid>(&self.place, &link.ask(ID, &[])?, 0))?;
        Ok(id.simple().to_string())
    }

    pub(super) fn count_changes(&self) -> Result<u64, Error> {
        Ok(self.again(&mut |link| value::<i64>(&self.place, &link.ask(CHANGES, &[])?, 0))?.cast_unsigned())
    }

    pub(super) fn server_clock(&self) -> Result<i64, Error> {
        self.again(&mut |link| value(&self.place, &link.ask(CLOCK, &[])?, 0))
    }

    /// Nobody knows what is missing of a database that was restored, or of a replica that took over: no counter is skipped.
    pub(super) fn accept(&self, now: Timestamp) -> Result<Accepted, Error> {
        self.change(&mut |link| {
            let before: i64 = value(&self.place, &link.ask(LOCKED, &[])?, 0)?;
            link.ask(LEAVE_LEDGERS, &[])?;
            let new_key = !link.ask(ACCEPT_KEYS, &[])?.is_empty();
            link.ask(ACCEPT, &[(&now.as_unix().cast_signed(), Type::INT8)])?;
            let before = Some(Timestamp::from_unix(before.cast_unsigned())).filter(|time| time.as_unix() > 0);
            Ok(Accepted { until: now, before, noticed: false, new_key })
        })
    }
}

//! The vaults' own keys, which fingerprints are made with: known by a keyed hash of each.
//!
//! Another key makes other fingerprints, which find no ledger. So one that isn't known is refused, and remembered as such
//! until somebody accepts it; the empty hash stands for one that is to be made yet.

use rusqlite::{Connection, params};

use super::Sqlite;
use crate::registry::{Error, Fingerprint};

/// Of a key that isn't there.
const NONE: &[u8] = &[];

/// What became of a key that was looked at.
enum Seen {
    Known,
    /// Something about it has to be written down first.
    Changes,
}

impl Sqlite {
    /// Makes sure that a key is the place's, or that a place without one may have a new one.
    pub(super) fn recognize_key(&self, place: &str, print: Option<&Fingerprint>) -> Result<(), Error> {
        let mut connection = self.connection();
        if matches!(self.look_at_key(&connection, place, print)?, Seen::Known) {
            return Ok(());
        }
        let engine = |error: rusqlite::Error| self.failed(&error);
        let transaction = self.begin(&mut connection)?;
        let known = |print: Option<&[u8]>| {
            let sql = "SELECT count(*) FROM vault_key WHERE place = ?1 AND known = 1 AND print = coalesce(?2, print)";
            transaction.query_row(sql, params![place, print], |row| row.get::<_, i64>(0)).map_err(engine)
        };
        let wanted = print.map_or(NONE, <[u8; 32]>::as_slice);
        let accepted = known(None)? == 0 || known(Some(wanted))? > 0 || known(Some(NONE))? > 0;
        if accepted && print.is_some() {
            // What was refused before is over, and so is the leave to make a new one.
            let sql = "DELETE FROM vault_key WHERE place = ?1 AND (known = 0 OR length(print) = 0)";
            transaction.execute(sql, [place]).map_err(engine)?;
        }
        if !accepted || print.is_some() {
            let sql = "INSERT INTO vault_key (place, print, known) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
            transaction.execute(sql, params![place, wanted, accepted]).map_err(engine)?;
        }
        transaction.commit().map_err(engine)?;
        if accepted { Ok(()) } else { Err(Error::OtherKey { place: place.to_owned(), gone: print.is_none() }) }
    }

    /// Whether a place was seen with a key, and may have no other.
    pub(super) fn has_key(&self, place: &str) -> Result<bool, Error> {
        let sql = "SELECT min(length(print)) > 0 FROM vault_key WHERE place = ?1 AND known = 1";
        let known = self.connection().query_row(sql, [place], |row| row.get::<_, Option<bool>>(0));
        Ok(known.map_err(|error| self.failed(&error))?.unwrap_or_default())
    }

    /// The keys that places are known with.
    pub(super) fn keys_of_places(&self) -> Result<Vec<(String, Fingerprint)>, Error> {
        let engine = |error: rusqlite::Error| self.failed(&error);
        let connection = self.connection();
        let sql = "SELECT place, print FROM vault_key WHERE known = 1 AND length(print) = 32 ORDER BY place, print";
        let mut select = connection.prepare_cached(sql).map_err(engine)?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(engine)?;
        rows.collect::<Result<_, _>>().map_err(engine)
    }

    fn look_at_key(&self, connection: &Connection, place: &str, print: Option<&Fingerprint>) -> Result<Seen, Error> {
        let Some(print) = print else { return Ok(Seen::Changes) };
        let sql = "SELECT max(known = 1 AND print = ?2) AND NOT max(known = 0) FROM vault_key WHERE place = ?1";
        let known = connection.query_row(sql, params![place, print], |row| row.get::<_, Option<bool>>(0));
        let known = known.map_err(|error| self.failed(&error))?.unwrap_or_default();
        Ok(if known { Seen::Known } else { Seen::Changes })
    }

    /// A key that was refused: whose, and whether there was none.
    pub(super) fn refused_key(&self, connection: &Connection) -> Result<Option<Error>, Error> {
        let sql = "SELECT place, length(print) = 0 FROM vault_key WHERE known = 0 ORDER BY place, print LIMIT 1";
        let read = |row: &rusqlite::Row<'_>| Ok(Error::OtherKey { place: row.get(0)?, gone: row.get(1)? });
        let found = rusqlite::OptionalExtension::optional(connection.query_row(sql, [], read));
        found.map_err(|error| self.failed(&error))
    }

    /// Accepts the keys that were refused. Devices of their vaults find their ledgers again when their secrets are read
    /// next: those get fingerprints of the new key.
    pub(super) fn accept_keys(&self, connection: &Connection) -> Result<bool, Error> {
        let engine = |error: rusqlite::Error| self.failed(&error);
        let sql = "UPDATE device SET former = coalesce(ledger, former), ledger = NULL WHERE EXISTS (SELECT 1
            FROM vault_key WHERE known = 0 AND (place = device.vault OR place LIKE device.vault || ' %'))";
        connection.execute(sql, []).map_err(engine)?;
        let accepted = connection.execute("UPDATE vault_key SET known = 1 WHERE known = 0", []).map_err(engine)?;
        Ok(accepted > 0)
    }
}

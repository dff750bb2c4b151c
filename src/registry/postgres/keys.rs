//! The vaults' own keys, which fingerprints are made with: known by a keyed hash of each.
//!
//! The rules are SQLite's (`registry/sqlite/keys.rs`): one that isn't known is refused, and remembered as such until
//! somebody accepts it; the empty hash stands for one that is to be made yet.

use tokio_postgres::types::Type;

use super::Postgres;
use super::failure::Failure;
use super::link::Link;
use super::values::{of_row, value};
use crate::registry::{Error, Fingerprint};

/// Of a key that isn't there.
const NONE: &[u8] = &[];

const IS_KNOWN: &str = "SELECT coalesce(bool_or(known AND print = $2) AND NOT bool_or(NOT known), false)
    FROM vmfa.vault_key WHERE place = $1";

/// One place's keys are looked at by one at a time.
const ALONE: &str = "SELECT pg_advisory_xact_lock(hashtextextended($1, 8531217207))";

const ACCEPTED: &str = "SELECT NOT EXISTS (SELECT FROM vmfa.vault_key WHERE place = $1 AND known)
    OR EXISTS (SELECT FROM vmfa.vault_key WHERE place = $1 AND known AND (print = $2 OR length(print) = 0))";

/// What was refused before is over, and so is the leave to make a new one.
const SETTLE: &str = "DELETE FROM vmfa.vault_key WHERE place = $1 AND (NOT known OR length(print) = 0)";

const REMEMBER: &str = "INSERT INTO vmfa.vault_key (place, print, known) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

const HAS: &str = "SELECT coalesce(min(length(print)) > 0, false) FROM vmfa.vault_key WHERE place = $1 AND known";

const REFUSED: &str =
    "SELECT place, length(print) = 0 FROM vmfa.vault_key WHERE NOT known ORDER BY place, print LIMIT 1";

const KNOWN: &str = "SELECT place, print FROM vmfa.vault_key WHERE known ORDER BY place, print";

impl Postgres {
    /// Makes sure that a key is the place's, or that a place without one may have a new one.
    pub(super) fn recognize_key(&self, place: &str, print: Option<&Fingerprint>) -> Result<(), Error> {
        let wanted = print.map_or(NONE, <[u8; 32]>::as_slice);
        let known = print.is_some()
            && self.again(&mut |link| {
                value(&self.place, &link.ask(IS_KNOWN, &[(&place, Type::TEXT), (&wanted, Type::BYTEA)])?, 0)
            })?;
        if known || self.change(&mut |link| self.recognize_in(link, place, wanted))? {
            return Ok(());
        }
        Err(Error::OtherKey { place: place.to_owned(), gone: print.is_none() })
    }

    fn recognize_in(&self, link: &mut Link, place: &str, wanted: &[u8]) -> Result<bool, Failure> {
        link.ask(ALONE, &[(&place, Type::TEXT)])?;
        let is_there = !wanted.is_empty();
        let accepted = link.ask(ACCEPTED, &[(&place, Type::TEXT), (&wanted, Type::BYTEA)])?;
        let accepted: bool = value(&self.place, &accepted, 0)?;
        if accepted && is_there {
            link.ask(SETTLE, &[(&place, Type::TEXT)])?;
        }
        if !accepted || is_there {
            link.ask(REMEMBER, &[(&place, Type::TEXT), (&wanted, Type::BYTEA), (&accepted, Type::BOOL)])?;
        }
        Ok(accepted)
    }

    /// Whether a place was seen with a key, and may have no other.
    pub(super) fn has_key(&self, place: &str) -> Result<bool, Error> {
        self.again(&mut |link| value(&self.place, &link.ask(HAS, &[(&place, Type::TEXT)])?, 0))
    }

    /// The keys that places are known with.
    pub(super) fn keys_of_places(&self) -> Result<Vec<(String, Fingerprint)>, Error> {
        self.again(&mut |link| {
            let pair = |row: &tokio_postgres::Row| -> Result<_, Failure> {
                let print: Vec<u8> = of_row(&self.place, row, 1)?;
                Ok(print
                    .try_into()
                    .ok()
                    .map(|print: Fingerprint| of_row(&self.place, row, 0).map(|place| (place, print))))
            };
            let rows = link.ask(KNOWN, &[])?;
            let mut found = Vec::with_capacity(rows.len());
            for row in &rows {
                found.extend(pair(row)?.transpose()?);
            }
            Ok(found)
        })
    }

    /// A key that was refused: whose, and whether there was none.
    pub(super) fn refused_key(&self) -> Result<Option<Error>, Error> {
        self.again(&mut |link| {
            let rows = link.ask(REFUSED, &[])?;
            let Some(row) = rows.first() else { return Ok(None) };
            Ok(Some(Error::OtherKey { place: of_row(&self.place, row, 0)?, gone: of_row(&self.place, row, 1)? }))
        })
    }
}

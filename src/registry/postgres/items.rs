//! The items of a shared vault, which age has encrypted before they come here: the database can't read them.

use tokio_postgres::types::Type;
use zeroize::Zeroizing;

use super::Postgres;
use super::values::value;
use crate::registry;
use crate::vault::age::{Change, Items, Pieces, Shelf};
use crate::vault::{Error, Kind};

/// The largest item that is read, in bytes.
const LARGEST: i64 = 64 * 1024;

/// The key under which it is noted that the recipients are being changed; no item's.
const CHANGING: &str = ".recipients-changing";

const READ: &str = "SELECT CASE WHEN octet_length(item) <= $2 THEN item END FROM vmfa.item WHERE key = $1";
const HOLDS: &str = "SELECT EXISTS (SELECT 1 FROM vmfa.item WHERE key = $1)";
const KEYS: &str = "SELECT key FROM vmfa.item WHERE key > $1 AND left(key, 1) <> '.' ORDER BY key LIMIT 10000";

/// An answer may be lost after the item was written: the same one again is no other.
const ADD: &str = "INSERT INTO vmfa.item AS there (key, item) SELECT * FROM unnest($1::text[], $2::bytea[])
    ON CONFLICT (key) DO UPDATE SET item = there.item WHERE there.item = excluded.item RETURNING key";
const REMOVE: &str = "DELETE FROM vmfa.item WHERE key = $1 RETURNING key";

/// What isn't what was read any more is somebody else's change.
const REPLACE: &str = "UPDATE vmfa.item SET item = $3 WHERE key = $1 AND item IN ($2, $3) RETURNING key";

impl Postgres {
    /// Adds items together; the keys of those that are there now.
    fn add_items(&self, items: &[(&str, &[u8])]) -> Result<Vec<String>, Error> {
        let (keys, texts): (Vec<&str>, Vec<&[u8]>) = items.iter().copied().unzip();
        let rows = self.ask(ADD, &[(&keys, Type::TEXT_ARRAY), (&texts, Type::BYTEA_ARRAY)]).map_err(of_registry)?;
        (0..rows.len()).map(|row| self.field(&rows, row)).collect()
    }

    fn field<T: for<'a> tokio_postgres::types::FromSql<'a>>(
        &self,
        rows: &[tokio_postgres::Row],
        row: usize,
    ) -> Result<T, Error> {
        value(&self.place, rows.get(row..).unwrap_or_default(), 0)
            .map_err(|failure| of_registry(failure.into_error(&self.place)))
    }
}

impl Shelf for Postgres {
    fn kind(&self) -> Kind {
        Kind::Shared
    }

    fn place(&self) -> String {
        format!("age items in {}", self.place)
    }

    fn place_of(&self, key: &str) -> String {
        format!("{}: item {key}", self.place)
    }

    fn read(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let rows = self.ask(READ, &[(&key, Type::TEXT), (&LARGEST, Type::INT8)]).map_err(of_registry)?;
        if rows.is_empty() {
            return Ok(None);
        }
        match self.field::<Option<Vec<u8>>>(&rows, 0)? {
            Some(item) => Ok(Some(Zeroizing::new(item))),
            None => Err(Error::AgeFile { path: self.place_of(key), reason: format!("is larger than {LARGEST} bytes") }),
        }
    }

    fn holds(&self, key: &str) -> Result<bool, Error> {
        self.field(&self.ask(HOLDS, &[(&key, Type::TEXT)]).map_err(of_registry)?, 0)
    }

    fn keys(&self) -> Result<Vec<String>, Error> {
        let mut keys: Vec<String> = Vec::new();
        loop {
            let last = keys.last().cloned().unwrap_or_default();
            let rows = self.ask(KEYS, &[(&last, Type::TEXT)]).map_err(of_registry)?;
            if rows.is_empty() {
                return Ok(keys);
            }
            for row in 0..rows.len() {
                keys.push(self.field(&rows, row)?);
            }
        }
    }

    fn add(&self, key: &str, item: &[u8]) -> Result<bool, Error> {
        Ok(!self.add_items(&[(key, item)])?.is_empty())
    }

    fn add_all(&self, _count: usize, pieces: Pieces<'_>) -> Result<(), (usize, Option<Error>)> {
        let mut before = 0_usize;
        for piece in pieces {
            let piece: Items = piece.map_err(|(place, error)| (place, Some(error)))?;
            let items: Vec<(&str, &[u8])> = piece.iter().map(|(key, item)| (key.as_str(), item.as_slice())).collect();
            let added = self.add_items(&items).map_err(|error| (before, Some(error)))?;
            if let Some(other) = piece.iter().position(|(key, _)| !added.contains(key)) {
                return Err((before.saturating_add(other), None));
            }
            before = before.saturating_add(piece.len());
        }
        Ok(())
    }

    fn remove(&self, key: &str) -> Result<bool, Error> {
        let removed = self.change(&mut |link| link.ask(REMOVE, &[(&key, Type::TEXT)]));
        Ok(!removed.map_err(of_registry)?.is_empty())
    }

    fn replace(&self, keys: &[String], change: Change<'_>) -> Result<Vec<Result<bool, Error>>, Error> {
        let one = |key: &String| {
            // Another process may change the recipients too: then its item is read and encrypted again.
            for _ in 0..ATTEMPTS {
                let Some(old) = self.read(key)? else { return Ok(false) };
                let new = change(key, &old)?;
                let (old, new) = (old.as_slice(), new.as_slice());
                let replaced = self.ask(REPLACE, &[(key, Type::TEXT), (&old, Type::BYTEA), (&new, Type::BYTEA)]);
                if !replaced.map_err(of_registry)?.is_empty() {
                    return Ok(true);
                }
            }
            Err(Error::AgeFile { path: self.place_of(key), reason: "is being changed by others".to_owned() })
        };
        Ok(keys.iter().map(one).collect())
    }

    fn is_changing(&self) -> Result<bool, Error> {
        self.holds(CHANGING)
    }

    fn set_changing(&self, changing: bool) -> Result<(), Error> {
        if changing { self.add(CHANGING, b"").map(drop) } else { self.remove(CHANGING).map(drop) }
    }

    fn probe(&self) -> Result<(), Error> {
        self.again(&mut |link| link.expect_writable()).map_err(of_registry)?;
        self.holds(CHANGING).map(drop)
    }
}

/// How often an item is changed again that others change meanwhile.
const ATTEMPTS: u8 = 5;

fn of_registry(error: registry::Error) -> Error {
    Error::Engine(Box::new(error))
}

//! The items of a shared vault, which age has encrypted before they come here: the table can't be read by who has no identity.

use zeroize::Zeroizing;

use super::DynamoDb;
use super::action::{Key, Look, Write};
use super::ask::MOST_ACTIONS;
use super::client::Refusal;
use super::value::{Item, bytes, bytes_in, text_in};
use crate::registry;
use crate::vault::age::{Change, Items, Pieces, Shelf};
use crate::vault::{Error, Kind};

/// The largest item that is read, in bytes. The service takes up to 400 KiB.
const LARGEST: usize = 64 * 1024;

/// The partition of all of them.
const PARTITION: &str = "item";

/// The key under which it is noted that the recipients are being changed; no item's.
const CHANGING: &str = ".recipients-changing";

/// How often an item is changed again that others change meanwhile.
const ATTEMPTS: u8 = 5;

/// The most bytes of items that go into one transaction; it may have 4 MiB, with all around them, as text.
const TOGETHER: usize = 1 << 21;

fn key(item: &str) -> Key {
    Key::new(PARTITION, item)
}

/// An answer may be lost after the item was written: the same one again is no other.
fn added(item: &str, content: &[u8]) -> Write {
    let write = Write::put(&key(item), vec![("item", bytes(content))]);
    write.only_if("attribute_not_exists(#pk) OR #item = :item", vec![(":item", bytes(content))])
}

impl DynamoDb {
    /// Adds items together; the place of the first under whose key there is another.
    fn add_items(&self, items: &[(String, Vec<u8>)]) -> Result<Option<usize>, Error> {
        self.ready().map_err(of_registry)?;
        let (mut first, mut size) = (0_usize, 0_usize);
        for (place, (_, content)) in items.iter().enumerate() {
            let is_full = place.saturating_sub(first) >= MOST_ACTIONS || size.saturating_add(content.len()) > TOGETHER;
            if is_full && place > first {
                if let Some(other) = self.add_together(items.get(first..place).unwrap_or_default())? {
                    return Ok(Some(first.saturating_add(other)));
                }
                (first, size) = (place, 0);
            }
            size = size.saturating_add(content.len());
        }
        let other = self.add_together(items.get(first..).unwrap_or_default())?;
        Ok(other.map(|other| first.saturating_add(other)))
    }

    fn add_together(&self, items: &[(String, Vec<u8>)]) -> Result<Option<usize>, Error> {
        let writes: Vec<Write> = items.iter().map(|(key, content)| added(key, content)).collect();
        if writes.is_empty() {
            return Ok(None);
        }
        match self.client.transact(&writes) {
            Ok(()) => Ok(None),
            Err(Refusal::Cancelled(met)) => Ok(Some(met.iter().position(|met| !met).unwrap_or(0))),
            Err(refusal) => Err(of_registry(refusal.into_error(&self.client.place))),
        }
    }

    fn item(&self, key: &str, item: Option<&Item>) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let Some(item) = item else { return Ok(None) };
        let content = bytes_in(item, "item").map(Zeroizing::new);
        let wrong = |reason| Error::AgeFile { path: self.place_of(key), reason };
        let content = content.ok_or_else(|| wrong("has no content".to_owned()))?;
        if content.len() > LARGEST {
            return Err(wrong(format!("is larger than {LARGEST} bytes")));
        }
        Ok(Some(content))
    }
}

impl Shelf for DynamoDb {
    fn kind(&self) -> Kind {
        Kind::Shared
    }

    fn place(&self) -> String {
        format!("age items in {}", self.client.place)
    }

    fn place_of(&self, key: &str) -> String {
        format!("{}: item {key}", self.client.place)
    }

    fn read(&self, item: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        self.ready().map_err(of_registry)?;
        let found = self.client.get(&key(item)).map_err(of_registry)?;
        self.item(item, found.as_ref())
    }

    fn holds(&self, item: &str) -> Result<bool, Error> {
        self.ready().map_err(of_registry)?;
        Ok(self.client.get(&key(item)).map_err(of_registry)?.is_some())
    }

    fn keys(&self) -> Result<Vec<String>, Error> {
        self.ready().map_err(of_registry)?;
        let mut look = Look::at(PARTITION);
        look.only = Some("#sk");
        let items = self.client.look(&look).map_err(of_registry)?;
        let keys = items.iter().filter_map(|item| text_in(item, "sk")).filter(|key| !key.starts_with('.'));
        Ok(keys.map(str::to_owned).collect())
    }

    fn add(&self, item: &str, content: &[u8]) -> Result<bool, Error> {
        self.ready().map_err(of_registry)?;
        self.client.write(&added(item, content)).map_err(of_registry)
    }

    fn add_all(&self, _count: usize, pieces: Pieces<'_>) -> Result<(), (usize, Option<Error>)> {
        let mut before = 0_usize;
        for piece in pieces {
            let piece: Items = piece.map_err(|(place, error)| (place, Some(error)))?;
            match self.add_items(&piece) {
                Ok(None) => before = before.saturating_add(piece.len()),
                Ok(Some(other)) => return Err((before.saturating_add(other), None)),
                Err(error) => return Err((before, Some(error))),
            }
        }
        Ok(())
    }

    fn remove(&self, item: &str) -> Result<bool, Error> {
        self.ready().map_err(of_registry)?;
        let delete = [Write::delete(key(item)).only_if("attribute_exists(#pk)", Vec::new())];
        match self.client.transact(&delete) {
            Ok(()) => Ok(true),
            Err(Refusal::Cancelled(_)) => Ok(false),
            Err(refusal) => Err(of_registry(refusal.into_error(&self.client.place))),
        }
    }

    fn replace(&self, keys: &[String], change: Change<'_>) -> Result<Vec<Result<bool, Error>>, Error> {
        let one = |item: &String| {
            // Another process may change the recipients too: then its item is read and encrypted again.
            for _ in 0..ATTEMPTS {
                let Some(old) = self.read(item)? else { return Ok(false) };
                let new = change(item, &old)?;
                let write = Write::put(&key(item), vec![("item", bytes(&new))]);
                // What isn't what was read any more is somebody else's change.
                let as_read = vec![(":old", bytes(&old)), (":new", bytes(&new))];
                let write = write.only_if("#item IN (:old, :new)", as_read);
                if self.client.write(&write).map_err(of_registry)? {
                    return Ok(true);
                }
            }
            Err(Error::AgeFile { path: self.place_of(item), reason: "is being changed by others".to_owned() })
        };
        Ok(keys.iter().map(one).collect())
    }

    fn is_changing(&self) -> Result<bool, Error> {
        self.holds(CHANGING)
    }

    fn set_changing(&self, changing: bool) -> Result<(), Error> {
        // Some engines take no bytes that are none.
        if changing { self.add(CHANGING, b"changing").map(drop) } else { self.remove(CHANGING).map(drop) }
    }

    fn probe(&self) -> Result<(), Error> {
        self.ready().map_err(of_registry)?;
        self.holds(CHANGING).map(drop)
    }
}

fn of_registry(error: registry::Error) -> Error {
    Error::Engine(Box::new(error))
}

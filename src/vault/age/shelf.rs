//! Where the items of an age vault are kept: a directory, or whatever else keeps bytes under a key.

use std::fmt;

use zeroize::Zeroizing;

use super::super::{Error, Kind};

/// The most threads that items are encrypted by.
pub(super) const MOST_THREADS: usize = 8;

/// Encrypted items under their keys.
pub type Items = Vec<(String, Vec<u8>)>;

/// Items that come in pieces, of which the next may be made while one is written. One that couldn't be made has the place of the
/// item that failed.
pub type Pieces<'a> = &'a mut dyn Iterator<Item = Result<Items, (usize, Error)>>;

/// Encrypts an item again; told its key, and what is there.
pub type Change<'a> = &'a (dyn Fn(&str, &[u8]) -> Result<Vec<u8>, Error> + Sync);

/// Keeps what it can't read: encrypted items, each under a key of letters, digits and `-`.
///
/// What is added or replaced is there whole or not at all, and has reached the disk when a call returns.
pub trait Shelf: Send + Sync + fmt::Debug {
    /// The vault whose items these are.
    fn kind(&self) -> Kind;

    /// Where they all are, as messages say it.
    fn place(&self) -> String;

    /// Where one of them is, as messages say it.
    fn place_of(&self, key: &str) -> String;

    /// An item; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Those of reading. An item that is larger than any of this program's is not read.
    fn read(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error>;

    /// Whether there is an item, without reading it.
    ///
    /// # Errors
    ///
    /// Those of looking.
    fn holds(&self, key: &str) -> Result<bool, Error>;

    /// All keys, in order.
    ///
    /// # Errors
    ///
    /// Those of looking.
    fn keys(&self) -> Result<Vec<String>, Error>;

    /// Adds an item; false if there is another one under the key, which stays.
    ///
    /// # Errors
    ///
    /// Those of writing.
    fn add(&self, key: &str, item: &[u8]) -> Result<bool, Error>;

    /// Adds many, `count` in all.
    ///
    /// # Errors
    ///
    /// The place of the first that may not be there, and why; no reason if there is another one under its key.
    fn add_all(&self, count: usize, pieces: Pieces<'_>) -> Result<(), (usize, Option<Error>)>;

    /// Deletes an item; false if there is none.
    ///
    /// # Errors
    ///
    /// Those of writing.
    fn remove(&self, key: &str) -> Result<bool, Error>;

    /// Puts what `change` makes of items in their place: true for each where that was done, false where it is gone. One that
    /// is deleted meanwhile doesn't come back.
    ///
    /// # Errors
    ///
    /// Those of writing; any of them may be replaced by then. For each, those of reading it and of `change`.
    fn replace(&self, keys: &[String], change: Change<'_>) -> Result<Vec<Result<bool, Error>>, Error>;

    /// Whether it was noted that the recipients are being changed.
    ///
    /// # Errors
    ///
    /// Those of looking.
    fn is_changing(&self) -> Result<bool, Error>;

    /// Notes that they are, or no longer.
    ///
    /// # Errors
    ///
    /// Those of writing.
    fn set_changing(&self, changing: bool) -> Result<(), Error>;

    /// Whether items could be added.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    fn probe(&self) -> Result<(), Error>;
}

//! Progress of long work, shown on stderr if it is a terminal.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use zeroize::Zeroizing;

use crate::vault::{Error, Id, Item, Kind, Label, Vault};

/// Work that is shorter shows nothing.
const LONG: Duration = Duration::from_millis(500);

/// How often a spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// Number of items that are stored before the bar moves. A vault stores many at once faster than one by one.
const CHUNK: usize = 1000;

/// A bar for a number of pieces of work; hidden if nobody watches.
pub(super) fn bar(what: &str, pieces: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(pieces).unwrap_or(u64::MAX));
    match ProgressStyle::with_template("{msg}  {bar:30}  {pos} of {len}  {eta} left") {
        Ok(style) => bar.with_style(style).with_message(what.to_owned()),
        Err(_) => bar,
    }
}

/// Searches a picture, which may take seconds.
pub(super) fn searching<T>(search: impl FnOnce() -> T) -> T {
    spin("searching for a QR code", search)
}

/// Opens an encrypted file, whose key may take seconds to derive.
pub(super) fn decrypting<T>(decrypt: impl FnOnce() -> T) -> T {
    spin("decrypting", decrypt)
}

/// Encrypts, which begins with deriving a key.
pub(super) fn encrypting<T>(encrypt: impl FnOnce() -> T) -> T {
    spin("encrypting", encrypt)
}

/// Does work with a spinner beside it, once it takes long.
fn spin<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let (running, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if ended.recv_timeout(LONG) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let spinner = ProgressBar::new_spinner().with_message(what);
            while ended.recv_timeout(TURN) == Err(RecvTimeoutError::Timeout) {
                spinner.tick();
            }
            spinner.finish_and_clear();
        });
        let result = work();
        drop(running);
        result
    })
}

/// A vault that moves a bar with each item that is stored.
#[derive(Debug)]
pub(super) struct Counted<'a> {
    pub(super) vault: &'a dyn Vault,
    pub(super) bar: ProgressBar,
}

impl Vault for Counted<'_> {
    fn put_all(&self, items: &[(Id, Item)]) -> Result<(), (usize, Error)> {
        let mut stored = 0_usize;
        for chunk in items.chunks(CHUNK) {
            self.vault.put_all(chunk).map_err(|(place, error)| {
                self.bar.finish_and_clear();
                (stored.saturating_add(place), error)
            })?;
            stored = stored.saturating_add(chunk.len());
            self.bar.set_position(u64::try_from(stored).unwrap_or(u64::MAX));
        }
        self.bar.finish_and_clear();
        Ok(())
    }

    fn kind(&self) -> Kind {
        self.vault.kind()
    }

    fn put(&self, id: Id, item: &Item) -> Result<(), Error> {
        self.vault.put(id, item)
    }

    fn get(&self, id: Id) -> Result<Zeroizing<String>, Error> {
        self.vault.get(id)
    }

    fn delete(&self, id: Id) -> Result<(), Error> {
        self.vault.delete(id)
    }

    fn holds(&self, id: Id) -> Result<bool, Error> {
        self.vault.holds(id)
    }

    fn relabel(&self, id: Id, label: Label<'_>) -> Result<(), Error> {
        self.vault.relabel(id, label)
    }

    fn own_key(&self) -> Result<Zeroizing<String>, Error> {
        self.vault.own_key()
    }

    fn find_own_key(&self) -> Result<Option<Zeroizing<String>>, Error> {
        self.vault.find_own_key()
    }

    fn own_key_place(&self) -> Result<String, Error> {
        self.vault.own_key_place()
    }

    fn probe(&self) -> Result<String, Error> {
        self.vault.probe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::memory::Memory;

    fn item() -> Item {
        let secret = Zeroizing::new("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned());
        Item { name: "x".parse().unwrap(), issuer: None, account: "x".to_owned(), secret }
    }

    /// An error in a later chunk names the item's place among all.
    #[test]
    fn an_item_that_is_not_stored_is_named_by_its_place_among_all() {
        let items: Vec<(Id, Item)> = (0..3 * CHUNK).map(|_| (Id::random(), item())).collect();
        let vault = Memory::default();
        vault.put(items[CHUNK + 7].0, &item()).unwrap();
        let counted = Counted { vault: &vault, bar: ProgressBar::hidden() };
        let (place, error) = counted.put_all(&items).unwrap_err();
        assert_eq!(place, CHUNK + 7);
        assert!(matches!(error, Error::Exists { .. }));
        assert!(vault.holds(items[CHUNK + 6].0).unwrap() && !vault.holds(items[CHUNK + 8].0).unwrap());
    }

    #[test]
    fn what_work_gives_comes_through() {
        assert_eq!(spin("working", || 7), 7);
    }
}

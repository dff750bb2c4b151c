//! The vaults' own keys, which fingerprints are made with: known by a keyed hash of each.
//!
//! The rules are SQLite's (`registry/sqlite/keys.rs`): one that isn't known is refused, and remembered as such until
//! somebody accepts it; the empty hash stands for one that is to be made yet. What is known of a place is one item, which is
//! written only where it is what was read.

use std::collections::BTreeSet;

use super::DynamoDb;
use super::action::{Key, Look, Write};
use super::client::Pauses;
use super::hexadecimal::{fingerprint, hexadecimal};
use super::value::{Item, text, text_in};
use crate::registry::{Error, Fingerprint};
use crate::vault::Id;

/// The partition of all places.
const PARTITION: &str = "key";

/// The keys of one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    known: BTreeSet<String>,
    refused: BTreeSet<String>,
}

impl Place {
    fn of(item: &Item) -> Option<Self> {
        let set = |name| -> Option<BTreeSet<String>> { serde_json::from_str(text_in(item, name)?).ok() };
        Some(Self { known: set("known")?, refused: set("refused")? })
    }

    /// Sees a key, or that there is none: whether that is accepted.
    fn see(&mut self, wanted: &str) -> bool {
        let accepted = self.known.is_empty() || self.known.contains(wanted) || self.known.contains("");
        let is_there = !wanted.is_empty();
        if accepted && is_there {
            // What was refused before is over, and so is the leave to make a new one.
            self.refused.clear();
            self.known.remove("");
            self.known.insert(wanted.to_owned());
        } else if !accepted {
            self.refused.insert(wanted.to_owned());
        }
        accepted
    }

    /// Whether it has keys that were refused.
    pub(super) fn has_refused(&self) -> bool {
        !self.refused.is_empty()
    }

    /// Accepts all of them.
    pub(super) fn accept(&mut self) {
        self.known.append(&mut self.refused);
    }

    fn has_key(&self) -> bool {
        !self.known.is_empty() && !self.known.contains("")
    }
}

impl DynamoDb {
    /// Makes sure that a key is the place's, or that a place without one may have a new one.
    pub(super) fn recognize_key(&self, place: &str, print: Option<&Fingerprint>) -> Result<(), Error> {
        let wanted = print.map_or(String::new(), |print| hexadecimal(print));
        let mut accepted = false;
        self.change_place(place, &mut |known| accepted = known.see(&wanted))?;
        if accepted { Ok(()) } else { Err(Error::OtherKey { place: place.to_owned(), gone: print.is_none() }) }
    }

    /// Changes what is known of a place; nothing is written where that stays the same.
    pub(super) fn change_place(&self, place: &str, change: &mut dyn FnMut(&mut Place)) -> Result<(), Error> {
        self.ready()?;
        let key = Key::new(PARTITION, place);
        let mut pauses = Pauses::new(&self.client);
        loop {
            let item = self.client.get(&key)?;
            let before = item.as_ref().map_or_else(|| Ok(Place::default()), |item| self.place_in(place, item))?;
            let mut after = before.clone();
            change(&mut after);
            if after == before {
                return Ok(());
            }
            let set = |keys| text(serde_json::to_string(keys).unwrap_or_default());
            let write = Write::put(
                &key,
                vec![("known", set(&after.known)), ("refused", set(&after.refused)), ("tag", text(Id::random()))],
            );
            let write = match item.as_ref().and_then(|item| text_in(item, "tag")) {
                Some(tag) => write.only_if("#tag = :tag", vec![(":tag", text(tag))]),
                None => write.if_new(),
            };
            if self.client.write(&write)? {
                return Ok(());
            }
            let busy = Error::Engine { place: self.client.place.clone(), reason: format!("{place} is busy") };
            if !pauses.pause(&busy) {
                return Err(busy);
            }
        }
    }

    /// Whether a place was seen with a key, and may have no other.
    pub(super) fn has_key(&self, place: &str) -> Result<bool, Error> {
        self.ready()?;
        let item = self.client.get(&Key::new(PARTITION, place))?;
        item.map_or(Ok(false), |item| Ok(self.place_in(place, &item)?.has_key()))
    }

    /// All places and their keys.
    pub(super) fn places(&self) -> Result<Vec<(String, Place)>, Error> {
        self.ready()?;
        let place = |item: Item| {
            let name = text_in(&item, "sk").unwrap_or_default().to_owned();
            self.place_in(&name, &item).map(|place| (name, place))
        };
        self.client.look(&Look::at(PARTITION))?.into_iter().map(place).collect()
    }

    /// The keys that places are known with.
    pub(super) fn keys_of_places(&self) -> Result<Vec<(String, Fingerprint)>, Error> {
        let mut all = Vec::new();
        for (name, place) in self.places()? {
            all.extend(place.known.iter().filter_map(|key| fingerprint(key)).map(|print| (name.clone(), print)));
        }
        Ok(all)
    }

    /// A key that was refused: whose, and whether there was none.
    pub(super) fn refused_key(&self) -> Result<Option<Error>, Error> {
        let refused = self
            .places()?
            .into_iter()
            .find_map(|(place, keys)| keys.refused.first().map(|key| Error::OtherKey { place, gone: key.is_empty() }));
        Ok(refused)
    }

    fn place_in(&self, place: &str, item: &Item) -> Result<Place, Error> {
        Place::of(item).ok_or_else(|| self.damaged("key", place, "keys"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_not_known_is_refused_until_it_is_accepted() {
        let mut place = Place::default();
        assert!(place.see("") && !place.has_key(), "none yet");
        assert!(place.see("a") && place.has_key());
        assert!(!place.see("b") && !place.see("") && place.has_refused());
        assert!(place.see("a") && !place.has_refused(), "the right one is back");
        assert!(!place.see("b"));
        place.accept();
        assert!(place.see("b") && place.see("a"));
        assert!(!place.see(""));
        place.accept();
        assert!(!place.has_key() && place.see("c") && place.has_key(), "another may be made, once");
        assert!(!place.see("d"));
    }
}

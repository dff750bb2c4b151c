//! Lists in pages, by `MaxItems` and `Marker`.
//!
//! A marker says after which item the next page begins, so that nothing is passed over or told twice when the list changes
//! between two pages.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

/// How many items a page has unless it is said.
const ITEMS: usize = 100;

/// How many bytes of a key a marker tells. The contract has markers of 320 characters, and ARNs are longer than that: of
/// a longer key it tells the beginning, and a hash instead of the end.
const TOLD: usize = 192;

/// A page.
#[derive(Debug)]
pub(in crate::serve) struct Page<T> {
    pub(in crate::serve) items: Vec<T>,
    pub(in crate::serve) rest: Rest,
}

/// Whether there is more, and where it begins.
#[derive(Debug)]
pub(in crate::serve) struct Rest(Option<String>);

impl<T> Page<T> {
    /// Of items with keys, in the order of the keys.
    ///
    /// # Errors
    ///
    /// A marker that isn't one of ours.
    pub(in crate::serve) fn of(
        items: impl IntoIterator<Item = (String, T)>,
        marker: Option<&str>,
        most: Option<usize>,
    ) -> Result<Self, Fault> {
        let invalid = || Fault::validation("Invalid Marker.");
        let after = marker.map(|marker| BASE64_URL_SAFE_NO_PAD.decode(marker).map_err(|_| invalid())).transpose()?;
        let most = most.unwrap_or(ITEMS);
        // Of a hundred thousand users, no more are kept than the page has, and one that says whether there are more.
        let mut kept: Vec<(Vec<u8>, T)> = Vec::new();
        for (key, item) in items {
            let place = place(key);
            let passed = after.as_ref().is_some_and(|after| place <= *after);
            if passed || (kept.len() > most && kept.last().is_some_and(|(last, _)| *last <= place)) {
                continue;
            }
            let at = kept.partition_point(|(other, _)| *other <= place);
            kept.insert(at, (place, item));
            kept.truncate(most.saturating_add(1));
        }
        let truncated = kept.len() > most;
        kept.truncate(most);
        let last = kept.last().filter(|_| truncated);
        let rest = Rest(last.map(|(place, _)| BASE64_URL_SAFE_NO_PAD.encode(place)));
        Ok(Self { items: kept.into_iter().map(|(_, item)| item).collect(), rest })
    }
}

impl Rest {
    /// Writes `IsTruncated` and `Marker`.
    pub(in crate::serve) fn write(&self, out: &mut Writer) {
        out.flag("IsTruncated", self.0.is_some());
        out.optional("Marker", self.0.as_deref());
    }
}

/// Where an item stands.
fn place(key: String) -> Vec<u8> {
    let mut bytes = key.into_bytes();
    if bytes.len() > TOLD {
        let hash = Sha256::digest(&bytes);
        bytes.truncate(TOLD);
        bytes.extend_from_slice(&hash);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_tell_every_item_once_however_long_the_keys() {
        let long = "x".repeat(1_000);
        let keys: Vec<String> =
            (0..25).map(|number| format!("{long}{number}")).chain(["a".into(), "z".into()]).collect();
        let mut told = Vec::new();
        let mut marker = None;
        loop {
            let items = keys.iter().map(|key| (key.clone(), key.clone()));
            let page = Page::of(items, marker.as_deref(), Some(4)).unwrap();
            told.extend(page.items);
            marker = page.rest.0;
            let Some(marker) = &marker else { break };
            assert!(marker.len() <= 320);
        }
        assert_eq!((told.first().unwrap().as_str(), told.last().unwrap().as_str()), ("a", "z"));
        told.sort();
        let mut keys = keys;
        keys.sort();
        assert_eq!(told, keys);
    }
}

//! Lists in pages, by `MaxItems` and `Marker`.
//!
//! A marker says after which item the next page begins, so that nothing is passed over or told twice when the list changes
//! between two pages.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::serve::account::Table;
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
        let mut kept = Kept::new(after(marker)?, most);
        for (key, item) in items {
            kept.add(&key, item);
        }
        Ok(kept.page())
    }
}

impl<'t, V> Page<&'t V> {
    /// Of the rows of a table that are `shown`; those before the page and those behind it aren't looked at.
    ///
    /// # Errors
    ///
    /// A marker that isn't one of ours.
    pub(in crate::serve) fn of_rows(
        rows: &'t Table<V>,
        shown: impl Fn(&V) -> bool + 't,
        marker: Option<&str>,
        most: Option<usize>,
    ) -> Result<Self, Fault> {
        let after = after(marker)?;
        str::from_utf8(told(after.as_deref().unwrap_or_default())).map_err(|_| invalid())?;
        let rows = Section::new("", |from| rows.from(from).filter(move |(_, row)| shown(row)));
        Ok(Self::of_parts([rows], after, most))
    }
}

/// A part of a list that can begin anywhere: rows, the keys of which have something in front.
pub(in crate::serve) struct Section<'s, T> {
    prefix: &'static str,
    #[expect(clippy::type_complexity, reason = "it is named nowhere else")]
    from: Box<dyn FnOnce(&str) -> Box<dyn Iterator<Item = (&'s String, T)> + 's> + 's>,
}

impl<'s, T> Section<'s, T> {
    /// `from` gives the rows from a key on, in the order of the keys.
    pub(in crate::serve) fn new<I: Iterator<Item = (&'s String, T)> + 's>(
        prefix: &'static str,
        from: impl FnOnce(&str) -> I + 's,
    ) -> Self {
        Self { prefix, from: Box::new(move |key| Box::new(from(key))) }
    }
}

impl<T> Page<T> {
    /// Of the rows of sections, in the order of their prefixes; rows before the page and those behind it aren't looked at.
    ///
    /// # Errors
    ///
    /// A marker that isn't one of ours.
    pub(in crate::serve) fn of_sections<'s>(
        sections: impl IntoIterator<Item = Section<'s, T>>,
        marker: Option<&str>,
        most: Option<usize>,
    ) -> Result<Self, Fault> {
        Ok(Self::of_parts(sections, after(marker)?, most))
    }

    fn of_parts<'s>(
        sections: impl IntoIterator<Item = Section<'s, T>>,
        after: Option<Vec<u8>>,
        most: Option<usize>,
    ) -> Self {
        // What a place tells of its key is where to begin; keys that share it are distinguished by their places.
        let told = told(after.as_deref().unwrap_or_default());
        let text = told.utf8_chunks().next().map_or("", |chunk| chunk.valid()).to_owned();
        let mut kept = Kept::new(after, most);
        for Section { prefix, from } in sections {
            let first = match text.strip_prefix(prefix) {
                Some(first) => first,
                None if *text > *prefix => continue,
                None => "",
            };
            for (key, item) in from(first) {
                let key = if prefix.is_empty() { Cow::Borrowed(key) } else { Cow::Owned(format!("{prefix}{key}")) };
                if kept.is_behind(&key) {
                    break;
                }
                kept.add(&key, item);
            }
        }
        kept.page()
    }
}

/// What a page has, and one more that says whether there are more: of a hundred thousand users, no more are kept.
struct Kept<T> {
    after: Option<Vec<u8>>,
    most: usize,
    items: Vec<(Vec<u8>, T)>,
}

impl<T> Kept<T> {
    fn new(after: Option<Vec<u8>>, most: Option<usize>) -> Self {
        Self { after, most: most.unwrap_or(ITEMS), items: Vec::new() }
    }

    /// The last item, where there are enough of them.
    fn last(&self) -> Option<&[u8]> {
        self.items.last().filter(|_| self.items.len() > self.most).map(|(last, _)| last.as_slice())
    }

    fn add(&mut self, key: &str, item: T) {
        let place = place(key);
        let passed = self.after.as_ref().is_some_and(|after| *place <= **after);
        if passed || self.last().is_some_and(|last| *last <= *place) {
            return;
        }
        let at = self.items.partition_point(|(other, _)| **other <= *place);
        self.items.insert(at, (place.into_owned(), item));
        self.items.truncate(self.most.saturating_add(1));
    }

    /// Whether the key, and every greater one, stands behind the page.
    fn is_behind(&self, key: &str) -> bool {
        self.last().is_some_and(|last| told(last) < told(key.as_bytes()))
    }

    fn page(mut self) -> Page<T> {
        let truncated = self.items.len() > self.most;
        self.items.truncate(self.most);
        let last = self.items.last().filter(|_| truncated);
        let rest = Rest(last.map(|(place, _)| BASE64_URL_SAFE_NO_PAD.encode(place)));
        Page { items: self.items.into_iter().map(|(_, item)| item).collect(), rest }
    }
}

/// The place that a marker names.
fn after(marker: Option<&str>) -> Result<Option<Vec<u8>>, Fault> {
    marker.map(|marker| BASE64_URL_SAFE_NO_PAD.decode(marker).map_err(|_| invalid())).transpose()
}

fn invalid() -> Fault {
    Fault::validation("Invalid Marker.")
}

impl Rest {
    /// Writes `IsTruncated` and `Marker`.
    pub(in crate::serve) fn write(&self, out: &mut Writer) {
        out.flag("IsTruncated", self.0.is_some());
        out.optional("Marker", self.0.as_deref());
    }
}

/// What a place tells of its key.
fn told(place: &[u8]) -> &[u8] {
    place.get(..TOLD).unwrap_or(place)
}

/// Where an item stands.
fn place(key: &str) -> Cow<'_, [u8]> {
    match key.as_bytes().get(..TOLD) {
        Some(told) if key.len() > TOLD => Cow::Owned([told, &Sha256::digest(key)].concat()),
        _ => Cow::Borrowed(key.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_tell_every_item_once_however_long_the_keys() {
        let long = "x".repeat(1_000);
        let keys: Vec<String> =
            (0..25).map(|number| format!("{long}{number}")).chain(["a".into(), "z".into()]).collect();
        let pages = |page: &dyn Fn(Option<&str>) -> Page<String>| {
            let mut told = Vec::new();
            let mut marker = None;
            loop {
                let Page { items, rest } = page(marker.as_deref());
                told.extend(items);
                marker = rest.0;
                let Some(marker) = &marker else { break told };
                assert!(marker.len() <= 320);
            }
        };
        let items = || keys.iter().map(|key| (key.clone(), key.clone()));
        let told = pages(&|marker| Page::of(items(), marker, Some(4)).unwrap());
        assert_eq!((told.first().unwrap().as_str(), told.last().unwrap().as_str()), ("a", "z"));
        let mut table = Table::default();
        items().for_each(|(key, row)| table.insert(key, row));
        let rows = pages(&|marker| {
            let page = Page::of_rows(&table, |_| true, marker, Some(4)).unwrap();
            Page { items: page.items.into_iter().cloned().collect(), rest: page.rest }
        });
        assert_eq!(rows, told);
        let mut told = told;
        told.sort();
        let mut keys = keys;
        keys.sort();
        assert_eq!(told, keys);
    }

    #[test]
    fn a_page_of_rows_looks_at_no_more_than_it_has_and_the_next_one() {
        let mut table = Table::default();
        (0..1_000).for_each(|number| table.insert(format!("{number:04}"), number));
        let looked_at = std::cell::Cell::new(0);
        let even = |row: &i32| {
            looked_at.set(looked_at.get() + 1);
            row % 2 == 0
        };
        let marker = BASE64_URL_SAFE_NO_PAD.encode("0500");
        let page = Page::of_rows(&table, even, Some(&marker), Some(3)).unwrap();
        assert_eq!((page.items, page.rest.0.is_some()), (vec![&502, &504, &506], true));
        assert!(looked_at.get() < 12, "{looked_at:?}");
    }

    #[test]
    fn sections_are_told_in_order_and_begin_at_the_marker_even_where_its_row_is_gone() {
        let mut tables = [Table::default(), Table::default()];
        for (number, table) in (0..).zip(&mut tables) {
            (0..50).for_each(|row| table.insert(format!("{row:02}"), number * 100 + row));
        }
        let looked_at = std::cell::Cell::new(0);
        let page = |tables: &[Table<i32>; 2], marker: Option<&str>| {
            let [first, second] = tables;
            let look = |(key, row)| {
                looked_at.set(looked_at.get() + 1);
                (key, row)
            };
            let sections = [
                Section::new("1", |from| first.from(from).map(look)),
                Section::new("2", |from| second.from(from).map(look)),
            ];
            let Page { items, rest } = Page::of_sections(sections, marker, Some(7)).unwrap();
            (items.into_iter().copied().collect::<Vec<_>>(), rest.0)
        };
        let (mut told, mut marker) = (Vec::new(), None);
        loop {
            looked_at.set(0);
            let (items, rest) = page(&tables, marker.as_deref());
            assert!(looked_at.get() <= 12, "{looked_at:?}");
            told.extend(items);
            marker = rest;
            if marker.is_none() {
                break;
            }
        }
        assert!(told.iter().copied().eq((0..50).chain(100..150)));
        let (_, marker) = page(&tables, None);
        tables[0].remove("06");
        assert_eq!(page(&tables, marker.as_deref()).0, (7..14).collect::<Vec<_>>());
        let odd = BASE64_URL_SAFE_NO_PAD.encode(b"2\xff");
        assert!(page(&tables, Some(&odd)).0.is_empty());
    }
}

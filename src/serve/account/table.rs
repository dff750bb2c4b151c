//! Rows under their keys that remember which of them changed, and what they were before.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Rows of one kind. A change can't be forgotten when the state is stored: the table notes its key, and the row as it was,
/// so that a change that couldn't be stored is undone.
#[derive(Debug)]
pub(in crate::serve) struct Table<V> {
    rows: BTreeMap<String, V>,
    /// The rows that changed as they were stored last; `None` for new ones.
    before: BTreeMap<String, Option<V>>,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), before: BTreeMap::new() }
    }
}

impl<V> Table<V> {
    pub(in crate::serve) fn get(&self, key: &str) -> Option<&V> {
        self.rows.get(key)
    }

    pub(in crate::serve) fn contains(&self, key: &str) -> bool {
        self.rows.contains_key(key)
    }

    /// Every row, in the order of the keys.
    pub(in crate::serve) fn iter(&self) -> impl Iterator<Item = (&String, &V)> {
        self.rows.iter()
    }

    /// The rows from a key on, in the order of the keys.
    pub(in crate::serve) fn from<'t>(&'t self, key: &str) -> impl Iterator<Item = (&'t String, &'t V)> + use<'t, V> {
        self.rows.range::<str, (Bound<&str>, Bound<&str>)>((Bound::Included(key), Bound::Unbounded))
    }

    pub(in crate::serve) fn values(&self) -> impl Iterator<Item = &V> {
        self.rows.values()
    }

    pub(in crate::serve) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Takes over what was stored earlier.
    pub(in crate::serve) fn load(&mut self, key: String, row: V) {
        self.rows.insert(key, row);
    }

    /// The keys of the rows that changed since they were [stored](Kept::stored).
    pub(in crate::serve) fn changed(&self) -> impl Iterator<Item = &String> {
        self.before.keys()
    }

    /// Their keys, with the rows as they were [stored](Kept::stored), and as they are.
    pub(super) fn changes(&self) -> impl Iterator<Item = (&String, Option<&V>, Option<&V>)> {
        self.before.iter().map(|(key, before)| (key, before.as_ref(), self.rows.get(key)))
    }
}

/// What all tables do alike.
pub(in crate::serve) trait Kept {
    fn has_changed(&self) -> bool;

    /// Everything is stored.
    fn stored(&mut self);

    /// Makes every row what it was when it was [stored](Self::stored) last.
    fn undo(&mut self);
}

impl<V> Kept for Table<V> {
    fn has_changed(&self) -> bool {
        !self.before.is_empty()
    }

    fn stored(&mut self) {
        self.before.clear();
    }

    fn undo(&mut self) {
        for (key, before) in std::mem::take(&mut self.before) {
            match before {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }
}

impl<V: Clone> Table<V> {
    /// The row, to be written to.
    pub(in crate::serve) fn edit(&mut self, key: &str) -> Option<&mut V> {
        self.remember(key);
        self.rows.get_mut(key)
    }

    /// The row, to be written to; a new one where there is none.
    pub(in crate::serve) fn edit_or_new(&mut self, key: &str) -> &mut V
    where
        V: Default,
    {
        self.remember(key);
        self.rows.entry(key.to_owned()).or_default()
    }

    pub(in crate::serve) fn insert(&mut self, key: String, row: V) {
        self.remember(&key);
        self.rows.insert(key, row);
    }

    pub(in crate::serve) fn remove(&mut self, key: &str) -> Option<V> {
        self.remember(key);
        self.rows.remove(key)
    }

    fn remember(&mut self, key: &str) {
        if !self.before.contains_key(key) {
            self.before.insert(key.to_owned(), self.rows.get(key).cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_stored_is_undone() {
        let mut table = Table::default();
        table.load("a".to_owned(), 1);
        table.load("b".to_owned(), 2);
        *table.edit("a").unwrap() = 10;
        *table.edit("a").unwrap() = 11;
        table.remove("b");
        table.insert("c".to_owned(), 3);
        table.remove("c");
        table.insert("d".to_owned(), 4);
        *table.edit_or_new("e") = 5;
        assert!(table.edit("none").is_none() && table.remove("nobody").is_none());
        table.undo();
        assert_eq!(table.iter().map(|(key, row)| (key.as_str(), *row)).collect::<Vec<_>>(), [("a", 1), ("b", 2)]);
        assert!(!table.has_changed());
        table.insert("a".to_owned(), 7);
        table.stored();
        table.undo();
        assert_eq!(table.get("a"), Some(&7));
    }
}

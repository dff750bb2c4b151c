//! Rows under their keys that remember which of them changed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Rows of one kind. Whoever writes to one can't forget to have it stored: the table notes its key.
#[derive(Debug)]
pub(in crate::serve) struct Table<V> {
    rows: BTreeMap<String, V>,
    changed: BTreeSet<String>,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), changed: BTreeSet::new() }
    }
}

impl<V> Table<V> {
    pub(in crate::serve) fn get(&self, key: &str) -> Option<&V> {
        self.rows.get(key)
    }

    pub(in crate::serve) fn contains(&self, key: &str) -> bool {
        self.rows.contains_key(key)
    }

    /// The row, to be written to.
    pub(in crate::serve) fn edit(&mut self, key: &str) -> Option<&mut V> {
        let row = self.rows.get_mut(key)?;
        self.changed.insert(key.to_owned());
        Some(row)
    }

    /// The row, to be written to; a new one where there is none.
    pub(in crate::serve) fn edit_or_new(&mut self, key: &str) -> &mut V
    where
        V: Default,
    {
        self.changed.insert(key.to_owned());
        self.rows.entry(key.to_owned()).or_default()
    }

    pub(in crate::serve) fn insert(&mut self, key: String, row: V) {
        self.changed.insert(key.clone());
        self.rows.insert(key, row);
    }

    pub(in crate::serve) fn remove(&mut self, key: &str) -> Option<V> {
        let row = self.rows.remove(key)?;
        self.changed.insert(key.to_owned());
        Some(row)
    }

    /// Every row, in the order of the keys.
    pub(in crate::serve) fn iter(&self) -> impl Iterator<Item = (&String, &V)> {
        self.rows.iter()
    }

    /// The rows from a key on, in the order of the keys.
    pub(in crate::serve) fn from(&self, key: &str) -> impl Iterator<Item = (&String, &V)> {
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

    /// The keys of the rows that changed since they were [stored](Self::stored).
    pub(in crate::serve) fn changed(&self) -> &BTreeSet<String> {
        &self.changed
    }

    pub(in crate::serve) fn stored(&mut self) {
        self.changed.clear();
    }
}

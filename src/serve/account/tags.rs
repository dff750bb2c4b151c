//! Tags: up to fifty keys with a value each; keys know no case.

use serde::{Deserialize, Serialize};

/// The tags of one entity, in the order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::serve) struct Tags(Vec<(String, String)>);

impl Tags {
    /// How many an entity may have.
    pub(in crate::serve) const MOST: usize = 50;

    pub(in crate::serve) fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }

    pub(in crate::serve) fn len(&self) -> usize {
        self.0.len()
    }

    pub(in crate::serve) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives a key its value, instead of the one it had.
    pub(in crate::serve) fn set(&mut self, key: &str, value: &str) {
        self.remove(key);
        let place = self.0.partition_point(|(other, _)| other.to_lowercase() < key.to_lowercase());
        self.0.insert(place, (key.to_owned(), value.to_owned()));
    }

    pub(in crate::serve) fn remove(&mut self, key: &str) {
        self.0.retain(|(other, _)| other.to_lowercase() != key.to_lowercase());
    }
}

impl FromIterator<(String, String)> for Tags {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut tags = Self::default();
        for (key, value) in pairs {
            tags.set(&key, &value);
        }
        tags
    }
}

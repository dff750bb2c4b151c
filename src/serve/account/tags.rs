//! Tags: up to fifty keys with a value each.

use serde::{Deserialize, Serialize};

/// The tags of one entity, in the order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::serve) struct Tags(Vec<(String, String)>);

/// Which keys of tags are the same, as the IAM User Guide ("Tags for AWS Identity and Access Management resources") has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve) enum Keys {
    /// Those of users, roles and sessions know no case.
    AnyCase,
    /// Those of everything else do.
    Exact,
}

impl Keys {
    fn same(self, key: &str, other: &str) -> bool {
        match self {
            Self::AnyCase => key.to_lowercase() == other.to_lowercase(),
            Self::Exact => key == other,
        }
    }
}

impl Tags {
    /// How many an entity may have.
    pub(in crate::serve) const MOST: usize = 50;

    /// Whether a key is one that AWS keeps for itself.
    pub(in crate::serve) fn is_reserved(key: &str) -> bool {
        key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
    }

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
    pub(in crate::serve) fn set(&mut self, key: &str, value: &str, keys: Keys) {
        self.remove(key, keys);
        let place = self.0.partition_point(|(other, _)| sorted(other) < sorted(key));
        self.0.insert(place, (key.to_owned(), value.to_owned()));
    }

    pub(in crate::serve) fn remove(&mut self, key: &str, keys: Keys) {
        self.0.retain(|(other, _)| !keys.same(other, key));
    }
}

/// By which keys are in order.
fn sorted(key: &str) -> (String, &str) {
    (key.to_lowercase(), key)
}

impl FromIterator<(String, String)> for Tags {
    /// Of a user, a role or a session.
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut tags = Self::default();
        for (key, value) in pairs {
            tags.set(&key, &value, Keys::AnyCase);
        }
        tags
    }
}

//! The names of groups, folders and categories, which entries have by an identifier.

use std::collections::HashMap;

use serde_json::Value;

use crate::exchange::Error;
use crate::exchange::json::{items, text};

/// The most groups of an entry, and characters of a name. Each entry has copies of its names, so that a file could ask for much more
/// memory than it has bytes.
pub(super) const MOST_GROUPS: usize = 16;
const MOST_CHARACTERS: usize = 128;

/// The names of an entry's groups where they stand beside it, outermost first: as many and as long as are taken.
pub(super) fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let names = names.into_iter().map(str::trim).filter(|name| !name.is_empty()).take(MOST_GROUPS);
    names.map(|name| name.chars().take(MOST_CHARACTERS).collect()).collect()
}

/// Names by their identifiers.
#[derive(Default)]
pub(super) struct Groups(HashMap<String, String>);

impl Groups {
    /// Of a list of objects that each have an identifier and a name by these keys; `what` names the list. There may be none.
    pub(super) fn of(list: Option<&Value>, [id, name]: [&str; 2], what: &str) -> Result<Self, Error> {
        let mut groups = Self::default();
        groups.add(list, [id, name], what)?;
        Ok(groups)
    }

    /// Adds those of another list.
    pub(super) fn add(&mut self, list: Option<&Value>, [id, name]: [&str; 2], what: &str) -> Result<(), Error> {
        let Some(list) = list.filter(|list| !list.is_null()) else { return Ok(()) };
        for group in items(Some(list), what)? {
            if let (Some(id), Some(name)) = (group.get(id).and_then(identifier), text(group, name)) {
                self.0.insert(id, name.chars().take(MOST_CHARACTERS).collect());
            }
        }
        Ok(())
    }

    /// The name of a group.
    pub(super) fn name(&self, id: Option<&Value>) -> Option<String> {
        self.0.get(&identifier(id?)?).cloned()
    }

    /// The names of a list of groups.
    pub(super) fn names<'a>(&'a self, ids: Option<&'a Value>) -> impl Iterator<Item = String> + 'a {
        let ids = ids.and_then(Value::as_array).into_iter().flatten().take(MOST_GROUPS);
        ids.filter_map(|id| self.name(Some(id)))
    }
}

/// A text or a number.
fn identifier(id: &Value) -> Option<String> {
    id.as_str().map(str::to_owned).or_else(|| id.as_u64().map(|number| number.to_string()))
}

//! Condition keys of a request and their values.

use std::collections::BTreeMap;

/// The context of a request: condition keys, each with one value, several, or none.
///
/// Key names know no case, `aws:username` and `AWS:UserName` are one; values do. A key that is absent is another thing
/// than one without values: `…IfExists` takes the one and compares the other. A key is a list where it may have several
/// values, also if it has one in this request: only the set operators compare lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context(BTreeMap<String, Values>);

/// What a key has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) values: Vec<String>,
    pub(super) list: bool,
}

/// The global keys that are lists ("Single-valued vs. multivalued context keys" in the IAM User Guide).
const LISTS: [&str; 7] = [
    "aws:calledvia",
    "aws:principalorgpaths",
    "aws:principalservicenameslist",
    "aws:resourceorgpaths",
    "aws:sourceorgpaths",
    "aws:tagkeys",
    "aws:vpceorgpaths",
];

impl Context {
    /// Without a key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a key these values, instead of those it had. It is a list unless it has exactly one and is none of the global
    /// keys that are lists.
    pub fn set<V: Into<String>>(&mut self, key: &str, values: impl IntoIterator<Item = V>) {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        let key = key.to_lowercase();
        let list = values.len() != 1 || LISTS.contains(&key.as_str());
        self.0.insert(key, Values { values, list });
    }

    /// The same, for a key that is always a list.
    pub fn set_list<V: Into<String>>(&mut self, key: &str, values: impl IntoIterator<Item = V>) {
        let values = values.into_iter().map(Into::into).collect();
        self.0.insert(key.to_lowercase(), Values { values, list: true });
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: &str) {
        self.0.remove(&key.to_lowercase());
    }

    /// The values of a key; `None` where it is absent.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.found(key).map(|found| found.values.as_slice())
    }

    pub(super) fn found(&self, key: &str) -> Option<&Values> {
        self.0.get(&key.to_lowercase())
    }

    /// The value of a key that has one and is no list.
    pub(super) fn single(&self, key: &str) -> Option<&str> {
        match self.found(key)? {
            Values { values, list: false } => values.first().map(String::as_str),
            _ => None,
        }
    }

    /// Notes those of these keys that are absent.
    pub(super) fn note<'a>(&self, keys: impl IntoIterator<Item = &'a str>, missing: &mut Missing) {
        for key in keys {
            let name = key.to_lowercase();
            if !self.0.contains_key(&name) {
                missing.0.entry(name).or_insert_with(|| key.to_owned());
            }
        }
    }
}

impl<K: AsRef<str>, V: Into<String>> FromIterator<(K, V)> for Context {
    /// One value a key; of several for one key the last.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut context = Self::new();
        for (key, value) in pairs {
            context.set(key.as_ref(), [value]);
        }
        context
    }
}

/// The keys that were asked for and absent, by their names without case.
#[derive(Debug, Default)]
pub(super) struct Missing(BTreeMap<String, String>);

impl Missing {
    /// As the policies spell them, sorted.
    pub(super) fn into_names(self) -> Vec<String> {
        self.0.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_names_know_no_case_and_values_do() {
        let mut context = Context::from_iter([("aws:PrincipalTag/Team", "Red")]);
        assert_eq!(context.get("AWS:principaltag/team"), Some(&["Red".to_owned()][..]));
        context.set("aws:principalTag/TEAM", ["a", "b"]);
        assert_eq!(context.get("aws:PrincipalTag/Team").unwrap().len(), 2);
        context.remove("AWS:PrincipalTag/Team");
        assert_eq!(context, Context::new());
    }

    #[test]
    fn an_absent_key_is_another_than_one_without_values() {
        let mut context = Context::new();
        assert_eq!(context.get("aws:TagKeys"), None);
        context.set("aws:TagKeys", [""; 0]);
        assert_eq!(context.get("aws:TagKeys"), Some(&[][..]));
    }

    #[test]
    fn a_key_with_one_value_may_be_a_list() {
        let mut context = Context::from_iter([("aws:username", "alice"), ("AWS:tagkeys", "team")]);
        assert_eq!(context.single("AWS:UserName"), Some("alice"));
        assert_eq!(context.single("aws:TagKeys"), None);
        context.set_list("aws:username", ["alice"]);
        assert_eq!(context.single("aws:username"), None);
        context.set("aws:x", ["a", "b"]);
        assert_eq!((context.single("aws:x"), context.single("aws:y")), (None, None));
    }
}

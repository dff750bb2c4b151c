//! Condition keys of a request and their values.

use std::collections::BTreeMap;

/// The context of a request: condition keys, each with one value, several, or none.
///
/// Key names know no case, `aws:username` and `AWS:UserName` are one; values do. A key that is absent is another thing
/// than one without values: `…IfExists` takes the one and compares the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// Without a key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a key these values, instead of those it had.
    pub fn set<V: Into<String>>(&mut self, key: &str, values: impl IntoIterator<Item = V>) {
        self.0.insert(key.to_lowercase(), values.into_iter().map(Into::into).collect());
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: &str) {
        self.0.remove(&key.to_lowercase());
    }

    /// The values of a key; `None` where it is absent.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_lowercase()).map(Vec::as_slice)
    }

    /// The same, and notes an absent key.
    pub(super) fn asked(&self, key: &str, missing: &mut Missing) -> Option<&[String]> {
        let values = self.get(key);
        if values.is_none() {
            missing.0.entry(key.to_lowercase()).or_insert_with(|| key.to_owned());
        }
        values
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
}

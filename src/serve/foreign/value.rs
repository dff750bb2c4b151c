//! Parameters as JSON and CBOR nest them. Two of the same name are refused: readers differ in which one they take.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// A parameter's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    /// Neither names anything nor holds what does.
    Other,
}

impl Value {
    /// The texts at a path of names; lists are passed through, and `*` is the names of a map.
    pub(super) fn select(&self, path: &[&str], found: &mut Vec<String>) {
        match (self, path) {
            (Self::Text(text), []) => found.push(text.clone()),
            (Self::List(items), _) => items.iter().for_each(|item| item.select(path, found)),
            (Self::Map(members), ["*"]) => found.extend(members.iter().map(|(name, _)| name.clone())),
            (Self::Map(members), [first, rest @ ..]) => {
                members.iter().filter(|(name, _)| name == first).for_each(|(_, value)| value.select(rest, found));
            }
            _ => {}
        }
    }

    /// The texts under a name, at any depth.
    pub(super) fn below(&self, name: &str, found: &mut Vec<String>) {
        match self {
            Self::List(items) => items.iter().for_each(|item| item.below(name, found)),
            Self::Map(members) => {
                for (other, value) in members {
                    if other == name {
                        value.select(&[], found);
                    }
                    value.below(name, found);
                }
            }
            Self::Text(_) | Self::Other => {}
        }
    }

    /// The names at its top level; `None` where it is no map.
    pub(super) fn names(&self) -> Option<impl Iterator<Item = &str>> {
        match self {
            Self::Map(members) => Some(members.iter().map(|(name, _)| name.as_str())),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(member) = members.next_entry::<String, Value>()? {
            map.push(member);
        }
        if !are_distinct(&map) {
            return Err(A::Error::custom("a name is there twice"));
        }
        Ok(Value::Map(map))
    }
}

/// Whether no name is there twice.
pub(super) fn are_distinct(members: &[(String, Value)]) -> bool {
    let mut names = std::collections::HashSet::with_capacity(members.len());
    members.iter().all(|(name, _)| names.insert(name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_through_lists_and_to_names() {
        let text = r#"{"A":[{"B":"x"},{"B":"y","C":{"B":["z"]}}],"M":{"k":1,"l":[]},"N":null}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        let select = |path: &[&str]| {
            let mut found = Vec::new();
            value.select(path, &mut found);
            found
        };
        assert_eq!(select(&["A", "B"]), ["x", "y"]);
        assert_eq!(select(&["A", "C", "B"]), ["z"]);
        assert_eq!(select(&["M", "*"]), ["k", "l"]);
        assert!(select(&["N"]).is_empty() && select(&["A"]).is_empty());
        let mut below = Vec::new();
        value.below("B", &mut below);
        assert_eq!(below, ["x", "y", "z"]);
        assert_eq!(value.names().unwrap().collect::<Vec<_>>(), ["A", "M", "N"]);
    }

    #[test]
    fn a_name_that_is_there_twice_is_no_value() {
        for text in [r#"{"a":1,"a":2}"#, r#"{"a":[{"b":1,"\u0062":2}]}"#, "{", "NaN", "\u{feff}{}"] {
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
    }
}

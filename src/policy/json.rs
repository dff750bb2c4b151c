//! JSON with limits, and with what a map would lose: keys that occur twice, and their order.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::Error;
use super::limits;

/// A JSON value; numbers as their text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// Reads one value and nothing behind it.
    pub(super) fn read(text: &str) -> Result<Self, Error> {
        if text.len() > limits::BYTES {
            return Err(Error::TooLarge { limit: limits::BYTES });
        }
        let budget = Budget { left: Cell::new(limits::ELEMENTS), passed: Cell::new(None) };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = Reader { depth: 0, budget: &budget }
            .deserialize(&mut deserializer)
            .and_then(|value| deserializer.end().map(|()| value));
        read.map_err(|error| match budget.passed.get() {
            Some(Limit::Depth) => Error::TooDeep { limit: limits::DEPTH },
            Some(Limit::Elements) => Error::TooMany { limit: limits::ELEMENTS },
            None => Error::Json { line: error.line(), column: error.column() },
        })
    }
}

#[derive(Clone, Copy)]
enum Limit {
    Depth,
    Elements,
}

struct Budget {
    left: Cell<usize>,
    passed: Cell<Option<Limit>>,
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    depth: usize,
    budget: &'a Budget,
}

impl Reader<'_> {
    fn spend<E: serde::de::Error>(self) -> Result<(), E> {
        let limit = if self.depth > limits::DEPTH {
            Limit::Depth
        } else if let Some(left) = self.budget.left.get().checked_sub(1) {
            self.budget.left.set(left);
            return Ok(());
        } else {
            Limit::Elements
        };
        self.budget.passed.set(Some(limit));
        Err(E::custom("a limit is passed"))
    }

    fn inside(self) -> Self {
        Self { depth: self.depth.saturating_add(1), ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.spend()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(self.inside())? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            entries.push((key, map.next_value_seed(self.inside())?));
        }
        Ok(Value::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_occur_twice_and_their_order_are_kept() {
        let read = Value::read(r#" {"b": 1, "a": [true, null, -2, 1.5], "b": "x"} "#).unwrap();
        let number = |text: &str| Value::Number(text.to_owned());
        let list = Value::Array(vec![Value::Bool(true), Value::Null, number("-2"), number("1.5")]);
        let entries = [("b", number("1")), ("a", list), ("b", Value::String("x".to_owned()))];
        assert_eq!(read, Value::Object(entries.map(|(key, value)| (key.to_owned(), value)).to_vec()));
    }

    #[test]
    fn limits_are_told_apart_from_what_is_no_json() {
        assert_eq!(Value::read("{\n \"a\" 1}"), Err(Error::Json { line: 2, column: 6 }));
        assert!(matches!(Value::read("{} {}"), Err(Error::Json { .. })));
        assert!(matches!(Value::read(""), Err(Error::Json { .. })));
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Value::read(&nested(limits::DEPTH + 1)).is_ok());
        for depth in [limits::DEPTH + 2, 50_000] {
            assert_eq!(Value::read(&nested(depth)), Err(Error::TooDeep { limit: limits::DEPTH }));
        }
        let list = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        assert!(Value::read(&list(limits::ELEMENTS - 1)).is_ok());
        assert_eq!(Value::read(&list(limits::ELEMENTS)), Err(Error::TooMany { limit: limits::ELEMENTS }));
        let padded = |size: usize| format!("{}{{}}", " ".repeat(size - 2));
        assert!(Value::read(&padded(limits::BYTES)).is_ok());
        assert_eq!(Value::read(&padded(limits::BYTES + 1)), Err(Error::TooLarge { limit: limits::BYTES }));
    }
}

//! Messages of JSON-RPC 2.0 as the Model Context Protocol restricts them: one object each, with identifiers that are strings
//! or integers.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Number, Value};

/// The longest identifier, in bytes: it is held for as long as a call takes.
const LONGEST_ID: usize = 1024;

/// What a request is answered under, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Id {
    Text(String),
    Number(Number),
    /// Of what couldn't be read.
    None,
}

/// A message that was read.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    Request {
        id: Id,
        method: String,
        params: Map<String, Value>,
    },
    Notification {
        method: String,
        params: Map<String, Value>,
    },
    /// An answer, though nothing was asked.
    Answer,
}

/// Why a message is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: i32,
    pub(super) message: String,
}

pub(super) const PARSE_ERROR: i32 = -32_700;
pub(super) const INVALID_REQUEST: i32 = -32_600;
pub(super) const METHOD_NOT_FOUND: i32 = -32_601;
pub(super) const INVALID_PARAMS: i32 = -32_602;
pub(super) const INTERNAL_ERROR: i32 = -32_603;

impl Refusal {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl Id {
    /// Of an identifier, or a progress token, which has the same form.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) if text.len() <= LONGEST_ID => Some(Self::Text(text.clone())),
            Value::Number(number) if !number.is_f64() => Some(Self::Number(number.clone())),
            _ => None,
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => number.serialize(serializer),
            Self::None => serializer.serialize_unit(),
        }
    }
}

impl Message {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// Why it is refused, and what its sender called it, as far as that could be read.
    pub(super) fn read(line: &[u8]) -> Result<Self, (Id, Refusal)> {
        let Strict(value) = serde_json::from_slice(line).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            let twice = error.to_string().starts_with(TWICE);
            let what = if twice { "a key that occurs twice" } else { "no JSON" };
            (Id::None, Refusal::new(PARSE_ERROR, format!("{what}: {place}")))
        })?;
        let invalid = |message: &str| Refusal::new(INVALID_REQUEST, message);
        let mut object = match value {
            Value::Object(object) => object,
            Value::Array(_) => return Err((Id::None, invalid("batches are not supported: send one message a line"))),
            _ => return Err((Id::None, invalid("a message is an object"))),
        };
        let given = object.remove("id");
        let id = given.as_ref().map_or(Some(Id::None), Id::of);
        let answered_as = || id.clone().unwrap_or(Id::None);
        if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err((answered_as(), invalid("`jsonrpc` has to be \"2.0\"")));
        }
        let method = match object.remove("method") {
            Some(Value::String(method)) => method,
            None if object.contains_key("result") || object.contains_key("error") => return Ok(Self::Answer),
            _ => return Err((answered_as(), invalid("`method` has to be a string"))),
        };
        let params = match object.remove("params") {
            None => Map::new(),
            Some(Value::Object(params)) => params,
            Some(_) if given.is_none() => return Ok(Self::Notification { method, params: Map::new() }),
            Some(_) => return Err((answered_as(), Refusal::new(INVALID_PARAMS, "`params` has to be an object"))),
        };
        match id {
            _ if given.is_none() => Ok(Self::Notification { method, params }),
            Some(id) => Ok(Self::Request { id, method, params }),
            None => Err((
                Id::None,
                invalid(&format!("`id` has to be an integer or a string of at most {LONGEST_ID} bytes")),
            )),
        }
    }
}

/// An answer to a request.
pub(super) struct Answer<'a, T> {
    pub(super) id: &'a Id,
    pub(super) outcome: Result<T, &'a Refusal>,
}

impl<T: Serialize> Serialize for Answer<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("jsonrpc", "2.0")?;
        map.serialize_entry("id", self.id)?;
        match &self.outcome {
            Ok(result) => map.serialize_entry("result", result)?,
            Err(Refusal { code, message }) => {
                map.serialize_entry("error", &serde_json::json!({ "code": code, "message": message }))?;
            }
        }
        map.end()
    }
}

/// JSON whose objects have each key once: a program that looked at a message before may have read the other value.
struct Strict(Value);

/// How the error for a key that occurs twice begins.
const TWICE: &str = "a key occurs twice";

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Once)
    }
}

struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Strict, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Strict(values.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Strict, A::Error> {
        let mut object = Map::new();
        while let Some((key, Strict(value))) = map.next_entry::<String, Strict>()? {
            if object.insert(key, value).is_some() {
                return Err(de::Error::custom(TWICE));
            }
        }
        Ok(Strict(object.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Message, (Id, i32)> {
        Message::read(line.as_bytes()).map_err(|(id, refusal)| (id, refusal.code))
    }

    fn text(id: &str) -> Id {
        Id::Text(id.to_owned())
    }

    #[test]
    fn requests_notifications_and_answers_are_told_apart() {
        let request = read(r#"{"jsonrpc":"2.0","id":"a","method":"ping","params":{"x":1}}"#).unwrap();
        let params = Map::from_iter([("x".to_owned(), 1.into())]);
        assert_eq!(request, Message::Request { id: text("a"), method: "ping".to_owned(), params });
        let notification = read(r#"{"jsonrpc":"2.0","method":"n","params":[1]}"#).unwrap();
        assert_eq!(notification, Message::Notification { method: "n".to_owned(), params: Map::new() });
        assert_eq!(read(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), Ok(Message::Answer));
    }

    #[test]
    fn identifiers_come_back_as_they_came() {
        for id in ["0", "-1", "18446744073709551615", "\"\"", "\"1\"", "\"é\\n\""] {
            let Ok(Message::Request { id: read, .. }) =
                read(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#))
            else {
                panic!("{id}")
            };
            assert_eq!(serde_json::to_string(&read).unwrap(), id);
        }
        let long = format!("\"{}\"", "a".repeat(LONGEST_ID + 1));
        for id in ["null", "1.5", "1e400", "18446744073709551616", "true", "[]", "{}", &long] {
            let refused = read(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)).unwrap_err();
            assert!(refused == (Id::None, INVALID_REQUEST) || refused == (Id::None, PARSE_ERROR), "{id}: {refused:?}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused_by_its_kind() {
        let deep =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        for (line, expected) in [
            ("{", (Id::None, PARSE_ERROR)),
            ("\u{feff}{}", (Id::None, PARSE_ERROR)),
            (r#"{"a":1,"a":2}"#, (Id::None, PARSE_ERROR)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":{"b":1,"b":2}}}"#, (Id::None, PARSE_ERROR)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"} {}"#, (Id::None, PARSE_ERROR)),
            (&deep, (Id::None, PARSE_ERROR)),
            ("[]", (Id::None, INVALID_REQUEST)),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, (Id::None, INVALID_REQUEST)),
            ("1", (Id::None, INVALID_REQUEST)),
            (r#"{"id":"a","method":"ping"}"#, (text("a"), INVALID_REQUEST)),
            (r#"{"jsonrpc":"2.0","id":"a"}"#, (text("a"), INVALID_REQUEST)),
            (r#"{"jsonrpc":"2.0","id":"a","method":1}"#, (text("a"), INVALID_REQUEST)),
            (r#"{"jsonrpc":"2.0","id":"a","method":"ping","params":[]}"#, (text("a"), INVALID_PARAMS)),
        ] {
            assert_eq!(read(line), Err(expected), "{line}");
        }
        assert_eq!(Message::read(b"\"\xff\"").unwrap_err().1.code, PARSE_ERROR);
    }
}

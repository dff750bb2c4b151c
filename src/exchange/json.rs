//! JSON of untrusted files, wiped when dropped: its texts may be secrets.

use serde_json::Value;
use zeroize::Zeroize as _;

use super::error::{Error, Flaw};
use super::limits::MOST_ENTRIES;

/// The most values of a document: a hundred for each entry. Each takes 32 bytes at least, however short its text is.
const MOST_VALUES: usize = MOST_ENTRIES * 100;

/// The most objects: twenty for each entry. Each takes 640 bytes, however short it is.
const MOST_OBJECTS: usize = MOST_ENTRIES * 20;

/// A JSON document.
pub struct Json(Value);

impl Json {
    /// Parses; `None` where it isn't JSON, or has more values than any export. `serde_json` bounds the nesting (128 levels).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let values = text.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
        let objects = text.bytes().filter(|byte| *byte == b'{').count();
        if values > MOST_VALUES || objects > MOST_OBJECTS {
            return None;
        }
        serde_json::from_str(text).ok().map(Self)
    }

    /// Parses what was decrypted.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().and_then(Self::parse)
    }

    /// A document that was made here.
    #[must_use]
    pub const fn of(value: Value) -> Self {
        Self(value)
    }

    /// The document.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.0
    }
}

impl Drop for Json {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl std::fmt::Debug for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Json")
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        _ => {}
    }
}

/// A text of an object; `None` where it is absent, null or of another type.
#[must_use]
pub(super) fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// A list of an object; empty where it is absent or of another type.
#[must_use]
pub(super) fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The items of a list, of which there are no more than an export may have; `what` names the list.
pub(super) fn items<'a>(list: Option<&'a Value>, what: &str) -> Result<&'a [Value], Error> {
    let items = list.and_then(Value::as_array).ok_or_else(|| Error::damaged(format!("it has no list of {what}")))?;
    if items.len() > MOST_ENTRIES {
        return Err(Error::TooMany { limit: MOST_ENTRIES });
    }
    Ok(items)
}

/// A version number for [`Error::Version`]; `?` where there is none.
pub(super) fn version(version: Option<&Value>) -> String {
    match version {
        Some(Value::Number(number)) => number.to_string(),
        _ => "?".to_owned(),
    }
}

/// A text that may be left out. Unlike [`text`], something else in its place is a flaw: it may change the codes.
pub(super) fn text_if_any<'a>(object: &'a Value, key: &str, what: &'static str) -> Result<Option<&'a str>, Flaw> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.trim().is_empty())),
        Some(_) => Err(Flaw::Invalid(what)),
    }
}

/// A whole number that may be left out. Unlike [`number`], something else in its place is a flaw.
pub(super) fn number_if_any(object: &Value, key: &str, what: &'static str) -> Result<Option<u64>, Flaw> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(_) => number(object, key).map(Some).ok_or(Flaw::Invalid(what)),
    }
}

/// A whole number of an object, written as a number or, as some apps do, as a text.
#[must_use]
pub(super) fn number(object: &Value, key: &str) -> Option<u64> {
    match object.get(key)? {
        // As `30.0` in languages whose numbers are all of one kind.
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64()?.to_string().parse().ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_read_as_apps_write_them() {
        for (value, number) in [
            (json!(30), Some(30)),
            (json!(30.0), Some(30)),
            (json!("30"), Some(30)),
            (json!(" 30 "), Some(30)),
            (json!(u64::MAX), Some(u64::MAX)),
            (json!(0.5), None),
            (json!(-1), None),
            (json!(1e300), None),
            (json!("thirty"), None),
            (json!([30]), None),
            (json!(true), None),
        ] {
            assert_eq!(super::number(&json!({ "n": value }), "n"), number, "{value}");
        }
    }

    #[test]
    fn what_may_be_left_out_may_not_be_something_else() {
        for absent in [json!({}), json!({ "x": null }), json!({ "x": "" })] {
            assert_eq!(number_if_any(&absent, "x", "period"), Ok(None), "{absent}");
            assert_eq!(text_if_any(&absent, "x", "name"), Ok(None), "{absent}");
        }
        for other in [json!({ "x": {} }), json!({ "x": -1 }), json!({ "x": false })] {
            assert_eq!(number_if_any(&other, "x", "period"), Err(Flaw::Invalid("period")), "{other}");
            assert_eq!(text_if_any(&other, "x", "name"), Err(Flaw::Invalid("name")), "{other}");
        }
    }

    #[test]
    fn a_document_of_too_many_values_is_not_parsed() {
        let of = |values: usize| Json::parse(&format!("[{}0]", "0,".repeat(values))).is_some();
        assert!(of(1_000));
        assert!(!of(MOST_VALUES));
        assert!(Json::parse(&format!("[{}0]", "{\"\":0},".repeat(1_000))).is_some());
        assert!(Json::parse(&format!("[{}0]", "{\"\":0},".repeat(MOST_OBJECTS + 1))).is_none());
        assert!(Json::parse(&("[".repeat(200) + &"]".repeat(200))).is_none());
    }
}

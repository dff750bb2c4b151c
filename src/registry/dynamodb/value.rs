//! Attributes as the service's JSON has them, checked: what it answers is as good as the service.

use std::fmt::Display;
use std::str::FromStr;

#[cfg(feature = "age")]
use base64::Engine as _;
#[cfg(feature = "age")]
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// An item, or the key of one: attributes by name.
pub(super) type Item = Map<String, Value>;

pub(super) fn text(text: impl Display) -> Value {
    json!({ "S": text.to_string() })
}

pub(super) fn number(number: impl Display) -> Value {
    json!({ "N": number.to_string() })
}

pub(super) fn flag(flag: bool) -> Value {
    json!({ "BOOL": flag })
}

#[cfg(feature = "age")]
pub(super) fn bytes(bytes: &[u8]) -> Value {
    json!({ "B": STANDARD.encode(bytes) })
}

pub(super) fn text_in<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}

pub(super) fn number_in<T: FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.get("N")?.as_str()?.parse().ok()
}

pub(super) fn flag_in(item: &Item, name: &str) -> Option<bool> {
    item.get(name)?.get("BOOL")?.as_bool()
}

#[cfg(feature = "age")]
pub(super) fn bytes_in(item: &Item, name: &str) -> Option<Vec<u8>> {
    STANDARD.decode(item.get(name)?.get("B")?.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "age")]
    #[test]
    fn bytes_come_back() {
        let item: Item = [("a".to_owned(), bytes(&[0, 255]))].into_iter().collect();
        assert_eq!(bytes_in(&item, "a"), Some(vec![0, 255]));
    }

    #[test]
    fn attributes_come_back_and_others_are_none() {
        let item: Item =
            [("a".to_owned(), text("x")), ("b".to_owned(), number(u64::MAX)), ("c".to_owned(), flag(true))]
                .into_iter()
                .collect();
        assert_eq!(text_in(&item, "a"), Some("x"));
        assert_eq!(number_in(&item, "b"), Some(u64::MAX));
        assert_eq!(number_in::<i64>(&item, "b"), None);
        assert_eq!(flag_in(&item, "c"), Some(true));
        assert!(
            text_in(&item, "b").is_none() && number_in::<u64>(&item, "a").is_none() && flag_in(&item, "e").is_none()
        );
    }
}

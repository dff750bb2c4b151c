//! JSON objects of a document, taken apart name by name.

use std::collections::HashSet;

use super::error::{Error, Place};
use super::json::Value;

/// An object whose names are each taken once.
pub(super) struct Fields {
    place: Place,
    entries: Vec<(String, Value)>,
}

impl Fields {
    /// Of an object that has no name twice.
    pub(super) fn of(value: Value, key: &str, place: &Place) -> Result<Self, Error> {
        let Value::Object(entries) = value else {
            return Err(wrong_type(place, key, "an object"));
        };
        let mut names = HashSet::new();
        if let Some((name, _)) = entries.iter().find(|(name, _)| !names.insert(name)) {
            return Err(Error::Duplicate { place: place.clone(), key: name.clone() });
        }
        Ok(Self { place: place.clone(), entries })
    }

    /// That it has no other names: before anything is missed that was only misspelled.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), Error> {
        match self.entries.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some((element, _)) => Err(Error::Unknown { place: self.place.clone(), element: element.clone() }),
        }
    }

    /// Errors name this place from now on.
    pub(super) fn place_is(&mut self, place: Place) {
        self.place = place;
    }

    /// The value of a name.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let index = self.entries.iter().position(|(found, _)| found == name)?;
        Some(self.entries.remove(index).1)
    }

    /// The text of a name.
    pub(super) fn take_text(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong_type(&self.place, name, "text")),
        }
    }

    /// Everything that is left, in order.
    pub(super) fn rest(self) -> Vec<(String, Value)> {
        self.entries
    }
}

/// One text or a list of them; with `scalars` also numbers and truth values, as text.
pub(super) fn texts(value: Value, key: &str, scalars: bool, place: &Place) -> Result<Vec<String>, Error> {
    let expected = if scalars { "text, a number, true, false, or a list of them" } else { "text or a list of it" };
    let one = |value| match value {
        Value::String(text) => Ok(text),
        Value::Number(text) if scalars => Ok(text),
        Value::Bool(value) if scalars => Ok(value.to_string()),
        _ => Err(wrong_type(place, key, expected)),
    };
    match value {
        Value::Array(values) => values.into_iter().map(one).collect(),
        single => one(single).map(|text| vec![text]),
    }
}

pub(super) fn wrong_type(place: &Place, key: &str, expected: &'static str) -> Error {
    Error::Type { place: place.clone(), key: key.to_owned(), expected }
}

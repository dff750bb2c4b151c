//! The condition keys that a text asks for, be it a whole policy or not.

use std::collections::HashSet;

use super::condition::Operator;
use super::error::{Error, Place};
use super::fields::{Fields, texts};
use super::json::Value;
use super::language::Version;
use super::statement::{ELEMENTS, conditions_of, effect, invalid};
use super::template::Template;

/// The keys that a policy of any kind asks for, in conditions and variables, each spelling once: what
/// `GetContextKeysForCustomPolicy` answers.
///
/// As there, the policy needn't be whole: elements may be missing, and values may say nothing to their operators. The
/// predefined variables `${*}`, `${?}` and `${$}` count as keys.
///
/// ```
/// let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "${aws:username}/${*}"}}"#;
/// assert_eq!(vmfa::policy::context_keys(text)?, ["aws:username", "*"]);
/// # Ok::<(), vmfa::policy::Error>(())
/// ```
///
/// # Errors
///
/// [`Error`] for what isn't JSON, an unknown element or operator, another version or effect, and past the
/// [`limits`](super::limits).
pub fn context_keys(text: &str) -> Result<Vec<String>, Error> {
    let mut fields = Fields::of(Value::read(text)?, "policy", &Place::default())?;
    fields.only(&["Version", "Id", "Statement"])?;
    let version = Version::of(&mut fields)?;
    fields.take_text("Id")?;
    let statements = match fields.take("Statement") {
        Some(Value::Array(statements)) => statements,
        Some(statement) => vec![statement],
        None => Vec::new(),
    };
    let mut found = Found { version, keys: Vec::new(), seen: HashSet::new() };
    for (index, statement) in (1..).zip(statements) {
        found.read(statement, &Place { statement: Some(index), sid: None })?;
    }
    Ok(found.keys)
}

struct Found {
    version: Version,
    keys: Vec<String>,
    seen: HashSet<String>,
}

impl Found {
    fn add(&mut self, key: &str) {
        if self.seen.insert(key.to_owned()) {
            self.keys.push(key.to_owned());
        }
    }

    fn read(&mut self, statement: Value, place: &Place) -> Result<(), Error> {
        let mut fields = Fields::of(statement, "Statement", place)?;
        fields.only(&ELEMENTS)?;
        effect(&mut fields, place)?;
        for element in ["Resource", "NotResource"] {
            let Some(value) = fields.take(element) else { continue };
            for text in texts(value, element, false, place)? {
                self.read_text(&text, element, place)?;
            }
        }
        let conditions = fields.take("Condition").map(|value| conditions_of(value, place)).transpose()?;
        for (name, keys) in conditions.unwrap_or_default() {
            Operator::parse(&name).ok_or_else(|| invalid(place, "Condition", &name, "no condition operator of IAM"))?;
            for (key, values) in keys {
                self.add(&key);
                for text in texts(values, &key, true, place)? {
                    self.read_text(&text, &key, place)?;
                }
            }
        }
        Ok(())
    }

    fn read_text(&mut self, text: &str, of: &str, place: &Place) -> Result<(), Error> {
        if self.version == Version::V2012 {
            let template = Template::parse(text).map_err(|reason| invalid(place, of, text, reason))?;
            template.names().for_each(|name| self.add(name));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(statement: &str) -> Result<Vec<String>, Error> {
        context_keys(&format!(r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", {statement}}}}}"#))
    }

    #[test]
    fn keys_are_told_as_they_are_spelled_each_spelling_once() {
        for (statement, expected) in [
            (r#""Resource": ["${aws:a}/${AWS:A}", "${aws:a}"]"#, &["aws:a", "AWS:A"][..]),
            (r#""NotResource": "${aws:a, 'x'}/${*}${?}${$}""#, &["aws:a", "*", "?", "$"]),
            (r#""Condition": {"StringEquals": {"aws:a": "${aws:b}", "AWS:a": []}}"#, &["aws:a", "aws:b", "AWS:a"]),
            (r#""Condition": {"NumericEquals": {"${aws:a}": "nope"}}"#, &["${aws:a}"]),
            (r#""Condition": {"NumericEquals": {"k": "${aws:b}"}}, "Principal": "${aws:c}""#, &["k", "aws:b"]),
            (r#""Action": ["${aws:a}", "abc"], "Resource": "bad", "Condition": {}"#, &[]),
        ] {
            assert_eq!(keys(statement).unwrap(), expected, "{statement}");
        }
        for text in [
            r#"{"Statement": {"Effect": "Deny", "Resource": "${aws:a}"}}"#,
            r#"{"Version": "2008-10-17", "Statement": []}"#,
            r#"{"Version": "2012-10-17"}"#,
        ] {
            assert_eq!(context_keys(text).unwrap(), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_is_no_piece_of_a_policy_is_refused() {
        for statement in [
            r#""Colour": "red""#,
            r#""Condition": {"MadeUp": {"aws:a": "b"}}"#,
            r#""Condition": "x""#,
            r#""Condition": {"Bool": "x"}"#,
            r#""Resource": {}"#,
            r#""Resource": "${aws:a""#,
        ] {
            assert!(keys(statement).is_err(), "{statement}");
        }
        for text in [
            "{",
            "[]",
            r#"{"Foo": 1}"#,
            r#"{"Version": "2020-10-17"}"#,
            r#"{"Statement": "x"}"#,
            r#"{"Statement": {"Action": "*"}}"#,
            r#"{"Statement": {"Effect": "allow"}}"#,
        ] {
            assert!(context_keys(text).is_err(), "{text}");
        }
    }
}

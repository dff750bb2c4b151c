//! The parameters of a call, wherever its protocol puts them.

use super::value::Value;

/// Why a call isn't passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Objection(pub(super) &'static str);

/// How many parameters a form or a query string has at most.
const PARAMETERS: usize = 10_000;

/// What a call names.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// Of the path.
    pub(super) labels: Vec<(String, String)>,
    /// Of the query string or a form, in their order.
    pub(super) pairs: Vec<(String, String)>,
    /// Of a body that nests.
    pub(super) body: Option<Value>,
}

impl Input {
    /// The texts of a parameter, such as `TableName` or `TransactItems.Put.TableName`.
    pub(super) fn select(&self, path: &str) -> Vec<String> {
        let segments: Vec<&str> = path.split('.').collect();
        let mut found: Vec<String> =
            self.labels.iter().filter(|(name, _)| name == path).map(|(_, value)| value.clone()).collect();
        found.extend(self.pairs.iter().filter(|(name, _)| is_at(name, &segments)).map(|(_, value)| value.clone()));
        if let Some(body) = &self.body {
            body.select(&segments, &mut found);
        }
        found
    }

    /// The texts under a name, at any depth.
    pub(super) fn below(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (other, value) in self.labels.iter().chain(&self.pairs) {
            if other.split('.').rfind(|part| !is_number(part) && *part != "member") == Some(name) {
                found.push(value.clone());
            }
        }
        if let Some(body) = &self.body {
            body.below(name, &mut found);
        }
        found
    }
}

/// Whether a name of a form, such as `Names.member.1` or `Names.Name.1`, is the parameter of a path, or of its list.
fn is_at(name: &str, path: &[&str]) -> bool {
    let parts: Vec<&str> = name.split('.').filter(|part| !is_number(part) && *part != "member").collect();
    parts == path
        || (is_number(name.rsplit('.').next().unwrap_or_default())
            && parts.split_last().is_some_and(|(_, parts)| parts == path))
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads a form or a query string.
///
/// # Errors
///
/// Escapes that are broken or no UTF-8; too many parameters.
pub(super) fn pairs(text: &[u8]) -> Result<Vec<(String, String)>, Objection> {
    let text = str::from_utf8(text).map_err(|_| Objection("the parameters aren't UTF-8"))?;
    let parts = || text.split('&').filter(|part| !part.is_empty());
    if parts().count() > PARAMETERS {
        return Err(Objection("there are too many parameters"));
    }
    parts()
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decoded(&name.replace('+', " "))?, decoded(&value.replace('+', " "))?))
        })
        .collect()
}

/// Undoes percent-encoding.
///
/// # Errors
///
/// Escapes that are broken or no UTF-8, which readers read differently.
pub(super) fn decoded(text: &str) -> Result<String, Objection> {
    let broken = text.split('%').skip(1).any(|rest| !rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count().eq(&2));
    if broken {
        return Err(Objection("an escape is broken"));
    }
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| Objection("an escape is no UTF-8"))
}

/// Whether a body that is no form has a part which another server could take for a parameter of one of these names.
pub(super) fn reads_as_form(body: &[u8], names: &[&str]) -> bool {
    let parts = body.split(|byte| *byte == b'&');
    let mut named = parts.map(|part| part.split(|byte| *byte == b'=').next().unwrap_or_default());
    named.any(|name| {
        // A name is short; the rest of a part isn't looked at.
        let name = name.get(..name.len().min(512)).unwrap_or_default();
        let name = percent_encoding::percent_decode(name).decode_utf8_lossy().replace('+', " ");
        name.eq_ignore_ascii_case("Action")
            || name == "Version"
            || names.contains(&name.split('.').next().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_in_forms_paths_and_bodies() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let input = Input {
            labels: vec![pair("FunctionName", "f")],
            pairs: vec![
                pair("Names.member.1", "a"),
                pair("Names.member.2", "b"),
                pair("Ids.Id.1", "c"),
                pair("InstanceId.1", "i"),
                pair("One.Two", "d"),
                pair("Name", "e"),
                pair("Deep.member.1.RoleArn", "r"),
            ],
            body: serde_json::from_str(r#"{"Put":{"Name":"n"}}"#).ok(),
        };
        assert_eq!(input.select("Names"), ["a", "b"]);
        assert_eq!(input.select("Ids"), ["c"]);
        assert_eq!(input.select("InstanceId"), ["i"]);
        assert_eq!(input.select("One.Two"), ["d"]);
        assert_eq!(input.select("FunctionName"), ["f"]);
        assert_eq!(input.select("Put.Name"), ["n"]);
        assert!(input.select("One").is_empty());
        assert_eq!(input.below("RoleArn"), ["r"]);
    }

    #[test]
    fn what_readers_read_differently_is_refused() {
        for broken in ["a=%", "a=%4", "a=%zz", "%ff=a", "a=%C3"] {
            assert!(pairs(broken.as_bytes()).is_err(), "{broken}");
        }
        assert_eq!(pairs(b"a=b+c&&d%3D").unwrap(), [("a".into(), "b c".into()), ("d=".into(), String::new())]);
        assert!(reads_as_form(b"x&%41ction=DeleteTable", &[]));
        assert!(reads_as_form(b"Name.member.1=x", &["Name"]));
        assert!(!reads_as_form(b"{\"Action\":\"x\"}", &["Name"]));
    }
}

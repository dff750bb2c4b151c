//! A policy document of the IAM JSON policy language.

use std::collections::HashSet;

use super::error::{Error, Place};
use super::fields::{Fields, wrong_type};
use super::json::Value;
use super::language::{Kind, Version};
use super::statement::{self, Statement};

/// A policy document: at least one statement.
///
/// ```
/// use vmfa::policy::{Document, Error, Kind};
///
/// let text = r#"{"Statement": {"Effect": "Allow", "Action": "iam:GetUser", "Object": "*"}}"#;
/// let error = Document::parse(text, Kind::Identity).unwrap_err();
/// assert!(matches!(error, Error::Unknown { .. }));
/// assert_eq!(error.to_string(), "statement 1 has an unknown element `Object`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    version: Version,
    id: Option<String>,
    kind: Kind,
    statements: Vec<Statement>,
    reads_context: bool,
}

impl Document {
    /// Reads JSON text.
    ///
    /// # Errors
    ///
    /// [`Error`] for what IAM answers with `MalformedPolicyDocument`: no JSON, names that are unknown or occur twice,
    /// elements that are missing or exclude each other, values that say nothing; and past the
    /// [`limits`](super::limits).
    pub fn parse(text: &str, kind: Kind) -> Result<Self, Error> {
        let whole = Place::default();
        let mut fields = Fields::of(Value::read(text)?, "policy", &whole)?;
        fields.only(&["Version", "Id", "Statement"])?;
        let version = Version::of(&mut fields)?;
        let id = fields.take_text("Id")?;
        let written = match fields.take("Statement") {
            Some(Value::Array(statements)) => statements,
            Some(statement @ Value::Object(_)) => vec![statement],
            Some(_) => return Err(wrong_type(&whole, "Statement", "an object or a list of them")),
            None => Vec::new(),
        };
        if written.is_empty() {
            return Err(Error::Missing { place: whole, element: "Statement" });
        }
        let mut statements = Vec::new();
        let mut sids = HashSet::new();
        for (index, value) in (1..).zip(written) {
            let (statement, place) = statement::read(value, index, kind, version)?;
            if let Some(sid) = statement.sid.clone().filter(|sid| !sid.is_empty())
                && !sids.insert(sid.clone())
            {
                let reason = "another statement has this Sid";
                return Err(Error::Value { place, key: "Sid".into(), value: sid, reason });
            }
            statements.push(statement);
        }
        let reads_context = statements.iter().any(|statement| statement.keys().next().is_some());
        Ok(Self { version, id, kind, statements, reads_context })
    }

    /// The version of the language; 2008-10-17 where the document says nothing.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// What it is for.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Its `Id`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Its statements, in order.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Whether it has a condition or a variable: if not, it says the same in every context.
    #[must_use]
    pub const fn reads_context(&self) -> bool {
        self.reads_context
    }

    /// The condition keys that it asks for, in conditions and variables, each once and as first spelled.
    #[must_use]
    pub fn context_keys(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        let keys = self.statements.iter().flat_map(Statement::keys);
        keys.filter(|key| seen.insert(key.to_lowercase())).collect()
    }
}

#[cfg(test)]
mod tests;

//! The grammar of the IAM JSON policy language.

use std::collections::HashSet;

use super::condition::Condition;
use super::error::{Error, Place};
use super::fields::{Fields, wrong_type};
use super::json::Value;
use super::pattern::Pattern;
use super::principal::Name;
use super::statement;
use super::template::Template;

/// What a document is for: that decides which elements it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of a user, a group or a role, a permissions boundary, or of a session: with resources, without principals.
    Identity,
    /// Who may assume a role: with principals, without resources, about actions of STS only.
    Trust,
}

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, also where a document says nothing: `${aws:username}` is plain text.
    V2008,
    /// `2012-10-17`: has policy variables.
    V2012,
}

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
}

/// What a statement does to the requests it applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Allows them, unless another denies them.
    Allow,
    /// Denies them, whatever others do.
    Deny,
}

/// One statement: an effect, and to which requests it applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    pub(super) actions: Listed<Pattern>,
    pub(super) target: Target,
    pub(super) conditions: Vec<Condition>,
}

/// A list, or everything but what it lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed<T> {
    pub(super) not: bool,
    pub(super) items: Vec<T>,
}

/// What a statement is about besides actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Resources(Listed<Template>),
    Principals(Listed<Name>),
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
        Ok(Self { version, id, kind, statements })
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

    /// The condition keys that it asks for, in conditions and variables, each once and as first spelled.
    #[must_use]
    pub fn context_keys(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        let keys = self.statements.iter().flat_map(Statement::keys);
        keys.filter(|key| seen.insert(key.to_lowercase())).collect()
    }
}

impl Version {
    /// What a document says.
    pub(super) fn of(fields: &mut Fields) -> Result<Self, Error> {
        match fields.take_text("Version")?.as_deref() {
            None | Some("2008-10-17") => Ok(Self::V2008),
            Some("2012-10-17") => Ok(Self::V2012),
            Some(other) => {
                let reason = "the versions are 2012-10-17 and 2008-10-17";
                Err(Error::Value { place: Place::default(), key: "Version".into(), value: other.into(), reason })
            }
        }
    }
}

impl Statement {
    /// Its `Sid`.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Its effect.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        let templates = match &self.target {
            Target::Resources(resources) => resources.items.as_slice(),
            Target::Principals(_) => &[],
        };
        let variables = templates.iter().flat_map(Template::keys);
        variables.chain(self.conditions.iter().flat_map(Condition::keys))
    }
}

#[cfg(test)]
mod tests;

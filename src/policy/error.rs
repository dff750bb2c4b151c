use std::fmt;

/// Why a text is no policy document: what IAM answers with `MalformedPolicyDocument`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More bytes than [`limits::BYTES`](super::limits::BYTES).
    #[error("the policy has more than {limit} bytes")]
    TooLarge {
        /// The limit that was passed.
        limit: usize,
    },
    /// More levels than [`limits::DEPTH`](super::limits::DEPTH).
    #[error("the policy is nested deeper than {limit} levels")]
    TooDeep {
        /// The limit that was passed.
        limit: usize,
    },
    /// More values than [`limits::ELEMENTS`](super::limits::ELEMENTS).
    #[error("the policy has more than {limit} JSON values")]
    TooMany {
        /// The limit that was passed.
        limit: usize,
    },
    /// Not JSON.
    #[error("the policy is not JSON: line {line}, column {column}")]
    Json {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// A name that occurs twice; names of condition keys know no case.
    #[error("{place} has `{key}` twice")]
    Duplicate {
        /// Where.
        place: Place,
        /// The name, a condition key's behind its operator.
        key: String,
    },
    /// A name that the grammar doesn't have here.
    #[error("{place} has an unknown element `{element}`")]
    Unknown {
        /// Where.
        place: Place,
        /// Its name.
        element: String,
    },
    /// A name that the grammar has, and this kind of policy must not.
    #[error("{place} has `{element}`, which {kind} can't have")]
    Prohibited {
        /// Where.
        place: Place,
        /// Its name.
        element: &'static str,
        /// What has no such element.
        kind: &'static str,
    },
    /// A name that must be there.
    #[error("{place} has no {element}")]
    Missing {
        /// Where.
        place: Place,
        /// Its name, or both of which one would do.
        element: &'static str,
    },
    /// Two of which only one may be there.
    #[error("{place} has both `{one}` and `{other}`")]
    Both {
        /// Where.
        place: Place,
        /// The one.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A value of another JSON type.
    #[error("{place}: `{key}` isn't {expected}")]
    Type {
        /// Where.
        place: Place,
        /// Whose value.
        key: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A value that says nothing.
    #[error("{place}: `{value}` in `{key}`: {reason}")]
    Value {
        /// Where.
        place: Place,
        /// Whose value.
        key: String,
        /// The value.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Where in a document something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Which statement, counted from 1; `None` for the document around them.
    pub statement: Option<usize>,
    /// The statement's Sid, where it has one.
    pub sid: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.statement, &self.sid) {
            (None, _) => f.write_str("the policy"),
            (Some(index), None) => write!(f, "statement {index}"),
            (Some(index), Some(sid)) => write!(f, "statement {index} (`{sid}`)"),
        }
    }
}

//! One of the two files: what stands in it, and what can be wrong with it.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

/// The largest file that is read, in bytes.
pub const MOST: usize = 1_048_576;

/// What can be wrong with a file. Names the file and the line, never what stands there: it may be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// At a line.
    #[error("{file}, line {line}: {problem}")]
    Line {
        /// As it was named.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        problem: Problem,
    },
    /// A file that is there and can't be read.
    #[error("{file} can't be read: {reason}")]
    Unreadable {
        /// As it was named.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// More than [`MOST`] bytes.
    #[error("{file} has more than {MOST} bytes")]
    TooLong {
        /// As it was named.
        file: String,
    },
}

/// What can be wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Bytes that are no text.
    #[error("this isn't UTF-8")]
    NotText,
    /// `[…` without its end, or something else behind it.
    #[error("a section begins with `[NAME]` on a line of its own")]
    Header,
    /// A property before any section.
    #[error("a property belongs below a section such as `[default]`")]
    NoSection,
    /// Neither a section nor a comment.
    #[error("a property has the form `name = value`")]
    NoEquals,
    /// `= value`.
    #[error("a property needs a name before `=`")]
    NoName,
    /// Indented below a property without a value, where properties are expected.
    #[error("what is indented below a property without a value has the form `name = value` too")]
    Nested,
}

/// Which of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `~/.aws/config`: everything, in sections that say what they are.
    Config,
    /// `~/.aws/credentials`: keys, in sections that are named after profiles.
    Credentials,
}

/// A file before it is read: how messages name it, and its bytes; none where it isn't there.
pub struct Text<'a> {
    /// As messages name it.
    pub name: &'a str,
    /// What it holds.
    pub bytes: Option<&'a [u8]>,
}

/// One file, as it was read.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) sections: BTreeMap<Header, Section>,
    /// What belongs to no section, or to one whose name is lost.
    pub(super) strays: Vec<Error>,
}

/// A section's name, with what sort of section it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Header {
    /// `[default]` of the config file; hidden by `[profile default]`.
    Default,
    Profile(String),
    Services(String),
    /// Of no use here, or named as sections of this file aren't.
    Other(String),
}

/// What stands in a section, all of its places together.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    pub(super) properties: BTreeMap<String, Value>,
    pub(super) problems: Vec<Error>,
}

/// The value of a property, and what is nested below it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: Zeroizing<String>,
    pub(super) nested: BTreeMap<String, Zeroizing<String>>,
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(…)")
    }
}

impl Section {
    pub(super) fn readable(&self) -> Result<(), Error> {
        self.problems.first().map_or(Ok(()), |problem| Err(problem.clone()))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.properties.get(name).map(|value| value.text.as_str()).filter(|text| !text.is_empty())
    }
}

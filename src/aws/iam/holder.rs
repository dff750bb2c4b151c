//! Who has policies.

use std::fmt;

/// Somebody, or a group of them, who has policies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// A user of this name.
    User(String),
    /// A group of this name.
    Group(String),
    /// A role of this name.
    Role(String),
}

impl Holder {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        let (Self::User(name) | Self::Group(name) | Self::Role(name)) = self;
        name
    }

    /// As actions name it, `ListGroupPolicies`.
    pub(in crate::aws) const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "User",
            Self::Group(_) => "Group",
            Self::Role(_) => "Role",
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind().to_ascii_lowercase(), self.name())
    }
}

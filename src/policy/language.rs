//! The variants of the policy language: what a document is for, and the version that it is written in.

use super::error::{Error, Place};
use super::fields::Fields;

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

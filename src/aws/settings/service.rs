//! The services that are called.

use std::fmt;

/// A service that is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Identity and Access Management: one place for a whole partition.
    Iam,
    /// The Security Token Service: one for each region.
    Sts,
}

impl Service {
    /// As signatures and endpoints have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }

    /// Where its endpoint may be given.
    pub(super) const fn named(self) -> Named {
        Named { id: self.as_str(), variable: self.variable() }
    }

    const fn variable(self) -> &'static str {
        match self {
            Self::Iam => "AWS_ENDPOINT_URL_IAM",
            Self::Sts => "AWS_ENDPOINT_URL_STS",
        }
    }
}

/// A service by the names that settings have for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    /// Below `[services]`.
    pub(super) id: &'static str,
    /// In the environment.
    pub(super) variable: &'static str,
}

/// Amazon DynamoDB, where a registry may be: one for each region.
pub(super) const DYNAMODB: Named = Named { id: "dynamodb", variable: "AWS_ENDPOINT_URL_DYNAMODB" };

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

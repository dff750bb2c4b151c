//! How a request fails: with AWS's code, status and message for the client, and with the reason for the log.

use super::random;
use crate::wire::query;

/// A refusal or a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// As AWS spells it.
    pub(super) code: &'static str,
    /// Of HTTP.
    pub(super) status: u16,
    /// As AWS words it.
    pub(super) message: String,
    /// What AWS doesn't say.
    pub(super) why: Option<String>,
}

impl Fault {
    pub(super) fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into(), why: None }
    }

    /// With the reason.
    #[must_use]
    pub(super) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    pub(super) fn no_such_entity(message: impl Into<String>) -> Self {
        Self::new("NoSuchEntity", 404, message)
    }

    pub(super) fn already_exists(message: impl Into<String>) -> Self {
        Self::new("EntityAlreadyExists", 409, message)
    }

    pub(super) fn delete_conflict(message: impl Into<String>) -> Self {
        Self::new("DeleteConflict", 409, message)
    }

    pub(super) fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::new("LimitExceeded", 409, message)
    }

    pub(super) fn invalid_input(message: impl Into<String>) -> Self {
        Self::new("InvalidInput", 400, message)
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationError", 400, message)
    }

    pub(super) fn access_denied(message: impl Into<String>) -> Self {
        Self::new("AccessDenied", 403, message)
    }

    pub(super) fn malformed_policy(message: impl Into<String>) -> Self {
        Self::new("MalformedPolicyDocument", 400, message)
    }

    /// What isn't the client's fault.
    pub(super) fn failure(why: impl Into<String>) -> Self {
        Self::new("ServiceFailure", 500, "The request processing has failed because of an unknown error.").because(why)
    }
}

impl From<query::Error> for Fault {
    fn from(error: query::Error) -> Self {
        Self::new("MalformedQueryString", 400, "The query string contains a syntax error.").because(error.to_string())
    }
}

impl From<random::Error> for Fault {
    fn from(error: random::Error) -> Self {
        Self::failure(error.to_string())
    }
}

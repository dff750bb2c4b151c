//! A call that was read: what it asks for, and how it is rewritten.

use super::resource::{About, SUFFIX};
use crate::policy::{Doubt, Keys};
use crate::serve::pass_role::PassedRole;

/// The operation of a call that names none that is known: no policy has it but by a wildcard.
pub(super) const UNKNOWN: &str = "UnknownOperation";

/// A call, read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) operation: String,
    pub(super) asks: Vec<Ask>,
    /// Roles that it hands to a service.
    pub(super) roles: Vec<PassedRole>,
    /// How the request is rewritten.
    pub(super) rewrite: Rewrite,
}

/// How the request is rewritten, so that another server reads what was read here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Rewrite {
    /// The body as it came; what stands in the query string is in `pairs`.
    #[default]
    AsItCame,
    Json,
    Form(Vec<(String, String)>),
    /// The path of a bucket or an object.
    S3(String),
}

/// An action on resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) action: String,
    pub(super) resources: Vec<String>,
    pub(super) doubt: Doubt,
    /// Whether it may be an action of any service.
    pub(super) of_any_service: bool,
    /// Whether it is needed only for what can't be seen here, so that nobody has to be allowed to: a denial counts.
    pub(super) unless_denied: bool,
}

impl Ask {
    pub(super) fn new(action: String, about: About) -> Self {
        let characters = about.resources.iter().any(|resource| resource.ends_with(SUFFIX));
        let doubt = Doubt { resource: about.doubt, characters, keys: Keys::OfRequester, ..Doubt::default() };
        Self { action, resources: about.resources, doubt, of_any_service: false, unless_denied: false }
    }

    pub(super) fn unless_denied(action: &str, about: About) -> Self {
        Self { unless_denied: true, ..Self::new(action.to_owned(), about) }
    }

    pub(super) fn put_in_doubt(&mut self) {
        self.resources = vec!["*".to_owned()];
        self.doubt.resource = true;
    }
}

//! Calls to services that aren't stood in for: what they ask for, and how those services refuse.

use super::account::Account;
use super::authorize::{self, Origin, Wish};
use super::caller::Caller;
use super::fault::Fault;
use super::stand::{Request, Response};
use crate::policy::Context;
use crate::time::Timestamp;

/// A call to another service.
#[derive(Debug)]
pub(super) struct Foreign {
    service: String,
    action: String,
}

impl Foreign {
    pub(super) fn of(service: &str, request: &Request) -> Self {
        let _ = request;
        Self { service: service.to_owned(), action: String::new() }
    }

    pub(super) fn shown(&self) -> String {
        self.action.clone()
    }

    pub(super) fn authorize(
        &self,
        account: &Account,
        caller: &Caller,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<String, Fault> {
        let action = format!("{}:{}", self.service, self.action);
        let wish = Wish { action, resources: vec!["*".to_owned()], shown: None, context: Context::new() };
        authorize::authorize(account, caller, origin, wish, now)
    }

    pub(super) fn refusal(&self, fault: &Fault, request_id: &str) -> Response {
        let _ = (fault, request_id);
        unimplemented!()
    }
}

/// The answer to an allowed call that nobody is there for.
pub(super) fn nowhere(_request: &Request) -> Response {
    Response::text(501, "\n")
}

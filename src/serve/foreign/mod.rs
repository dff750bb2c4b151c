//! Calls to services that aren't stood in for: what they ask for, and how those services refuse.
//!
//! Policies decide about them as about any other. What a call asks for is taken from it as its protocol has it. Where
//! that can't be told, only a wildcard allows it, and whatever may be meant by a denial is denied: doubt never allows
//! more.

mod ask;
mod plain;
mod refuse;
mod s3;

use super::account::Account;
use super::authorize::{self, Origin, Wish};
use super::caller::Caller;
use super::fault::Fault;
use super::stand::{Request, Response};
use crate::policy::{Context, Doubt};
use crate::time::Timestamp;

/// A call to another service.
#[derive(Debug)]
pub(super) struct Foreign {
    /// Of the credential scope.
    service: String,
    protocol: Protocol,
    /// What it asks for: actions, each on its resources.
    asks: Vec<Ask>,
    /// Why it can't be decided about.
    objection: Option<&'static str>,
}

/// An action on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ask {
    action: String,
    resource: String,
    doubt: Doubt,
}

/// How a service speaks, and so how it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Query,
    Ec2,
    Json,
    RestJson,
    Cbor,
    S3,
}

impl Foreign {
    pub(super) fn of(service: &str, region: &str, account: &str, request: &Request) -> Self {
        let (protocol, asks) = ask::read(service, region, account, request);
        let objection = plain::objection(service, request);
        Self { service: service.to_owned(), protocol, asks, objection }
    }

    /// For events: the operation.
    pub(super) fn shown(&self) -> String {
        let action = self.asks.first().map_or("", |ask| ask.action.as_str());
        action.split_once(':').map_or(action, |(_, operation)| operation).to_owned()
    }

    /// Whether everything that it asks for is allowed.
    ///
    /// # Errors
    ///
    /// `AccessDenied` at the first that isn't.
    pub(super) fn authorize(
        &self,
        account: &Account,
        caller: &Caller,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<String, Fault> {
        if let Some(objection) = self.objection {
            let message = "This request can be read in more than one way, and so isn't passed on";
            return Err(Fault::access_denied(format!("{message}: {objection}.")));
        }
        let mut reasons = Vec::new();
        for Ask { action, resource, doubt } in &self.asks {
            let quoted = (self.protocol == Protocol::S3).then(|| format!("\"{resource}\""));
            let wish = Wish {
                action: action.clone(),
                resources: vec![resource.clone()],
                shown: quoted,
                doubt: *doubt,
                context: Context::new(),
            };
            reasons.push(authorize::authorize(account, caller, origin, wish, now)?);
        }
        Ok(reasons.join("; "))
    }

    /// The refusal, as the service words and wraps it.
    pub(super) fn refusal(&self, fault: &Fault, request_id: &str) -> Response {
        refuse::refusal(self.protocol, fault, request_id)
    }

    /// The answer to an allowed call that nobody is there for.
    pub(super) fn nowhere(&self, request_id: &str) -> Response {
        let message = format!(
            "vmfa serve stands in for iam and sts; this call of {} is allowed, and nobody is there to answer it: start the \
             server with --upstream URL",
            self.service
        );
        refuse::refusal(self.protocol, &Fault::new("NotImplemented", 501, message), request_id)
    }
}

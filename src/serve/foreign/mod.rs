//! Calls to services that aren't stood in for: what they ask for, how those services refuse, and what is passed on.
//!
//! Policies decide about them as about any other. The operation says which parameters name its resources, as the services'
//! public models have it. What can't be known is allowed by wildcards only, and denied wherever a denial may mean it:
//! doubt never allows more. What is passed on is rewritten from what was read.

mod arn;
mod ask;
mod cbor;
mod input;
mod operations;
mod path;
mod plain;
mod protocol;
mod read;
mod refuse;
mod resource;
mod rewrite;
mod s3;
mod value;

use arn::Place;
use input::Objection;
use protocol::{Protocol, protocol};
use read::{Ask, Read};

use super::account::Account;
use super::authorize::{self, Origin, Wish};
use super::caller::Caller;
use super::fault::Fault;
use super::message::{Request, Response};
use super::pass_role;
use crate::policy::{Context, Decision, Evaluation};
use crate::time::Timestamp;
use crate::wire::sigv4::Presented;

/// A call to another service.
#[derive(Debug)]
pub(super) struct Foreign {
    /// Of the credential scope.
    service: String,
    protocol: Protocol,
    /// What it asks for, or why it can't be decided about.
    read: Result<Read, Objection>,
    /// Who signed it for where, as it is passed on.
    authorization: String,
}

impl Foreign {
    /// Reads a call that was signed right.
    pub(super) fn of(presented: &Presented, account: &str, request: &mut Request) -> Self {
        let scope = presented.scope();
        let service = scope.service.as_str();
        let place = Place { region: &scope.region, account };
        let read = plain::objection(service, &scope.region, request)
            .map_or_else(|| rewrite::unpack(service, request), Err)
            .and_then(|()| ask::read(service, place, request));
        let protocol = protocol(service, request);
        Self { service: service.to_owned(), protocol, read, authorization: rewrite::authorization(presented) }
    }

    /// A call whose signature is wrong: only how it is refused matters.
    pub(super) fn unread(presented: &Presented, request: &Request) -> Self {
        let service = presented.scope().service.as_str();
        let protocol = protocol(service, request);
        Self { service: service.to_owned(), protocol, read: Ok(Read::default()), authorization: String::new() }
    }

    /// For events: the operation.
    pub(super) fn shown(&self) -> String {
        self.read.as_ref().map_or_else(|_| String::new(), |read| read.operation.clone())
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
        let read = match &self.read {
            Ok(read) => read,
            Err(Objection(why)) => {
                let message = "This request can be read in more than one way, and so isn't passed on";
                return Err(Fault::access_denied(format!("{message}: {why}.")));
            }
        };
        let mut reasons = Vec::new();
        for ask in &read.asks {
            for resource in &ask.resources {
                reasons.push(self.decide(ask, resource, account, caller, origin, now)?);
            }
        }
        for passed in &read.roles {
            reasons.push(pass_role::authorize(account, caller, origin, passed, now)?);
        }
        reasons.retain(|reason| !reason.is_empty());
        reasons.dedup();
        Ok(reasons.join("; "))
    }

    fn decide(
        &self,
        ask: &Ask,
        resource: &str,
        account: &Account,
        caller: &Caller,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<String, Fault> {
        let wish = |resource: &str| Wish {
            action: ask.action.clone(),
            resources: vec![resource.to_owned()],
            shown: (self.protocol == Protocol::S3).then(|| format!("\"{resource}\"")),
            doubt: ask.doubt,
            context: Context::new(),
        };
        if ask.of_any_service {
            // No pattern but `*` takes in the empty action, and every one may be meant.
            let any = Wish { action: String::new(), ..wish(resource) };
            return authorize::authorize(account, caller, origin, any, now).map_err(|fault| {
                let message = fault.message.replacen("perform:  on", &format!("perform: {} on", ask.action), 1);
                Fault { message: message.replace("the  action", &format!("the {} action", ask.action)), ..fault }
            });
        }
        if ask.unless_denied {
            return authorize::authorize_unless(account, caller, origin, wish(resource), now, |evaluation| {
                (evaluation.decision() != Decision::ExplicitlyDenied).then(String::new)
            });
        }
        // AWS's own policies name a log group with and without `:*`.
        let Some(wider) = log_group(resource) else {
            return authorize::authorize(account, caller, origin, wish(resource), now);
        };
        let mut decision = Decision::ImplicitlyDenied;
        let see = |evaluation: &Evaluation| {
            decision = evaluation.decision();
            None
        };
        let with = authorize::authorize_unless(account, caller, origin, wish(&wider), now, see);
        if decision == Decision::ExplicitlyDenied {
            return with;
        }
        let granted = with.ok();
        authorize::authorize_unless(account, caller, origin, wish(resource), now, |evaluation| {
            granted.filter(|_| evaluation.decision() == Decision::ImplicitlyDenied)
        })
    }

    /// The request as it is passed on: rewritten from what was read, with nothing else in it.
    pub(super) fn passed(&self, request: Request) -> Request {
        match &self.read {
            Ok(read) => rewrite::write(&read.rewrite, &self.authorization, request),
            Err(_) => request,
        }
    }

    /// The refusal, as the service words and wraps it.
    pub(super) fn refusal(&self, fault: &Fault, request_id: &str) -> Response {
        refuse::refusal(&self.service, self.protocol, fault, request_id)
    }

    /// The answer to an allowed call that nobody is there for.
    pub(super) fn nowhere(&self, request_id: &str) -> Response {
        let message = format!(
            "vmfa serve stands in for iam and sts; this call of {} is allowed, and nobody is there to answer it: start the \
             server with --upstream URL",
            self.service
        );
        refuse::refusal(&self.service, self.protocol, &Fault::new("NotImplemented", 501, message), request_id)
    }
}

/// A log group's ARN as policies mostly have it.
fn log_group(arn: &str) -> Option<String> {
    let is_group = arn::service(arn) == "logs" && arn.contains(":log-group:") && !arn.contains(":log-stream:");
    is_group.then(|| format!("{arn}:*"))
}

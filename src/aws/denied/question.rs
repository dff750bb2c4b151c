//! The request that was denied, as its keys and the message tell it.

use super::message::Said;
use super::reading::{self, Reading};
use super::weighing::Question;
use crate::aws::flow::Flow;
use crate::aws::iam::Holder;
use crate::aws::settings::Service;
use crate::aws::sts::Identity;
use crate::policy::mfa::Credentials;
use crate::policy::{Context, Principal, Request};
use crate::time::Timestamp;

/// The longest that a session of `GetSessionToken` lasts, in seconds.
const LONGEST_SESSION: u64 = 129_600;

impl Said {
    /// Who asked.
    pub(super) fn identity(&self) -> Identity {
        let account = self.caller.split(':').nth(4).unwrap_or_default().to_owned();
        Identity { account, arn: self.caller.clone() }
    }

    fn service(&self) -> Service {
        if self.action.to_ascii_lowercase().starts_with("sts:") { Service::Sts } else { Service::Iam }
    }
}

impl Flow<'_> {
    /// Whether the call came with MFA, as far as its signature tells.
    pub(super) fn signed(&self, said: &Said, identity: &Identity) -> Option<bool> {
        let session = self.caller.credentials.session_token.is_some();
        if said.service() == Service::Sts {
            // Whether there was a code with it, the refusal doesn't tell
            return None;
        }
        match (session, identity.user()) {
            (false, _) => Some(false),
            // IAM takes no other sessions of users
            (true, Some(_)) => Some(true),
            (true, None) => None,
        }
    }

    /// The request that was denied, had it been signed so.
    pub(super) fn question(&self, said: &Said, reading: &Reading<'_>, credentials: Credentials) -> Question {
        let (identity, now, service) = (&said.identity(), self.caller.client.time(), said.service());
        let endpoint = self.caller.client.endpoint(service);
        let mut context = Context::from_iter([
            ("aws:CurrentTime", now.to_rfc3339()),
            ("aws:EpochTime", now.as_unix().to_string()),
            ("aws:SecureTransport", endpoint.url.starts_with("https://").to_string()),
            ("aws:ViaAWSService", "false".to_owned()),
            ("aws:PrincipalIsAWSService", "false".to_owned()),
            ("aws:PrincipalAccount", identity.account.clone()),
        ]);
        match (service, identity.partition()) {
            // One for all regions of the partition, even if clients sign for another
            (Service::Iam, "aws") => context.set("aws:RequestedRegion", ["us-east-1"]),
            _ => context.set("aws:RequestedRegion", [endpoint.signing_region.as_str()]),
        }
        let mut role = None;
        if let Some(user) = identity.user() {
            context.set("aws:PrincipalType", ["User"]);
            context.set("aws:username", [user]);
            context.set("aws:PrincipalArn", [identity.arn.as_str()]);
        } else if let Some(Holder::Role(name)) = reading::holder(identity) {
            context.set("aws:PrincipalType", ["AssumedRole"]);
            let path_unknown = || format!("arn:{}:iam::{}:role/{name}", identity.partition(), identity.account);
            let detail = reading.detail.as_ref();
            if let Some(detail) = detail {
                context.set("aws:PrincipalArn", [detail.arn.as_str()]);
            }
            role = Some(detail.map_or_else(path_unknown, |detail| detail.arn.clone()));
        }
        let principal = match role {
            Some(role) => Principal::RoleSession { arn: identity.arn.clone(), role },
            None => Principal::User { arn: identity.arn.clone() },
        };
        if let Some(detail) = &reading.detail {
            if identity.user().is_some() && !detail.id.is_empty() {
                context.set("aws:userid", [detail.id.as_str()]);
            }
            for (key, value) in &detail.tags {
                context.set(&format!("aws:PrincipalTag/{key}"), [value.as_str()]);
            }
        }
        if let Credentials::Temporary { authenticated } = credentials {
            context.set("aws:TokenIssueTime", [authenticated.unwrap_or(now).to_rfc3339()]);
        }
        credentials.apply(now, &mut context);
        let resource = said.resource.as_deref().and_then(|resource| arn_of(resource, identity));
        Question {
            now,
            any_resource: resource.is_none(),
            // A role's session may have brought its own
            tags: reading.detail.is_some() && identity.user().is_some(),
            request: Request {
                action: said.action.clone(),
                resources: vec![resource.unwrap_or_else(|| "*".to_owned())],
                principal,
                context,
            },
        }
    }

    /// How the request may have been signed, the likelier first.
    pub(super) fn may_be_signed(&self, mfa: Option<bool>) -> Vec<Credentials> {
        let now = self.caller.client.time();
        let session = self.caller.credentials.session_token.is_some();
        let then = Timestamp::from_unix(now.as_unix().saturating_sub(LONGEST_SESSION));
        let with = [now, then].map(|time| Credentials::Temporary { authenticated: Some(time) });
        let without = if session { Credentials::Temporary { authenticated: None } } else { Credentials::LongTerm };
        match mfa {
            Some(true) => with.to_vec(),
            Some(false) => vec![without],
            // The code of a call with a long-term key is one of now
            None => with.into_iter().take(if session { 2 } else { 1 }).chain([without]).collect(),
        }
    }

    /// A session made with MFA right now.
    pub(super) fn with_mfa(&self) -> Credentials {
        Credentials::Temporary { authenticated: Some(self.caller.client.time()) }
    }
}

/// The ARN of what a message calls otherwise; `None` where that can't be known. A path that the message leaves out is
/// taken for `/`, but for the user's own.
fn arn_of(resource: &str, identity: &Identity) -> Option<String> {
    if resource == "*" || resource.starts_with("arn:") {
        return Some(resource.to_owned());
    }
    let (kind, name) = resource.split_once(' ')?;
    let of = |path: &str| Some(format!("arn:{}:iam::{}:{kind}{path}", identity.partition(), identity.account));
    // Where the name was left out, IAM puts `null` in front
    let is_own = identity.user().is_some_and(|user| user == name || name.strip_prefix("null") == Some(user));
    match (kind, name) {
        ("user", _) if is_own => Some(identity.arn.clone()),
        ("policy", arn) if arn.starts_with("arn:") => Some(arn.to_owned()),
        ("policy", path) if path.starts_with("path /") => of(path.strip_prefix("path ")?),
        ("user" | "group" | "role" | "policy", name) if !name.contains(' ') => of(&format!("/{name}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_messages_call_by_name_has_an_arn() {
        let own = "arn:aws-cn:iam::123456789012:user/team/alice";
        let identity = Identity { account: "123456789012".to_owned(), arn: own.to_owned() };
        for (resource, arn) in [
            ("*", Some("*")),
            ("arn:aws:iam::123456789012:mfa/alice", Some("arn:aws:iam::123456789012:mfa/alice")),
            ("user alice", Some(own)),
            ("user nullalice", Some(own)),
            ("user bob", Some("arn:aws-cn:iam::123456789012:user/bob")),
            ("group staff", Some("arn:aws-cn:iam::123456789012:group/staff")),
            ("role admin", Some("arn:aws-cn:iam::123456789012:role/admin")),
            ("policy all", Some("arn:aws-cn:iam::123456789012:policy/all")),
            ("policy arn:aws:iam::aws:policy/IAMFullAccess", Some("arn:aws:iam::aws:policy/IAMFullAccess")),
            ("policy path /team/", Some("arn:aws-cn:iam::123456789012:policy/team/")),
            ("access key AKIAIOSFODNN7EXAMPLE", None),
            ("something", None),
        ] {
            assert_eq!(arn_of(resource, &identity).as_deref(), arn, "{resource}");
        }
    }
}

//! Handing a role to a service: a call that names one also needs `iam:PassRole` on it ("Grant a user permissions to pass a
//! role to an AWS service" in the IAM User Guide).

use super::account::{Account, key};
use super::authorize::{self, Origin, Wish};
use super::caller::Caller;
use super::fault::Fault;
use crate::policy::{Context, Doubt, Keys};
use crate::time::Timestamp;

/// The service that a role is handed to.
const PASSED_TO: &str = "iam:PassedToService";

/// The services that roles are handed to, by the name that calls are signed for and the parameter of the role; `-` where
/// it doesn't matter. A parameter without a line may be meant for any service.
const SERVICES: &str = include_str!("../../vectors/iam/passed-to-service.txt");

/// A role that a call hands to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PassedRole {
    /// Its ARN or its name, as the call has it; `None` where the call names a role that can't be told, such as that of
    /// an instance profile.
    pub(super) role: Option<String>,
    /// The principal of the service, such as `lambda.amazonaws.com`, where it is known.
    pub(super) to: Option<String>,
}

/// The principal that a service takes a role as, given the name that its calls are signed for and the parameter that names
/// the role; `None` where that isn't known.
pub(super) fn service(signed_for: &str, parameter: &str) -> Option<&'static str> {
    let lines = SERVICES.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        Some((words.next()?, words.next()?, words.next()?)).filter(|(service, ..)| *service == signed_for)
    });
    let of = |wanted: &str| {
        lines.clone().find(|(_, named, _)| named.eq_ignore_ascii_case(wanted)).map(|(_, _, principal)| principal)
    };
    of(parameter).or_else(|| of("-")).filter(|principal| *principal != "?")
}

/// Whether a caller may pass a role. Where the role or the service isn't known, only what allows it for all of them does.
///
/// # Errors
///
/// `AccessDenied`, also for a role of another account, which nobody can pass.
pub(super) fn authorize(
    account: &Account,
    caller: &Caller,
    origin: &Origin,
    passed: &PassedRole,
    now: Timestamp,
) -> Result<String, Fault> {
    let arn = passed.role.as_deref().and_then(|role| arn(account, role));
    if let Some(arn) = arn.as_deref().filter(|arn| arn.split(':').nth(4) != Some(account.id())) {
        return Err(Fault::access_denied("Cross-account pass role is not allowed.")
            .because(format!("{arn} isn't a role of account {}", account.id())));
    }
    authorize::authorize(account, caller, origin, wish(account, arn, passed.to.as_deref()), now)
}

fn wish(account: &Account, arn: Option<String>, to: Option<&str>) -> Wish {
    let mut context = Context::new();
    if let Some(service) = to {
        context.set(PASSED_TO, [service]);
    }
    let role = arn.as_deref().and_then(|arn| arn.rsplit('/').next()).and_then(|name| account.roles.get(&key(name)));
    if let Some(role) = role.filter(|role| arn.as_deref() == Some(account.role_arn(role).as_str())) {
        authorize::describe_resource(&mut context, &role.tags);
    }
    let keys = if to.is_some() { Keys::Known } else { Keys::Except(PASSED_TO) };
    let doubt = Doubt { resource: arn.is_none(), keys, ..Doubt::default() };
    let resources = vec![arn.unwrap_or_else(|| "*".to_owned())];
    Wish { action: "iam:PassRole".to_owned(), resources, shown: None, doubt, context }
}

/// The ARN of a role that is named by ARN or by name; `None` for what is neither, and for a name that isn't known here, since
/// its path isn't either.
fn arn(account: &Account, role: &str) -> Option<String> {
    if role.starts_with("arn:") {
        let parts: Vec<&str> = role.splitn(6, ':').collect();
        return match parts.as_slice() {
            ["arn", _, "iam", "", _, path] if path.starts_with("role/") && !role.contains(['*', '?']) => {
                Some(role.to_owned())
            }
            _ => None,
        };
    }
    account.roles.get(&key(role)).map(|role| account.role_arn(role))
}

#[cfg(test)]
mod tests;

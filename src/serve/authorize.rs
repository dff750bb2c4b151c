//! Whether a caller may do what a request asks for.

use super::account::{Account, Tags};
use super::caller::{Caller, Who};
use super::fault::Fault;
use crate::policy::{self, Context, Decision, Doubt, Evaluation, Layer, Request, Verdict};
use crate::time::Timestamp;

/// Where a request came from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) peer: std::net::IpAddr,
    pub(super) user_agent: Option<String>,
    /// The region that the client signed for.
    pub(super) region: String,
}

/// Something to be allowed.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// `iam:CreateUser`.
    pub(super) action: String,
    /// ARNs; `*` where there is none in particular.
    pub(super) resources: Vec<String>,
    /// What denials call the first of them, where that isn't its ARN.
    pub(super) shown: Option<String>,
    /// What isn't known of it.
    pub(super) doubt: Doubt,
    /// Keys of this request in particular, such as `aws:RequestTag/team`.
    pub(super) context: Context,
}

/// Decides about a wish.
///
/// # Errors
///
/// `AccessDenied`, as AWS words it, with the statements that made it so.
pub(super) fn authorize(
    account: &Account,
    caller: &Caller,
    origin: &Origin,
    wish: Wish,
    now: Timestamp,
) -> Result<String, Fault> {
    authorize_unless(account, caller, origin, wish, now, |_| None)
}

/// The same, where something else than the policies may grant it: `granted` sees what the policies say, and gives the
/// reason.
///
/// # Errors
///
/// As [`authorize`].
pub(super) fn authorize_unless(
    account: &Account,
    caller: &Caller,
    origin: &Origin,
    wish: Wish,
    now: Timestamp,
    granted: impl FnOnce(&Evaluation) -> Option<String>,
) -> Result<String, Fault> {
    if caller.who == Who::Root {
        return Ok("the root user is bound by no policy".to_owned());
    }
    let Some(policies) = caller.policies(account) else {
        let resource = wish.shown.as_deref().or(wish.resources.first().map(String::as_str)).unwrap_or("*");
        return Err(Fault::access_denied(format!(
            "User: {} is not authorized to perform: {} on resource: {resource}",
            caller.arn(account),
            wish.action
        ))
        .because("the user or role of these credentials no longer exists, or the policy that bounds them doesn't"));
    };
    let mut context = wish.context;
    if policies.read_context() {
        origin.describe(now, &mut context);
        if wish.action.starts_with("iam:") {
            // IAM is one for all regions, and it is in this one, even if clients sign for another.
            context.set("aws:RequestedRegion", ["us-east-1"]);
        }
        caller.describe(account, now, &mut context);
    }
    let request =
        Request { action: wish.action, resources: wish.resources, principal: caller.principal(account), context };
    let evaluation = policy::evaluate_in_doubt(&policies, &request, wish.doubt);
    granted(&evaluation).map_or_else(|| judge(account, caller, &evaluation, wish.shown.as_deref()), Ok)
}

/// An evaluation as an answer.
///
/// # Errors
///
/// `AccessDenied` unless everything is allowed.
fn judge(account: &Account, caller: &Caller, evaluation: &Evaluation, shown: Option<&str>) -> Result<String, Fault> {
    judge_by(account, caller, evaluation, shown, |verdict| format!(" {}", reason(&evaluation.action, verdict)))
}

/// The same for `sts:AssumeRole`, where AWS gives no reason.
///
/// # Errors
///
/// As [`judge`].
pub(super) fn judge_role(account: &Account, caller: &Caller, evaluation: &Evaluation) -> Result<String, Fault> {
    judge_by(account, caller, evaluation, None, |_| String::new())
}

fn judge_by(
    account: &Account,
    caller: &Caller,
    evaluation: &Evaluation,
    shown: Option<&str>,
    reason: impl FnOnce(&Verdict) -> String,
) -> Result<String, Fault> {
    let why = evaluation.to_string();
    match evaluation.verdicts.iter().max_by_key(|verdict| verdict.decision) {
        Some(verdict) if verdict.decision != Decision::Allowed => Err(Fault::access_denied(format!(
            "User: {} is not authorized to perform: {} on resource: {}{}",
            caller.arn(account),
            evaluation.action,
            shown.unwrap_or(&verdict.resource),
            reason(verdict)
        ))
        .because(why)),
        _ => Ok(why),
    }
}

/// Writes the tags that a request brings along.
pub(super) fn describe_tags(context: &mut Context, tags: &Tags) {
    if tags.is_empty() {
        return;
    }
    context.set("aws:TagKeys", tags.iter().map(|(key, _)| key.as_str()));
    for (key, value) in tags.iter() {
        context.set(&format!("aws:RequestTag/{key}"), [value.as_str()]);
    }
}

/// Writes the tags of what a request is about.
pub(super) fn describe_resource(context: &mut Context, tags: &Tags) {
    for (key, value) in tags.iter() {
        context.set(&format!("aws:ResourceTag/{key}"), [value.as_str()]);
        context.set(&format!("iam:ResourceTag/{key}"), [value.as_str()]);
    }
}

/// The reason as AWS tells it: which type of policy, and no more.
fn reason(action: &str, verdict: &Verdict) -> String {
    let explicit = (verdict.decision == Decision::ExplicitlyDenied).then(|| verdict.matched.first()).flatten();
    if let Some(matched) = explicit {
        return match matched.layer {
            Layer::Identity => format!("with an explicit deny in an identity-based policy{}", managed(&matched.source)),
            Layer::Boundary => format!("with an explicit deny in a permissions boundary{}", managed(&matched.source)),
            Layer::Session => "with an explicit deny in a session policy".to_owned(),
            Layer::Trust => "with an explicit deny in a resource-based policy".to_owned(),
        };
    }
    let kind = match verdict.lacking.first() {
        Some(Layer::Boundary) => "permissions boundary",
        Some(Layer::Session) => "session policy",
        Some(Layer::Trust) => "resource-based policy",
        Some(Layer::Identity) | None => "identity-based policy",
    };
    format!("because no {kind} allows the {action} action")
}

/// Since 2026 AWS names the policy that denies, where it is a managed one.
fn managed(source: &str) -> String {
    if source.starts_with("arn:") { format!(": {source}") } else { String::new() }
}

impl Origin {
    pub(super) fn describe(&self, now: Timestamp, context: &mut Context) {
        context.set("aws:CurrentTime", [now.to_rfc3339()]);
        context.set("aws:EpochTime", [now.as_unix().to_string()]);
        context.set("aws:SourceIp", [self.peer.to_canonical().to_string()]);
        context.set("aws:SecureTransport", ["false"]);
        context.set("aws:ViaAWSService", ["false"]);
        context.set("aws:PrincipalIsAWSService", ["false"]);
        context.set("aws:RequestedRegion", [self.region.as_str()]);
        if let Some(agent) = &self.user_agent {
            context.set("aws:UserAgent", [agent.as_str()]);
        }
    }
}

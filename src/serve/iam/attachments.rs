//! Managed policies of users, groups and roles: attach, detach, list.

use super::holder::Holder;
use super::quotas;
use crate::serve::call::{Call, in_partition, no_policy};
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

pub(in crate::serve) fn attach_user_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    attach(call, Holder::User)
}

pub(in crate::serve) fn detach_user_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    detach(call, Holder::User)
}

pub(in crate::serve) fn list_attached_user_policies(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    list(call, out, Holder::User)
}

pub(in crate::serve) fn attach_group_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    attach(call, Holder::Group)
}

pub(in crate::serve) fn detach_group_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    detach(call, Holder::Group)
}

pub(in crate::serve) fn list_attached_group_policies(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    list(call, out, Holder::Group)
}

pub(in crate::serve) fn attach_role_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    attach(call, Holder::Role)
}

pub(in crate::serve) fn detach_role_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    detach(call, Holder::Role)
}

pub(in crate::serve) fn list_attached_role_policies(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    list(call, out, Holder::Role)
}

fn attach(call: &mut Call<'_>, holder: Holder) -> Result<(), Fault> {
    let arn = valid(call)?;
    let attached = &holder.grants(call)?.attached;
    check_reserved(&arn, holder)?;
    if call.account.policy(&arn).is_none() {
        return Err(Fault::no_such_entity(format!("Policy {arn} does not exist or is not attachable.")));
    }
    if !attached.contains(&arn) {
        let quota = match holder {
            Holder::User => "PoliciesPerUser",
            Holder::Group => "PoliciesPerGroup",
            Holder::Role => "PoliciesPerRole",
        };
        quotas::check(attached.len(), quota, quotas::ATTACHED)?;
        holder.edit(call)?.attached.insert(arn);
    }
    Ok(())
}

fn detach(call: &mut Call<'_>, holder: Holder) -> Result<(), Fault> {
    let arn = valid(call)?;
    if !holder.grants(call)?.attached.contains(&arn) {
        return Err(no_policy(&arn).because(format!("it isn't attached to this {}", holder.word())));
    }
    holder.edit(call)?.attached.remove(&arn);
    Ok(())
}

fn list(call: &mut Call<'_>, out: &mut Writer, holder: Holder) -> Result<(), Fault> {
    let prefix = call.input.get("PathPrefix").unwrap_or("/");
    let attached = holder.grants(call)?.attached.iter().filter_map(|arn| call.account.policy(arn));
    let policies = attached.filter(|policy| policy.path.starts_with(prefix));
    // AWS may have a policy of the same name.
    let keyed = policies.map(|policy| (format!("{}/{}", policy.name.to_lowercase(), policy.arn), policy));
    call.page(out, "AttachedPolicies", keyed, |out, policy| {
        out.text("PolicyName", &policy.name);
        out.text("PolicyArn", &policy.arn);
    })
}

/// `PolicyArn`.
fn valid(call: &Call<'_>) -> Result<String, Fault> {
    let arn = call.required("PolicyArn")?;
    check(arn)?;
    Ok(arn.to_owned())
}

/// That a text is the ARN of a managed policy.
///
/// # Errors
///
/// `InvalidInput`; another partition.
pub(super) fn check(arn: &str) -> Result<(), Fault> {
    if !is_policy(arn) {
        return Err(Fault::invalid_input(format!("ARN {arn} is not valid.")));
    }
    in_partition(arn)
}

/// Whether a text is the ARN of a managed policy.
pub(super) fn is_policy(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", _, "iam", "", _, policy] if policy.starts_with("policy/"))
}

/// That a policy isn't one of those that AWS gives to its own roles only, whether it is stood in for or not.
///
/// # Errors
///
/// `PolicyNotAttachable`.
pub(super) fn check_reserved(arn: &str, holder: Holder) -> Result<(), Fault> {
    let Some(path) = arn.strip_prefix("arn:aws:iam::aws:policy/") else { return Ok(()) };
    if !["aws-service-role/", "root-task/"].iter().any(|reserved| path.starts_with(reserved)) {
        return Ok(());
    }
    let message = match holder {
        Holder::User => "Cannot attach AWS reserved policy to an IAM user.",
        Holder::Group => "Cannot attach AWS reserved policy to an IAM group.",
        Holder::Role => "Cannot attach a Service Role Policy to a Customer Role.",
    };
    Err(Fault::new("PolicyNotAttachable", 400, message))
}

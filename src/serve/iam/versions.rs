//! Versions of managed policies: create, get, list, delete, and which of them counts.

use super::{documents, policies, quotas};
use crate::serve::account::{ManagedPolicy, PolicyVersion};
use crate::serve::call::{Call, no_policy};
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

pub(in crate::serve) fn create_policy_version(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let arn = policies::own(call, "create versions for policies")?;
    call.policy(&arn)?;
    let document = policies::document(call)?;
    if call.policy(&arn)?.versions.len() >= quotas::VERSIONS {
        return Err(Fault::limit_exceeded(format!(
            "A managed policy can have up to {} versions. Before you create a new version, you must delete an existing \
             version.",
            quotas::VERSIONS
        )));
    }
    let (default, now) = (call.flag("SetAsDefault").unwrap_or_default(), call.now);
    let policy = call.account.policies.edit(&arn).ok_or_else(|| no_policy(&arn))?;
    let number = policy.next;
    policy.versions.insert(number, PolicyVersion { document, created: now });
    policy.next = number.saturating_add(1);
    policy.updated = now;
    if default {
        policy.default = number;
    }
    out.open("PolicyVersion", |out| {
        out.text("VersionId", &policies::version_id(number));
        out.flag("IsDefaultVersion", default);
        out.time("CreateDate", now);
    });
    Ok(())
}

pub(in crate::serve) fn get_policy_version(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let arn = call.required("PolicyArn")?;
    let (policy, number) = version(call, arn)?;
    out.open("PolicyVersion", |out| {
        if let Some(version) = policy.versions.get(&number) {
            out.text("Document", &documents::encoded(&version.document));
            write(out, policy, number, version);
        }
    });
    Ok(())
}

pub(in crate::serve) fn list_policy_versions(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let policy = call.policy(call.required("PolicyArn")?)?;
    let newest_first = policy.versions.iter().map(|(number, version)| {
        let place = u32::MAX.saturating_sub(*number);
        (format!("{place:010}"), (*number, version))
    });
    call.page(out, "Versions", newest_first, |out, (number, version)| write(out, policy, number, version))
}

pub(in crate::serve) fn delete_policy_version(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let arn = policies::own(call, "delete policy versions for policies")?;
    let (policy, number) = version(call, &arn)?;
    if policy.default == number {
        return Err(Fault::delete_conflict("Cannot delete the default version of a policy."));
    }
    if let Some(policy) = call.account.policies.edit(&arn) {
        policy.versions.remove(&number);
    }
    Ok(())
}

pub(in crate::serve) fn set_default_policy_version(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let arn = policies::own(call, "update policies")?;
    let (_, number) = version(call, &arn)?;
    let now = call.now;
    if let Some(policy) = call.account.policies.edit(&arn) {
        policy.default = number;
        policy.updated = now;
    }
    Ok(())
}

/// Writes a version without its document.
pub(super) fn write(out: &mut Writer, policy: &ManagedPolicy, number: u32, version: &PolicyVersion) {
    out.text("VersionId", &policies::version_id(number));
    out.flag("IsDefaultVersion", policy.default == number);
    out.time("CreateDate", version.created);
}

/// The policy, and the number of the version that `VersionId` names.
fn version<'a>(call: &'a Call<'_>, arn: &str) -> Result<(&'a ManagedPolicy, u32), Fault> {
    let wanted = call.required("VersionId")?;
    let number = wanted.strip_prefix('v').and_then(|number| number.parse().ok());
    let policy = call.account.policy(arn);
    policy.zip(number).filter(|(policy, number)| policy.versions.contains_key(number)).ok_or_else(|| {
        Fault::no_such_entity(format!("Policy {arn} version {wanted} does not exist or is not attachable."))
    })
}

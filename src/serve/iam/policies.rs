//! Managed policies: create, get, list, delete, and who has them.

use std::collections::BTreeMap;

use super::documents;
use super::quotas;
use crate::serve::account::index::{Having, KeySet, in_either};
use crate::serve::account::{Account, Keys, ManagedPolicy, PolicyVersion, Usage, managed};
use crate::serve::call::{Call, Page, Section, in_partition};
use crate::serve::fault::Fault;
use crate::serve::random;
use crate::wire::xml::Writer;

pub(in crate::serve) fn create_policy(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("PolicyName")?.to_owned();
    let tags = call.tags(Keys::Exact)?;
    let document = document(call)?;
    // Names are compared without case, and a path doesn't make them different.
    if call.account.policies.values().any(|policy| policy.name.eq_ignore_ascii_case(&name)) {
        return Err(Fault::already_exists(format!(
            "A policy called {name} already exists. Duplicate names are not allowed."
        )));
    }
    quotas::check(call.account.policies.len(), "PoliciesPerAccount", quotas::POLICIES)?;
    let policy = ManagedPolicy {
        path: call.path().to_owned(),
        id: random::id(call.random, "ANPA", 17)?,
        arn: call.account.arn("policy", call.path(), &name),
        description: call.input.get("Description").filter(|text| !text.is_empty()).map(str::to_owned),
        created: call.now,
        updated: call.now,
        tags,
        versions: BTreeMap::from([(1, PolicyVersion { document, created: call.now })]),
        default: 1,
        next: 2,
        name,
    };
    out.open("Policy", |out| {
        write(out, &policy, Usage::default());
        super::write_tags(out, &policy.tags);
    });
    call.account.policies.insert(policy.arn.clone(), policy);
    Ok(())
}

pub(in crate::serve) fn get_policy(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let policy = call.policy(call.required("PolicyArn")?)?;
    let usage = call.account.index.usage(&policy.arn);
    out.open("Policy", |out| {
        write(out, policy, usage);
        out.optional("Description", policy.description.as_deref());
        out.list("Tags", policy.tags.iter(), super::write_tag);
    });
    Ok(())
}

pub(in crate::serve) fn list_policies(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let prefix = call.input.get("PathPrefix").unwrap_or("/");
    let (aws, local) = match call.input.get("Scope") {
        Some("AWS") => (true, false),
        Some("Local") => (false, true),
        _ => (true, true),
    };
    // The other filter says how they have to be attached, and nothing where they needn't be.
    let attached = call.flag("OnlyAttached").unwrap_or_default();
    let filter = call.input.get("PolicyUsageFilter");
    let usage_of = |policy: &ManagedPolicy| call.account.index.usage(&policy.arn);
    let matches = |policy: &&ManagedPolicy| {
        let usage = usage_of(policy);
        let used = match filter {
            Some("PermissionsPolicy") => usage.attached > 0,
            Some(_) => usage.bounding > 0,
            None => usage != Usage::default(),
        };
        (used || !attached) && policy.path.starts_with(prefix)
    };
    let managed = managed::policies().filter(|_| aws);
    let policies = call.account.policies.values().filter(|_| local).chain(managed).filter(matches);
    call.page(out, "Policies", policies.map(|policy| (policy.arn.clone(), policy)), |out, policy| {
        write(out, policy, usage_of(policy));
    })
}

pub(in crate::serve) fn delete_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let arn = own(call, "delete policies")?;
    let policy = call.policy(&arn)?;
    let Usage { attached, bounding } = call.account.index.usage(&arn);
    if attached > 0 || bounding > 0 {
        return Err(Fault::delete_conflict("Cannot delete a policy attached to entities.")
            .because(format!("it is attached to {attached} users, groups and roles and bounds {bounding}")));
    }
    if policy.versions.len() > 1 {
        return Err(Fault::delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
             The default version is deleted with the policy.",
        ));
    }
    call.account.policies.remove(&arn);
    Ok(())
}

pub(in crate::serve) fn list_entities_for_policy(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let arn = call.required("PolicyArn")?;
    call.policy(arn)?;
    let prefix = call.input.get("PathPrefix").unwrap_or("/");
    let kind = call.input.get("EntityFilter");
    let (attached, bounding) = match call.input.get("PolicyUsageFilter") {
        Some("PermissionsPolicy") => (true, false),
        Some(_) => (false, true),
        None => (true, true),
    };
    let account = &*call.account;
    let index = &account.index;
    let groups = Section::new("Group/", |from| {
        let keys = in_either([those(&index.groups, arn, attached), None], from);
        let rows = keys.filter_map(|key| Some((key, account.groups.get(key)?)));
        rows.filter(|(_, group)| group.path.starts_with(prefix))
            .map(|(key, group)| (key, ("Group", &group.name, &group.id)))
    });
    let roles = Section::new("Role/", |from| {
        let both = [those(&index.roles, arn, attached), those(&index.bounded_roles, arn, bounding)];
        let rows = in_either(both, from).filter_map(|key| Some((key, account.roles.get(key)?)));
        rows.filter(|(_, role)| role.path.starts_with(prefix)).map(|(key, role)| (key, ("Role", &role.name, &role.id)))
    });
    let users = Section::new("User/", |from| {
        let both = [those(&index.users, arn, attached), those(&index.bounded_users, arn, bounding)];
        let rows = in_either(both, from).filter_map(|key| Some((key, account.users.get(key)?)));
        rows.filter(|(_, user)| user.path.starts_with(prefix)).map(|(key, user)| (key, ("User", &user.name, &user.id)))
    });
    let wanted = |this: &str| kind.is_none_or(|kind| kind == this);
    let sections = [("Group", groups), ("Role", roles), ("User", users)];
    let sections = sections.into_iter().filter(|(this, _)| wanted(this)).map(|(_, section)| section);
    let Page { items, rest } = call.slice_sections(sections)?;
    for this in ["Group", "User", "Role"] {
        out.list(&format!("Policy{this}s"), items.iter().filter(|(kind, _, _)| *kind == this), |out, (_, name, id)| {
            out.text(&format!("{this}Name"), name);
            out.text(&format!("{this}Id"), id);
        });
    }
    rest.write(out);
    Ok(())
}

/// Those who have a policy, where they are asked for.
fn those<'a>(having: &'a Having, arn: &str, wanted: bool) -> Option<&'a KeySet> {
    having.get(arn).filter(|_| wanted)
}

/// `PolicyDocument`, within its quota.
pub(super) fn document(call: &Call<'_>) -> Result<crate::serve::account::PolicyDocument, Fault> {
    let document = documents::managed(call.required("PolicyDocument")?)?;
    let size = documents::size(&document);
    if size > quotas::POLICY_SIZE {
        let why = format!("it has {size} characters, blanks not counted");
        return Err(quotas::exceeded("PolicySize", quotas::POLICY_SIZE).because(why));
    }
    Ok(document)
}

/// `PolicyArn`, which has to be one of this account's.
///
/// # Errors
///
/// `AccessDenied`, whether there is such a policy or not.
pub(super) fn own(call: &Call<'_>, what: &str) -> Result<String, Fault> {
    let arn = call.required("PolicyArn")?;
    in_partition(arn)?;
    if is_foreign(arn, call.account) {
        return Err(Fault::access_denied(format!("Cannot {what} outside your own account."))
            .because("nobody but AWS changes the policies of AWS"));
    }
    Ok(arn.to_owned())
}

/// Whether an ARN is that of AWS's or another account's policy.
pub(super) fn is_foreign(arn: &str, account: &Account) -> bool {
    let mut parts = arn.splitn(6, ':').skip(4);
    parts.next().zip(parts.next()).is_some_and(|(owner, _)| owner != account.id())
}

/// Writes a policy as lists show it: without description and tags.
pub(super) fn write(out: &mut Writer, policy: &ManagedPolicy, usage: Usage) {
    let count = |count: usize| i128::try_from(count).unwrap_or_default();
    out.text("PolicyName", &policy.name);
    out.text("PolicyId", &policy.id);
    out.text("Arn", &policy.arn);
    out.text("Path", &policy.path);
    out.text("DefaultVersionId", &version_id(policy.default));
    out.number("AttachmentCount", count(usage.attached));
    out.number("PermissionsBoundaryUsageCount", count(usage.bounding));
    out.flag("IsAttachable", true);
    out.time("CreateDate", policy.created);
    out.time("UpdateDate", policy.updated);
}

/// As AWS calls a version.
pub(super) fn version_id(number: u32) -> String {
    format!("v{number}")
}

//! Roles: create, get, list, change, delete.

use super::holder::Holder;
use super::{documents, quotas};
use crate::serve::account::{Account, Grants, Keys, PolicyDocument, Role, key};
use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::serve::random;
use crate::wire::xml::Writer;

/// How long a session lasts at most, in seconds, unless it is said.
const SESSION: u64 = 3_600;

pub(in crate::serve) fn create_role(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("RoleName")?.to_owned();
    let tags = call.tags(Keys::AnyCase)?;
    let trust = trust(call, "AssumeRolePolicyDocument")?;
    if call.account.roles.contains(&key(&name)) {
        return Err(Fault::already_exists(format!("Role with name {name} already exists.")));
    }
    quotas::check(call.account.roles.len(), "RolesPerAccount", quotas::ROLES)?;
    let role = Role {
        path: call.path().to_owned(),
        created: call.now,
        description: description(call),
        trust,
        max_session: call.number("MaxSessionDuration").unwrap_or(SESSION),
        tags,
        used: None,
        grants: Grants::default(),
        boundary: super::boundaries::wanted(call, Holder::Role)?,
        id: random::id(call.random, "AROA", 17)?,
        name,
    };
    out.open("Role", |out| {
        write_who(out, call.account, &role);
        // As it came: only later answers show it in IAM's own form.
        out.text("AssumeRolePolicyDocument", &documents::encoded(&role.trust));
        write_rest(out, &role);
    });
    call.account.roles.insert(key(&role.name), role);
    Ok(())
}

pub(in crate::serve) fn get_role(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let role = call.role(call.required("RoleName")?)?;
    out.open("Role", |out| {
        write(out, call.account, role);
        out.number("MaxSessionDuration", role.max_session);
        write_rest(out, role);
        write_last_used(out, role);
    });
    Ok(())
}

pub(in crate::serve) fn list_roles(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let prefix = call.input.get("PathPrefix").unwrap_or("/");
    let shown = |role: &Role| role.path.starts_with(prefix);
    call.page_rows(out, "Roles", &call.account.roles, shown, |out, role| {
        write(out, call.account, role);
        out.number("MaxSessionDuration", role.max_session);
    })
}

pub(in crate::serve) fn update_role(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("RoleName")?.to_owned();
    let description = call.input.get("Description").map(|_| description(call));
    let max_session = call.number("MaxSessionDuration");
    let role = call.edit_role(&name)?;
    if let Some(description) = description {
        role.description = description;
    }
    if let Some(seconds) = max_session {
        role.max_session = seconds;
    }
    Ok(())
}

pub(in crate::serve) fn update_role_description(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("RoleName")?.to_owned();
    let description = description(call);
    call.edit_role(&name)?.description = description;
    let role = call.role(&name)?;
    out.open("Role", |out| write(out, call.account, role));
    Ok(())
}

pub(in crate::serve) fn update_assume_role_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("RoleName")?.to_owned();
    call.role(&name)?;
    let trust = trust(call, "PolicyDocument")?;
    call.edit_role(&name)?.trust = trust;
    Ok(())
}

pub(in crate::serve) fn delete_role(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("RoleName")?.to_owned();
    super::policies_are_gone(&call.role(&name)?.grants)?;
    call.account.roles.remove(&key(&name));
    Ok(())
}

fn trust(call: &Call<'_>, parameter: &str) -> Result<PolicyDocument, Fault> {
    let document = documents::trust(call.required(parameter)?, call.account)?;
    let size = documents::size(&document);
    if size > quotas::TRUST_POLICY_SIZE {
        let why = format!("it has {size} characters, blanks not counted");
        return Err(quotas::exceeded("ACLSizePerRole", quotas::TRUST_POLICY_SIZE).because(why));
    }
    Ok(document)
}

fn description(call: &Call<'_>) -> Option<String> {
    call.input.get("Description").filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Writes a role as every answer shows it.
pub(super) fn write(out: &mut Writer, account: &Account, role: &Role) {
    write_named(out, account, role);
    out.optional("Description", role.description.as_deref());
}

/// Writes who a role is, and its trust policy.
pub(super) fn write_named(out: &mut Writer, account: &Account, role: &Role) {
    write_who(out, account, role);
    out.text("AssumeRolePolicyDocument", &documents::encoded_trust(&role.trust));
}

fn write_who(out: &mut Writer, account: &Account, role: &Role) {
    out.text("Path", &role.path);
    out.text("RoleName", &role.name);
    out.text("RoleId", &role.id);
    out.text("Arn", &account.role_arn(role));
    out.time("CreateDate", role.created);
}

/// Writes `RoleLastUsed`, which is empty where nobody used it.
pub(super) fn write_last_used(out: &mut Writer, role: &Role) {
    out.open("RoleLastUsed", |out| {
        if let Some(used) = &role.used {
            out.time("LastUsedDate", used.at);
            out.text("Region", &used.region);
        }
    });
}

/// Writes boundary and tags, which lists leave out.
pub(super) fn write_rest(out: &mut Writer, role: &Role) {
    if let Some(arn) = &role.boundary {
        super::boundaries::write(out, arn);
    }
    super::write_tags(out, &role.tags);
}

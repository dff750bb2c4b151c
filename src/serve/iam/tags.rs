//! Tags of users, roles and managed policies; those of MFA devices are with the devices.

use super::{add_tags, page_tags, policies, remove_tags};
use crate::serve::account::Tags;
use crate::serve::call::{Call, no_policy};
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

pub(in crate::serve) fn tag_user(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let tags = call.tags()?;
    add_tags(user(call)?, &tags)
}

pub(in crate::serve) fn untag_user(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let keys = keys(call);
    remove_tags(user(call)?, &keys);
    Ok(())
}

pub(in crate::serve) fn list_user_tags(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    page_tags(call, out, &call.user(call.required("UserName")?)?.tags)
}

pub(in crate::serve) fn tag_role(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let tags = call.tags()?;
    add_tags(role(call)?, &tags)
}

pub(in crate::serve) fn untag_role(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let keys = keys(call);
    remove_tags(role(call)?, &keys);
    Ok(())
}

pub(in crate::serve) fn list_role_tags(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    page_tags(call, out, &call.role(call.required("RoleName")?)?.tags)
}

pub(in crate::serve) fn tag_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let tags = call.tags()?;
    add_tags(policy(call, "TagPolicy")?, &tags)
}

pub(in crate::serve) fn untag_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let keys = keys(call);
    remove_tags(policy(call, "UntagPolicy")?, &keys);
    Ok(())
}

pub(in crate::serve) fn list_policy_tags(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    page_tags(call, out, &call.policy(call.required("PolicyArn")?)?.tags)
}

fn user<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Tags, Fault> {
    let name = call.required("UserName")?.to_owned();
    Ok(&mut call.edit_user(&name)?.tags)
}

fn role<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Tags, Fault> {
    let name = call.required("RoleName")?.to_owned();
    Ok(&mut call.edit_role(&name)?.tags)
}

fn policy<'a>(call: &'a mut Call<'_>, action: &str) -> Result<&'a mut Tags, Fault> {
    let arn = policies::customers(call, action)?;
    let policy = call.account.policies.edit(&arn).ok_or_else(|| no_policy(&arn))?;
    Ok(&mut policy.tags)
}

/// `TagKeys`.
pub(super) fn keys(call: &Call<'_>) -> Vec<String> {
    call.input.list("TagKeys").into_iter().map(str::to_owned).collect()
}

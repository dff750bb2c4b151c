//! Tags of users, roles and managed policies; those of MFA devices are with the devices.

use super::{add_tags, page_tags, policies, remove_tags};
use crate::serve::account::{Keys, Tags};
use crate::serve::call::{Call, no_policy};
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

pub(in crate::serve) fn tag_user(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let tags = call.some_tags(Keys::AnyCase)?;
    add_tags(user(call)?, &tags, Keys::AnyCase)
}

pub(in crate::serve) fn untag_user(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let keys = keys(call);
    remove_tags(user(call)?, &keys, Keys::AnyCase);
    Ok(())
}

pub(in crate::serve) fn list_user_tags(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    page_tags(call, out, &call.user(call.required("UserName")?)?.tags)
}

pub(in crate::serve) fn tag_role(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let tags = call.some_tags(Keys::AnyCase)?;
    add_tags(role(call)?, &tags, Keys::AnyCase)
}

pub(in crate::serve) fn untag_role(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let keys = keys(call);
    remove_tags(role(call)?, &keys, Keys::AnyCase);
    Ok(())
}

pub(in crate::serve) fn list_role_tags(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    page_tags(call, out, &call.role(call.required("RoleName")?)?.tags)
}

pub(in crate::serve) fn tag_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let tags = call.some_tags(Keys::Exact)?;
    add_tags(policy(call)?, &tags, Keys::Exact)
}

pub(in crate::serve) fn untag_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let keys = keys(call);
    remove_tags(policy(call)?, &keys, Keys::Exact);
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

fn policy<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Tags, Fault> {
    let arn = call.required("PolicyArn")?.to_owned();
    if policies::is_foreign(&arn, call.account) {
        return Err(Fault::invalid_input("Tags not supported for policies in this domain"));
    }
    let policy = call.account.policies.edit(&arn).ok_or_else(|| no_policy(&arn))?;
    Ok(&mut policy.tags)
}

/// `TagKeys`.
pub(super) fn keys(call: &Call<'_>) -> Vec<String> {
    call.input.list("TagKeys").into_iter().map(str::to_owned).collect()
}

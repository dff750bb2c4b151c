//! Permissions boundaries of users and roles: a managed policy without which nothing is allowed.

use super::attachments;
use super::holder::Holder;
use crate::serve::call::{Call, in_partition};
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

pub(in crate::serve) fn put_user_permissions_boundary(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("UserName")?.to_owned();
    call.user(&name)?;
    let boundary = wanted(call, Holder::User)?;
    call.edit_user(&name)?.boundary = boundary;
    Ok(())
}

pub(in crate::serve) fn delete_user_permissions_boundary(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("UserName")?.to_owned();
    if call.user(&name)?.boundary.is_none() {
        return Err(missing(Holder::User, &name));
    }
    call.edit_user(&name)?.boundary = None;
    Ok(())
}

pub(in crate::serve) fn put_role_permissions_boundary(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("RoleName")?.to_owned();
    call.role(&name)?;
    let boundary = wanted(call, Holder::Role)?;
    call.edit_role(&name)?.boundary = boundary;
    Ok(())
}

pub(in crate::serve) fn delete_role_permissions_boundary(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("RoleName")?.to_owned();
    if call.role(&name)?.boundary.is_none() {
        return Err(missing(Holder::Role, &name));
    }
    call.edit_role(&name)?.boundary = None;
    Ok(())
}

/// The boundary that a user or role is to have.
///
/// # Errors
///
/// A policy that isn't there, or what isn't the ARN of one.
pub(super) fn wanted(call: &Call<'_>, holder: Holder) -> Result<Option<String>, Fault> {
    let Some(arn) = call.input.get("PermissionsBoundary") else { return Ok(None) };
    if !attachments::is_policy(arn) {
        return Err(Fault::validation(format!("Value ({arn}) for parameter PermissionsBoundary is invalid.")));
    }
    in_partition(arn)?;
    attachments::check_reserved(arn, holder)?;
    if call.account.policy(arn).is_none() {
        return Err(Fault::no_such_entity(format!("Scope ARN: {arn} does not exist or is not attachable.")));
    }
    Ok(Some(arn.to_owned()))
}

fn missing(holder: Holder, name: &str) -> Fault {
    Fault::no_such_entity(format!("The {} with name {name} has no permissions boundary.", holder.word()))
}

/// Writes `PermissionsBoundary`.
pub(super) fn write(out: &mut Writer, arn: &str) {
    out.open("PermissionsBoundary", |out| {
        // The model has another value here; this is what the service was seen to answer.
        out.text("PermissionsBoundaryType", "Policy");
        out.text("PermissionsBoundaryArn", arn);
    });
}

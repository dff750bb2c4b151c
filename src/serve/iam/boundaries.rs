//! Permissions boundaries of users and roles: a managed policy without which nothing is allowed.

use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

pub(in crate::serve) fn put_user_permissions_boundary(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("UserName")?.to_owned();
    call.user(&name)?;
    let boundary = wanted(call)?;
    call.edit_user(&name)?.boundary = boundary;
    Ok(())
}

pub(in crate::serve) fn delete_user_permissions_boundary(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("UserName")?.to_owned();
    call.edit_user(&name)?.boundary = None;
    Ok(())
}

pub(in crate::serve) fn put_role_permissions_boundary(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("RoleName")?.to_owned();
    call.role(&name)?;
    let boundary = wanted(call)?;
    call.edit_role(&name)?.boundary = boundary;
    Ok(())
}

pub(in crate::serve) fn delete_role_permissions_boundary(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("RoleName")?.to_owned();
    call.edit_role(&name)?.boundary = None;
    Ok(())
}

/// The boundary that a user or role is to have.
///
/// # Errors
///
/// A policy that isn't there, or what isn't the ARN of one.
pub(super) fn wanted(call: &Call<'_>) -> Result<Option<String>, Fault> {
    let Some(arn) = call.input.get("PermissionsBoundary") else { return Ok(None) };
    if super::attachments::check(arn).is_err() {
        return Err(Fault::validation(format!("Value ({arn}) for parameter PermissionsBoundary is invalid.")));
    }
    if call.account.policy(arn).is_none() {
        return Err(Fault::no_such_entity(format!("Scope ARN: {arn} does not exist or is not attachable.")));
    }
    Ok(Some(arn.to_owned()))
}

/// Writes `PermissionsBoundary`.
pub(super) fn write(out: &mut Writer, arn: &str) {
    out.open("PermissionsBoundary", |out| {
        // The model has another value here; this is what the service was seen to answer.
        out.text("PermissionsBoundaryType", "Policy");
        out.text("PermissionsBoundaryArn", arn);
    });
}

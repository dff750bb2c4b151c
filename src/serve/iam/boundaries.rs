//! Permissions boundaries of users and roles.

use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

/// The boundary that a new user or role is to have.
///
/// # Errors
///
/// A policy that isn't there.
pub(super) fn wanted(call: &Call<'_>) -> Result<Option<String>, Fault> {
    let arn = call.input.get("PermissionsBoundary");
    if let Some(arn) = arn.filter(|arn| call.account.policy(arn).is_none()) {
        return Err(Fault::no_such_entity(format!("Scope ARN: {arn} does not exist or is not attachable.")));
    }
    Ok(arn.map(str::to_owned))
}

/// Writes `PermissionsBoundary`.
pub(super) fn write(out: &mut Writer, arn: &str) {
    out.open("PermissionsBoundary", |out| {
        out.text("PermissionsBoundaryType", "Policy");
        out.text("PermissionsBoundaryArn", arn);
    });
}

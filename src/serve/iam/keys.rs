//! Access keys of users: create, list, activate, delete, and when one was last used.

use super::quotas;
use crate::serve::account::AccessKey;
use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

/// What there is in place of a use that never was.
const NEVER: &str = "N/A";

pub(in crate::serve) fn create_access_key(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let (user_key, user) = call.named_user()?;
    let name = user.name.clone();
    quotas::check(user.access_keys.len(), "AccessKeysPerUser", quotas::ACCESS_KEYS)?;
    let access_key = call.account.new_access_key(&user_key, call.now, call.random)?;
    out.open("AccessKey", |out| {
        out.text("UserName", &name);
        out.text("AccessKeyId", &access_key.id);
        out.text("Status", status(&access_key));
        out.text("SecretAccessKey", &access_key.secret);
        out.time("CreateDate", access_key.created);
    });
    Ok(())
}

pub(in crate::serve) fn list_access_keys(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let (_, user) = call.named_user()?;
    let access_keys = user.access_keys.iter().filter_map(|id| call.account.access_keys.get(id));
    let by_age = access_keys.map(|access_key| (format!("{} {}", access_key.created, access_key.id), access_key));
    call.page(out, "AccessKeyMetadata", by_age, |out, access_key| {
        out.text("UserName", &user.name);
        out.text("AccessKeyId", &access_key.id);
        out.text("Status", status(access_key));
        out.time("CreateDate", access_key.created);
    })
}

pub(in crate::serve) fn update_access_key(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let (_, id) = held(call)?;
    let active = match call.required("Status")? {
        "Active" => true,
        "Inactive" => false,
        other => return Err(Fault::invalid_input(format!("an access key can't be made {other}"))),
    };
    if let Some(access_key) = call.account.access_keys.edit(&id) {
        access_key.active = active;
    }
    Ok(())
}

pub(in crate::serve) fn delete_access_key(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let (user_key, id) = held(call)?;
    if let Some(user) = call.account.users.edit(&user_key) {
        user.access_keys.retain(|other| *other != id);
    }
    call.account.access_keys.remove(&id);
    Ok(())
}

pub(in crate::serve) fn get_access_key_last_used(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let id = call.required("AccessKeyId")?.to_owned();
    let denied = |why: String| {
        // Without the colon and the reason that other denials have.
        let caller = call.caller.arn(call.account);
        Fault::access_denied(format!(
            "User: {caller} is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key {id}"
        ))
        .because(why)
    };
    let access_key = call.account.access_keys.get(&id).ok_or_else(|| denied(format!("there is no access key {id}")))?;
    let user = call.account.users.get(&access_key.user).ok_or_else(|| denied(format!("nobody has {id}")))?;
    let allowed = call.allowed("iam:GetAccessKeyLastUsed", &call.account.user_arn(user), None, &user.tags);
    let why = allowed.map_err(|fault| denied(fault.why.unwrap_or_default()))?;
    out.text("UserName", &user.name);
    out.open("AccessKeyLastUsed", |out| match &access_key.used {
        Some(last) => {
            out.time("LastUsedDate", last.at);
            out.text("ServiceName", &last.service);
            out.text("Region", &last.region);
        }
        None => {
            out.text("ServiceName", NEVER);
            out.text("Region", NEVER);
        }
    });
    call.why = Some(why);
    Ok(())
}

/// The user's key and the id of the access key, which has to be the user's.
fn held(call: &Call<'_>) -> Result<(String, String), Fault> {
    let (user_key, user) = call.named_user()?;
    let id = call.required("AccessKeyId")?;
    if !user.access_keys.iter().any(|held| held == id) {
        return Err(Fault::no_such_entity(format!("The Access Key with id {id} cannot be found.")));
    }
    Ok((user_key, id.to_owned()))
}

fn status(access_key: &AccessKey) -> &'static str {
    if access_key.active { "Active" } else { "Inactive" }
}

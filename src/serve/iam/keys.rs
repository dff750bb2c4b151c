//! Access keys of users.

use crate::serve::account::AccessKey;
use crate::serve::call::{Call, no_user};
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

/// How many a user may have.
const MOST: usize = 2;

pub(in crate::serve) fn create_access_key(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let user_key = call.user_key()?;
    let user = call.account.users.get(&user_key).ok_or_else(|| no_user(&user_key))?;
    let name = user.name.clone();
    if user.access_keys.len() >= MOST {
        return Err(Fault::limit_exceeded(format!("Cannot exceed quota for AccessKeysPerUser: {MOST}")));
    }
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

fn status(access_key: &AccessKey) -> &'static str {
    if access_key.active { "Active" } else { "Inactive" }
}

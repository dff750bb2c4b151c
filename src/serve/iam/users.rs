//! Users: create, get, list, rename and move, delete.

use super::holder::Holder;
use super::quotas;
use crate::serve::account::{Account, Keys, User, key};
use crate::serve::call::{Call, no_user};
use crate::serve::caller::Who;
use crate::serve::fault::Fault;
use crate::serve::random;
use crate::wire::xml::Writer;

pub(in crate::serve) fn create_user(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("UserName")?.to_owned();
    let tags = call.tags(Keys::AnyCase)?;
    if call.account.users.contains(&key(&name)) {
        return Err(exists(&name));
    }
    quotas::check(call.account.users.len(), "UsersPerAccount", quotas::USERS)?;
    let boundary = super::boundaries::wanted(call, Holder::User)?;
    let user = User {
        path: call.path().to_owned(),
        id: random::id(call.random, "AIDA", 17)?,
        created: call.now,
        tags,
        boundary,
        ..User::new(&name)
    };
    out.open("User", |out| write(out, call.account, &user));
    call.account.users.insert(key(&name), user);
    Ok(())
}

pub(in crate::serve) fn get_user(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    if call.input.get("UserName").is_none() && call.caller.who == Who::Root {
        out.open("User", |out| {
            let id = call.account.id();
            out.text("UserId", id);
            out.text("Arn", &format!("arn:aws:iam::{id}:root"));
        });
        return Ok(());
    }
    let (_, user) = call.named_user()?;
    out.open("User", |out| write(out, call.account, user));
    Ok(())
}

pub(in crate::serve) fn list_users(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let prefix = call.input.get("PathPrefix").unwrap_or("/");
    let shown = |user: &User| user.path.starts_with(prefix);
    call.page_rows(out, "Users", &call.account.users, shown, |out, user| {
        write_listed(out, call.account, user);
    })
}

pub(in crate::serve) fn update_user(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let named = call.required("UserName")?.to_owned();
    let old = key(&named);
    let path = call.input.get("NewPath").map(str::to_owned);
    let name = call.input.get("NewUserName").map(str::to_owned);
    call.user(&named)?;
    if let Some(name) = &name
        && key(name) != old
        && call.account.users.contains(&key(name))
    {
        return Err(exists(name));
    }
    let Some(mut user) = call.account.users.remove(&old) else { return Err(no_user(&named)) };
    let new = name.as_deref().map_or_else(|| old.clone(), key);
    let old_arn = call.account.user_arn(&user);
    user.name = name.unwrap_or(user.name);
    user.path = path.unwrap_or(user.path);
    if new != old {
        for id in &user.access_keys {
            if let Some(access_key) = call.account.access_keys.edit(id) {
                access_key.user.clone_from(&new);
            }
        }
        for serial in &user.devices {
            if let Some(assigned) = call.account.devices.edit(serial).and_then(|device| device.assigned.as_mut()) {
                assigned.user.clone_from(&new);
            }
        }
        call.account.rename_sessions(&old, &new);
    }
    let new_arn = call.account.user_arn(&user);
    call.account.rename_trusted(&old_arn, &new_arn);
    call.account.users.insert(new, user);
    Ok(())
}

pub(in crate::serve) fn delete_user(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("UserName")?.to_owned();
    let user = call.user(&name)?;
    if !user.devices.is_empty() {
        return Err(super::not_yet("must remove tokens from principal first"));
    }
    super::policies_are_gone(&user.grants)?;
    let left = if user.login.is_some() {
        Some("must delete login profile first")
    } else if !user.access_keys.is_empty() {
        Some("must delete access keys first")
    } else if !user.groups.is_empty() {
        Some("must remove users from group first")
    } else {
        None
    };
    if let Some(left) = left {
        return Err(super::not_yet(left));
    }
    call.account.users.remove(&key(&name));
    Ok(())
}

fn exists(name: &str) -> Fault {
    Fault::already_exists(format!("User with name {name} already exists."))
}

/// Writes a user with everything that `GetUser` tells.
pub(super) fn write(out: &mut Writer, account: &Account, user: &User) {
    write_listed(out, account, user);
    if let Some(arn) = &user.boundary {
        super::boundaries::write(out, arn);
    }
    super::write_tags(out, &user.tags);
}

/// Writes a user as lists show one: without tags and boundary.
pub(super) fn write_listed(out: &mut Writer, account: &Account, user: &User) {
    out.text("Path", &user.path);
    out.text("UserName", &user.name);
    out.text("UserId", &user.id);
    out.text("Arn", &account.user_arn(user));
    out.time("CreateDate", user.created);
    if let Some(at) = user.signed_in {
        out.time("PasswordLastUsed", at);
    }
}

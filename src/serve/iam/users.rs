//! Users: create, get, list, rename and move, delete.

use crate::serve::account::{Account, User, key};
use crate::serve::call::{Call, no_user};
use crate::serve::caller::Who;
use crate::serve::fault::Fault;
use crate::serve::random;
use crate::wire::xml::Writer;

/// How many users an account may have, where AWS has 5,000: a stand-in is there for load tests too.
const MOST: usize = 1_000_000;

pub(in crate::serve) fn create_user(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("UserName")?.to_owned();
    if call.account.users.contains(&key(&name)) {
        return Err(exists(&name));
    }
    if call.account.users.len() >= MOST {
        return Err(Fault::limit_exceeded(format!("Cannot exceed quota for UsersPerAccount: {MOST}")));
    }
    let boundary = super::boundaries::wanted(call)?;
    let user = User {
        path: call.path().to_owned(),
        id: random::id(call.random, "AIDA", 17)?,
        created: call.now,
        tags: call.tags()?,
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
    let user_key = call.user_key()?;
    let user =
        call.account.users.get(&user_key).ok_or_else(|| no_user(call.input.get("UserName").unwrap_or(&user_key)))?;
    out.open("User", |out| write(out, call.account, user));
    Ok(())
}

pub(in crate::serve) fn list_users(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let prefix = call.input.get("PathPrefix").unwrap_or("/");
    let users = call.account.users.iter().filter(|(_, user)| user.path.starts_with(prefix));
    call.page(out, "Users", users.map(|(key, user)| (key.clone(), user)), |out, user| {
        write_listed(out, call.account, user);
    })
}

pub(in crate::serve) fn update_user(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let old = key(call.required("UserName")?);
    let path = call.input.get("NewPath").map(str::to_owned);
    let name = call.input.get("NewUserName").map(str::to_owned);
    call.user(&old)?;
    if let Some(name) = &name
        && key(name) != old
        && call.account.users.contains(&key(name))
    {
        return Err(exists(name));
    }
    let Some(mut user) = call.account.users.remove(&old) else { return Err(no_user(&old)) };
    let new = name.as_deref().map_or_else(|| old.clone(), key);
    user.name = name.unwrap_or(user.name);
    user.path = path.unwrap_or(user.path);
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
    call.account.users.insert(new, user);
    Ok(())
}

pub(in crate::serve) fn delete_user(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("UserName")?.to_owned();
    let user = call.user(&name)?;
    let conflict = if !user.devices.is_empty() {
        Some("Cannot delete entity, must remove tokens from principal first.")
    } else if user.login.is_some() {
        Some("Cannot delete entity, must delete login profile first.")
    } else if !user.access_keys.is_empty() {
        Some("Cannot delete entity, must delete access keys first.")
    } else if !user.groups.is_empty() {
        Some("Cannot delete entity, must remove users from group first.")
    } else if !user.grants.attached.is_empty() {
        Some("Cannot delete entity, must detach all policies first.")
    } else if !user.grants.inline.is_empty() {
        Some("Cannot delete entity, must delete policies first.")
    } else {
        None
    };
    if let Some(conflict) = conflict {
        return Err(Fault::delete_conflict(conflict));
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

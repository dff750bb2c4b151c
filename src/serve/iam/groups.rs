//! Groups: create, get, list, rename and move, delete, and who is in them.

use super::quotas;
use super::users;
use crate::serve::account::index::in_either;
use crate::serve::account::{Account, Grants, Group, key};
use crate::serve::call::{Call, Section, no_group};
use crate::serve::fault::Fault;
use crate::serve::random;
use crate::wire::xml::Writer;

pub(in crate::serve) fn create_group(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("GroupName")?.to_owned();
    if call.account.groups.contains(&key(&name)) {
        return Err(exists(&name));
    }
    quotas::check(call.account.groups.len(), "GroupsPerAccount", quotas::GROUPS)?;
    let group = Group {
        path: call.path().to_owned(),
        id: random::id(call.random, "AGPA", 17)?,
        created: call.now,
        grants: Grants::default(),
        name,
    };
    out.open("Group", |out| write(out, call.account, &group));
    call.account.groups.insert(key(&group.name), group);
    Ok(())
}

pub(in crate::serve) fn get_group(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let group = call.group(call.required("GroupName")?)?;
    out.open("Group", |out| write(out, call.account, group));
    let group_key = key(&group.name);
    let account = &*call.account;
    let members = Section::new("", |from| {
        let keys = in_either([account.index.members.get(&group_key), None], from);
        keys.filter_map(|key| Some((key, account.users.get(key)?)))
    });
    call.page_section(out, "Users", members, |out, user| users::write_listed(out, account, user))
}

pub(in crate::serve) fn list_groups(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let prefix = call.input.get("PathPrefix").unwrap_or("/");
    let shown = |group: &Group| group.path.starts_with(prefix);
    call.page_rows(out, "Groups", &call.account.groups, shown, |out, group| {
        write(out, call.account, group);
    })
}

pub(in crate::serve) fn update_group(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let named = call.required("GroupName")?.to_owned();
    let old = key(&named);
    let path = call.input.get("NewPath").map(str::to_owned);
    let name = call.input.get("NewGroupName").map(str::to_owned);
    call.group(&named)?;
    if let Some(name) = &name
        && key(name) != old
        && call.account.groups.contains(&key(name))
    {
        return Err(exists(name));
    }
    let Some(mut group) = call.account.groups.remove(&old) else { return Err(no_group(&named)) };
    let new = name.as_deref().map_or_else(|| old.clone(), key);
    group.name = name.unwrap_or(group.name);
    group.path = path.unwrap_or(group.path);
    if new != old {
        call.account.rename_membership(&old, &new);
    }
    call.account.groups.insert(new, group);
    Ok(())
}

pub(in crate::serve) fn delete_group(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let name = call.required("GroupName")?.to_owned();
    let group = call.group(&name)?;
    if call.account.index.members.count(&key(&name)) > 0 {
        return Err(super::not_yet("must remove users from group first"));
    }
    super::policies_are_gone(&group.grants)?;
    call.account.groups.remove(&key(&name));
    Ok(())
}

pub(in crate::serve) fn add_user_to_group(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let (user_key, group_key) = both(call)?;
    let groups = &call.user(&user_key)?.groups;
    if !groups.contains(&group_key) {
        quotas::check(groups.len(), "GroupsPerUser", quotas::GROUPS_OF_USER)?;
        call.edit_user(&user_key)?.groups.insert(group_key);
    }
    Ok(())
}

pub(in crate::serve) fn remove_user_from_group(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let (user_key, group_key) = both(call)?;
    if call.user(&user_key)?.groups.contains(&group_key) {
        call.edit_user(&user_key)?.groups.remove(&group_key);
    }
    Ok(())
}

pub(in crate::serve) fn list_groups_for_user(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let user = call.user(call.required("UserName")?)?;
    let groups = user.groups.iter().filter_map(|key| Some((key.clone(), call.account.groups.get(key)?)));
    call.page(out, "Groups", groups, |out, group| write(out, call.account, group))
}

/// The keys of the user and the group that a request names; AWS looks at the user first.
fn both(call: &Call<'_>) -> Result<(String, String), Fault> {
    let (user, group) = (call.required("UserName")?, call.required("GroupName")?);
    call.user(user)?;
    call.group(group)?;
    Ok((key(user), key(group)))
}

fn exists(name: &str) -> Fault {
    Fault::already_exists(format!("Group with name {name} already exists."))
}

pub(super) fn write(out: &mut Writer, account: &Account, group: &Group) {
    out.text("Path", &group.path);
    out.text("GroupName", &group.name);
    out.text("GroupId", &group.id);
    out.text("Arn", &account.group_arn(group));
    out.time("CreateDate", group.created);
}

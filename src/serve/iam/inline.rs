//! Inline policies of users, groups and roles: put, get, list, delete.

use std::collections::BTreeMap;

use super::documents;
use super::holder::Holder;
use super::quotas;
use crate::serve::account::PolicyDocument;
use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

pub(in crate::serve) fn put_user_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    put(call, Holder::User)
}

pub(in crate::serve) fn get_user_policy(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    get(call, out, Holder::User)
}

pub(in crate::serve) fn list_user_policies(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    list(call, out, Holder::User)
}

pub(in crate::serve) fn delete_user_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    delete(call, Holder::User)
}

pub(in crate::serve) fn put_group_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    put(call, Holder::Group)
}

pub(in crate::serve) fn get_group_policy(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    get(call, out, Holder::Group)
}

pub(in crate::serve) fn list_group_policies(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    list(call, out, Holder::Group)
}

pub(in crate::serve) fn delete_group_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    delete(call, Holder::Group)
}

pub(in crate::serve) fn put_role_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    put(call, Holder::Role)
}

pub(in crate::serve) fn get_role_policy(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    get(call, out, Holder::Role)
}

pub(in crate::serve) fn list_role_policies(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    list(call, out, Holder::Role)
}

pub(in crate::serve) fn delete_role_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    delete(call, Holder::Role)
}

fn put(call: &mut Call<'_>, holder: Holder) -> Result<(), Fault> {
    let inline = &holder.grants(call)?.inline;
    let name = call.required("PolicyName")?;
    // One that is there keeps the name that it was given first.
    let name = found(inline, name).map_or(name, |(name, _)| name).to_owned();
    let document = documents::identity(call.required("PolicyDocument")?)?;
    let others = inline.iter().filter(|(other, _)| **other != name).map(|(_, document)| document);
    let size = others.chain([&document]).map(documents::size).fold(0, usize::saturating_add);
    let most = match holder {
        Holder::User => quotas::USER_POLICY_SIZE,
        Holder::Group => quotas::GROUP_POLICY_SIZE,
        Holder::Role => quotas::ROLE_POLICY_SIZE,
    };
    if size > most {
        return Err(Fault::limit_exceeded(format!(
            "Maximum policy size of {most} bytes exceeded for {} {}",
            holder.word(),
            holder.name(call)?
        ))
        .because(format!("all inline policies together would have {size} characters, blanks not counted")));
    }
    holder.edit(call)?.inline.insert(name, document);
    Ok(())
}

fn get(call: &mut Call<'_>, out: &mut Writer, holder: Holder) -> Result<(), Fault> {
    let name = call.required("PolicyName")?;
    let (_, document) = found(&holder.grants(call)?.inline, name).ok_or_else(|| missing(holder, name))?;
    out.text(holder.parameter(), holder.name(call)?);
    out.text("PolicyName", name);
    out.text("PolicyDocument", &documents::encoded(document));
    Ok(())
}

fn list(call: &mut Call<'_>, out: &mut Writer, holder: Holder) -> Result<(), Fault> {
    call.page_texts(out, "PolicyNames", holder.grants(call)?.inline.keys().map(String::as_str))
}

fn delete(call: &mut Call<'_>, holder: Holder) -> Result<(), Fault> {
    let name = call.required("PolicyName")?;
    let found = found(&holder.grants(call)?.inline, name).ok_or_else(|| missing(holder, name))?;
    let name = found.0.clone();
    holder.edit(call)?.inline.remove(&name);
    Ok(())
}

/// The policy of a name, and the name as it was given.
fn found<'a>(inline: &'a BTreeMap<String, PolicyDocument>, name: &str) -> Option<(&'a String, &'a PolicyDocument)> {
    inline.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))
}

fn missing(holder: Holder, name: &str) -> Fault {
    Fault::no_such_entity(format!("The {} policy with name {name} cannot be found.", holder.word()))
}

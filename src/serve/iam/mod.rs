//! The Identity and Access Management service, an action a function.

pub(super) mod account;
pub(super) mod attachments;
pub(super) mod boundaries;
pub(super) mod details;
pub(super) mod documents;
pub(super) mod empty;
pub(super) mod groups;
mod holder;
pub(super) mod inline;
pub(super) mod keys;
pub(super) mod login;
pub(super) mod mfa;
pub(super) mod password_policy;
pub(super) mod policies;
mod quotas;
pub(super) mod report;
pub(super) mod roles;
pub(super) mod simulate;
pub(super) mod tags;
pub(super) mod users;
pub(super) mod versions;

use super::account::{Grants, Keys, Tags};
use super::call::Call;
use super::fault::Fault;
use crate::wire::xml::Writer;

/// Writes `Tags`, where there are any.
fn write_tags(out: &mut Writer, tags: &Tags) {
    if !tags.is_empty() {
        out.list("Tags", tags.iter(), write_tag);
    }
}

fn write_tag(out: &mut Writer, (key, value): &(String, String)) {
    out.text("Key", key);
    out.text("Value", value);
}

/// Writes a page of tags.
fn page_tags(call: &Call<'_>, out: &mut Writer, tags: &Tags) -> Result<(), Fault> {
    call.page(out, "Tags", tags.iter().map(|tag| (format!("{}\n{}", tag.0.to_lowercase(), tag.0), tag)), write_tag)
}

/// Adds tags to those that an entity has.
fn add_tags(tags: &mut Tags, more: &Tags, keys: Keys) -> Result<(), Fault> {
    let mut all = tags.clone();
    more.iter().for_each(|(key, value)| all.set(key, value, keys));
    if all.len() > Tags::MOST {
        return Err(Fault::limit_exceeded("The number of tags has reached the maximum limit.").because(format!(
            "there would be {} of at most {}",
            all.len(),
            Tags::MOST
        )));
    }
    *tags = all;
    Ok(())
}

fn remove_tags(tags: &mut Tags, removed: &[String], keys: Keys) {
    removed.iter().for_each(|key| tags.remove(key, keys));
}

/// That an entity has no policies left and can be deleted.
///
/// # Errors
///
/// `DeleteConflict`.
fn policies_are_gone(grants: &Grants) -> Result<(), Fault> {
    if !grants.attached.is_empty() {
        return Err(not_yet("must detach all policies first"));
    }
    if !grants.inline.is_empty() {
        return Err(not_yet("must delete policies first"));
    }
    Ok(())
}

/// That an entity can't be deleted yet.
fn not_yet(what: &str) -> Fault {
    Fault::delete_conflict(format!("Cannot delete entity, {what}."))
}

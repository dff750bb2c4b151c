//! The Identity and Access Management service, an action a function.

mod boundaries;
pub(super) mod keys;
pub(super) mod mfa;
pub(super) mod users;

use super::account::Tags;
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
    call.page(out, "Tags", tags.iter().map(|tag| (tag.0.to_lowercase(), tag)), write_tag)
}

/// Adds tags to those that an entity has.
fn add_tags(tags: &mut Tags, more: &Tags) -> Result<(), Fault> {
    let mut all = tags.clone();
    more.iter().for_each(|(key, value)| all.set(key, value));
    if all.len() > Tags::MOST {
        return Err(Fault::limit_exceeded(format!(
            "The number of tags has reached the maximum limit of {}.",
            Tags::MOST
        )));
    }
    *tags = all;
    Ok(())
}

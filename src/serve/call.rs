//! A call of an action: what its handler works with.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::account::{Account, Device, Group, ManagedPolicy, Role, Tags, User, key};
use super::authorize::Origin;
use super::caller::{Caller, Who};
use super::fault::Fault;
use super::random::Random;
use crate::time::Timestamp;
use crate::wire::query::Parameters;
use crate::wire::xml::Writer;

/// One call, authenticated, its input within the contract.
pub(super) struct Call<'a> {
    pub(super) account: &'a mut Account,
    pub(super) caller: &'a Caller,
    pub(super) origin: &'a Origin,
    pub(super) input: &'a Parameters,
    pub(super) now: Timestamp,
    pub(super) random: &'a mut dyn Random,
    /// What there is to say about a success.
    pub(super) why: Option<String>,
}

/// Writes the members of an action's result.
pub(super) type Handler = fn(&mut Call<'_>, &mut Writer) -> Result<(), Fault>;

impl Call<'_> {
    /// A parameter that the contract requires.
    ///
    /// # Errors
    ///
    /// Never, where the contract was checked.
    pub(super) fn required(&self, name: &str) -> Result<&str, Fault> {
        self.input.get(name).ok_or_else(|| Fault::validation(format!("The request must contain the parameter {name}")))
    }

    /// A boolean parameter.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.input.get(name).map(|text| text.eq_ignore_ascii_case("true"))
    }

    /// An integer parameter; the contract keeps it in its range.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.input.get(name).and_then(|text| text.parse().ok())
    }

    /// `Path`, or what it is by default.
    pub(super) fn path(&self) -> &str {
        self.input.get("Path").unwrap_or("/")
    }

    /// `Tags`.
    ///
    /// # Errors
    ///
    /// The same key twice.
    pub(super) fn tags(&self) -> Result<Tags, Fault> {
        let pairs: Vec<(String, String)> = self
            .input
            .structs("Tags")
            .iter()
            .map(|tag| {
                let text = |name| tag.get(name).unwrap_or_default().to_owned();
                (text("Key"), text("Value"))
            })
            .collect();
        let given = pairs.len();
        let tags: Tags = pairs.into_iter().collect();
        if tags.len() < given {
            return Err(Fault::invalid_input(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        Ok(tags)
    }

    /// The key of the user that `UserName` names, or of the caller.
    ///
    /// # Errors
    ///
    /// Nobody, and the caller is no user.
    pub(super) fn user_key(&self) -> Result<String, Fault> {
        match (self.input.get("UserName"), &self.caller.who) {
            (Some(name), _) => Ok(key(name)),
            (None, Who::User { key, .. }) => Ok(key.clone()),
            (None, _) => Err(Fault::validation("Must specify userName when calling with non-User credentials")),
        }
    }

    /// A user.
    ///
    /// # Errors
    ///
    /// `NoSuchEntity`.
    pub(super) fn user(&self, name: &str) -> Result<&User, Fault> {
        self.account.users.get(&key(name)).ok_or_else(|| no_user(name))
    }

    /// A user, to be changed.
    ///
    /// # Errors
    ///
    /// `NoSuchEntity`.
    pub(super) fn edit_user(&mut self, name: &str) -> Result<&mut User, Fault> {
        self.account.users.edit(&key(name)).ok_or_else(|| no_user(name))
    }

    /// A group.
    ///
    /// # Errors
    ///
    /// `NoSuchEntity`.
    pub(super) fn group(&self, name: &str) -> Result<&Group, Fault> {
        self.account.groups.get(&key(name)).ok_or_else(|| no_group(name))
    }

    /// A group, to be changed.
    ///
    /// # Errors
    ///
    /// `NoSuchEntity`.
    pub(super) fn edit_group(&mut self, name: &str) -> Result<&mut Group, Fault> {
        self.account.groups.edit(&key(name)).ok_or_else(|| no_group(name))
    }

    /// A role.
    ///
    /// # Errors
    ///
    /// `NoSuchEntity`.
    pub(super) fn role(&self, name: &str) -> Result<&Role, Fault> {
        self.account.roles.get(&key(name)).ok_or_else(|| no_role(name))
    }

    /// A role, to be changed.
    ///
    /// # Errors
    ///
    /// `NoSuchEntity`.
    pub(super) fn edit_role(&mut self, name: &str) -> Result<&mut Role, Fault> {
        self.account.roles.edit(&key(name)).ok_or_else(|| no_role(name))
    }

    /// A managed policy, the customer's or AWS's.
    ///
    /// # Errors
    ///
    /// `NoSuchEntity`.
    pub(super) fn policy(&self, arn: &str) -> Result<&ManagedPolicy, Fault> {
        self.account.policy(arn).ok_or_else(|| no_policy(arn))
    }

    /// A virtual MFA device.
    ///
    /// # Errors
    ///
    /// `NoSuchEntity`.
    pub(super) fn device(&self, serial: &str) -> Result<&Device, Fault> {
        self.account.devices.get(serial).ok_or_else(|| no_device(serial))
    }

    /// Writes a page of a list: `IsTruncated`, the items under `name`, and `Marker`.
    ///
    /// `MaxItems` bounds the page; the marker says after which key the next one begins, so that nothing is passed over or
    /// told twice when the list changes between two pages.
    ///
    /// # Errors
    ///
    /// A marker that isn't one of ours.
    pub(super) fn page<T>(
        &self,
        out: &mut Writer,
        name: &str,
        items: impl IntoIterator<Item = (String, T)>,
        mut write: impl FnMut(&mut Writer, T),
    ) -> Result<(), Fault> {
        let after = self.input.get("Marker").map(unmark).transpose()?;
        let most = self.number("MaxItems").and_then(|most| usize::try_from(most).ok()).unwrap_or(100);
        let mut items: Vec<(String, T)> =
            items.into_iter().filter(|(key, _)| after.as_ref().is_none_or(|after| key > after)).collect();
        items.sort_by(|(one, _), (other, _)| one.cmp(other));
        let truncated = items.len() > most;
        items.truncate(most);
        let marker = items.last().filter(|_| truncated).map(|(key, _)| BASE64_URL_SAFE_NO_PAD.encode(key));
        out.list(name, items, |out, (_, item)| write(out, item));
        out.flag("IsTruncated", truncated);
        if let Some(marker) = marker {
            out.text("Marker", &marker);
        }
        Ok(())
    }
}

fn unmark(marker: &str) -> Result<String, Fault> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(marker).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| Fault::validation("Invalid Marker."))
}

pub(super) fn no_user(name: &str) -> Fault {
    Fault::no_such_entity(format!("The user with name {name} cannot be found."))
}

pub(super) fn no_group(name: &str) -> Fault {
    Fault::no_such_entity(format!("The group with name {name} cannot be found."))
}

pub(super) fn no_role(name: &str) -> Fault {
    Fault::no_such_entity(format!("The role with name {name} cannot be found."))
}

pub(super) fn no_policy(arn: &str) -> Fault {
    Fault::no_such_entity(format!("Policy {arn} was not found."))
}

pub(super) fn no_device(serial: &str) -> Fault {
    Fault::no_such_entity(format!("MFA Device with serial number {serial} does not exist."))
}

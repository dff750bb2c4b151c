//! A call of an action: what its handler works with.

mod page;

use super::account::{Account, Device, Group, Keys, ManagedPolicy, Role, Table, Tags, User, key};
use super::authorize::{self, Origin, Wish};
use super::caller::{Caller, Who};
use super::fault::Fault;
use super::random::Random;
use super::time::Instant;
use crate::policy::{Context, Decision, Doubt, Layer, Verdict};
use crate::time::Timestamp;
use crate::wire::query::Parameters;
use crate::wire::xml::Writer;

pub(super) use page::{Page, Section};

/// One call, authenticated, its input within the contract.
pub(super) struct Call<'a> {
    pub(super) account: &'a mut Account,
    pub(super) caller: &'a Caller,
    pub(super) origin: &'a Origin,
    pub(super) input: &'a Parameters,
    pub(super) now: Timestamp,
    /// The same to the millisecond.
    pub(super) instant: Instant,
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
        flag(self.input, name)
    }

    /// An integer parameter; the contract keeps it in its range.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.input.get(name).and_then(|text| text.parse().ok())
    }

    /// `Path`, or what it is by default.
    pub(super) fn path(&self) -> &str {
        self.input.get("Path").unwrap_or("/")
    }

    /// `Tags`, whose keys are compared as the entity compares them.
    ///
    /// # Errors
    ///
    /// The same key twice; a key that is AWS's.
    pub(super) fn tags(&self, keys: Keys) -> Result<Tags, Fault> {
        let mut tags = Tags::default();
        let given = self.input.structs("Tags");
        for tag in &given {
            let key = tag.get("Key").unwrap_or_default();
            if Tags::is_reserved(key) {
                return Err(Fault::invalid_input("Tag keys beginning with aws: are reserved for system use."));
            }
            tags.set(key, tag.get("Value").unwrap_or_default(), keys);
        }
        if tags.len() < given.len() {
            return Err(Fault::invalid_input(match keys {
                Keys::AnyCase => "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                Keys::Exact => "Duplicate tag keys found.",
            }));
        }
        Ok(tags)
    }

    /// The same, where there has to be at least one.
    ///
    /// # Errors
    ///
    /// As [`tags`](Self::tags); none.
    pub(super) fn some_tags(&self, keys: Keys) -> Result<Tags, Fault> {
        let tags = self.tags(keys)?;
        if tags.is_empty() {
            return Err(Fault::invalid_input("The list of tags is empty."));
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

    /// The user that `UserName` names, or else the caller, with the key.
    ///
    /// # Errors
    ///
    /// `NoSuchEntity`; nobody, and the caller is no user.
    pub(super) fn named_user(&self) -> Result<(String, &User), Fault> {
        let key = self.user_key()?;
        let name = self.input.get("UserName").unwrap_or(&key);
        let user = self.account.users.get(&key).ok_or_else(|| no_user(name))?;
        Ok((key, user))
    }

    /// Decides about an action on a resource with tags, where the handler has to; says why.
    ///
    /// # Errors
    ///
    /// `AccessDenied`.
    pub(super) fn allowed(
        &self,
        action: &str,
        resource: &str,
        shown: Option<String>,
        tags: &Tags,
    ) -> Result<String, Fault> {
        let wish = about(action, resource, shown, tags);
        authorize::authorize(self.account, self.caller, self.origin, wish, self.now)
    }

    /// The same of what every user may do where the account's password policy lets users change their passwords: no
    /// policy has to allow it then, and any may still deny it.
    ///
    /// # Errors
    ///
    /// `AccessDenied`.
    pub(super) fn allowed_to_users(
        &self,
        action: &str,
        resource: &str,
        shown: Option<String>,
        tags: &Tags,
    ) -> Result<String, Fault> {
        let policy = self.account.password_policy().is_some_and(|policy| policy.users_may_change);
        let granted = policy && self.caller.user().is_some();
        let lacks_only_a_grant =
            |verdict: &Verdict| verdict.decision == Decision::ImplicitlyDenied && verdict.lacking == [Layer::Identity];
        let wish = about(action, resource, shown, tags);
        authorize::authorize_unless(self.account, self.caller, self.origin, wish, self.now, |evaluation| {
            (granted && evaluation.verdicts.iter().all(lacks_only_a_grant))
                .then(|| "the account's password policy lets users change their own passwords".to_owned())
        })
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
    /// `NoSuchEntity`; an ARN of another partition.
    pub(super) fn policy(&self, arn: &str) -> Result<&ManagedPolicy, Fault> {
        in_partition(arn)?;
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

    /// The page of a list that `Marker` and `MaxItems` ask for.
    ///
    /// # Errors
    ///
    /// A marker that isn't one of ours.
    pub(super) fn slice<T>(&self, items: impl IntoIterator<Item = (String, T)>) -> Result<Page<T>, Fault> {
        Page::of(items, self.input.get("Marker"), self.most())
    }

    /// The same of a list that can begin anywhere.
    ///
    /// # Errors
    ///
    /// A marker that isn't one of ours.
    pub(super) fn slice_sections<'s, T>(
        &self,
        sections: impl IntoIterator<Item = Section<'s, T>>,
    ) -> Result<Page<T>, Fault> {
        Page::of_sections(sections, self.input.get("Marker"), self.most())
    }

    /// How many items a page has at most, where it is said.
    fn most(&self) -> Option<usize> {
        self.number("MaxItems").and_then(|most| usize::try_from(most).ok())
    }

    /// Writes a page of a list: the items under `name`, `IsTruncated`, and `Marker`.
    ///
    /// # Errors
    ///
    /// A marker that isn't one of ours.
    pub(super) fn page<T>(
        &self,
        out: &mut Writer,
        name: &str,
        items: impl IntoIterator<Item = (String, T)>,
        write: impl FnMut(&mut Writer, T),
    ) -> Result<(), Fault> {
        let Page { items, rest } = self.slice(items)?;
        out.list(name, items, write);
        rest.write(out);
        Ok(())
    }

    /// The same of the rows of a table that are `shown`, in the order of the keys.
    ///
    /// # Errors
    ///
    /// A marker that isn't one of ours.
    pub(super) fn page_rows<'t, V>(
        &self,
        out: &mut Writer,
        name: &str,
        rows: &'t Table<V>,
        shown: impl Fn(&V) -> bool + 't,
        write: impl FnMut(&mut Writer, &'t V),
    ) -> Result<(), Fault> {
        let Page { items, rest } = Page::of_rows(rows, shown, self.input.get("Marker"), self.most())?;
        out.list(name, items, write);
        rest.write(out);
        Ok(())
    }

    /// The same of a list that can begin anywhere.
    ///
    /// # Errors
    ///
    /// A marker that isn't one of ours.
    pub(super) fn page_section<'s, T>(
        &self,
        out: &mut Writer,
        name: &str,
        rows: Section<'s, T>,
        write: impl FnMut(&mut Writer, T),
    ) -> Result<(), Fault> {
        let Page { items, rest } = self.slice_sections([rows])?;
        out.list(name, items, write);
        rest.write(out);
        Ok(())
    }

    /// The same of texts, which are their own keys.
    ///
    /// # Errors
    ///
    /// A marker that isn't one of ours.
    pub(super) fn page_texts<'t>(
        &self,
        out: &mut Writer,
        name: &str,
        items: impl IntoIterator<Item = &'t str>,
    ) -> Result<(), Fault> {
        let Page { items, rest } = self.slice(items.into_iter().map(|item| (item.to_owned(), item)))?;
        out.texts(name, items);
        rest.write(out);
        Ok(())
    }
}

/// A boolean parameter.
pub(super) fn flag(input: &Parameters, name: &str) -> Option<bool> {
    input.get(name).map(|text| matches!(text, "true" | "1"))
}

/// An action on a resource with tags.
fn about(action: &str, resource: &str, shown: Option<String>, tags: &Tags) -> Wish {
    let mut context = Context::new();
    authorize::describe_resource(&mut context, tags);
    let resources = vec![resource.to_owned()];
    Wish { action: action.to_owned(), resources, shown, doubt: Doubt::default(), context }
}

/// That an ARN is one of the partition that accounts are in here.
///
/// # Errors
///
/// `ValidationError`.
pub(super) fn in_partition(arn: &str) -> Result<(), Fault> {
    match arn.split(':').nth(1) {
        Some(partition) if partition != "aws" => Err(Fault::validation("Invalid ARN partition")),
        _ => Ok(()),
    }
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

//! The policies that take part in a simulation, under the names that results call them by.

use super::input::Principal;
use crate::policy::Kind;
use crate::serve::account::{Account, Grants, PolicyDocument};
use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::serve::iam::documents;

/// A policy and its name.
#[derive(Debug)]
pub(super) struct Origin {
    /// `PolicyInputList.1`, the name of a managed policy, or `user_NAME_POLICY` for an inline one.
    pub(super) id: String,
    pub(super) document: PolicyDocument,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) identity: Vec<Origin>,
    pub(super) boundary: Option<Origin>,
}

impl Sources {
    pub(super) fn documents(&self) -> impl Iterator<Item = &PolicyDocument> {
        self.identity.iter().chain(&self.boundary).map(|origin| &origin.document)
    }

    /// How many identity policies stand in front of one.
    pub(super) fn place(&self, origin: &Origin) -> Option<usize> {
        self.identity.iter().position(|other| std::ptr::eq(other, origin))
    }

    /// The policies of somebody, those of the groups included.
    pub(super) fn of(principal: &Principal, account: &Account) -> Self {
        let mut sources = Self::default();
        let mut boundary = None;
        match principal {
            Principal::User(key) => {
                let Some(user) = account.users.get(key) else { return sources };
                sources.add(account, &user.grants, "user", &user.name);
                for group in user.groups.iter().filter_map(|key| account.groups.get(key)) {
                    sources.add(account, &group.grants, "group", &group.name);
                }
                boundary = user.boundary.as_deref();
            }
            Principal::Group(key) => {
                if let Some(group) = account.groups.get(key) {
                    sources.add(account, &group.grants, "group", &group.name);
                }
            }
            Principal::Role(key) => {
                let Some(role) = account.roles.get(key) else { return sources };
                sources.add(account, &role.grants, "role", &role.name);
                boundary = role.boundary.as_deref();
            }
        }
        sources.boundary = boundary.and_then(|arn| managed(account, arn));
        sources
    }

    fn add(&mut self, account: &Account, grants: &Grants, kind: &str, name: &str) {
        for (policy, document) in &grants.inline {
            self.identity.push(Origin { id: format!("{kind}_{name}_{policy}"), document: document.clone() });
        }
        self.identity.extend(grants.attached.iter().filter_map(|arn| managed(account, arn)));
    }

    /// Those that the request brings along.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for what is none.
    pub(super) fn add_input(&mut self, call: &Call<'_>, list: &str) -> Result<(), Fault> {
        for (number, text) in (1..).zip(call.input.list(list)) {
            self.identity.push(input(list, number, text)?);
        }
        Ok(())
    }

    /// The boundary that the request brings along, which counts instead of another.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for what is no policy, and for more than one.
    pub(super) fn replace_boundary(&mut self, call: &Call<'_>) -> Result<(), Fault> {
        const LIST: &str = "PermissionsBoundaryPolicyInputList";
        match call.input.list(LIST).as_slice() {
            [] => {}
            [text] => self.boundary = Some(input(LIST, 1, text)?),
            _ => return Err(Fault::invalid_input("there can be one permissions boundary only")),
        }
        Ok(())
    }
}

fn managed(account: &Account, arn: &str) -> Option<Origin> {
    let policy = account.policy(arn)?;
    Some(Origin { id: policy.name.clone(), document: policy.document()?.clone() })
}

fn input(list: &str, number: usize, text: &str) -> Result<Origin, Fault> {
    let document = PolicyDocument::new(text, Kind::Identity).map_err(|error| {
        Fault::invalid_input(documents::identity_text(&error)).because(format!("{list}.{number}: {error}"))
    })?;
    Ok(Origin { id: format!("{list}.{number}"), document })
}

//! What users, groups and roles have in common: they hold policies.

use crate::serve::account::Grants;
use crate::serve::call::Call;
use crate::serve::fault::Fault;

/// A kind of entity that policies are given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    User,
    Group,
    Role,
}

impl Holder {
    /// As texts have it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
        }
    }

    /// The parameter that names one.
    pub(super) const fn parameter(self) -> &'static str {
        match self {
            Self::User => "UserName",
            Self::Group => "GroupName",
            Self::Role => "RoleName",
        }
    }

    /// What the one that the request names is really called.
    ///
    /// # Errors
    ///
    /// `NoSuchEntity`.
    pub(super) fn name<'a>(self, call: &'a Call<'_>) -> Result<&'a str, Fault> {
        let name = call.required(self.parameter())?;
        Ok(match self {
            Self::User => &call.user(name)?.name,
            Self::Group => &call.group(name)?.name,
            Self::Role => &call.role(name)?.name,
        })
    }

    /// The policies of the one that the request names.
    ///
    /// # Errors
    ///
    /// `NoSuchEntity`.
    pub(super) fn grants<'a>(self, call: &'a Call<'_>) -> Result<&'a Grants, Fault> {
        let name = call.required(self.parameter())?;
        Ok(match self {
            Self::User => &call.user(name)?.grants,
            Self::Group => &call.group(name)?.grants,
            Self::Role => &call.role(name)?.grants,
        })
    }

    /// The same, to be changed.
    ///
    /// # Errors
    ///
    /// `NoSuchEntity`.
    pub(super) fn edit<'a>(self, call: &'a mut Call<'_>) -> Result<&'a mut Grants, Fault> {
        let name = call.required(self.parameter())?.to_owned();
        Ok(match self {
            Self::User => &mut call.edit_user(&name)?.grants,
            Self::Group => &mut call.edit_group(&name)?.grants,
            Self::Role => &mut call.edit_role(&name)?.grants,
        })
    }
}

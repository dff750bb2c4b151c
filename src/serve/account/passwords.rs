//! Which passwords an account takes, and until when they are good.

use super::entities::Login;
use super::password::Derived;
use super::password_policy::{Kinds, SYMBOLS};
use super::{Account, User};
use crate::time::Timestamp;

/// The default rules of an account: the least length, and how many of the four kinds of characters.
const DEFAULT: (usize, usize) = (8, 3);

const DAY: u64 = 86_400;

impl Account {
    /// Which rule a password breaks that a user is to have.
    pub(in crate::serve) fn password_objection(&self, password: &str, user: &User) -> Option<String> {
        match self.password_policy() {
            Some(policy) => policy.objection(password),
            None => default_objection(password, &user.name),
        }
    }

    /// That a password, derived as the one there is, is one that may not be chosen again.
    pub(in crate::serve) fn reuse_objection(&self, password: &Derived, login: &Login) -> Option<String> {
        let remembered = usize::try_from(self.password_policy()?.reuse_prevention?).ok()?;
        let mut former = std::iter::once(&login.password).chain(&login.former).take(remembered);
        former.any(|hash| hash.is(password)).then(|| format!("the password is one of the last {remembered}"))
    }

    /// When a password stops being good; `None` where passwords don't.
    pub(in crate::serve) fn password_ends(&self, login: &Login) -> Option<Timestamp> {
        let days = self.password_policy()?.max_age?;
        login.since().plus(days.saturating_mul(DAY))
    }
}

fn default_objection(password: &str, user: &str) -> Option<String> {
    let (length, kinds) = DEFAULT;
    if password.chars().count() < length {
        Some(format!("the password has fewer than {length} characters, as the account has no rules of its own"))
    } else if Kinds::of(password).count() < kinds {
        Some(format!(
            "the password has not {kinds} of capital letters, small letters, digits and {SYMBOLS}, as the account has \
             no rules of its own"
        ))
    } else if password == user {
        Some("the password is the user's name".to_owned())
    } else {
        None
    }
}

//! What passwords have to be like: the account's own rules, or else those that AWS has for every account.

use serde::{Deserialize, Serialize};

use super::entities::Login;
use super::password::Derived;
use super::{Account, User};
use crate::time::Timestamp;

/// The account's own rules for passwords.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::serve) struct PasswordPolicy {
    pub(in crate::serve) minimum_length: u64,
    pub(in crate::serve) symbols: bool,
    pub(in crate::serve) numbers: bool,
    pub(in crate::serve) uppercase: bool,
    pub(in crate::serve) lowercase: bool,
    pub(in crate::serve) users_may_change: bool,
    /// Days.
    pub(in crate::serve) max_age: Option<u64>,
    /// How many former passwords may not be chosen again.
    pub(in crate::serve) reuse_prevention: Option<u64>,
    pub(in crate::serve) hard_expiry: bool,
}

/// The characters that count as symbols.
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";

/// The rules of an account without its own: so long, and of so many of the four kinds of characters.
const DEFAULT: (usize, usize) = (8, 3);

const DAY: u64 = 86_400;

impl PasswordPolicy {
    /// How many former passwords a policy can ask for.
    pub(in crate::serve) const MOST_REMEMBERED: usize = 24;

    /// Which rule a password breaks.
    fn objection(&self, password: &str) -> Option<String> {
        let length = u64::try_from(password.chars().count()).unwrap_or(u64::MAX);
        let kinds = Kinds::of(password);
        if length < self.minimum_length {
            Some(format!("the password has fewer than {} characters", self.minimum_length))
        } else if self.uppercase && !kinds.uppercase {
            Some("the password has no capital letter".to_owned())
        } else if self.lowercase && !kinds.lowercase {
            Some("the password has no small letter".to_owned())
        } else if self.numbers && !kinds.numbers {
            Some("the password has no digit".to_owned())
        } else if self.symbols && !kinds.symbols {
            Some(format!("the password has none of {SYMBOLS}"))
        } else {
            None
        }
    }
}

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

/// Which kinds of characters a password has.
#[derive(Clone, Copy)]
struct Kinds {
    uppercase: bool,
    lowercase: bool,
    numbers: bool,
    symbols: bool,
}

impl Kinds {
    fn of(password: &str) -> Self {
        let any = |of: fn(char) -> bool| password.chars().any(of);
        Self {
            uppercase: any(|character| character.is_ascii_uppercase()),
            lowercase: any(|character| character.is_ascii_lowercase()),
            numbers: any(|character| character.is_ascii_digit()),
            symbols: any(|character| SYMBOLS.contains(character)),
        }
    }

    fn count(self) -> usize {
        [self.uppercase, self.lowercase, self.numbers, self.symbols].into_iter().filter(|has| *has).count()
    }
}

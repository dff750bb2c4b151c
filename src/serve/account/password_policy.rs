//! What passwords have to be like: an account's own rules.

use serde::{Deserialize, Serialize};

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
pub(super) const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";

impl PasswordPolicy {
    /// How many former passwords a policy can ask for.
    pub(in crate::serve) const MOST_REMEMBERED: usize = 24;

    /// Which rule a password breaks.
    pub(super) fn objection(&self, password: &str) -> Option<String> {
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

/// Which kinds of characters a password has.
#[derive(Clone, Copy)]
pub(super) struct Kinds {
    uppercase: bool,
    lowercase: bool,
    numbers: bool,
    symbols: bool,
}

impl Kinds {
    pub(super) fn of(password: &str) -> Self {
        let any = |of: fn(char) -> bool| password.chars().any(of);
        Self {
            uppercase: any(|character| character.is_ascii_uppercase()),
            lowercase: any(|character| character.is_ascii_lowercase()),
            numbers: any(|character| character.is_ascii_digit()),
            symbols: any(|character| SYMBOLS.contains(character)),
        }
    }

    pub(super) fn count(self) -> usize {
        [self.uppercase, self.lowercase, self.numbers, self.symbols].into_iter().filter(|has| *has).count()
    }
}

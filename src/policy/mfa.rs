//! The MFA keys of a request's context, and when they are there.
//!
//! | credentials | [`PRESENT`] | [`AGE`] |
//! |---|---|---|
//! | a long-term access key | absent | absent |
//! | temporary, made without MFA | `false` | absent |
//! | temporary, made with MFA | `true` | seconds since |
//!
//! So `Bool` on `"false"` doesn't catch a long-term key, and `BoolIfExists` does; and `Null` on the age catches
//! anything made without MFA.

use super::context::Context;
use crate::time::Timestamp;

/// Whether MFA was used to make the temporary credentials; long-term ones don't say.
pub const PRESENT: &str = "aws:MultiFactorAuthPresent";

/// How many seconds ago it was used, if it was.
pub const AGE: &str = "aws:MultiFactorAuthAge";

/// What a request was signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// An access key of a user.
    LongTerm,
    /// Of `GetSessionToken` or `AssumeRole`.
    Temporary {
        /// When a code was accepted for them; `None` without MFA.
        authenticated: Option<Timestamp>,
    },
}

impl Credentials {
    /// Writes both keys into a context, or takes them out of it: nobody else's word on them counts.
    pub fn apply(self, now: Timestamp, context: &mut Context) {
        context.remove(PRESENT);
        context.remove(AGE);
        if let Self::Temporary { authenticated } = self {
            context.set(PRESENT, [authenticated.is_some().to_string()]);
            if let Some(then) = authenticated {
                context.set(AGE, [now.as_unix().saturating_sub(then.as_unix()).to_string()]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_there_as_aws_has_them() {
        let keys = |credentials: Credentials, now| {
            let mut context = Context::from_iter([("aws:multifactorauthpresent", "true"), (AGE, "1")]);
            credentials.apply(Timestamp::from_unix(now), &mut context);
            [PRESENT, AGE].map(|key| context.get(key).map(|values| values.join(" ")))
        };
        let with = Credentials::Temporary { authenticated: Some(Timestamp::from_unix(1_000)) };
        assert_eq!(keys(Credentials::LongTerm, 0), [None, None]);
        assert_eq!(keys(Credentials::Temporary { authenticated: None }, 0), [Some("false".into()), None]);
        assert_eq!(keys(with, 1_042), [Some("true".into()), Some("42".into())]);
        assert_eq!(keys(with, 999), [Some("true".into()), Some("0".into())]);
    }
}

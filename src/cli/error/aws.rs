//! What the AWS flows fail with, and what to do about it.

use super::{Error, Kind};
use crate::aws::denied::{Bite, Denied, Extent, Reason};
use crate::aws::explain::Cause;
use crate::aws::{self, Refusal, credentials, settings};
use crate::cli::environment;
use crate::cli::{hints, stand_in};
use crate::device;

impl From<settings::Error> for Error {
    fn from(error: settings::Error) -> Self {
        use settings::Error as E;
        let failure = Self::new(Kind::Usage, "aws-settings", error.to_string());
        match error {
            E::NoProfile { nearest: Some(nearest), .. } => failure.hint(hints::did_you_mean(&nearest)),
            E::NoProfile { known, .. } if known.is_empty() => failure.hint(hints::aws::MAKE_PROFILE),
            E::NoProfile { known, .. } => failure.hint(hints::aws::profiles(&known)),
            E::PlainHttp { .. } => failure.hint(hints::aws::HTTPS),
            E::Unsupported { .. } => failure.hint(hints::aws::GIVE_ENDPOINT),
            _ => failure,
        }
    }
}

impl From<credentials::Error> for Error {
    fn from(error: credentials::Error) -> Self {
        use credentials::Error as E;
        let code = match &error {
            E::Unsupported { .. } => "aws-unsupported",
            E::None { .. } => "aws-no-credentials",
            _ => "aws-credentials",
        };
        let failure = Self::new(Kind::Usage, code, error.to_string());
        match error {
            E::None { .. } => failure.hint(hints::aws::SET_KEYS).hint(hints::aws::EXPORT),
            E::Unsupported { profile: None, .. } => failure.hint(hints::aws::EXPORT),
            E::Unsupported { profile: Some(profile), .. } => {
                // A name that can't be quoted has a NUL, which no file's name or argument has either.
                let profile = shlex::try_quote(&profile).unwrap_or_default();
                failure.hint(hints::aws::export_profile(&profile)).hint(hints::aws::profile_of_process(&profile))
            }
            E::Loop { .. } => failure.hint(hints::aws::LONG_TERM_THERE),
            E::NoSource { .. } => failure.hint(hints::aws::SOURCE_PROFILE),
            _ => failure,
        }
    }
}

impl From<aws::Error> for Error {
    fn from(error: aws::Error) -> Self {
        use aws::Error as E;
        let message = error.to_string();
        match error {
            E::Device(device::Error::NoPairYet { ready, wait, .. }) => {
                Self::new(Kind::No, "no-pair-yet", message).available(ready, wait).hint(hints::aws::newer_pair(ready))
            }
            E::Device(device::Error::NoFreeStep { free, wait, .. }) => {
                Self::new(Kind::No, "no-free-step", message).available(free, wait)
            }
            E::Device(error) => error.into(),
            E::Interrupted(aws::Interrupted { signal }) => Self::interrupted(signal).hint(hints::aws::CONTINUE),
            E::StandsStill { endpoint, seconds, until, .. } if !endpoint.contains("://") => {
                Self::new(Kind::No, "time-stands-still", message)
                    .available(until, seconds)
                    .hint(hints::serve::SERVICES_CLOCK)
            }
            E::StandsStill { endpoint, seconds, until, .. } => Self::new(Kind::No, "time-stands-still", message)
                .available(until, seconds)
                .hint(hints::serve::advance(&stand_in::command(&endpoint, seconds))),
            E::TooShort { .. } => {
                Self::new(Kind::No, "aws-session-too-short", message).hint(hints::aws::LONGER_SESSION)
            }
            E::Locked { holder, .. } => {
                let failure = Self::new(Kind::Storage, "locked", message);
                match holder.process() {
                    Some(process) => failure.hint(hints::aws::end_process(process)),
                    None => failure.hint(hints::aws::END_IT),
                }
            }
            E::Refused(refusal) => refused(refusal),
            E::Explained { cause, refusal } => explained(&cause).said_by_aws(refusal),
            E::Denied { denied, refusal } => is_denied(&denied, message).said_by_aws(refusal),
            E::Unreachable { perhaps_done: true, .. } => {
                Self::new(Kind::Remote, "aws-unreachable", message).hint(hints::aws::LOOK_FIRST)
            }
            E::Unreachable { reason, .. } if reason.contains("certificate") => {
                Self::new(Kind::Remote, "aws-unreachable", message).hint(hints::aws::CA_BUNDLE)
            }
            E::Unreachable { reason, .. } if reason.contains("lookup address") => {
                Self::new(Kind::Remote, "aws-unreachable", message).hint(hints::aws::REGION)
            }
            E::Unreachable { reason, .. } if reason.contains("isn't this machine") => {
                Self::new(Kind::Usage, "aws-plain-http", message).hint(hints::aws::HTTPS)
            }
            E::Unreachable { endpoint, .. } => {
                let failure = Self::new(Kind::Remote, "aws-unreachable", message);
                stand_in::hint(&endpoint).into_iter().fold(failure, Self::hint)
            }
            E::Unreadable { .. } => Self::new(Kind::Remote, "aws-unreadable", message).hint(hints::aws::IS_IT_AWS),
            E::Unsigned { .. } => Self::new(Kind::Remote, "aws-unsigned", message),
            E::Lock { source, path } => match crate::file::unwritable(&source) {
                Some(reason) => Self::new(Kind::Storage, "lock", format!("{path} can't be written: {reason}"))
                    .hint(hints::MAKE_WRITABLE),
                None => Self::new(Kind::Storage, "lock", message),
            },
            E::NoEnd { .. } => Self::new(Kind::Remote, "aws-no-end", message).hint(hints::aws::ANOTHER_PROGRAM),
            E::NoSerial(_) => Self::new(Kind::No, "aws-no-serial", message).hint(hints::aws::FIRST_SESSION),
            E::OtherAccount { .. } => Self::new(Kind::No, "aws-other-account", message).hint(hints::aws::OTHER_KEYS),
            E::Temporary => Self::new(Kind::No, "aws-temporary", message)
                .hint(hints::aws::LONG_TERM)
                .hint(hints::aws::ROLE_BY_ARN)
                .hint(hints::aws::SESSION_LEFT),
            E::NeedsSession { .. } => {
                Self::new(Kind::No, "aws-needs-session", message).hint(hints::aws::SIGN_IN_ELSEWHERE)
            }
            E::NameTaken { name, .. } => {
                Self::new(Kind::No, "name-taken", message).hint(hints::aws::other_name(name.as_str()))
            }
            E::EnabledElsewhere { serial, user } => Self::new(Kind::No, "aws-enabled-elsewhere", message)
                .hint(hints::aws::USE_THE_APP)
                .hint(hints::aws::administrator(&serial, Some(&user))),
            E::OfAnother { .. } => Self::new(Kind::No, "aws-of-another", message).hint(hints::aws::WHOSE),
            E::Orphan { serial, refusal } => Self::new(Kind::No, "aws-orphan", message)
                .hint(hints::aws::ENABLE_FROM_THERE)
                .hint(hints::aws::administrator(&serial, None))
                .hint(hints::aws::NO_DELETION)
                .said_by_aws(refusal),
            E::NotThere { ref name, .. } => {
                Self::new(Kind::No, "aws-not-there", message).hint(hints::aws::gone(name.as_str()))
            }
            E::OtherSecret { ref name, .. } => {
                Self::new(Kind::No, "aws-other-secret", message).hint(hints::aws::created_again(name.as_str()))
            }
        }
    }
}

/// A refusal that nobody explained.
fn refused(refusal: Box<Refusal>) -> Error {
    let failure = Error::new(Kind::Remote, "aws-refused", refusal.to_string());
    let failure = match refusal.code.as_str() {
        "InvalidClientTokenId" | "UnrecognizedClientException" => {
            let failure = failure.hint(hints::aws::WHICH_KEY);
            let left = environment::variable("AWS_SESSION_TOKEN").is_some();
            if left { failure.hint(hints::aws::SESSION_LEFT) } else { failure }
        }
        "SignatureDoesNotMatch" => failure.hint(hints::aws::SECRET_DIFFERS),
        "ExpiredToken" | "ExpiredTokenException" => failure.hint(hints::aws::SESSION_OVER),
        "EntityTemporarilyUnmodifiable" => failure.hint(hints::aws::SOME_MINUTES),
        "LimitExceeded" => failure.hint(hints::aws::QUOTA),
        "NoSuchEntity" if refusal.message.contains("user with name") => failure.hint(hints::aws::LIST_USERS),
        "NoSuchEntity" => failure.hint(hints::aws::STATUS),
        _ => failure,
    };
    failure.said_by_aws(refusal)
}

/// A call that policies deny.
fn is_denied(denied: &Denied, message: String) -> Error {
    let failure = Error::new(Kind::No, "aws-denied", message);
    let with_mfa = denied.allowed_with_mfa == Some(true)
        || denied.by.iter().any(|rule| matches!(rule.bite, Bite::DeniesWithoutMfa | Bite::AllowsWithMfa));
    let failure = match denied.reason {
        Reason::OwnDevices => failure.hint(hints::aws::WITH_MFA),
        Reason::Temporary => failure.hint(hints::aws::LONG_TERM),
        _ if with_mfa && denied.mfa == Some(true) => failure.hint(hints::aws::FRESH_SESSION),
        _ if with_mfa => failure.hint(hints::aws::WITH_MFA),
        Reason::Policies => failure.hint(hints::aws::ask_to_allow(&denied.action)),
        _ => failure,
    };
    match denied.seen.extent() {
        Extent::Some | Extent::Nothing if denied.explicit != Some(false) => failure.hint(hints::aws::OTHERS_MAY_DENY),
        _ => failure,
    }
}

fn explained(cause: &Cause) -> Error {
    let new = |code, message: String| Error::new(Kind::No, code, message);
    let message = cause.to_string();
    match cause {
        Cause::NoDevice { .. } => new("aws-wrong-serial", message).hint(hints::aws::OWN_ARN),
        Cause::Unassigned { .. } => new("aws-not-enabled", message).hint(hints::aws::ENABLE),
        Cause::OfAnother { .. } => new("aws-of-another", message).hint(hints::aws::OTHER_KEYS),
        Cause::NotThere { .. } => new("aws-not-there", message).hint(hints::aws::STATUS),
        Cause::NotOfUser { .. } => new("aws-not-enabled", message).hint(hints::aws::ENABLE_OR_OTHER),
        Cause::NotYet { from, .. } => new("aws-not-yet", message).hint(hints::aws::retry_from(from)),
        Cause::Budget { until, .. } => {
            new("aws-budget", message).hint(hints::aws::retry_from(until)).hint(hints::aws::KEEP_SESSION)
        }
        Cause::Clock { .. } => new("aws-clock", message).hint(hints::aws::SET_CLOCK),
        Cause::Drift { name, .. } => new("aws-drift", message).hint(hints::aws::mend_drift(name)),
        Cause::Used => new("aws-code-refused", message).hint(hints::aws::RETRY),
        Cause::Anew { name, .. } => new("aws-other-secret", message).hint(hints::aws::old_secret(name)),
        Cause::OutOfSync { name } => new("aws-out-of-sync", message).hint(hints::aws::resync(name)),
        _ => new("aws-unknown", message).hint(hints::aws::MAY_BE),
    }
}

//! What the AWS flows fail with, and what to do about it.

use super::{Error, Kind};
use crate::aws::denied::{Bite, Denied, Extent, Reason};
use crate::aws::explain::Cause;
use crate::aws::{self, Refusal, credentials, settings};
use crate::cli::stand_in;
use crate::device;

impl From<settings::Error> for Error {
    fn from(error: settings::Error) -> Self {
        use settings::Error as E;
        let failure = Self::new(Kind::Usage, "aws-settings", error.to_string());
        match error {
            E::NoProfile { nearest: Some(nearest), .. } => failure.hint(format!("did you mean `{nearest}`?")),
            E::NoProfile { known, .. } if known.is_empty() => failure.hint("`aws configure` makes one"),
            E::NoProfile { known, .. } => failure.hint(format!("there are: {}", listed(&known))),
            E::PlainHttp { .. } => failure.hint("use https://, or --plain-http on a private test network"),
            E::Unsupported { .. } => failure
                .hint("give the endpoint itself: --endpoint-url, or AWS_ENDPOINT_URL_IAM and AWS_ENDPOINT_URL_STS"),
            _ => failure,
        }
    }
}

/// The first of a list, in words.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
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
            E::None { .. } => failure
                .hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile: --profile")
                .hint("credentials of EC2 and containers: eval \"$(aws configure export-credentials --format env)\""),
            E::Unsupported { profile: None, .. } => {
                failure.hint("the AWS CLI reads them: eval \"$(aws configure export-credentials --format env)\"")
            }
            E::Unsupported { profile: Some(profile), .. } => {
                // A name that can't be quoted has a NUL, which no file's name or argument has either.
                let profile = shlex::try_quote(&profile).unwrap_or_default();
                let export = format!("aws configure export-credentials --profile {profile}");
                failure
                    .hint(format!("the AWS CLI reads it: eval \"$({export} --format env)\""))
                    .hint(format!("or another profile with credential_process = {export}"))
            }
            E::Loop { .. } => {
                failure.hint("in that credential_process, name the profile that has the long-term keys: --profile")
            }
            E::NoSource { .. } => failure.hint("source_profile names the profile whose keys assume the role"),
            _ => failure,
        }
    }
}

impl From<aws::Error> for Error {
    fn from(error: aws::Error) -> Self {
        use aws::Error as E;
        let message = error.to_string();
        match error {
            E::Device(device::Error::NoPairYet { ready, wait, .. }) => Self::new(Kind::No, "no-pair-yet", message)
                .available(ready, wait)
                .hint(format!("IAM takes no pair that isn't newer than the last one: try again from {ready} on")),
            E::Device(device::Error::NoFreeStep { free, wait, .. }) => {
                Self::new(Kind::No, "no-free-step", message).available(free, wait)
            }
            E::Device(error) => error.into(),
            E::Interrupted(aws::Interrupted { signal }) => {
                Self::interrupted(signal).hint("run the same command again to continue")
            }
            E::StandsStill { endpoint, seconds, until, .. } if !endpoint.contains("://") => {
                Self::new(Kind::No, "time-stands-still", message)
                    .available(until, seconds)
                    .hint("leave it out to use the service's own clock")
            }
            E::StandsStill { endpoint, seconds, until, .. } => Self::new(Kind::No, "time-stands-still", message)
                .available(until, seconds)
                .hint(format!("advance it: `{}`, or --jump", stand_in::command(&endpoint, seconds))),
            E::TooShort { .. } => {
                Self::new(Kind::No, "aws-session-too-short", message).hint("ask for a longer one with --duration, or for less with --min-remaining")
            }
            E::Locked { holder, .. } => {
                let failure = Self::new(Kind::Storage, "locked", message);
                match holder.process() {
                    Some(process) => failure.hint(format!("try again later; if it hangs (`ps -p {process}` shows it), end it")),
                    None => failure.hint("try again later; if it hangs, end it"),
                }
            }
            E::Refused(refusal) => refused(refusal),
            E::Explained { cause, refusal } => explained(&cause).said_by_aws(refusal),
            E::Denied { denied, refusal } => is_denied(&denied, message).said_by_aws(refusal),
            E::Unreachable { perhaps_done: true, .. } => Self::new(Kind::Remote, "aws-unreachable", message)
                .hint("whether it was done isn't known: the same command again looks first"),
            E::Unreachable { reason, .. } if reason.contains("certificate") => {
                Self::new(Kind::Remote, "aws-unreachable", message)
                    .hint("behind a proxy that reads along: AWS_CA_BUNDLE names its certificates")
            }
            E::Unreachable { reason, .. } if reason.contains("lookup address") => {
                Self::new(Kind::Remote, "aws-unreachable", message).hint("is the region right, and the network there?")
            }
            E::Unreachable { reason, .. } if reason.contains("isn't this machine") => {
                Self::new(Kind::Usage, "aws-plain-http", message)
                    .hint("use https://, or --plain-http on a private test network")
            }
            E::Unreachable { endpoint, .. } => {
                let failure = Self::new(Kind::Remote, "aws-unreachable", message);
                stand_in::hint(&endpoint).into_iter().fold(failure, Self::hint)
            }
            E::Unreadable { .. } => Self::new(Kind::Remote, "aws-unreadable", message)
                .hint("is the endpoint IAM and STS, or a proxy or another service?"),
            E::Unsigned { .. } => Self::new(Kind::Remote, "aws-unsigned", message),
            E::Lock { source, path } => match crate::file::unwritable(&source) {
                Some(reason) => Self::new(Kind::Storage, "lock", format!("{path} can't be written: {reason}"))
                    .hint(super::MAKE_WRITABLE),
                None => Self::new(Kind::Storage, "lock", message),
            },
            E::NoEnd { .. } => {
                Self::new(Kind::Remote, "aws-no-end", message).hint("is another program at the same device?")
            }
            E::NoSerial(_) => Self::new(Kind::No, "aws-no-serial", message)
                .hint("one that was added from a picture of AWS gets it with its first session: vmfa aws session NAME"),
            E::OtherAccount { .. } => {
                Self::new(Kind::No, "aws-other-account", message).hint("whose keys are these? --profile names others")
            }
            E::Temporary => Self::new(Kind::No, "aws-temporary", message)
                .hint(
                    "name the profile that has the long-term keys: --profile; a role by --role-arn, not by its profile",
                )
                .hint("AWS_SESSION_TOKEN may be left from another session"),
            E::NeedsSession { .. } => Self::new(Kind::No, "aws-needs-session", message).hint(
                "its secret isn't here: sign in with it elsewhere, and set AWS_SESSION_TOKEN and the keys with it",
            ),
            E::NameTaken { name, .. } => Self::new(Kind::No, "name-taken", message).hint(format!(
                "give this one another name here: vmfa aws enable OTHER; `vmfa show {name}` tells what has it"
            )),
            E::EnabledElsewhere { serial, user } => Self::new(Kind::No, "aws-enabled-elsewhere", message)
                .hint("AWS shows a secret once: use the app that has it, or deactivate and delete the device first")
                .hint(administrator(&serial, Some(&user))),
            E::OfAnother { .. } => Self::new(Kind::No, "aws-of-another", message)
                .hint("whose is it? --user NAME; a new device may have another name at AWS: --device-name NAME"),
            E::Orphan { serial, refusal } => Self::new(Kind::No, "aws-orphan", message)
                .hint("AWS shows a secret once: if another app or VMFA_HOME has it, enable it from there")
                .hint(administrator(&serial, None))
                .hint("don't allow deletion without MFA instead: whoever has the keys could then delete devices")
                .said_by_aws(refusal),
            E::NotThere { ref name, .. } => Self::new(Kind::No, "aws-not-there", message)
                .hint(format!("are these the right keys and endpoint? If it was deleted there: `vmfa remove {name}`, then enable a new one")),
            E::OtherSecret { ref name, .. } => Self::new(Kind::No, "aws-other-secret", message).hint(format!(
                "are these the right keys and endpoint? If somebody created it again and its secret is nowhere: `vmfa remove {name}`, and enable a new one"
            )),
        }
    }
}

/// What an administrator does about a device that the user can't delete.
fn administrator(serial: &str, assigned: Option<&str>) -> String {
    let delete = format!("aws iam delete-virtual-mfa-device --serial-number {serial}");
    match assigned {
        Some(user) => format!(
            "an administrator: aws iam deactivate-mfa-device --user-name {user} --serial-number {serial} && {delete}"
        ),
        None => format!("an administrator: {delete}"),
    }
}

/// A refusal that nobody explained.
fn refused(refusal: Box<Refusal>) -> Error {
    let failure = Error::new(Kind::Remote, "aws-refused", refusal.to_string());
    let failure = match refusal.code.as_str() {
        "InvalidClientTokenId" | "UnrecognizedClientException" => {
            failure.hint("the access key isn't known, or not active: which one is used? --debug tells")
        }
        "SignatureDoesNotMatch" => failure.hint("the secret access key doesn't fit the access key"),
        "ExpiredToken" | "ExpiredTokenException" => failure.hint(
            "these session keys are over: unset AWS_SESSION_TOKEN and the keys with it, or name a profile by --profile",
        ),
        "EntityTemporarilyUnmodifiable" => failure.hint("AWS wants some minutes before it is changed again"),
        "LimitExceeded" => failure.hint("a user has eight devices at most; an account has a quota of virtual devices"),
        "NoSuchEntity" if refusal.message.contains("user with name") => {
            failure.hint("is the user's name right? `aws iam list-users`")
        }
        "NoSuchEntity" => failure.hint("`vmfa aws status` shows what there is"),
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
        Reason::OwnDevices => {
            failure.hint("sign with a session of a device that is enabled: vmfa aws exec DEVICE -- COMMAND")
        }
        Reason::Temporary => failure.hint("name the profile that has the long-term keys: --profile"),
        _ if with_mfa && denied.mfa == Some(true) => {
            failure.hint("a session made with MFA just now is wanted: vmfa aws session DEVICE --fresh")
        }
        _ if with_mfa => failure.hint("with MFA it is another matter: vmfa aws exec DEVICE -- COMMAND"),
        Reason::Policies => failure.hint(format!("ask an administrator to allow {}", denied.action)),
        _ => failure,
    };
    match denied.seen.extent() {
        Extent::Some | Extent::Nothing if denied.explicit != Some(false) => {
            failure.hint("not all policies may be read: others may deny it as well")
        }
        _ => failure,
    }
}

fn explained(cause: &Cause) -> Error {
    let new = |code, message: String| Error::new(Kind::No, code, message);
    let message = cause.to_string();
    match cause {
        Cause::NoDevice { .. } => {
            new("aws-wrong-serial", message).hint("the serial number is the device's own ARN, not the user's: `vmfa aws status`")
        }
        Cause::Unassigned { .. } => new("aws-not-enabled", message).hint("`vmfa aws enable` enables it"),
        Cause::OfAnother { .. } => {
            new("aws-of-another", message).hint("whose keys are these? --profile names others")
        }
        Cause::NotThere { .. } => new("aws-not-there", message).hint("`vmfa aws status` shows what there is"),
        Cause::NotOfUser { .. } => {
            new("aws-not-enabled", message).hint("`vmfa aws enable` enables it; or are these another user's keys?")
        }
        Cause::NotYet { from, .. } => {
            new("aws-not-yet", message).hint(format!("try again from {from} on; without --no-retry that is waited for"))
        }
        Cause::Budget { until, .. } => new("aws-budget", message)
            .hint(format!("try again from {until} on; without --no-retry that is waited for"))
            .hint("one session is enough for many commands: `vmfa aws session` keeps it"),
        Cause::Clock { .. } => new("aws-clock", message)
            .hint("set it right, or leave --clock and VMFA_CLOCK out: AWS's own clock is used then"),
        Cause::Drift { name, .. } => new("aws-drift", message).hint(format!("`vmfa drift {name} --clear`, or `vmfa aws resync {name}`")),
        Cause::Used => new("aws-code-refused", message).hint("without --no-retry another one is tried"),
        Cause::Anew { name, .. } => {
            new("aws-other-secret", message).hint(format!("the secret of `{name}` is an old one: where is the new one?"))
        }
        Cause::OutOfSync { name } => new("aws-out-of-sync", message).hint(format!("vmfa aws resync {name}")),
        _ => new("aws-unknown", message)
            .hint("a wrong serial number, a device enabled seconds ago, nine codes in three minutes, or somebody else's device"),
    }
}

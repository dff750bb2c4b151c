//! IAM and STS, and the keys for them.

use super::word;

// The settings can't be used.

pub(in crate::cli) const MAKE_PROFILE: &str = "`aws configure` makes one";
pub(in crate::cli) const HTTPS: &str = "use https://, or --plain-http on a private test network";
pub(in crate::cli) const GIVE_ENDPOINT: &str =
    "give the endpoint itself: --endpoint-url, or AWS_ENDPOINT_URL_IAM and AWS_ENDPOINT_URL_STS";

/// Some of all profiles.
pub(in crate::cli) fn profiles(names: &[String]) -> String {
    super::there_are(names, 12)
}

// There are no keys, or others than are needed.

pub(in crate::cli) const SET_KEYS: &str =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile: --profile NAME";
pub(in crate::cli) const EXPORT: &str =
    "if the AWS CLI has others (of EC2, a container): eval \"$(aws configure export-credentials --format env)\"";
pub(in crate::cli) const LONG_TERM: &str = "name the profile that has the long-term keys: --profile NAME";
pub(in crate::cli) const LONG_TERM_THERE: &str =
    "in that credential_process, name the profile that has the long-term keys: --profile NAME";
pub(in crate::cli) const ROLE_BY_ARN: &str = "for a role: --role-arn, not its profile";
pub(in crate::cli) const SOURCE_PROFILE: &str = "set source_profile to the profile whose keys assume the role";
pub(in crate::cli) const SESSION_LEFT: &str = "if AWS_SESSION_TOKEN is left from another session: unset it";
pub(in crate::cli) const SESSION_OVER: &str =
    "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN, or name a profile: --profile NAME";
pub(in crate::cli) const WHICH_KEY: &str =
    "the access key (--debug shows it) is unknown there, or not active; a stand-in makes new keys when it starts";
pub(in crate::cli) const SECRET_DIFFERS: &str = "check the secret access key: it doesn't fit the access key";
pub(in crate::cli) const OTHER_KEYS: &str = "to use another user's keys: --profile NAME";

/// For the quoted name of a profile that only the AWS CLI reads.
pub(in crate::cli) fn export_profile(profile: &str) -> String {
    format!("the AWS CLI reads it: eval \"$(aws configure export-credentials --profile {profile} --format env)\"")
}

pub(in crate::cli) fn profile_of_process(profile: &str) -> String {
    format!("or another profile with credential_process = aws configure export-credentials --profile {profile}")
}

// No service is reached, or another one.

pub(in crate::cli) const LOOK_FIRST: &str =
    "run the same command again, which looks first: whether it was done isn't known";
pub(in crate::cli) const CA_BUNDLE: &str = "behind a proxy that reads along: set AWS_CA_BUNDLE to its certificates";
pub(in crate::cli) const REGION: &str = "check the region and the network";
pub(in crate::cli) const IS_IT_AWS: &str =
    "check the endpoint: a proxy or another service may be there instead of IAM and STS";

// Something else is at work, or was interrupted.

pub(in crate::cli) const CONTINUE: &str = "run the same command again to continue";
pub(in crate::cli) const END_IT: &str = "try again later; if it hangs, end it";
pub(in crate::cli) const ANOTHER_PROGRAM: &str = "end any other program that works on the same device, and try again";

pub(in crate::cli) fn end_process(process: u32) -> String {
    format!("try again later; if it hangs (`ps -p {process}` shows it), end it")
}

// A code was refused, or can't be given yet.

pub(in crate::cli) const KEEP_SESSION: &str = "one session is enough for many commands: `vmfa aws session` keeps it";
pub(in crate::cli) const SET_CLOCK: &str =
    "set it right, or leave --clock and VMFA_CLOCK out: AWS's own clock is used then";
pub(in crate::cli) const RETRY: &str = "leave out --no-retry: another one is tried then";
pub(in crate::cli) const MAY_BE: &str = "check for a wrong serial number, a device enabled seconds ago, nine codes in three minutes, or somebody else's device";

pub(in crate::cli) fn retry_from(time: impl std::fmt::Display) -> String {
    format!("try again from {time} on, or leave out --no-retry to wait")
}

pub(in crate::cli) fn newer_pair(ready: impl std::fmt::Display) -> String {
    format!("try again from {ready} on: IAM takes no pair that isn't newer than the last one")
}

pub(in crate::cli) fn mend_drift(device: &str) -> String {
    let device = word(device);
    format!("`vmfa drift {device} --clear`, or `vmfa aws resync {device}`")
}

pub(in crate::cli) fn resync(device: &str) -> String {
    let device = word(device);
    format!("vmfa aws resync {device}")
}

pub(in crate::cli) fn old_secret(device: &str) -> String {
    format!("find the device with the new secret, or have it enabled again: the secret of `{device}` is an old one")
}

// The device isn't there, not enabled, or somebody else's.

pub(in crate::cli) const STATUS: &str = "`vmfa aws status` shows what there is";
pub(in crate::cli) const ENABLE: &str = "`vmfa aws enable` enables it";
pub(in crate::cli) const ENABLE_OR_OTHER: &str =
    "`vmfa aws enable` enables it; to use another user's keys: --profile NAME";
pub(in crate::cli) const WHOSE: &str =
    "name its user: --user NAME; or give a new device another name at AWS: --device-name NAME";
pub(in crate::cli) const OWN_ARN: &str =
    "the serial number is the device's own ARN, with `:mfa/` in it: `vmfa aws status` and `vmfa show NAME` show it";
pub(in crate::cli) const FIRST_SESSION: &str = "`vmfa aws status` shows whose keys these are, and the devices there; to name the right one: \
     vmfa edit NAME --serial ARN";
pub(in crate::cli) const SIGN_IN_ELSEWHERE: &str =
    "its secret isn't here: sign in with it elsewhere, and set AWS_SESSION_TOKEN and the keys with it";

pub(in crate::cli) fn serial_of_profile(profile: &str) -> String {
    format!("`mfa_serial` of profile `{profile}` names it; `vmfa list --json` shows those that are here")
}

pub(in crate::cli) fn gone(device: &str) -> String {
    let device = word(device);
    format!("check the keys and the endpoint; if it was deleted there: `vmfa remove {device}`, then enable a new one")
}

pub(in crate::cli) fn created_again(device: &str) -> String {
    let device = word(device);
    format!(
        "check the keys and the endpoint; if somebody created it again and its secret is nowhere: `vmfa remove {device}`, \
         then enable a new one"
    )
}

pub(in crate::cli) fn remove_here(device: &str) -> String {
    let device = word(device);
    format!("check the keys and the endpoint; if they are right: vmfa remove {device}")
}

// The secret is in another app, or nowhere.

pub(in crate::cli) const USE_THE_APP: &str =
    "AWS shows a secret once: use the app that has it, or deactivate and delete the device first";
pub(in crate::cli) const ENABLE_FROM_THERE: &str =
    "AWS shows a secret once: if another app or VMFA_HOME has it, enable it from there";
pub(in crate::cli) const NO_DELETION: &str =
    "don't allow deletion without MFA instead: anyone with the keys could then delete devices";

/// What an administrator does about a device that the user can't delete; first for the user whom it is assigned to.
pub(in crate::cli) fn administrator(serial: &str, assigned: Option<&str>) -> String {
    let delete = format!("aws iam delete-virtual-mfa-device --serial-number {serial}");
    match assigned {
        Some(user) => format!(
            "an administrator: aws iam deactivate-mfa-device --user-name {user} --serial-number {serial} && {delete}"
        ),
        None => format!("an administrator: {delete}"),
    }
}

// A name is taken, or means something else.

pub(in crate::cli) const OWN_NAME: &str =
    "policies for self-managed MFA only allow the user's own name for the device: leave --device-name out";

pub(in crate::cli) fn other_name(taken: &str) -> String {
    let taken = word(taken);
    format!("give this one another name here: vmfa aws enable OTHER; `vmfa show {taken}` tells what has it")
}

pub(in crate::cli) fn rename(known: &str, name: &str) -> String {
    let (known, name) = (word(known), word(name));
    format!("to rename it: vmfa rename {known} {name}")
}

pub(in crate::cli) fn go_on_with(known: &str) -> String {
    let known = word(known);
    format!("to go on with it: vmfa aws enable {known}")
}

pub(in crate::cli) fn another_device(serial: &str) -> String {
    format!("{serial} is taken; to make another device for the user: --device-name NAME")
}

pub(in crate::cli) fn prefix(text: &str) -> String {
    format!("`{text}/` puts it before their names; left out, devices are named after their users")
}

// Whose device is meant isn't clear.

pub(in crate::cli) const IN_CONSOLE: &str =
    "the root user's device is enabled in the console; `vmfa add` keeps its secret";
pub(in crate::cli) const FOR_USER: &str = "for another user: --user NAME";
pub(in crate::cli) const NAME_USER: &str = "name the user: --user NAME";
pub(in crate::cli) const LIST_USERS: &str = "`aws iam list-users` lists the users' names";

// Policies deny it.

pub(in crate::cli) const WITH_MFA: &str = "sign with a session of an enabled device: vmfa aws exec DEVICE -- COMMAND";
pub(in crate::cli) const FRESH_SESSION: &str = "make a new session with MFA: vmfa aws session DEVICE --fresh";
pub(in crate::cli) const OTHERS_MAY_DENY: &str =
    "other policies may deny it, too: you can't read all of them, but an administrator can";

pub(in crate::cli) fn ask_to_allow(action: impl std::fmt::Display) -> String {
    format!("ask an administrator to allow {action}")
}

pub(in crate::cli) fn serial_in_source(source: &str, profile: &str) -> String {
    format!(
        "move `mfa_serial` from profile `{source}` to profile `{profile}`, which has the role_arn: it counts there only, so \
         no code was sent"
    )
}

// AWS says what is wrong.

pub(in crate::cli) const SOME_MINUTES: &str = "wait some minutes: AWS wants them before it is changed again";
pub(in crate::cli) const QUOTA: &str =
    "remove a device that is not used: a user has eight at most, and an account has a quota";

// A session is too short.

pub(in crate::cli) const LONGER_SESSION: &str =
    "ask for a longer session with --duration, or for less with --min-remaining";

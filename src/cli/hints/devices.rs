//! Devices, their codes and pairs.

use super::word;

// There is no such device.

pub(in crate::cli) const NO_DEVICES: &str = "there are no devices yet: vmfa add NAME SOURCE";
pub(in crate::cli) const LIST: &str = "`vmfa list` shows them all";
pub(in crate::cli) const LIST_FOR_PATTERN: &str =
    "`vmfa list` shows them all; `*` matches anything but `/`, `**` that too";
pub(in crate::cli) const NO_POOL: &str = "only `vmfa code --fresh` takes a pool of devices";
pub(in crate::cli) const LOOKS_LIKE_CODE: &str = "that looks like a code: the device's name comes first";

pub(in crate::cli) fn no_home(home: &str) -> String {
    let tilde = if home.starts_with('~') { "; in quotes, the shell leaves `~` as it is" } else { "" };
    format!("VMFA_HOME is {home}, which doesn't exist{tilde}")
}

pub(in crate::cli) fn looked_in(registry: &str) -> String {
    format!("devices are looked for in {registry}; VMFA_HOME names another home")
}

#[cfg(any(feature = "postgres", feature = "dynamodb"))]
pub(in crate::cli) fn looked_in_database(url: &str) -> String {
    format!("devices are looked for in {url}; VMFA_REGISTRY names another registry")
}

pub(in crate::cli) fn did_you_mean(device: &str) -> String {
    format!("did you mean `{device}`? `vmfa list` shows them all")
}

pub(in crate::cli) fn is_source(place: &str) -> String {
    format!("that is a source: `vmfa code --from {place}` reads it, `vmfa add NAME {place}` keeps it")
}

// It is in the trash, or isn't.

pub(in crate::cli) const TRASH_EMPTY: &str = "the trash is empty: secrets stay there for 30 days";
pub(in crate::cli) const TRASH_LIST: &str = "`vmfa trash list` shows what is in it";

pub(in crate::cli) fn in_trash(device: &str) -> String {
    let device = word(device);
    format!("it is in the trash: vmfa trash restore {device}")
}

pub(in crate::cli) fn did_you_mean_in_trash(device: &str) -> String {
    format!("did you mean `{device}`? `vmfa trash list` shows all that is in it")
}

pub(in crate::cli) fn restore_as(device: &str) -> String {
    let device = word(device);
    format!("to restore it under another name: vmfa trash restore {device} --as NEW")
}

// A name can't be given.

pub(in crate::cli) const REPLACE: &str = "to replace it (it goes to the trash): --replace; or choose another name";
pub(in crate::cli) const ONE_BY_ONE: &str = "add them one by one, from pictures or URIs of their own";
pub(in crate::cli) const OTHER_ACCOUNT: &str =
    "give one of them another account in the source, or add them one by one, with names of their own";
pub(in crate::cli) const ADD_ALONE: &str = "add it alone, with a name of its own";
pub(in crate::cli) const LEAVE_SERIAL: &str = "leave out --serial";

/// For a source with several enrolments and a name that none of them got.
pub(in crate::cli) fn prefix_instead(name: &str, first: &str) -> String {
    format!(
        "to put `{name}/` before a name: vmfa rename {first} {name}/{first}; before all at once: vmfa add {name}/ SOURCE"
    )
}

/// By the words of the command line, as a shell takes them; without a name that may be shown.
pub(in crate::cli) fn name_first(name: Option<&str>, source: &str) -> String {
    format!("vmfa add {} {source}", name.unwrap_or("NAME"))
}

// It can't be changed like that.

pub(in crate::cli) const WHAT_TO_EDIT: &str =
    "such as --issuer, --account, --serial, --note, --algorithm, --digits, --period or --counter";
pub(in crate::cli) const TOTP_ALONE: &str = "a counter device has no period: --counter N moves its counter";
pub(in crate::cli) const HOTP_ALONE: &str = "a device that goes by time has no counter: --period SECONDS";

pub(in crate::cli) const STEAM: &str = "if its codes are Steam Guard's, add its secret key again: vmfa add NAME --replace --digits steam; if not, give it another issuer";

pub(in crate::cli) fn counter_from(next: u64) -> String {
    format!("its next code is that of counter {next}, and nothing before it is given twice: --counter {next} or more")
}

// Its secret isn't where it was.

pub(in crate::cli) const CHANGED: &str =
    "another program changed the item: have the service make a new secret, and add it with --replace";
pub(in crate::cli) const DELETED_LATER: &str = "two minutes from now, `vmfa doctor` deletes it";
pub(in crate::cli) const RESTORE_OR_REMOVE: &str = "restore them from a backup, or `vmfa remove` the devices";

pub(in crate::cli) fn other_vault(its: &str) -> String {
    format!("leave --vault out, or say --vault {its}")
}

// No code can be given now.

pub(in crate::cli) const WINDOW_OR_TIMEOUT: &str =
    "--window also takes unused codes near the current one, which the service accepts; --timeout waits longer";
pub(in crate::cli) const WINDOW_AT: &str =
    "with --at nothing is waited for; --window also takes unused codes near that time";
pub(in crate::cli) const LATER_AT: &str = "with --at nothing is waited for: give a later time";
pub(in crate::cli) const TIMEOUT: &str = "to wait longer: --timeout";

pub(in crate::cli) fn wait_for_it(seconds: u64) -> String {
    format!("to wait for it: --timeout {}m", seconds.div_ceil(60))
}

pub(in crate::cli) const SHORTER_VALIDITY: &str = "choose a shorter --min-validity, or allow other codes with --window";
pub(in crate::cli) const WAIT_FOR_PAIR: &str = "to wait for it: --wait";

pub(in crate::cli) fn release_pair(device: &str) -> String {
    let device = word(device);
    format!("if the last pair never reached the service: vmfa release {device} --pair")
}

pub(in crate::cli) fn measure_drift(device: &str) -> String {
    let device = word(device);
    format!("to measure another device of the same secret: vmfa drift {device} CODE CODE")
}

// A clock ran ahead, and all codes up to then count as handed out.

pub(in crate::cli) const NEW_SECRET: &str =
    "have the service make a new secret, and add it: vmfa add NAME SOURCE --replace";
pub(in crate::cli) const NEW_SECRET_AT_AWS: &str = "at AWS: vmfa aws disable NAME, then vmfa aws enable";
pub(in crate::cli) const RESTORED_AHEAD: &str =
    "if it ran ahead during `vmfa doctor --restored`: set it, and run that again";

// Nothing can be given back.

pub(in crate::cli) const COUNTER_GOES_ON: &str = "take the next code: the service accepts it as well";
pub(in crate::cli) const CODE_FORGOTTEN: &str = "check the code; one that passed long ago can't be given back";
pub(in crate::cli) const CLAIM_FORGOTTEN: &str =
    "check the device and the claim; one that is old, or was given back before, is no longer known";

pub(in crate::cli) fn release_codes(device: &str) -> String {
    let device = word(device);
    format!("give the codes of yours: vmfa release {device} CODE1 CODE2")
}

pub(in crate::cli) fn release_claim(device: &str, claim: impl std::fmt::Display) -> String {
    let device = word(device);
    format!("a code of this pair was shown; if nobody used it: `vmfa release {device} --claim {claim}`")
}

pub(in crate::cli) fn step(step: u64) -> String {
    format!("--step {step}")
}

// A code can't be read, or not verified.

pub(in crate::cli) const GIVE_CODE: &str = "give it behind the device's name, or by stdin";
pub(in crate::cli) const ALL_WORDS_ARE_CODES: &str = "with --from no device is named: all words are codes";
pub(in crate::cli) const DRY_RUN: &str = "to verify without remembering it: --dry-run";

pub(in crate::cli) fn leading_zeros(code: &str) -> String {
    format!("keep leading zeros, such as {code:0>6} for a device with six digits")
}

// A counter device has no clock, and a time device no counter.

pub(in crate::cli) const IN_ORDER: &str = "its codes come in order: leave out --at, --next and --previous";
pub(in crate::cli) const COUNTER_DRIFT: &str = "its counter is measured from codes: vmfa drift NAME CODE CODE";

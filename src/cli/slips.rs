//! Unknown commands: another tool's word for a command, a typing error, or a device's name.

use super::error::Error;
use super::help::TOPICS;
use super::home::Home;
use crate::name;
use crate::registry::Device;
use crate::registry::sqlite::Sqlite;

/// What others call it, and the command that does it.
const ELSEWHERE: [(&[&str], &str); 14] = [
    (&["get", "otp", "totp", "hotp", "token", "generate", "gen", "now", "show-code"], "vmfa code NAME"),
    (&["copy", "clip"], "vmfa code NAME --copy"),
    (&["delete", "del", "erase", "unenroll"], "vmfa remove NAME; `vmfa aws disable NAME` at AWS too"),
    (&["ls-devices", "devices", "status"], "vmfa list; `vmfa aws status` asks AWS"),
    (&["export", "backup", "dump", "reveal", "secret"], "vmfa uri NAME --reveal, or a QR code: vmfa qr NAME"),
    (&["import", "scan", "new", "create", "insert", "enrol", "enroll"], "vmfa add NAME SOURCE"),
    (&["restore"], "vmfa add NAME/ FILE, with the otpauth URIs of an export"),
    (&["check", "validate", "test"], "vmfa verify NAME CODE; `vmfa doctor` checks this machine"),
    (&["mv", "move"], "vmfa rename OLD NEW"),
    (&["edit", "update", "replace"], "vmfa add NAME SOURCE --replace, or vmfa rename OLD NEW"),
    (&["resync", "sync", "resynchronize"], "vmfa aws resync NAME; `vmfa pair NAME` gives two codes for other services"),
    (&["enable", "disable", "session", "exec", "assume-role", "login"], "vmfa aws enable, disable, session, exec"),
    (&["setup", "config", "configure"], "vmfa init"),
    (&["agent", "agents"], "vmfa mcp --allow NAME"),
];

/// The error for a command that isn't there. `path` is the command before it, such as `aws`; `words` the command line.
pub(super) fn unknown_command(given: &str, path: &[String], words: &[String], whole: &clap::Command) -> Error {
    let (path, help) = match path {
        [first, rest @ ..] if first == "help" => (rest, true),
        path => (path, false),
    };
    let parent = std::iter::once("vmfa").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let failure = Error::usage(format!("there is no command `{}`", [path, &[given.to_owned()]].concat().join(" ")));
    let all = if path.is_empty() { "`vmfa help` lists all commands and topics" } else { "its commands: " };
    let all = if path.is_empty() { all.to_owned() } else { format!("{all}{parent} --help") };
    if path.is_empty()
        && !help
        && let Some((_, here)) = ELSEWHERE.iter().find(|(names, _)| names.contains(&given))
    {
        return failure.hint(*here).hint(all);
    }
    let topic = || name::nearest(given, TOPICS.iter().map(|topic| topic.name)).filter(|_| help && path.is_empty());
    if let Some(near) = nearest_command(given, path, whole).or_else(|| topic().map(str::to_owned)) {
        let whole = if help { format!("vmfa help {near}") } else { format!("{parent} {near}") };
        return failure.hint(format!("did you mean `{whole}`?"));
    }
    match named(given, help) {
        Some((device, true)) => {
            let rest = words.iter().skip_while(|word| *word != given).skip(1).any(|word| !word.starts_with('-'));
            let failure = failure.hint(format!("`{device}` is a device; its code: vmfa code {device}"));
            if rest { failure.hint("the command comes first, then the device").hint(all) } else { failure }
        }
        Some((device, false)) => {
            failure.hint(format!("did you mean the device `{device}`? its code: vmfa code {device}")).hint(all)
        }
        None => failure.hint(all),
    }
}

/// The command of a parent that a slip of the fingers may have meant.
fn nearest_command(given: &str, path: &[String], whole: &clap::Command) -> Option<String> {
    let mut parent = whole;
    for name in path {
        parent = parent.find_subcommand(name)?;
    }
    let names: Vec<&str> = parent.get_subcommands().map(clap::Command::get_name).chain(["help"]).collect();
    // The beginning of just one.
    let mut begun = names.iter().filter(|name| given.len() >= 2 && name.starts_with(given));
    let only = begun.next().filter(|_| begun.next().is_none());
    name::nearest(given, names.iter().copied()).or(only.copied()).map(str::to_owned)
}

/// The device that a word names, and whether that is its very name, else a slip of the fingers.
fn named(word: &str, help: bool) -> Option<(String, bool)> {
    let devices = devices().filter(|_| !help)?;
    if let Some(device) = devices.iter().find(|device| *device == word) {
        return Some((device.clone(), true));
    }
    name::nearest(word, devices.iter().map(String::as_str)).map(|near| (near.to_owned(), false))
}

/// The names of all devices; `None` where the registry can't be read.
pub(super) fn devices() -> Option<Vec<String>> {
    known().map(|devices| devices.iter().map(|device| device.name.to_string()).collect())
}

/// All devices; `None` where the registry can't be read.
pub(super) fn known() -> Option<Vec<Device>> {
    let home = Home::find().ok()?;
    if !home.registry.exists() {
        return Some(Vec::new());
    }
    crate::device::active(&Sqlite::open(&home.registry).ok()?).ok()
}

/// Some names, for a hint.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => format!("there are {shown}"),
        more => format!("there are {shown} and {more} more: vmfa list"),
    }
}

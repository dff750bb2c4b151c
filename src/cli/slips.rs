//! Unknown commands: another tool's word for a command, a typing error, or a device's name.

use super::chosen_registry::is_elsewhere;
use super::error::Error;
use super::help::TOPICS;
use super::hints;
use super::home::Home;
use crate::name;
use crate::registry::Device;
use crate::registry::sqlite::Sqlite;

/// The error for a command that isn't there. `path` is the command before it, such as `aws`; `words` the command line.
pub(super) fn unknown_command(given: &str, path: &[String], words: &[String], whole: &clap::Command) -> Error {
    let (path, help) = match path {
        [first, rest @ ..] if first == "help" => (rest, true),
        path => (path, false),
    };
    let parent = std::iter::once("vmfa").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let failure = Error::usage(format!("there is no command `{}`", [path, &[given.to_owned()]].concat().join(" ")));
    let all = if path.is_empty() { hints::usage::ALL_COMMANDS.to_owned() } else { hints::usage::its_commands(&parent) };
    if path.is_empty()
        && !help
        && let Some((_, here)) = hints::usage::ELSEWHERE.iter().find(|(names, _)| names.contains(&given))
    {
        return failure.hint(*here).hint(all);
    }
    let topic = || name::nearest(given, TOPICS.iter().map(|topic| topic.name)).filter(|_| help && path.is_empty());
    if let Some(near) = nearest_command(given, path, whole).or_else(|| topic().map(str::to_owned)) {
        let whole = if help { format!("vmfa help {near}") } else { format!("{parent} {near}") };
        return failure.hint(hints::did_you_mean(&whole));
    }
    match named(given, help) {
        Some((device, true)) => {
            let rest = words.iter().skip_while(|word| *word != given).skip(1).any(|word| !word.starts_with('-'));
            let failure = failure.hint(hints::usage::is_device(&device));
            if rest { failure.hint(hints::usage::COMMAND_FIRST).hint(all) } else { failure }
        }
        Some((device, false)) => failure.hint(hints::usage::near_device(&device)).hint(all),
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
    if is_elsewhere(&home.config) {
        return None;
    }
    if !home.registry.exists() {
        return Some(Vec::new());
    }
    crate::device::active(&Sqlite::open(&home.registry).ok()?).ok()
}

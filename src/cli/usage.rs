//! What clap objects to, in this program's words, with the command that was probably meant.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::error::{Error, Result};
use super::{argv, hints, picker, slips};

/// Options that need another one beside them.
const NEEDS: [(&str, &[&str]); 6] = [
    ("--fresh", &["--window", "--timeout", "--jump"]),
    ("--wait", &["--timeout", "--jump"]),
    ("--from", &["--account"]),
    ("--png", &["--scale"]),
    ("--copy", &["--clear-after"]),
    ("--role-arn", &["--role-session-name", "--external-id"]),
];

/// An error of clap's as this program says it.
pub(super) fn error(error: &clap::Error, arguments: &[OsString], mut whole: clap::Command) -> Error {
    whole.build();
    let line = Line::of(arguments, &whole);
    let told = match error.kind() {
        ErrorKind::InvalidSubcommand => context(error, ContextKind::InvalidSubcommand)
            .map(|given| slips::unknown_command(&given, &line.path, &line.words, &whole)),
        ErrorKind::UnknownArgument => line.unknown_argument(error, &whole),
        ErrorKind::MissingRequiredArgument => line.missing(error),
        ErrorKind::ArgumentConflict => line.conflict(error),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => line.value(error),
        _ => None,
    };
    told.unwrap_or_else(|| line.as_clap_says(error))
}

/// The command line with a device that a person chose, for `vmfa code` without one on a terminal; else `None`.
///
/// # Errors
///
/// Nobody chose one.
pub(super) fn with_chosen(
    error: &clap::Error,
    arguments: &[OsString],
    whole: clap::Command,
    json: bool,
) -> Result<Option<Vec<OsString>>> {
    let lacks_device = matches!(error.get(ContextKind::InvalidArg),
        Some(ContextValue::Strings(missing)) if missing.iter().any(|missing| missing.starts_with("<DEVICE")));
    if json || error.kind() != ErrorKind::MissingRequiredArgument || !lacks_device || !picker::possible() {
        return Ok(None);
    }
    if Line::of(arguments, &whole).path != ["code"] {
        return Ok(None);
    }
    let Some(devices) = slips::known().filter(|devices| !devices.is_empty()) else { return Ok(None) };
    let name = picker::choose(&devices)?;
    // In front of the options, one of which may take a value or not.
    let mut completed = arguments.to_vec();
    let after = arguments.iter().position(|word| word == "code").map_or(arguments.len(), |at| at.saturating_add(1));
    completed.insert(after, name.into());
    Ok(Some(completed))
}

/// A context's text.
fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

/// `--timeout` of `--timeout <TIME>`, `DEVICE` of `[DEVICE]` and `<DEVICE>...`.
fn name_of(argument: &str) -> &str {
    let first = argument.split(' ').next().unwrap_or_default();
    // A value that may be left out: `--copy[=<WAY>]`.
    let first = first.split("[=").next().unwrap_or_default();
    first.trim_end_matches('.').trim_matches(['[', ']', '<', '>'])
}

/// The first commands that have an option, such as `vmfa code`.
fn with_option(option: &str, whole: &clap::Command) -> Vec<String> {
    const SHOWN: usize = 3;
    let mut found = Vec::new();
    let mut left = vec![("vmfa".to_owned(), whole)];
    while let Some((name, command)) = left.pop() {
        let has =
            |argument: &clap::Arg| argument.get_long().is_some_and(|long| option.strip_prefix("--") == Some(long));
        if command.get_arguments().any(has) {
            found.push(name.clone());
        }
        let inner: Vec<_> =
            command.get_subcommands().map(|inner| (format!("{name} {}", inner.get_name()), inner)).collect();
        left.extend(inner.into_iter().rev());
    }
    found.truncate(SHOWN);
    found
}

/// A command line that can't be read, as far as it can.
struct Line {
    /// All words, without the program's name.
    words: Vec<String>,
    /// The command, such as `aws exec`, a word each.
    path: Vec<String>,
    /// How that command is used.
    usage: String,
    /// Its long options.
    options: Vec<String>,
}

impl Line {
    fn of(arguments: &[OsString], whole: &clap::Command) -> Self {
        let words: Vec<String> =
            arguments.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
        let (mut command, mut path) = (whole, Vec::new());
        let mut before = "";
        for word in &words {
            if let Some(inner) = command.find_subcommand(word) {
                command = inner;
                path.push(inner.get_name().to_owned());
            } else if !word.starts_with('-') && (!before.starts_with("--") || before.contains('=')) {
                // Neither a command nor an option's value: what follows is no command either.
                break;
            }
            before = word;
        }
        let usage = command.clone().render_usage().to_string();
        let options = command.get_arguments().filter_map(|argument| argument.get_long());
        let options = options.map(|option| format!("--{option}")).chain(["--help".to_owned()]).collect();
        Self { words, path, usage, options }
    }

    /// `vmfa aws exec`.
    fn command(&self) -> String {
        std::iter::once("vmfa").chain(self.path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
    }

    /// How the command is used, and where its options are told.
    fn with_usage(&self, mut error: Error) -> Error {
        for line in self.usage.trim().trim_start_matches("Usage:").lines() {
            error = error.hint(hints::usage::usage(line.trim()));
        }
        error.hint(hints::usage::all_options(&self.command()))
    }

    /// The command line with one word more before the word of that number, as a shell takes it. `None` where it may
    /// hold a secret.
    fn with(&self, more: &str, at: usize) -> Option<String> {
        let mut words = vec!["vmfa"];
        words.extend(self.words.iter().map(String::as_str));
        words.insert(at.saturating_add(1).min(words.len()), more);
        let ours = |word: &str| word.starts_with('-') || word.chars().all(|c| c.is_ascii_lowercase());
        if words.iter().any(|word| !ours(word) && argv::might_be_secret(word)) {
            return None;
        }
        shlex::try_join(words).ok()
    }

    /// A text without what may be a secret among the words.
    fn hidden(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for word in &self.words {
            let value = word.split_once('=').map_or(word.as_str(), |(_, value)| value);
            let of_ours = value.starts_with('-') || value.chars().all(|c| c.is_ascii_lowercase());
            if !of_ours && argv::might_be_secret(value) {
                text = text.replace(value, "(not repeated)");
            }
        }
        text
    }

    fn unknown_argument(&self, error: &clap::Error, whole: &clap::Command) -> Option<Error> {
        let given = context(error, ContextKind::InvalidArg)?;
        let shown = self.hidden(&given);
        if given.starts_with('-') {
            let failure = Error::usage(format!("unknown option `{shown}`"));
            let command = self.path.join(" ");
            if let Some((.., instead)) = hints::usage::WITHOUT.iter().find(|(c, o, _)| *c == command && *o == given) {
                return Some(failure.hint(*instead));
            }
            let elsewhere = with_option(given.split('=').next().unwrap_or_default(), whole);
            if !elsewhere.is_empty() {
                return Some(self.with_usage(failure.hint(hints::usage::option_of(&given, &elsewhere))));
            }
            let near = context(error, ContextKind::SuggestedArg)
                .or_else(|| crate::name::nearest(&given, self.options.iter().map(String::as_str)).map(str::to_owned));
            return Some(match near {
                Some(near) => failure.hint(hints::did_you_mean(&near)),
                None => self.with_usage(failure),
            });
        }
        let failure = Error::usage(if shown == given {
            format!("unexpected argument `{shown}`")
        } else {
            "there is an argument too many; it isn't shown, as it may be a secret".to_owned()
        });
        Some(match self.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["aws", "exec"] => {
                let device = self.words.iter().position(|word| word == "exec")?.saturating_add(2);
                let at = self.words.iter().skip(device).position(|word| *word == given)?.saturating_add(device);
                let failure = failure.hint(hints::usage::BEFORE_COMMAND);
                self.with("--", at).into_iter().fold(failure, Error::hint)
            }
            ["code"] if self.words.iter().any(|word| word == "--fresh") => failure.hint(hints::usage::QUOTE_PATTERN),
            _ => self.with_usage(failure),
        })
    }

    fn missing(&self, error: &clap::Error) -> Option<Error> {
        let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else { return None };
        // Of several that would do, as in `<--fresh|--min-validity <TIME>>`, the first.
        let wanted = |(option, for_which): &(&str, &'static [&'static str])| {
            let is_given = |option: &&&str| self.words.iter().any(|word| word.split('=').next() == Some(option));
            let first = missing.first()?.split('|').next()?;
            for_which.iter().find(is_given).filter(|_| missing.len() == 1 && name_of(first) == *option)
        };
        if let Some((option, given)) = NEEDS.iter().find_map(|needed| Some((needed.0, wanted(needed)?))) {
            let failure = Error::usage(format!("`{given}` needs `{option}`"));
            let takes_value = !matches!(option, "--fresh" | "--wait" | "--copy");
            let end = self.words.iter().position(|word| word == "--").unwrap_or(self.words.len());
            let whole = self.with(option, end).filter(|_| !takes_value);
            return Some(match whole {
                Some(whole) => failure.hint(whole),
                None => self.with_usage(failure),
            });
        }
        let wants_device = missing.iter().any(|argument| argument.starts_with("<DEVICE"));
        if !wants_device {
            let missing = missing.join(", ").replace(['<', '>'], "").replace("...", "");
            return Some(self.with_usage(Error::usage(format!("missing: {}", self.hidden(&missing)))));
        }
        let failure = Error::usage("no device given");
        let devices = slips::devices();
        Some(match devices.as_deref() {
            Some([]) => failure.no_devices(),
            Some([only]) if missing.len() == 1 => {
                let whole = self.with(only, self.words.len());
                self.with_usage(whole.into_iter().fold(failure, Error::hint))
            }
            Some(names) => self.with_usage(failure.hint(hints::usage::there_are(names))),
            None => self.with_usage(failure),
        })
    }

    fn conflict(&self, error: &clap::Error) -> Option<Error> {
        let (one, other) = (context(error, ContextKind::InvalidArg)?, context(error, ContextKind::PriorArg)?);
        let (one, other) = (name_of(&one), name_of(&other));
        if one == other {
            return Some(Error::usage(format!("`{one}` is given twice")));
        }
        let failure = Error::usage(format!("`{one}` and `{other}` can't be combined"));
        let instead = hints::usage::INSTEAD
            .iter()
            .find(|(a, b, _)| (*a == one && *b == other) || (*a == other && *b == one))
            .map(|(.., instead)| *instead);
        Some(match instead {
            Some(instead) => failure.hint(instead),
            None => self.with_usage(failure),
        })
    }

    fn value(&self, error: &clap::Error) -> Option<Error> {
        let argument = context(error, ContextKind::InvalidArg)?;
        let value = context(error, ContextKind::InvalidValue)?;
        let name = name_of(&argument);
        if value.is_empty() {
            return Some(Error::usage(format!("`{name}` needs a value: {argument}")));
        }
        if name == "--passphrase-fd" {
            // It may be the passphrase.
            let line = "--passphrase-fd takes the number of a file descriptor, not the passphrase; it was not used";
            return Some(
                Error::usage(line).hint(hints::usage::passphrase_fd(&self.command())).hint(hints::usage::HISTORY),
            );
        }
        let shown = self.hidden(&value);
        let failure = |expected: &str| Error::usage(format!("{name}: `{shown}`: {expected}"));
        if let Some(ContextValue::Strings(valid)) = error.get(ContextKind::ValidValue)
            && !valid.is_empty()
        {
            let failure = failure(&format!("expected {}", one_of(valid)));
            return Some(match context(error, ContextKind::SuggestedValue) {
                Some(near) => failure.hint(hints::did_you_mean(&near)),
                None => failure,
            });
        }
        let reason = std::error::Error::source(error)?.to_string();
        Some(failure(&expected_number(&reason).unwrap_or_else(|| self.hidden(&reason))))
    }

    /// Clap's message without its `error: ` and decoration.
    fn as_clap_says(&self, error: &clap::Error) -> Error {
        let text = self.hidden(&error.render().to_string());
        let message = text.split("\n\n").next().unwrap_or(&text);
        let message = message.strip_prefix("error: ").unwrap_or(message).trim().replace("\n  ", " ");
        self.with_usage(Error::usage(message))
    }
}

/// What a number should have been, where the library of numbers says what is wrong with it.
fn expected_number(reason: &str) -> Option<String> {
    if let Some((_, range)) = reason.split_once(" is not in ") {
        return Some(match range.split_once("..=") {
            Some((first, last)) if !first.is_empty() => format!("expected a whole number from {first} to {last}"),
            _ => "expected a smaller number".to_owned(),
        });
    }
    let of_digits = ["invalid digit", "number too large", "number too small"];
    of_digits.iter().any(|begin| reason.starts_with(begin)).then(|| "expected a whole number".to_owned())
}

/// `a, b or c`.
fn one_of(words: &[String]) -> String {
    match words {
        [before @ .., last] if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => words.concat(),
    }
}

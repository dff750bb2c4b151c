//! What arguments can be completed to: devices from the registry, profiles from AWS's files. Completion never prompts, waits or
//! writes, and what it can't read, it leaves out.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use clap_complete::ArgValueCompleter;
use clap_complete::engine::CompletionCandidate;

use super::chosen_registry::is_elsewhere;
use super::environment;
use super::home::Home;
use crate::aws::settings;
use crate::registry::sqlite::{Of, Sqlite};

/// How many answers there are at most.
const MOST: usize = 200;

/// Tags the candidate that stands for all files.
const FILES: &str = "files";

/// Tags the candidates for the first of several words.
const FIRST: &str = "first";

/// The name of a device.
pub(super) fn device() -> ArgValueCompleter {
    completer(|word| names(word, MOST))
}

/// The same for the first of several words, behind which codes come.
pub(super) fn device_first() -> ArgValueCompleter {
    ArgValueCompleter::new(|word: &OsStr| {
        let found = found_or_nothing(word, |word| names(word, MOST));
        found.into_iter().map(|name| CompletionCandidate::new(name).tag(Some(FIRST.into()))).collect()
    })
}

/// Whether a candidate is for the first of several words.
pub(super) fn is_first(candidate: &CompletionCandidate) -> bool {
    candidate.get_tag().is_some_and(|tag| tag.to_string() == FIRST)
}

/// The name of a device in the trash.
pub(super) fn trashed() -> ArgValueCompleter {
    completer(|word| names_of(Of::Trashed, word, MOST))
}

/// The name of a device, or a pattern such as `ci/*` for all names of two or more in a directory.
pub(super) fn pool() -> ArgValueCompleter {
    completer(|word| {
        let names = names(word, MOST / 2);
        let mut sizes = BTreeMap::<&str, usize>::new();
        for (directory, _) in names.iter().filter_map(|name| name.rsplit_once('/')) {
            let size = sizes.entry(directory).or_default();
            *size = size.saturating_add(1);
        }
        let several = sizes.iter().filter(|(_, size)| **size > 1);
        let mut patterns: Vec<String> = several.map(|(directory, _)| format!("{directory}/*")).collect();
        patterns.retain(|pattern| pattern.starts_with(word));
        patterns.into_iter().chain(names.iter().cloned()).collect()
    })
}

/// A profile of the files that the AWS CLI reads.
pub(super) fn profile() -> ArgValueCompleter {
    completer(|word| {
        let names = settings::profile_names(&environment::text, environment::home_of_aws().as_deref());
        names.into_iter().filter(|name| name.starts_with(word)).take(MOST).collect()
    })
}

/// A source: a file, or one of the words that stand for others.
pub(super) fn source() -> ArgValueCompleter {
    ArgValueCompleter::new(|word: &OsStr| {
        let word = word.to_string_lossy();
        let others = [("clipboard", "what was copied"), ("screen", "QR codes on the screen")];
        let others = others.into_iter().filter(|(name, _)| name.starts_with(&*word));
        let others = others.map(|(name, about)| CompletionCandidate::new(name).help(Some(about.into())));
        others.chain([files()]).collect()
    })
}

/// A file.
pub(super) fn file() -> ArgValueCompleter {
    ArgValueCompleter::new(|_: &OsStr| vec![files()])
}

/// Whether a candidate stands for all files.
pub(super) fn is_files(candidate: &CompletionCandidate) -> bool {
    candidate.get_tag().is_some_and(|tag| tag.to_string() == FILES)
}

fn files() -> CompletionCandidate {
    CompletionCandidate::new("").tag(Some(FILES.into()))
}

fn completer(found: impl Fn(&str) -> Vec<String> + Send + Sync + 'static) -> ArgValueCompleter {
    ArgValueCompleter::new(move |word: &OsStr| {
        found_or_nothing(word, &found).into_iter().map(CompletionCandidate::new).collect()
    })
}

fn found_or_nothing(word: &OsStr, found: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let mut found = word.to_str().map(found).unwrap_or_default();
    // Offer an empty value if nothing is known: without it, clap would offer options.
    if found.is_empty() && word.is_empty() {
        found.push(String::new());
    }
    found
}

fn names(beginning: &str, most: usize) -> Vec<String> {
    names_of(Of::Active, beginning, most)
}

fn names_of(of: Of, beginning: &str, most: usize) -> Vec<String> {
    let home = Home::find().ok().filter(|home| !is_elsewhere(&home.config));
    home.and_then(|home| Sqlite::names(&home.registry, of, beginning, most)).unwrap_or_default()
}

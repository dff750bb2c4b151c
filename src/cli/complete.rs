//! Answers the completion scripts: they send the words of a command line, and get what one of them can become.
//!
//! `VMFA_COMPLETE=INDEX vmfa -- WORD…` asks for the word of that index; if there is none, for an empty one. Each answer is a
//! line: a value, a tab, what it is. A line without a value says that files belong there too, which the shell knows better.
//! The shells' scripts (`completions/`) quote values, each in its own way.

use std::ffi::OsString;

use clap::ValueHint;
use clap_complete::ArgValueCompleter;
use clap_complete::engine::{self, CompletionCandidate};

use super::error::Result;
use super::{candidates, environment, help, render};

/// The words of a command line, and which of them is asked for.
#[derive(Debug)]
pub(super) struct Question {
    words: Vec<OsString>,
    index: usize,
}

impl Question {
    /// `None` unless a completion script asks. A question that makes no sense has no words.
    pub(super) fn of(arguments: &[OsString]) -> Option<Self> {
        let index = environment::variable("VMFA_COMPLETE")?;
        let [_, separator, words @ ..] = arguments else { return None };
        if separator != "--" {
            return None;
        }
        let mut words = words.to_vec();
        let index = index.to_str().and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
        if index == words.len() {
            words.push(OsString::new());
        }
        words.truncate(index.saturating_add(1));
        Some(Self { words, index })
    }

    /// Writes the answers to stdout.
    pub(super) fn answer(self, whole: clap::Command) -> Result<()> {
        let mut lines = String::new();
        for candidate in self.candidates(whole) {
            let value = candidate.get_value().to_str().filter(|value| !value.contains(char::is_control));
            let about = candidate.get_help().map(ToString::to_string).unwrap_or_default();
            let about = about.lines().next().unwrap_or_default().replace(char::is_control, " ");
            match value {
                _ if candidates::is_files(&candidate) => lines.push_str("\tfiles\n"),
                Some(value) if !value.is_empty() => lines.extend([value, "\t", &about, "\n"]),
                _ => {}
            }
        }
        render::answer(|out| out.write_all(lines.as_bytes()))
    }

    fn candidates(self, whole: clap::Command) -> Vec<CompletionCandidate> {
        let Some(word) = self.words.get(self.index).filter(|_| self.index > 0) else { return Vec::new() };
        let (empty, dash) = (word.is_empty(), word.to_string_lossy().starts_with('-'));
        let mut whole = help::with_topics(with_files(whole));
        let codes = behind_a_device(&whole, self.words.get(..self.index).unwrap_or_default());
        let mut found = engine::complete(&mut whole, self.words, self.index, None).unwrap_or_default();
        if codes && found.iter().any(candidates::is_first) {
            return Vec::new();
        }
        // An empty word is seldom meant to become an option.
        let option = |candidate: &CompletionCandidate| candidate.get_value().to_string_lossy().starts_with('-');
        if empty && !found.iter().all(option) {
            found.retain(|candidate| !option(candidate));
        }
        // An option is no file, but may have one behind its `=`.
        found.retain(|candidate| !(dash && candidates::is_files(candidate) && candidate.get_value().is_empty()));
        found
    }
}

/// Whether the words so far have a device behind which only codes come: of the arguments that are both in one, there is one.
fn behind_a_device(whole: &clap::Command, words: &[OsString]) -> bool {
    let Ok(matches) = whole.clone().ignore_errors(true).try_get_matches_from(words) else { return false };
    let Some((_, matches)) = matches.subcommand() else { return false };
    matches.try_get_raw("words").is_ok_and(|words| words.is_some_and(|words| words.count() > 0))
}

/// The same command line, with files for all that is a path.
fn with_files(command: clap::Command) -> clap::Command {
    let path = |argument: &clap::Arg| {
        let hint = matches!(argument.get_value_hint(), ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath);
        hint && argument.get::<ArgValueCompleter>().is_none()
    };
    command
        .mut_args(|argument| if path(&argument) { argument.add(candidates::file()) } else { argument })
        .mut_subcommands(with_files)
}

//! What a registry can be completed to.

use std::ffi::OsStr;

use clap_complete::ArgValueCompleter;
use clap_complete::engine::CompletionCandidate;

/// vmfa's own file, and how the URL of another registry begins.
const WORDS: [&str; 3] = ["file", "postgres://", "dynamodb://"];

pub(super) fn registry() -> ArgValueCompleter {
    ArgValueCompleter::new(|word: &OsStr| {
        let word = word.to_string_lossy();
        WORDS.into_iter().filter(|one| one.starts_with(&*word)).map(CompletionCandidate::new).collect()
    })
}

//! Messages on stderr, and how text from outside is made safe to print.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};

use super::lines;
use crate::name;

/// Prints a message on stderr. On a terminal, lines are broken between words.
pub(super) fn note(text: &str) {
    let stderr = io::stderr();
    let width = if stderr.is_terminal() { terminal_size::terminal_size_of(&stderr) } else { None };
    let text = match width {
        Some((width, _)) => {
            let labels = ["vmfa: ", "hint: ", "warning: ", "AWS said: "];
            let indent = labels.iter().find(|label| text.starts_with(**label)).map_or(2, |label| label.len());
            Cow::Owned(lines::broken(text, width.0.into(), indent))
        }
        None => Cow::Borrowed(text),
    };
    let _ = writeln!(stderr.lock(), "{text}");
}

/// Text from outside without control characters and invisible ones: a terminal would obey them, or a reader be deceived.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    // Most texts are printable ASCII.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let bad = |c: char| c.is_control() || name::is_invisible(c);
    if text.chars().any(bad) { Cow::Owned(text.replace(bad, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

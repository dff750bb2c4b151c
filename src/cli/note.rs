//! What people are told beside the answer, and text of foreign origin in it.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};

use super::lines;
use crate::name;

/// Tells people something beside the answer, on stderr; on a terminal, lines are broken between words.
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

/// Text of foreign origin, with nothing in it that a terminal would act on or that would deceive.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let bad = |c: char| c.is_control() || name::is_invisible(c);
    if text.chars().any(bad) { Cow::Owned(text.replace(bad, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

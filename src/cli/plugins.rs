//! What age plugins say and ask, at the terminal.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::error::{Error, Result};
use super::note::{note, plain};
use super::{environment, prompt, screen};
use crate::vault::age::{Passphrase, Person, Plugins, unanswered};
use crate::vault::{self, Trouble};

/// How long a plugin may be silent. It may wait for a touch, so it is the same whether there is a terminal or not.
const LIMIT: Duration = Duration::from_secs(60);

/// The person who runs this program.
struct User {
    /// What `--passphrase-fd` gives, if that was said.
    given: Option<Passphrase>,
    /// Whether there may be somebody to ask.
    asks: bool,
}

/// How plugins are dealt with in this run: `given` is what `--passphrase-fd` gives.
pub(super) fn of_run(given: Option<Passphrase>, asks: bool) -> Result<Plugins> {
    let limit = match environment::text("VMFA_PLUGIN_TIMEOUT") {
        Some(text) => text
            .parse()
            .map(Duration::from_secs)
            .map_err(|_| Error::usage(format!("VMFA_PLUGIN_TIMEOUT is a number of seconds, not `{text}`")))?,
        None => LIMIT,
    };
    Ok(Plugins::new(Arc::new(User { given, asks }), limit))
}

impl User {
    fn answered<T>(&self, plugin: &str, question: &str, ask: impl FnOnce(&str) -> Result<T>) -> Answer<T> {
        if !self.asks || !prompt::terminal_there() {
            return Err(unanswered(plugin, question));
        }
        let failed = |error: Error| vault::Error::Plugin {
            name: plugin.to_owned(),
            trouble: Trouble::Asks { question: error.to_string() },
        };
        ask(&said(plugin, question.trim().trim_end_matches(':'))).map_err(failed)
    }
}

type Answer<T> = std::result::Result<T, vault::Error>;

/// What a plugin says, with its name, so that nobody takes it for this program's words.
fn said(plugin: &str, text: &str) -> String {
    format!("age-plugin-{}: {}", plain(plugin), plain(text))
}

impl Person for User {
    fn tell(&self, plugin: &str, message: &str) {
        screen::aside(|| note(&said(plugin, message.trim())));
    }

    fn secret(&self, plugin: &str, question: &str, again: bool) -> Answer<Zeroizing<String>> {
        match &self.given {
            // Once wrong, it is wrong each time, and a key that counts wrong ones would lock itself.
            Some(_) if again => Err(vault::Error::Plugin { name: plugin.to_owned(), trouble: Trouble::WrongSecret }),
            Some(given) => given(&said(plugin, question)),
            None => self.answered(plugin, question, prompt::hidden),
        }
    }

    fn text(&self, plugin: &str, question: &str) -> Answer<String> {
        self.answered(plugin, question, prompt::shown)
    }

    fn confirm(&self, plugin: &str, question: &str, [yes, no]: [&str; 2]) -> Answer<bool> {
        let choices = format!("{} (y: {}, n: {})", question.trim(), yes.trim(), no.trim());
        self.answered(plugin, &choices, prompt::shown)
            .map(|answer| matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

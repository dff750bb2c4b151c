//! Who answers what plugins ask, and which answers were right.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::super::super::{Error, Trouble};

/// How long a plugin may be silent where nothing else is said.
const LIMIT: Duration = Duration::from_secs(60);

/// Asks and tells the person at the keyboard what a plugin wants. What a plugin says is text from outside; its
/// name is what follows `age-plugin-`.
pub trait Person: Send + Sync {
    /// Shows what a plugin says, such as that its key has to be touched.
    fn tell(&self, plugin: &str, message: &str);

    /// Asks for a secret such as a PIN. `again` is whether the last answer to this question was wrong: hardware counts
    /// wrong ones, so only a new answer may be given then.
    ///
    /// # Errors
    ///
    /// Where nobody can be asked.
    fn secret(&self, plugin: &str, question: &str, again: bool) -> Result<Zeroizing<String>, Error>;

    /// Asks for something that may be seen.
    ///
    /// # Errors
    ///
    /// Where nobody can be asked.
    fn text(&self, plugin: &str, question: &str) -> Result<String, Error>;

    /// Asks for one of two choices, the first of which is `true`.
    ///
    /// # Errors
    ///
    /// Where nobody can be asked.
    fn confirm(&self, plugin: &str, question: &str, choices: [&str; 2]) -> Result<bool, Error>;
}

/// Nobody: what plugins say is not shown, and nothing that they ask is answered.
struct Nobody;

impl Person for Nobody {
    fn tell(&self, _plugin: &str, _message: &str) {}

    fn secret(&self, plugin: &str, question: &str, _again: bool) -> Result<Zeroizing<String>, Error> {
        Err(unanswered(plugin, question))
    }

    fn text(&self, plugin: &str, question: &str) -> Result<String, Error> {
        Err(unanswered(plugin, question))
    }

    fn confirm(&self, plugin: &str, question: &str, _choices: [&str; 2]) -> Result<bool, Error> {
        Err(unanswered(plugin, question))
    }
}

/// The error of a [`Person`] who can't be asked.
#[must_use]
pub fn unanswered(plugin: &str, question: &str) -> Error {
    Error::Plugin { name: plugin.to_owned(), trouble: Trouble::Asks { question: question.to_owned() } }
}

/// How plugins are dealt with: who answers their questions, and how long they may be silent. Its clones are one: an answer
/// that opened something is not asked for again.
#[derive(Clone)]
pub struct Plugins {
    person: Arc<dyn Person>,
    limit: Duration,
    known: Arc<Mutex<Vec<Known>>>,
}

impl Default for Plugins {
    /// Nobody is asked, and a plugin may be silent for a minute.
    fn default() -> Self {
        Self::new(Arc::new(Nobody), LIMIT)
    }
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugins").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// What is known of the answer to a question.
struct Known {
    plugin: String,
    question: String,
    /// The one that opened something; none where the last one was wrong.
    secret: Option<Zeroizing<String>>,
}

impl Plugins {
    /// Plugins that ask this person, with a time limit for each answer.
    #[must_use]
    pub fn new(person: Arc<dyn Person>, limit: Duration) -> Self {
        Self { person, limit, known: Arc::default() }
    }

    pub(super) const fn limit(&self) -> Duration {
        self.limit
    }

    /// The questions of one run. Others wait: two plugins would ask one person at once.
    pub(super) fn run<'a>(&'a self, plugin: &'a str) -> Questions<'a> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Questions { person: &*self.person, plugin, known, given: Vec::new(), asked: false, refused: None }
    }
}

/// An answer of this run.
struct Given {
    question: String,
    secret: Zeroizing<String>,
    /// Whether a person gave it now; otherwise it opened something before.
    fresh: bool,
}

/// What a plugin asks in one run.
pub(super) struct Questions<'a> {
    person: &'a dyn Person,
    plugin: &'a str,
    known: MutexGuard<'a, Vec<Known>>,
    /// What was answered in this run.
    given: Vec<Given>,
    /// Whether a person was asked for a secret.
    asked: bool,
    /// Why a question wasn't answered.
    refused: Option<Error>,
}

impl Questions<'_> {
    pub(super) fn tell(&self, message: &str) {
        self.person.tell(self.plugin, message);
    }

    pub(super) fn secret(&mut self, question: &str) -> Option<Zeroizing<String>> {
        // Asked twice in one run, the first answer was wrong.
        if self.given.iter().any(|given| given.question == question) {
            self.given.retain(|given| given.question != question);
            self.set(question, None);
        }
        let known = self.known.iter().find(|known| known.plugin == self.plugin && known.question == question);
        let again = known.is_some_and(|known| known.secret.is_none());
        let known = known.and_then(|known| known.secret.clone());
        let fresh = known.is_none();
        let secret = match known {
            Some(secret) => secret,
            None => {
                let answer = self.person.secret(self.plugin, question, again);
                self.kept(answer)?
            }
        };
        self.asked |= fresh;
        self.given.push(Given { question: question.to_owned(), secret: secret.clone(), fresh });
        Some(secret)
    }

    pub(super) fn text(&mut self, question: &str) -> Option<String> {
        let answer = self.person.text(self.plugin, question);
        self.kept(answer)
    }

    pub(super) fn confirm(&mut self, question: &str, choices: [&str; 2]) -> Option<bool> {
        let answer = self.person.confirm(self.plugin, question, choices);
        self.kept(answer)
    }

    fn kept<T>(&mut self, answer: Result<T, Error>) -> Option<T> {
        answer.map_err(|error| self.refused.get_or_insert(error)).ok()
    }

    /// What this run's answers opened something with is remembered. An answer that only sealed may be a slip.
    pub(super) fn were_right(&mut self) {
        for given in std::mem::take(&mut self.given) {
            self.set(&given.question, Some(given.secret));
        }
    }

    /// This run came to nothing. If an answer was right before, it may not be to blame, and is asked for as if for the first time.
    pub(super) fn were_wrong(&mut self) {
        for given in std::mem::take(&mut self.given) {
            self.set(&given.question, None);
            if !given.fresh {
                self.known.pop();
            }
        }
    }

    fn set(&mut self, question: &str, secret: Option<Zeroizing<String>>) {
        self.known.retain(|known| known.plugin != self.plugin || known.question != question);
        self.known.push(Known { plugin: self.plugin.to_owned(), question: question.to_owned(), secret });
    }

    /// Whether a person was asked for a secret, and how it went on from there is up to what was answered.
    pub(super) const fn asked(&self) -> bool {
        self.asked
    }

    /// A failure, or what it comes from: a question that nobody answered.
    pub(super) fn cause(&mut self, error: Error) -> Error {
        self.refused.take().unwrap_or(error)
    }
}

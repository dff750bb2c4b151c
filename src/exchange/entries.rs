//! What an export holds: entries, and what is wrong with those that can't be taken.

use std::fmt;

use super::error::Flaw;
use crate::provision::Enrolment;

/// One account of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What makes its codes, and whose they are.
    pub enrolment: Enrolment,
    /// The folders, groups, tags or categories that it is in, outermost first; often empty.
    pub groups: Vec<String>,
}

impl From<Enrolment> for Entry {
    fn from(enrolment: Enrolment) -> Self {
        Self { enrolment, groups: Vec::new() }
    }
}

/// One account that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its place among all accounts of the export, good and bad, counted from 1.
    pub entry: usize,
    /// Whose it is, where the export says so: issuer and account, without any secret.
    pub whose: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.whose.as_str() {
            "" => self.flaw.fmt(f),
            whose => write!(f, "{whose}: {}", self.flaw),
        }
    }
}

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entries {
    /// The accounts that can be taken, in the order of the file.
    pub entries: Vec<Entry>,
    /// Those that can't.
    pub failures: Vec<Failure>,
    /// How many things of the export have no one-time password at all, such as a login without one.
    pub without: usize,
}

impl Entries {
    /// Counts one more account: an entry, or what is wrong with it. `whose` says whose it is in a failure.
    pub fn push(&mut self, whose: impl Into<String>, entry: Result<Entry, Flaw>) {
        match entry {
            Ok(entry) => self.entries.push(entry),
            Err(flaw) => {
                let entry = self.count().saturating_add(1);
                self.failures.push(Failure { entry, whose: shown(&whose.into()), flaw });
            }
        }
    }

    /// How many accounts the export has, good and bad.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.len().saturating_add(self.failures.len())
    }
}

/// The longest name of an entry in a message, in characters.
const SHOWN: usize = 80;

/// A name for a message: short, and without control characters.
pub(super) fn shown(name: &str) -> String {
    let visible: String = name.trim().chars().filter(|character| !character.is_control()).take(SHOWN).collect();
    visible
}

//! What imported devices are called: `ISSUER/ACCOUNT`, with what was asked for in front.

use std::collections::HashSet;

use crate::cli::argv;
use crate::cli::error::{Error, Result};
use crate::exchange::Entry;
use crate::name::Name;

/// Room for a number behind a name that is taken.
const ROOM: usize = 8;

/// What stands for an entry that says nothing about itself, or only what may be a secret.
const UNNAMED: &str = "imported";

pub(super) struct Naming<'a> {
    prefix: Option<&'a str>,
    groups: bool,
    unnamed: Name,
}

/// A name by the rule, and the first like it that is free.
pub(super) struct Chosen {
    pub(super) plain: Name,
    pub(super) free: Name,
}

impl<'a> Naming<'a> {
    /// # Errors
    ///
    /// A prefix that no name can begin with.
    pub(super) fn new(prefix: Option<&'a str>, groups: bool) -> Result<Self> {
        let prefix = prefix.map(|prefix| prefix.trim_end_matches('/'));
        if let Some(prefix) = prefix {
            prefix.parse::<Name>().map_err(|error| Error::from(error).about("--prefix"))?;
        }
        Ok(Self { prefix, groups, unnamed: UNNAMED.parse()? })
    }

    pub(super) fn choose(&self, entry: &Entry, taken: &HashSet<String>) -> Chosen {
        let plain = self.plain(entry);
        let free = free(&plain, taken);
        Chosen { plain, free }
    }

    fn plain(&self, entry: &Entry) -> Name {
        let groups = if self.groups { entry.groups.as_slice() } else { &[] };
        let (issuer, account) = (entry.enrolment.issuer.as_deref().unwrap_or_default(), &entry.enrolment.account);
        let before = self.prefix.into_iter().chain(groups.iter().map(String::as_str));
        let mut own: Vec<&str> = [issuer, account].into_iter().filter(|part| says_something(part)).collect();
        if own.is_empty() {
            own.push(UNNAMED);
        }
        let parts: Vec<&str> = before.filter(|part| says_something(part)).chain(own).map(edges).collect();
        // The last one is a name whatever came before.
        let most = Name::MAX_CHARS.saturating_sub(ROOM);
        Name::out_of(&parts.join("/"), most).unwrap_or_else(|| self.unnamed.clone())
    }
}

fn edges(part: &str) -> &str {
    part.trim_matches([' ', '/'])
}

/// Whether a part has anything for a name, and nothing that may be a secret.
fn says_something(part: &str) -> bool {
    Name::out_of(part, Name::MAX_CHARS).is_some() && !argv::looks_like_secret(part)
}

fn free(plain: &Name, taken: &HashSet<String>) -> Name {
    if !taken.contains(plain.as_str()) {
        return plain.clone();
    }
    let numbered = |number: u32| format!("{plain}-{number}");
    let free = (2..).map(numbered).find(|name| !taken.contains(name));
    free.and_then(|name| name.parse().ok()).unwrap_or_else(|| plain.clone())
}

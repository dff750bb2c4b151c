//! Which devices a word selects: a pattern over names (a pool), or any part of name, issuer or account.

use super::error::{Error, Kind, Result};
use super::hints;
use crate::name::Name;
use crate::provision::Enrolment;
use crate::registry::Device;

/// `*` doesn't go beyond a `/`, as in a shell; `**` does.
const MATCHING: glob::MatchOptions =
    glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// A pattern over names. Names have none of its special characters.
#[derive(Debug)]
pub(super) struct Pool(glob::Pattern);

impl Pool {
    /// `None` if the text is a plain name.
    ///
    /// # Errors
    ///
    /// A pattern that can't be read.
    pub(super) fn of(text: &str) -> Result<Option<Self>> {
        let class = text.split_once('[').is_some_and(|(_, rest)| rest.contains(']'));
        if !class && !text.contains(['*', '?']) {
            return Ok(None);
        }
        let unreadable = |error: glob::PatternError| Error::usage(format!("`{text}` is no pattern: {}", error.msg));
        glob::Pattern::new(text).map(Self).map(Some).map_err(unreadable)
    }

    pub(super) fn has(&self, device: &Device) -> bool {
        self.has_name(&device.name)
    }

    fn has_name(&self, name: &Name) -> bool {
        self.0.matches_with(name.as_str(), MATCHING)
    }
}

/// No device matches; whether there are `any` others.
pub(super) fn none_matches(patterns: &[String], any: bool) -> Error {
    let patterns: Vec<String> = patterns.iter().map(|pattern| format!("`{pattern}`")).collect();
    with_way_out(format!("no device matches {}", patterns.join(" or ")), any)
}

/// No device of a pool; whether there are `any` others.
pub(super) fn no_pool(name: &str, any: bool) -> Error {
    with_way_out(format!("no time-based device's name matches `{name}`"), any)
}

fn with_way_out(message: String, any: bool) -> Error {
    let failure = Error::new(Kind::No, "no-such-device", message);
    if any { failure.hint(hints::devices::LIST_FOR_PATTERN) } else { failure.no_devices() }
}

/// What `vmfa list` looks for.
#[derive(Debug)]
pub(super) enum Wanted {
    Pool(Pool),
    /// In lower case.
    Part(String),
}

impl Wanted {
    /// # Errors
    ///
    /// A pattern that can't be read.
    pub(super) fn of(text: &str) -> Result<Self> {
        Ok(Pool::of(text)?.map_or_else(|| Self::Part(text.to_lowercase()), Self::Pool))
    }

    pub(super) fn has(&self, device: &Device) -> bool {
        self.has_any(&device.name, device.issuer.as_deref(), &device.account)
    }

    /// The same for what another program says of a device: its name, issuer and account.
    pub(super) fn has_described(&self, [name, issuer, account]: [&str; 3]) -> bool {
        name.parse().is_ok_and(|name| self.has_any(&name, Some(issuer), account))
    }

    /// The same for an enrolment that would be a device of this name.
    pub(super) fn has_entry(&self, name: &Name, enrolment: &Enrolment) -> bool {
        self.has_any(name, enrolment.issuer.as_deref(), &enrolment.account)
    }

    fn has_any(&self, name: &Name, issuer: Option<&str>, account: &str) -> bool {
        match self {
            Self::Pool(pool) => pool.has_name(name),
            Self::Part(part) => {
                let texts = [Some(name.as_str()), issuer, Some(account)];
                texts.into_iter().flatten().any(|text| text.to_lowercase().contains(part))
            }
        }
    }
}

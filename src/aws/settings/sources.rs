//! What settings are looked for in.

use super::error::{Error, Given};
use crate::aws::profile::{Files, Profile};

/// A look at the environment: a variable's text, if it is set and not empty.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a command line says.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--profile`.
    pub profile: Option<String>,
    /// `--region`.
    pub region: Option<String>,
    /// `--endpoint-url`, for every service.
    pub endpoint_url: Option<String>,
    /// Whether `http://` is taken for hosts that aren't this machine.
    pub allow_plain_http: bool,
}

/// What settings are looked for in.
pub(super) struct Sources<'a> {
    pub(super) options: &'a Options,
    pub(super) environment: Environment<'a>,
    pub(super) profile: Option<Profile<'a>>,
    pub(super) files: &'a Files,
}

impl Sources<'_> {
    pub(super) fn variable(&self, name: &'static str) -> Option<(String, Given)> {
        (self.environment)(name).filter(|text| !text.is_empty()).map(|text| (text, Given::Variable(name)))
    }

    pub(super) fn in_profile(&self, setting: &'static str) -> Option<(String, Given)> {
        let profile = self.profile?;
        let given = Given::Profile { profile: profile.name().to_owned(), setting };
        profile.get(setting).map(|text| (text.to_owned(), given))
    }

    /// A variable, else what the profile says.
    pub(super) fn setting(&self, variable: &'static str, setting: &'static str) -> Option<(String, Given)> {
        self.variable(variable).or_else(|| self.in_profile(setting))
    }

    /// The same as a truth value, with its place where it is true.
    pub(super) fn switch(&self, variable: &'static str, setting: &'static str) -> Result<Option<Given>, Error> {
        match self.setting(variable, setting) {
            Some((text, given)) if text.eq_ignore_ascii_case("true") => Ok(Some(given)),
            Some((text, given)) if !text.eq_ignore_ascii_case("false") => Err(Error::Boolean { given }),
            _ => Ok(None),
        }
    }

    pub(super) fn region(&self) -> Result<Option<String>, Error> {
        let option = self.options.region.clone().map(|text| (text, Given::Option("--region")));
        // Botocore knows the second variable only, the other SDKs the first only.
        let found = option
            .or_else(|| self.variable("AWS_REGION"))
            .or_else(|| self.variable("AWS_DEFAULT_REGION"))
            .or_else(|| self.in_profile("region"));
        let Some((text, given)) = found else { return Ok(None) };
        // It becomes a label of a host's name: nothing in it may end that.
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let label = (1..=63).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-');
        if plain && label { Ok(Some(text)) } else { Err(Error::Region { given }) }
    }
}

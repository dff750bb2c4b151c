//! What a run talks to: profile, region, endpoints, as "AWS SDKs and Tools Reference Guide", "Settings reference",
//! names them.
//!
//! Nothing here reads the environment: it is handed in. What is given nearer wins: options, then variables, then the
//! profile.

mod endpoint;
mod error;
mod service;
mod sources;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

pub use endpoint::{Endpoint, Partition};
pub use error::{Error, Given, UrlProblem};
pub use service::Service;
use sources::Sources;
pub use sources::{Environment, Options};

use super::profile::{Files, Kind};
use crate::name;

/// What a run talks to, and the files that say so.
#[derive(Debug, Clone)]
pub struct Settings {
    profile: String,
    choice: Choice,
    region: Option<String>,
    iam: Endpoint,
    sts: Endpoint,
    dynamodb: Option<Endpoint>,
    ca_bundle: Option<PathBuf>,
    max_attempts: Option<NonZeroU32>,
    files: Files,
}

/// Who chose the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// `--profile`. It comes before keys in the environment.
    Option,
    /// `AWS_PROFILE`. Keys in the environment come before it.
    Variable,
    /// Nobody: it is `default`, and needn't be there.
    Nobody,
}

impl Settings {
    /// Reads the files that the environment names, else those in `~/.aws`, and takes from them what a run needs.
    ///
    /// # Errors
    ///
    /// A chosen profile that isn't there, lines of it that can't be read, and values that aren't what they should be.
    pub fn load(options: &Options, environment: Environment<'_>, home: Option<&Path>) -> Result<Self, Error> {
        let [config, credentials] = paths(environment, home);
        let shown = |path: &Path| match home.and_then(|home| path.strip_prefix(home).ok()) {
            Some(below) => Path::new("~").join(below).display().to_string(),
            None => path.display().to_string(),
        };
        let files = Files::read(config.as_deref(), credentials.as_deref(), &shown);
        Self::of(options, environment, home, files)
    }

    /// The same from files that were read.
    ///
    /// # Errors
    ///
    /// As [`Settings::load`].
    pub fn of(
        options: &Options,
        environment: Environment<'_>,
        home: Option<&Path>,
        files: Files,
    ) -> Result<Self, Error> {
        let (choice, name) = chosen(options, environment);
        let profile = files.profile(&name)?;
        if profile.is_none() && choice != Choice::Nobody {
            return Err(missing(&files, &name));
        }
        let sources = Sources { options, environment, profile, files: &files };
        let region = sources.region()?;
        let iam = endpoint::resolve(Service::Iam, region.as_deref(), &sources)?;
        let sts = endpoint::resolve(Service::Sts, region.as_deref(), &sources)?;
        let dynamodb = endpoint::of_dynamodb(region.as_deref(), &sources)?;
        let ca_bundle = sources.setting("AWS_CA_BUNDLE", "ca_bundle").map(|(text, _)| expanded(&text, home));
        let max_attempts = match sources.setting("AWS_MAX_ATTEMPTS", "max_attempts") {
            Some((text, given)) => Some(text.trim().parse().map_err(|_| Error::Number { given })?),
            None => None,
        };
        Ok(Self { profile: name, choice, region, iam, sts, dynamodb, ca_bundle, max_attempts, files })
    }

    /// The profile's name.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Who chose the profile.
    #[must_use]
    pub const fn choice(&self) -> Choice {
        self.choice
    }

    /// The region, if one is given.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Where a service is.
    #[must_use]
    pub const fn endpoint(&self, service: Service) -> &Endpoint {
        match service {
            Service::Iam => &self.iam,
            Service::Sts => &self.sts,
        }
    }

    /// Where DynamoDB is, which is in every region by itself: none where no region is given.
    #[must_use]
    pub const fn dynamodb(&self) -> Option<&Endpoint> {
        self.dynamodb.as_ref()
    }

    /// Certificates to trust in place of the web's own: a PEM file.
    #[must_use]
    pub fn ca_bundle(&self) -> Option<&Path> {
        self.ca_bundle.as_deref()
    }

    /// How often a call may be tried, the first time included.
    #[must_use]
    pub const fn max_attempts(&self) -> Option<NonZeroU32> {
        self.max_attempts
    }

    /// The files, to look for keys in them.
    #[must_use]
    pub const fn files(&self) -> &Files {
        &self.files
    }
}

/// Where the two files are.
fn paths(environment: Environment<'_>, home: Option<&Path>) -> [Option<PathBuf>; 2] {
    let path = |variable: &str, file: &str| match environment(variable).filter(|text| !text.is_empty()) {
        Some(text) => Some(expanded(&text, home)),
        None => home.map(|home| home.join(".aws").join(file)),
    };
    [path("AWS_CONFIG_FILE", "config"), path("AWS_SHARED_CREDENTIALS_FILE", "credentials")]
}

/// The names of all profiles, sorted. Nothing is waited for: what isn't a file, such as a pipe, isn't read.
#[cfg(feature = "cli")]
pub(crate) fn profile_names(environment: Environment<'_>, home: Option<&Path>) -> Vec<String> {
    let paths = paths(environment, home).map(|path| path.filter(|path| path.is_file()));
    let [config, credentials] = paths.each_ref().map(Option::as_deref);
    let files = Files::read(config, credentials, &|_| String::new());
    files.names().into_iter().map(str::to_owned).collect()
}

/// `AWS_PROFILE` is what the SDKs have in common; the AWS CLI knows `AWS_DEFAULT_PROFILE` too.
fn chosen(options: &Options, environment: Environment<'_>) -> (Choice, String) {
    let variable = |name| environment(name).filter(|text: &String| !text.is_empty());
    match &options.profile {
        Some(name) => (Choice::Option, name.clone()),
        None => match variable("AWS_PROFILE").or_else(|| variable("AWS_DEFAULT_PROFILE")) {
            Some(name) => (Choice::Variable, name),
            None => (Choice::Nobody, "default".to_owned()),
        },
    }
}

fn missing(files: &Files, name: &str) -> Error {
    let misnamed = files.misnamed(name).map(|kind| match kind {
        Kind::Config => format!("the section `[{name}]` of {} must be `[profile {name}]`", files.name(kind)),
        Kind::Credentials => format!("the section `[profile {name}]` of {} must be `[{name}]`", files.name(kind)),
    });
    // Its section may be the one whose name can't be read.
    if let (None, Some(stray)) = (&misnamed, files.stray()) {
        return stray.clone().into();
    }
    let known = files.names();
    Error::NoProfile {
        name: name.to_owned(),
        nearest: name::nearest(name, known.iter().copied()).map(str::to_owned),
        known: known.into_iter().map(str::to_owned).collect(),
        misnamed,
    }
}

/// A path, `~` at its start being the home directory.
fn expanded(text: &str, home: Option<&Path>) -> PathBuf {
    let below = text.strip_prefix('~').and_then(|rest| {
        // `~name` is somebody else's.
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix(['/', std::path::MAIN_SEPARATOR]) }
    });
    match (below, home) {
        (Some(below), Some(home)) => home.join(below.trim_start_matches('/')),
        _ => PathBuf::from(text),
    }
}

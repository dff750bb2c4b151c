//! What a run talks to: profile, region, endpoints, as "AWS SDKs and Tools Reference Guide", "Settings reference",
//! names them.
//!
//! Nothing here reads the environment: it is handed in. What is given nearer wins: options, then variables, then the
//! profile.

mod endpoint;

use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

pub use endpoint::{Endpoint, Partition, Service, UrlProblem};

use super::profile::{self, Files, Kind, Profile};
use crate::name;

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

/// What a run talks to, and the files that say so.
#[derive(Debug, Clone)]
pub struct Settings {
    profile: String,
    choice: Choice,
    region: Option<String>,
    iam: Endpoint,
    sts: Endpoint,
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

/// Where a setting was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// On the command line, by this name.
    Option(&'static str),
    /// In the environment, by this name.
    Variable(&'static str),
    /// In a profile.
    Profile {
        /// The profile's name.
        profile: String,
        /// What it is called there.
        setting: &'static str,
    },
    /// Below a service, in the `[services]` section that a profile names.
    Services {
        /// The section's name.
        section: String,
        /// The service.
        service: Service,
    },
}

/// What can be wrong with settings. Names where they were given, never what: it may be a key in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// In one of the files.
    #[error(transparent)]
    File(#[from] profile::Error),
    /// A profile that was chosen, and isn't there.
    #[error("no profile is named `{name}`{}", misnamed.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    NoProfile {
        /// What was asked for.
        name: String,
        /// The nearest of those that are there, if one is near.
        nearest: Option<String>,
        /// All that are there.
        known: Vec<String>,
        /// Where its section stands under a name of the other file's sort.
        misnamed: Option<String>,
    },
    /// Not `[a-z0-9-]`, 1 to 63 characters of it.
    #[error("{given} is no region: lower case letters, digits and `-`, such as `eu-central-1`")]
    Region {
        /// Where it was given.
        given: Given,
    },
    /// A URL that isn't one, or has parts that an endpoint has no use for.
    #[error("{given} is no endpoint: {problem}")]
    Endpoint {
        /// Where it was given.
        given: Given,
        /// What is wrong with it.
        problem: UrlProblem,
    },
    /// `http://` to another machine.
    #[error("{given} has http:// for `{host}`: seeds and sessions would cross the network in clear text")]
    PlainHttp {
        /// Where it was given.
        given: Given,
        /// To whom.
        host: String,
    },
    /// A profile names a section that isn't there.
    #[error("profile `{profile}` names the section `[services {section}]`, which isn't there")]
    NoServices {
        /// The profile.
        profile: String,
        /// What it names.
        section: String,
    },
    /// Neither `true` nor `false`.
    #[error("{given} is neither `true` nor `false`")]
    Boolean {
        /// Where it was given.
        given: Given,
    },
    /// Not one of a few words.
    #[error("{given} is neither `regional` nor `legacy`")]
    StsEndpoints {
        /// Where it was given.
        given: Given,
    },
    /// Not a number from 1.
    #[error("{given} is no number from 1")]
    Number {
        /// Where it was given.
        given: Given,
    },
    /// FIPS and dual-stack endpoints, where none was given by its URL.
    #[error("{given} is not supported")]
    Unsupported {
        /// Where it was given.
        given: Given,
    },
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) | Self::Variable(name) => f.write_str(name),
            Self::Profile { profile, setting } => write!(f, "`{setting}` of profile `{profile}`"),
            Self::Services { section, service } => write!(f, "`endpoint_url` of {service} in `[services {section}]`"),
        }
    }
}

impl Settings {
    /// Reads the files that the environment names, else those in `~/.aws`, and takes from them what a run needs.
    ///
    /// # Errors
    ///
    /// A chosen profile that isn't there, lines of it that can't be read, and values that aren't what they should be.
    pub fn load(options: &Options, environment: Environment<'_>, home: Option<&Path>) -> Result<Self, Error> {
        let path = |variable: &str, file: &str| match environment(variable).filter(|text| !text.is_empty()) {
            Some(text) => Some(expanded(&text, home)),
            None => home.map(|home| home.join(".aws").join(file)),
        };
        let config = path("AWS_CONFIG_FILE", "config");
        let credentials = path("AWS_SHARED_CREDENTIALS_FILE", "credentials");
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
        let ca_bundle = sources.setting("AWS_CA_BUNDLE", "ca_bundle").map(|(text, _)| expanded(&text, home));
        let max_attempts = match sources.setting("AWS_MAX_ATTEMPTS", "max_attempts") {
            Some((text, given)) => Some(text.trim().parse().map_err(|_| Error::Number { given })?),
            None => None,
        };
        Ok(Self { profile: name, choice, region, iam, sts, ca_bundle, max_attempts, files })
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

    /// The files, for whoever looks for keys in them.
    #[must_use]
    pub const fn files(&self) -> &Files {
        &self.files
    }
}

/// What settings are looked for in.
struct Sources<'a> {
    options: &'a Options,
    environment: Environment<'a>,
    profile: Option<Profile<'a>>,
    files: &'a Files,
}

impl Sources<'_> {
    fn variable(&self, name: &'static str) -> Option<(String, Given)> {
        (self.environment)(name).filter(|text| !text.is_empty()).map(|text| (text, Given::Variable(name)))
    }

    fn in_profile(&self, setting: &'static str) -> Option<(String, Given)> {
        let profile = self.profile?;
        let given = Given::Profile { profile: profile.name().to_owned(), setting };
        profile.get(setting).map(|text| (text.to_owned(), given))
    }

    /// A variable, else what the profile says.
    fn setting(&self, variable: &'static str, setting: &'static str) -> Option<(String, Given)> {
        self.variable(variable).or_else(|| self.in_profile(setting))
    }

    /// The same as a truth value, with its place where it is true.
    fn switch(&self, variable: &'static str, setting: &'static str) -> Result<Option<Given>, Error> {
        match self.setting(variable, setting) {
            Some((text, given)) if text.eq_ignore_ascii_case("true") => Ok(Some(given)),
            Some((text, given)) if !text.eq_ignore_ascii_case("false") => Err(Error::Boolean { given }),
            _ => Ok(None),
        }
    }

    fn region(&self) -> Result<Option<String>, Error> {
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

//! Where a setting was given, and what can be wrong with it.

use std::fmt;

use crate::aws::profile;

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
        /// The service, as it is called there.
        service: &'static str,
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
    #[error("{given} has http:// for `{host}`: secrets and sessions would cross the network in clear text")]
    PlainHttp {
        /// Where it was given.
        given: Given,
        /// The host that the request would go to.
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

/// What can be wrong with an endpoint's URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlProblem {
    /// It can't be read.
    #[error("it has the form https://HOST, with a port and a path where they are needed")]
    Form,
    /// Neither `http` nor `https`.
    #[error("it has to begin with https:// or http://")]
    Scheme,
    /// `user:password@`.
    #[error("it can't have a user or a password")]
    UserInfo,
    /// `?…`.
    #[error("it can't have a query")]
    Query,
    /// `#…`.
    #[error("it can't have a fragment")]
    Fragment,
}

//! Who signs: keys from the environment, from a profile, from a program, or those of a role.
//!
//! The order is botocore's, so that `vmfa` and the AWS CLI are the same user with the same files: an explicit
//! `--profile` before keys in the environment, these before a profile that `AWS_PROFILE` names; in a profile a role
//! before everything else, keys of the credentials file before `credential_process`, and that before keys of the config
//! file. What is found first counts: nothing else is tried when it fails.
//!
//! [`Source::find`] looks, and does nothing; [`Source::fetch`] runs what has to be run.

mod error;
mod find;
pub mod process;

use std::fmt;

use zeroize::Zeroizing;

pub use error::{Error, Failure, Unsupported};

pub use crate::wire::sigv4::Credentials;

use super::settings::{Environment, Settings};
use crate::time::Timestamp;

/// Where credentials come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// They stand somewhere.
    Keys {
        /// The keys.
        credentials: Credentials,
        /// Where they stand.
        origin: Origin,
    },
    /// A program prints them.
    Process {
        /// What is run.
        words: Words,
        /// The profile that says so.
        profile: String,
    },
    /// STS gives them to whoever may assume a role.
    Role {
        /// Whose credentials ask for it.
        source: Box<Source>,
        /// The role.
        role: Role,
    },
}

/// A program and its arguments. `Debug` shows none of them: keys are passed this way, too.
#[derive(Clone, PartialEq, Eq)]
pub struct Words(Zeroizing<Vec<String>>);

/// What a profile says about a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Role {
    /// The profile that says so.
    pub profile: String,
    /// `role_arn`.
    pub arn: String,
    /// `role_session_name`.
    pub session_name: Option<String>,
    /// `external_id`.
    pub external_id: Option<String>,
    /// `duration_seconds`.
    pub duration_seconds: Option<u32>,
    /// `mfa_serial`: the device whose code has to be sent.
    pub mfa_serial: Option<String>,
    /// The source profile, where it has an `mfa_serial` and this profile has none. It counts for roles of that profile
    /// alone, which a message has to say.
    pub serial_in_source: Option<String>,
}

/// Where credentials came from, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `AWS_ACCESS_KEY_ID` and what belongs to it.
    Environment,
    /// A profile's own keys.
    Profile {
        /// Its name.
        profile: String,
        /// In which file, as messages name it.
        file: String,
    },
    /// A program.
    Process {
        /// The profile that names it.
        profile: String,
    },
    /// A role.
    Role {
        /// Its ARN.
        arn: String,
        /// Whose credentials asked for it.
        source: Box<Origin>,
    },
}

/// Credentials, and where they came from.
#[derive(Debug, Clone)]
pub struct Found {
    /// What is signed with.
    pub credentials: Credentials,
    /// Where they came from.
    pub origin: Origin,
    /// Until when they count, where a program said so.
    pub expires: Option<Timestamp>,
}

/// What has to be done for credentials that stand nowhere.
pub trait Fetch {
    /// Why a role can't be assumed.
    type Error: std::error::Error + 'static;

    /// Runs a program and gives what it printed; [`process::System`] does.
    ///
    /// # Errors
    ///
    /// A program that can't be run, fails, prints too much or takes too long.
    fn run(&self, words: &[String]) -> Result<Zeroizing<Vec<u8>>, process::Error>;

    /// Calls `sts:AssumeRole`, with a code of the role's device where it names one.
    ///
    /// # Errors
    ///
    /// Whatever keeps the role from being assumed.
    fn assume_role(&self, credentials: &Credentials, role: &Role) -> Result<Credentials, Self::Error>;
}

impl Source {
    /// Looks for credentials. Reads what is handed in, runs nothing and asks nobody.
    ///
    /// # Errors
    ///
    /// No credentials; halves of a pair of keys; roles whose profiles don't say who assumes them; and what only AWS's own
    /// tools can fetch.
    pub fn find(settings: &Settings, environment: Environment<'_>) -> Result<Self, Error> {
        find::find(settings, environment)
    }

    /// Fetches the credentials.
    ///
    /// # Errors
    ///
    /// A program that gives none, or a role that can't be assumed.
    pub fn fetch<F: Fetch + ?Sized>(&self, how: &F) -> Result<Found, Failure<F::Error>> {
        match self {
            Self::Keys { credentials, origin } => {
                Ok(Found { credentials: credentials.clone(), origin: origin.clone(), expires: None })
            }
            Self::Process { words, profile } => {
                let printed = how.run(words.as_slice()).and_then(|output| process::read(&output));
                let (credentials, expires) =
                    printed.map_err(|error| Failure::Process { profile: profile.clone(), error })?;
                Ok(Found { credentials, origin: Origin::Process { profile: profile.clone() }, expires })
            }
            Self::Role { source, role } => {
                let found = source.fetch(how)?;
                let credentials = how
                    .assume_role(&found.credentials, role)
                    .map_err(|error| Failure::Role { arn: role.arn.clone(), error })?;
                let origin = Origin::Role { arn: role.arn.clone(), source: Box::new(found.origin) };
                Ok(Found { credentials, origin, expires: None })
            }
        }
    }
}

impl Words {
    /// The program first.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(…)")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("the environment"),
            Self::Profile { profile, file } => write!(f, "profile `{profile}` in {file}"),
            Self::Process { profile } => write!(f, "the credential_process of profile `{profile}`"),
            Self::Role { arn, source } => write!(f, "role {arn}, assumed with credentials from {source}"),
        }
    }
}

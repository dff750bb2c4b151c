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
mod source;

use zeroize::Zeroizing;

pub use error::{Error, Failure, Unsupported};
pub use source::{Origin, Role, Source, Words};

pub use crate::wire::sigv4::Credentials;

use super::settings::{Environment, Settings};
use crate::time::Timestamp;

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
    /// Why the role can't be assumed.
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

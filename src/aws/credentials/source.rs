//! Where credentials come from.

use std::fmt;

use zeroize::Zeroizing;

use super::Credentials;

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
    /// STS gives them to those who may assume a role.
    Role {
        /// Whose credentials ask for it.
        source: Box<Source>,
        /// The role.
        role: Role,
    },
}

/// A program and its arguments. `Debug` shows none of them: keys are passed this way, too.
#[derive(Clone, PartialEq, Eq)]
pub struct Words(pub(super) Zeroizing<Vec<String>>);

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

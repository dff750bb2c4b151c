//! Why there are no credentials.

use super::process;
use crate::aws::profile;

/// What can be wrong where credentials are looked for. Never holds one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// In one of the files.
    #[error(transparent)]
    File(#[from] profile::Error),
    /// There are none.
    #[error("there are no AWS credentials: looked for {}", tried.join(", "))]
    None {
        /// Where they were looked for.
        tried: Vec<String>,
    },
    /// One of two keys that only count together.
    #[error("{place} has {there} without {missing}")]
    Half {
        /// Where.
        place: String,
        /// What it has.
        there: &'static str,
        /// What it hasn't.
        missing: &'static str,
    },
    /// White space or something else that no access key id and no session token has.
    #[error("{name} of {place} has a character that it can't have")]
    Character {
        /// Where.
        place: String,
        /// What it is.
        name: &'static str,
    },
    /// What AWS's own tools fetch, and we don't.
    #[error("{place} has {what}, which vmfa doesn't read")]
    Unsupported {
        /// Where.
        place: String,
        /// What it has.
        what: Unsupported,
        /// The profile, where it is in one.
        profile: Option<String>,
    },
    /// A role, and nobody who assumes it.
    #[error("profile `{profile}` has a role_arn without source_profile or credential_source")]
    NoSource {
        /// The profile.
        profile: String,
    },
    /// A role, and two who assume it.
    #[error("profile `{profile}` has both source_profile and credential_source")]
    TwoSources {
        /// The profile.
        profile: String,
    },
    /// A `credential_source` that isn't one.
    #[error("the credential_source of profile `{profile}` is none: vmfa reads `Environment`")]
    CredentialSource {
        /// The profile.
        profile: String,
    },
    /// A profile that isn't there.
    #[error("profile `{profile}` names the source_profile `{source_profile}`, which isn't there")]
    NoSourceProfile {
        /// Who names it.
        profile: String,
        /// What it names.
        source_profile: String,
    },
    /// Profiles that wait for each other.
    #[error("profiles are each other's source_profile: {}", profiles.join(" → "))]
    Circle {
        /// In the order of asking; the last was asked already.
        profiles: Vec<String>,
    },
    /// A role's source without credentials.
    #[error("the source_profile `{profile}` has no credentials")]
    EmptySource {
        /// The source.
        profile: String,
    },
    /// `credential_source = Environment`, and nothing there.
    #[error("profile `{profile}` takes its keys from the environment, which has none")]
    EmptyEnvironment {
        /// The profile.
        profile: String,
    },
    /// Not a number of seconds.
    #[error("the duration_seconds of profile `{profile}` is not a number")]
    Duration {
        /// The profile.
        profile: String,
    },
    /// A command line that can't be split into words.
    #[error(
        "the credential_process of profile `{profile}` can't be read: a quotation mark isn't closed, or it is empty"
    )]
    Command {
        /// The profile.
        profile: String,
    },
    /// Roles by roles by roles.
    #[error("more than {most} profiles are each other's source_profile")]
    Deep {
        /// How many are followed.
        most: usize,
    },
    /// We are a `credential_process` ourselves.
    #[error(
        "profile `{profile}` asks a credential_process, and vmfa was started as one already: they would ask each other"
    )]
    Loop {
        /// The profile.
        profile: String,
    },
}

/// What AWS's own tools fetch credentials by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unsupported {
    /// IAM Identity Center.
    Sso,
    /// A token of an OpenID Connect provider.
    WebIdentity,
    /// `aws login`.
    Login,
    /// EC2's instance metadata.
    Instance,
    /// The container's endpoint: ECS, EKS Pod Identity.
    Container,
}

/// Why credentials that were found couldn't be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure<E: std::error::Error + 'static> {
    /// By their program.
    #[error("the credential_process of profile `{profile}` {error}")]
    Process {
        /// The profile that names it.
        profile: String,
        /// What went wrong.
        #[source]
        error: process::Error,
    },
    /// By assuming their role.
    #[error("{arn} can't be assumed: {error}")]
    Role {
        /// The role's ARN.
        arn: String,
        /// What went wrong.
        #[source]
        error: E,
    },
}

impl std::fmt::Display for Unsupported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sso => "credentials of IAM Identity Center (sso_account_id)",
            Self::WebIdentity => "credentials by a web identity (web_identity_token_file)",
            Self::Login => "credentials of `aws login` (login_session)",
            Self::Instance => "credentials of an EC2 instance (Ec2InstanceMetadata)",
            Self::Container => "credentials of a container",
        })
    }
}

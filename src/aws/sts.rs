//! The actions of STS (2011-06-15): who calls, and sessions.

use std::fmt;

use super::Error;
use super::answer::{Element, date};
use super::client::{Caller, Effect};
use super::settings::Service;
use crate::time::Timestamp;
use crate::wire::limits;
use crate::wire::query::Form;
use crate::wire::sigv4::Credentials;

/// The version of the API.
const VERSION: &str = "2011-06-15";

/// Who calls, as `GetCallerIdentity` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The 12 digits of the account.
    pub account: String,
    /// The ARN of the principal.
    pub arn: String,
}

/// Temporary credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temporary {
    /// What to sign with.
    pub credentials: Credentials,
    /// When they are over.
    pub expiration: Timestamp,
}

/// A device's code for a call.
#[derive(Clone, Copy)]
pub struct Token<'a> {
    /// The device's serial number (ARN).
    pub serial: &'a str,
    /// The code.
    pub code: &'a str,
}

/// What to ask `AssumeRole` for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRequest<'a> {
    /// The role's ARN.
    pub arn: &'a str,
    /// The name of the session.
    pub session_name: &'a str,
    /// What the role's trust policy may ask for.
    pub external_id: Option<&'a str>,
    /// In seconds.
    pub duration: Option<u64>,
}

impl Caller<'_> {
    fn sts(&self, form: &Form, effect: Effect) -> Result<Element, Error> {
        self.client.call(Service::Sts, self.credentials, form, effect)
    }

    /// `GetCallerIdentity`, which nobody needs a permission for.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn identity(&self) -> Result<Identity, Error> {
        let answer = self.sts(&Form::new("GetCallerIdentity", VERSION), Effect::Asks)?;
        let result = answer.child("GetCallerIdentityResult");
        let text = |name| result.and_then(|result| result.text(name)).map(str::to_owned);
        let unreadable = || Error::Unreadable { action: "GetCallerIdentity".to_owned(), what: "names nobody" };
        Ok(Identity { account: text("Account").ok_or_else(unreadable)?, arn: text("Arn").ok_or_else(unreadable)? })
    }

    /// `GetSessionToken` with a code. Not repeated when the service fails: the code may be used up.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn session_token(&self, duration: Option<u64>, token: Token<'_>) -> Result<Temporary, Error> {
        let duration = duration.map(|seconds| seconds.to_string());
        let form = Form::new("GetSessionToken", VERSION).optional("DurationSeconds", duration.as_deref());
        self.temporary("GetSessionToken", "GetSessionTokenResult", with(form, Some(token)))
    }

    /// `AssumeRole`, with a code or without.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn assume_role(&self, role: &RoleRequest<'_>, token: Option<Token<'_>>) -> Result<Temporary, Error> {
        let duration = role.duration.map(|seconds| seconds.to_string());
        let form = Form::new("AssumeRole", VERSION)
            .pair("RoleArn", role.arn)
            .pair("RoleSessionName", role.session_name)
            .optional("ExternalId", role.external_id)
            .optional("DurationSeconds", duration.as_deref());
        self.temporary("AssumeRole", "AssumeRoleResult", with(form, token))
    }

    fn temporary(&self, action: &str, result: &str, form: Form) -> Result<Temporary, Error> {
        let answer = self.sts(&form, Effect::Changes)?;
        let found = answer.child(result).and_then(|result| result.child("Credentials"));
        let text = |name| found.and_then(|credentials| credentials.text(name));
        let unreadable = || Error::Unreadable { action: action.to_owned(), what: "has no credentials" };
        let expiration = text("Expiration").and_then(date);
        // They go into files, shells and headers.
        let text = |name, longest| {
            let good = |text: &&str| text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_graphic());
            text(name).filter(good).ok_or_else(unreadable)
        };
        Ok(Temporary {
            credentials: Credentials::new(
                text("AccessKeyId", 128)?,
                text("SecretAccessKey", 1_024)?,
                Some(text("SessionToken", limits::TOKEN)?),
            ),
            expiration: expiration.ok_or_else(unreadable)?,
        })
    }
}

fn with(form: Form, token: Option<Token<'_>>) -> Form {
    match token {
        Some(Token { serial, code }) => form.pair("SerialNumber", serial).pair("TokenCode", code),
        None => form,
    }
}

impl Identity {
    /// The partition of the ARN, `aws` for most.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or("aws")
    }

    /// What the ARN says after the account: `user/…`, `root`, `assumed-role/…`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.arn.splitn(6, ':').nth(5).unwrap_or_default()
    }

    /// The name of the IAM user; none for the root user, roles and federated users.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.resource().strip_prefix("user/")?.rsplit('/').next()
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("serial", &self.serial).finish_non_exhaustive()
    }
}

use std::io::{self, Write};

use serde::Serialize;
use zeroize::Zeroizing;

use super::connect;
use crate::aws::session::{Role, Session, Wanted};
use crate::cli::error::{Error, Result};
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates, hints, json};
use crate::time::{Timestamp, words};

/// Get a session with MFA: temporary keys for the AWS CLI, the SDKs and others
///
/// One code is enough for many commands: the session is kept in the vault, encrypted, and reused while it is valid for another
/// 5 minutes, or a tenth of its lifetime if that is shorter. Commands that run at the same time share it.
///
/// As `credential_process`: vmfa aws session DEVICE --profile LONG-TERM-KEYS --as process
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  eval \"$(vmfa aws session alice)\"
  vmfa aws session alice --duration 1h --as json
  vmfa aws session alice --role-arn arn:aws:iam::123456789012:role/ops")]
pub(in crate::cli) struct Args {
    /// The device's name
    #[arg(add = candidates::device())]
    device: String,
    #[command(flatten)]
    which: Which,
    /// As `env` (lines for a POSIX shell to eval), `json`, `process` (what `credential_process` prints), or `profile` (a
    /// section for a credentials file, which would be clear text: it goes to stdout only)
    #[arg(long, value_name = "FORM", value_parser = ["env", "json", "process", "profile"], default_value = "env",
          hide_possible_values = true)]
    r#as: String,
    #[command(flatten)]
    connect: connect::Args,
}

/// How long sessions last that nobody asked another time for, in seconds: those of users, and those with roles.
const LASTS: u64 = 12 * 60 * 60;
const ROLE_LASTS: u64 = 60 * 60;

/// Which session.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(super) struct Which {
    /// How long the session lasts, 15m to 36h, with a role at most 12h [default: AWS's, 12h, with a role 1h]
    #[arg(long, value_name = "TIME", value_parser = length)]
    duration: Option<u64>,
    /// Assume this role
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
    /// The name of the role's session, which logs show
    #[arg(long, value_name = "NAME", requires = "role_arn", default_value = connect::SESSION_NAME)]
    role_session_name: String,
    /// The external ID that the role's trust policy requires
    #[arg(long, value_name = "ID", requires = "role_arn")]
    external_id: Option<String>,
    /// Get a new session, even if the kept one is still valid
    #[arg(long)]
    fresh: bool,
    /// How long the session must still be valid, such as 1h; otherwise get a new one [default: 5m, or a tenth of its
    /// lifetime if that is shorter]
    #[arg(long, value_name = "TIME", value_parser = remaining)]
    min_remaining: Option<u64>,
}

impl Which {
    pub(super) fn wanted(&self) -> Result<Wanted> {
        let role = self.role_arn.clone().map(|arn| Role {
            arn,
            session_name: self.role_session_name.clone(),
            external_id: self.external_id.clone(),
        });
        let lasts = self.duration.unwrap_or(if role.is_some() { ROLE_LASTS } else { LASTS });
        if self.min_remaining.is_some_and(|least| least >= lasts) {
            return Err(Error::usage(format!(
                "--min-remaining must be shorter than the session itself, {}",
                words(lasts)
            ))
            .hint(hints::aws::LONGER_SESSION));
        }
        Ok(Wanted { duration: self.duration, role, fresh: self.fresh, least: self.min_remaining })
    }
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Answered {
    device: String,
    serial_number: String,
    access_key_id: String,
    #[cfg_attr(test, schemars(with = "String"))]
    secret_access_key: Zeroizing<String>,
    #[cfg_attr(test, schemars(with = "String"))]
    session_token: Zeroizing<String>,
    expiration: String,
    cached: bool,
    #[serde(skip)]
    form: Form,
    /// Where a shell's next command would else go another way.
    #[serde(skip)]
    region: Option<String>,
    #[serde(skip)]
    endpoint: Option<String>,
}

/// What `credential_process` is to print (AWS SDKs and Tools Reference Guide, "Process credential provider").
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
struct Process<'a> {
    version: u8,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: &'a str,
    expiration: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Env,
    Process,
    Profile,
}

impl Answer for Answered {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let fields: [(&str, &str); 3] = [
            ("ACCESS_KEY_ID", &self.access_key_id),
            ("SECRET_ACCESS_KEY", &self.secret_access_key),
            ("SESSION_TOKEN", &self.session_token),
        ];
        match self.form {
            Form::Env => {
                for (name, value) in fields {
                    writeln!(out, "export AWS_{name}={}", *quoted(value))?;
                }
                writeln!(out, "export AWS_CREDENTIAL_EXPIRATION={}", self.expiration)?;
                for (names, value) in
                    [("AWS_REGION AWS_DEFAULT_REGION", &self.region), ("AWS_ENDPOINT_URL", &self.endpoint)]
                {
                    for name in names.split(' ').filter(|_| value.is_some()) {
                        writeln!(out, "export {name}={}", *quoted(value.as_deref().unwrap_or_default()))?;
                    }
                }
                Ok(())
            }
            Form::Process => {
                let process = Process {
                    version: 1,
                    access_key_id: &self.access_key_id,
                    secret_access_key: &self.secret_access_key,
                    session_token: &self.session_token,
                    expiration: &self.expiration,
                };
                let mut text = Zeroizing::new(Vec::with_capacity(16 << 10));
                json::write(&mut *text, &process)?;
                text.push(b'\n');
                out.write_all(&text)
            }
            Form::Profile => {
                writeln!(out, "[{}]", plain(&self.device))?;
                for (name, value) in fields {
                    writeln!(out, "aws_{} = {value}", name.to_ascii_lowercase())?;
                }
                writeln!(out, "# until {}", self.expiration)
            }
        }
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let ((device, session), region, endpoint) = self.connect.open(global, |run| {
            let session = run.session(&self.device, &self.which.wanted()?)?;
            Ok((session, run.region_to_name(), run.endpoint_to_name()))
        })?;
        let Session { temporary, cached } = session;
        let form = match self.r#as.as_str() {
            "process" => Form::Process,
            "profile" => Form::Profile,
            _ => Form::Env,
        };
        let answered = Answered {
            device: device.name.to_string(),
            serial_number: device.serial.unwrap_or_default(),
            access_key_id: temporary.credentials.access_key_id,
            secret_access_key: temporary.credentials.secret_access_key,
            session_token: temporary.credentials.session_token.unwrap_or_default(),
            expiration: expiration(temporary.expiration),
            cached,
            form,
            region,
            endpoint,
        };
        render::print(&answered, (global.json && form != Form::Process) || self.r#as == "json")
    }
}

/// What has to be left of one.
fn remaining(text: &str) -> std::result::Result<u64, String> {
    let seconds = crate::time::duration(text).filter(|seconds| *seconds <= 129_600);
    seconds.ok_or_else(|| "expected a time up to 36h, such as 45s or 1h".to_owned())
}

/// What AWS takes for a session, 900 to 129,600 seconds; for a role less.
fn length(text: &str) -> std::result::Result<u64, String> {
    let seconds = crate::time::duration(text).filter(|seconds| (900..=129_600).contains(seconds));
    seconds.ok_or_else(|| "expected a time from 15m to 36h".to_owned())
}

/// As AWS writes it.
pub(super) fn expiration(time: Timestamp) -> String {
    time.to_rfc3339()
}

/// A word of a POSIX shell.
fn quoted(value: &str) -> Zeroizing<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+/=_-.:%".contains(c);
    Zeroizing::new(if value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    })
}

#[cfg(test)]
crate::cli::schema::answers! {
    "aws session": Answered, Process<'static>;
}

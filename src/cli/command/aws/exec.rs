use std::ffi::OsString;
use std::process::{Command, Stdio};

use super::connect::{self, Run};
use super::session::{self, Which};
use crate::aws::settings::{Service, Settings};
use crate::aws::sts::Temporary;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::{Global, candidates, environment, hygiene};

/// Run a command with a session's keys in its environment
///
/// The command replaces vmfa, so signals, exit code and terminal are its own. It gets AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
/// and AWS_SESSION_TOKEN, and the region and endpoint if they were named. AWS_PROFILE is unset, since some SDKs prefer it.
/// Core files stay off: they would contain the keys.
///
/// Exit codes: the command's; 126 if it can't be run, 127 if it isn't there; before that, vmfa's own.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa aws exec alice -- aws s3 ls
  vmfa aws exec alice --role-arn arn:aws:iam::123456789012:role/ops -- env")]
pub(in crate::cli) struct Args {
    /// The device's name
    #[arg(add = candidates::device())]
    device: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    connect: connect::Args,
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND", add = candidates::file())]
    command: Vec<OsString>,
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let [program, arguments @ ..] = self.command.as_slice() else {
            return Err(Error::usage("there is no command to run"));
        };
        let command = self.connect.open(global, |run| {
            let (_, session) = run.session(&self.device, &self.which.wanted()?)?;
            let mut command = self.prepared(run, program, arguments, &session.temporary);
            if global.passphrase_fd == Some(0) {
                // The passphrase is no input of the command's.
                command.stdin(Stdio::null());
            }
            Ok(command)
        })?;
        match hygiene::run_instead(command) {
            Ok(0) => Ok(()),
            Ok(code) => Err(Error::silent(Kind::Command(code))),
            Err(error) => {
                let program = program.to_string_lossy();
                // As shells tell them apart.
                let (code, message) = match error.kind() {
                    std::io::ErrorKind::NotFound => (127, format!("there is no program `{program}` in PATH")),
                    _ => (126, format!("`{program}` can't be run: {error}")),
                };
                Err(Error::new(Kind::Command(code), "command", message))
            }
        }
    }

    fn prepared(&self, run: &Run<'_>, program: &OsString, arguments: &[OsString], session: &Temporary) -> Command {
        let mut command = Command::new(program);
        command.args(arguments);
        for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"] {
            command.env_remove(name);
        }
        let credentials = &session.credentials;
        command.env("AWS_ACCESS_KEY_ID", &credentials.access_key_id);
        command.env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.as_str());
        if let Some(token) = &credentials.session_token {
            command.env("AWS_SESSION_TOKEN", token.as_str());
        }
        command.env("AWS_CREDENTIAL_EXPIRATION", session::expiration(session.expiration));
        if let Some(region) = run.settings.region() {
            command.env("AWS_REGION", region).env("AWS_DEFAULT_REGION", region);
        }
        self.name_endpoints(run.settings, &mut command);
        command
    }

    /// The command talks to the service that the session is from, not to the endpoints of another profile that it would
    /// fall back to.
    fn name_endpoints(&self, settings: &Settings, command: &mut Command) {
        const ALL: &str = "AWS_ENDPOINT_URL";
        const IGNORE: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
        let named: Vec<OsString> = environment::names_from(ALL);
        let (iam, sts) = (settings.endpoint(Service::Iam), settings.endpoint(Service::Sts));
        if let Some(url) = self.connect.endpoint_url() {
            // It is for every service.
            for name in &named {
                command.env_remove(name);
            }
            command.env_remove(IGNORE).env(ALL, url);
        } else if iam.custom && iam.url == sts.url {
            if environment::variable(ALL).is_none() {
                command.env_remove(IGNORE).env(ALL, &iam.url);
            }
        } else if iam.custom || sts.custom {
            for (endpoint, name) in [(iam, "AWS_ENDPOINT_URL_IAM"), (sts, "AWS_ENDPOINT_URL_STS")] {
                if endpoint.custom {
                    command.env_remove(IGNORE).env(name, &endpoint.url);
                }
            }
        } else if named.is_empty() {
            command.env(IGNORE, "true");
        }
    }
}

mod remote;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::cli::command::listen;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::render::{self, Answer};
use crate::cli::{Global, clock, hints, hygiene};
use crate::serve::http::Server;
use crate::serve::scenario::{Scenario, Seeded, UserKeys};
use crate::serve::time::{Clock, Instant};
use crate::serve::upstream::Upstream;
use crate::serve::{self, Begun, Options, Stand, random};
use crate::time::Timestamp;

/// Run a stand-in for AWS IAM and STS that really checks codes
///
/// It is one AWS account on this machine, for tests and for learning. The AWS CLI, boto3 and the SDKs use it unchanged once
/// AWS_ENDPOINT_URL names it. Codes, signatures and policies are checked as AWS was measured to check them. It prints what
/// to export; end it with Ctrl-C or SIGTERM.
///
/// Bring no real keys or secrets: with --state they are stored unencrypted, readable by you alone.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  vmfa serve --time virtual
  vmfa serve --listen 127.0.0.1:4566 --scenario users.toml
  vmfa serve --state ./account --upstream http://127.0.0.1:5000")]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    remote: Option<remote::Command>,
    /// The address to listen at; port 0 is any free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: String,
    /// The account's number
    #[arg(long, value_name = "NUMBER", default_value = "123456789012")]
    account: String,
    /// The account's alias, which QR codes show instead of the number
    #[arg(long)]
    alias: Option<String>,
    /// Send calls of other services that the policies allow to this server, such as moto or LocalStack
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// `real`, or `virtual`: time stands still until `vmfa serve time` moves it; `virtual=TIME` begins at TIME
    #[arg(long, value_name = "TIME", default_value = "real")]
    time: String,
    /// Create the users, groups, policies, roles and devices of this TOML file at the first start
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Keep the account in this directory, through restarts and crashes
    #[arg(long, value_name = "DIRECTORY")]
    state: Option<PathBuf>,
    /// When ready, write the line of --json to this file descriptor as well
    #[arg(long, value_name = "FD")]
    ready_fd: Option<u32>,
}

/// What a client needs to know.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Ready {
    endpoint: String,
    account: String,
    access_key_id: String,
    #[cfg_attr(test, schemars(with = "String"))]
    secret_access_key: zeroize::Zeroizing<String>,
    region: &'static str,
    console: String,
    time: &'static str,
    pid: u32,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    users: BTreeMap<String, UserKeys>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<UserKeys>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    devices: Vec<Seeded>,
}

/// Clients want one; nothing depends on it.
const REGION: &str = "us-east-1";

/// Descriptors for connections; the system's own limit may be lower.
const DESCRIPTORS: u64 = 32_768;

impl Answer for Ready {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "export AWS_ENDPOINT_URL={}", self.endpoint)?;
        writeln!(out, "export AWS_ACCESS_KEY_ID={}", self.access_key_id)?;
        writeln!(out, "export AWS_SECRET_ACCESS_KEY={}", *self.secret_access_key)?;
        // Some clients read the one, some the other.
        writeln!(out, "export AWS_REGION={0} AWS_DEFAULT_REGION={0}", self.region)?;
        writeln!(out, "unset AWS_SESSION_TOKEN AWS_PROFILE")?;
        if self.time == "virtual" {
            writeln!(out, "export VMFA_CLOCK={}", self.endpoint)?;
        }
        let root = self.root.iter().map(|keys| ("the root user", keys));
        for (name, keys) in self.users.iter().map(|(name, keys)| (name.as_str(), keys)).chain(root) {
            let UserKeys { access_key_id, secret_access_key } = keys;
            writeln!(
                out,
                "# {name}: export AWS_ACCESS_KEY_ID={access_key_id} AWS_SECRET_ACCESS_KEY={}",
                **secret_access_key
            )?;
        }
        for device in &self.devices {
            writeln!(out, "# {}: secret key {}", device.serial_number, *device.secret)?;
        }
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        if let Some(remote) = &self.remote {
            return remote.run(global);
        }
        let address = listen::address(&self.listen)?;
        let upstream = self.upstream.as_deref().map(Upstream::parse).transpose();
        let upstream = upstream.map_err(|error| Error::usage(error.to_string()))?;
        let listener = listen::bind(address)?;
        let ready_fd = match self.ready_fd {
            Some(fd) => Some((fd, hygiene::descriptor(fd).map_err(|error| listen::unwritable(fd, &error))?)),
            None => None,
        };
        let scenario = self.scenario.as_deref().map(|path| {
            // In full, for errors that name its directory.
            Scenario::read(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned())).map_err(|error| {
                let failure = Error::input("scenario", format!("{}: {error}", path.display()));
                let is_toml = path.extension().is_some_and(|extension| extension == "toml");
                if is_toml { failure } else { failure.hint(hints::serve::SCENARIO) }
            })
        });
        let (clock, starts_at) = self.clock()?;
        // Nothing is made or kept before it is sure that it can be served.
        let (stand, begun) = Stand::open(Options {
            account: self.account.clone(),
            alias: self.alias.clone(),
            clock,
            starts_at,
            random: Box::new(random::System),
            state: self.state.clone(),
            scenario: scenario.transpose()?,
        })
        .map_err(|error| match (&error, &self.scenario) {
            (serve::Error::Scenario(problem), Some(path)) => {
                Error::input("scenario", format!("{}: {problem}", path.display()))
            }
            _ => error.into(),
        })?;
        if begun.kept && self.scenario.is_some() {
            render::note("the kept account is used as it is: --scenario is for new ones");
        }
        let bound = listener.local_addr().unwrap_or(address);
        let _ = hygiene::allow_descriptors(DESCRIPTORS);
        // From here on connections are taken, if only into the queue: a program that reads the line may connect.
        let ready = self.ready(bound, begun, &stand);
        let end = listen::until_signal()?;
        warn(bound);
        listen::announce(&ready, ready_fd, global.json)?;
        if !global.json {
            render::note(&format!("account {} on {}; console: {}", ready.account, ready.endpoint, ready.console));
            render::note("Ctrl-C ends it");
        }
        let served = Server::new(Arc::new(stand), upstream).run(listener, end);
        served.map_err(|error| Error::new(Kind::Remote, "serve", format!("the server can't run: {error}")))
    }

    /// The clock, and where virtual time is to begin where that is said.
    fn clock(&self) -> Result<(Clock, Option<Timestamp>)> {
        let now = clock::now();
        let standing = |time| Clock::standing_at(time).beside(Arc::new(clock::now));
        match self.time.split_once('=') {
            None if self.time == "real" => Ok((Clock::Real(Arc::new(instant)), None)),
            None if self.time == "virtual" => Ok((standing(now), None)),
            Some(("virtual", start)) => {
                let start = Timestamp::parse(start, now)?;
                Ok((standing(start), Some(start)))
            }
            _ => Err(Error::usage(format!("`{}` is neither `real` nor `virtual` nor `virtual=TIME`", self.time))),
        }
    }

    fn ready(&self, bound: SocketAddr, begun: Begun, stand: &Stand) -> Ready {
        let endpoint = format!("http://{}", listen::reached_at(bound));
        Ready {
            console: format!("{endpoint}/console"),
            endpoint,
            account: self.account.clone(),
            access_key_id: begun.administrator.access_key_id,
            secret_access_key: begun.administrator.secret_access_key,
            region: REGION,
            time: if stand.clock().is_virtual() { "virtual" } else { "real" },
            pid: std::process::id(),
            users: begun.users,
            root: begun.root,
            devices: begun.devices,
        }
    }
}

/// The system's time.
fn instant() -> Instant {
    Instant::from_unix_millis(u64::try_from(clock::milliseconds()).unwrap_or_default())
}

fn warn(bound: SocketAddr) {
    if !bound.ip().is_loopback() {
        render::note(&format!(
            "warning: {bound} is reachable from other machines, and anybody who reaches it can move its time, read its events and \
             the secret keys of its scenario's devices, and guess its passwords"
        ));
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "serve": Ready;
}

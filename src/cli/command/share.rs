//! `vmfa share`: a server that hands out codes by HTTP, to workers that have no vault and no registry.

mod access;
mod bearer;
mod calls;
mod desk;
mod fleet;
mod line;
mod member;
mod metrics;
#[cfg(test)]
mod openapi;
mod patient;
mod rates;
mod reply;
mod routes;
mod secrets;
mod server;
mod tls;
mod token;
mod trouble;
mod wishes;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use self::access::Access;
use self::desk::Desk;
use self::rates::Rate;
use self::server::Server;
use self::tls::Tls;
use crate::cli::command::dispense::audit::Audit;
use crate::cli::command::listen;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer};
use crate::cli::{Global, chosen_clock, clock, hints, hygiene};
use crate::registry::{Grouped, Kept};

/// Hand out codes by HTTP, to workers that have no vmfa, or no vault
///
/// Each code is handed out once, as by `vmfa code --fresh`, from whatever registry and vault you have. Clients need an access token
/// from `vmfa share token add`, which names the devices that they may use. The program, the Python and the npm package are clients if
/// VMFA_URL names the server; anything else asks it by HTTP: docs/share.md.
///
/// It keeps nothing of its own: run several over one PostgreSQL, and restart them whenever you like. End it with Ctrl-C or
/// SIGTERM: codes that are waited for are given back.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  vmfa share token add ci-runners --allow 'ci/*'
  vmfa share --listen 127.0.0.1:8443
  vmfa share --listen 0.0.0.0:8443 --tls-cert chain.pem --tls-key key.pem")]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The address to listen at; port 0 is any free port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8443")]
    listen: String,
    /// The certificate and those that vouch for it, in a PEM file. It is read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, in a PEM file that other users can't read
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Listen on a network without TLS, behind a proxy that has it
    #[arg(long, conflicts_with = "tls_cert")]
    plain_http: bool,
    /// How many requests a second each access token may make
    #[arg(long, value_name = "NUMBER", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,
    /// Append a line of JSON to this file before each code is given, without the code. If that fails, no code is given
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    #[command(flatten)]
    clock: chosen_clock::Which,
    /// If --clock names a stand-in with virtual time, advance its time instead of waiting
    #[arg(long)]
    jump: bool,
    /// When ready, write the line of --json to this file descriptor as well
    #[arg(long, value_name = "FD")]
    ready_fd: Option<u32>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Token(token::Args),
}

/// What a client needs to know.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Ready {
    /// What VMFA_URL is to be.
    url: String,
    /// How many access tokens there are.
    access_tokens: usize,
    /// Of the process.
    pid: u32,
}

impl Answer for Ready {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "export VMFA_URL={}", self.url)
    }
}

/// Descriptors for connections; the system's own limit may be lower.
const DESCRIPTORS: u64 = 32_768;

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        if let Some(Command::Token(token)) = &self.command {
            return token.run(global);
        }
        let address = listen::address(&self.listen)?;
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(Tls::read(certificate, key)?),
            _ => None,
        };
        if tls.is_none() && !self.plain_http && !address.ip().is_loopback() {
            let message =
                format!("{address} can be reached from other machines: codes and access tokens need TLS there");
            return Err(Error::new(Kind::Usage, "clear-text", message)
                .hint(hints::share::TLS)
                .hint(hints::share::LOOPBACK)
                .hint(hints::share::PROXY));
        }
        if global.passphrase_fd == Some(0) && global.exit_with_stdin {
            return Err(Error::usage("--passphrase-fd 0 reads stdin, whose end ends this program"));
        }
        let place = Place::find_quietly(global)?;
        let registry: Arc<dyn Kept> = Arc::new(Grouped::new(place.registry()?));
        registry.expect_writable()?;
        let audit = self.audit.as_deref().map(Audit::open).transpose()?;
        let clock = self.clock.open(global)?;
        let access = Access::open(Arc::clone(&registry))?;
        let tokens = access.count();
        let desk = Desk::open(place, registry, clock, self.jump, audit)?;
        let listener = listen::bind(address)?;
        let ready_fd = match self.ready_fd {
            Some(fd) => Some((fd, hygiene::descriptor(fd).map_err(|error| listen::unwritable(fd, &error))?)),
            None => None,
        };
        let bound = listener.local_addr().unwrap_or(address);
        let descriptors = hygiene::allow_descriptors(DESCRIPTORS);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listen::reached_at(bound));
        let server = Server::new(Arc::new(desk), access, Rate::of(self.rate), tls, descriptors, clock::stopwatch());
        let end = listen::until_signal()?;
        listen::announce(&Ready { url, access_tokens: tokens, pid: std::process::id() }, ready_fd, global.json)?;
        if !global.json {
            render::note(&format!("listening on {bound}; Ctrl-C ends it"));
            if tokens == 0 {
                render::note(&format!("warning: {}", hints::share::NO_TOKENS));
            }
        }
        let served = server.run(listener, end);
        served.map_err(|error| Error::new(Kind::Remote, "serve", format!("the server can't run: {error}")))
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "share": Ready;
}

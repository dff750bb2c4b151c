//! A server of the Model Context Protocol on stdin and stdout.
//!
//! The protocol is written here by hand: JSON-RPC, a message a line, three tools. With `rmcp`, which brings an async runtime into a
//! command that has no other use for it, the program as packages carry it grew from 14.1 to 16.2 MB, and at most 15 are allowed.

mod arguments;
mod calls;
mod dispense;
mod input;
mod message;
mod output;
mod server;
mod tools;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use self::calls::{Calls, End};
use self::dispense::Dispenser;
use self::output::Outbox;
use self::server::Server;
use crate::cli::command::dispense::allowed::Allowed;
use crate::cli::command::dispense::audit::Audit;
use crate::cli::command::dispense::expect_readable;
use crate::cli::empty::looked_in;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::open::Place;
use crate::cli::{Global, candidates, chosen_clock, hygiene, interrupt, render};
use crate::device;

/// Give codes to agents by the Model Context Protocol (MCP)
///
/// An MCP client starts it and speaks to it on stdin and stdout; docs/mcp.md has the settings of common clients. It has three tools:
/// list_devices, get_code (as `vmfa code --fresh`) and get_pair (as `vmfa pair`). None returns a secret.
///
/// --allow is required: web pages and files that an agent reads may talk it into asking for codes, so it should only
/// get those of the devices that it is to sign in with. All other devices don't exist for it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa mcp --allow ci/deploy
  vmfa mcp --allow 'ci/*' --audit ~/vmfa-audit.jsonl")]
pub(in crate::cli) struct Args {
    /// A device that the client may use, or a pattern such as 'ci/*' (`*` and `?` don't match `/`, `**` does). Repeat it for more
    #[arg(long, value_name = "PATTERN", required = true, add = candidates::pool())]
    allow: Vec<String>,
    /// Append a line of JSON to this file before each code is given, without the code. If that fails, no code is given
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    #[command(flatten)]
    clock: chosen_clock::Which,
    /// If --clock names a stand-in with virtual time, advance its time instead of waiting
    #[arg(long)]
    jump: bool,
}

/// How long a client that has closed stdin may take to read its answers.
const PATIENCE: Duration = Duration::from_secs(5);

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let allowed = Allowed::of(&self.allow)?;
        if global.passphrase_fd == Some(0) {
            return Err(Error::usage("--passphrase-fd 0 reads stdin, on which the client speaks"));
        }
        let place = Place::find_quietly(global)?;
        if place.identity_file().is_some_and(|path| hygiene::is_stdin(&path)) {
            return Err(Error::usage("the identity file is stdin, on which the client speaks"));
        }
        look(&place, &allowed)?;
        let audit = self.audit.as_deref().map(Audit::open).transpose()?;
        let dispenser = Dispenser { place, allowed, clock: self.clock.open(global)?, jump: self.jump, audit };
        if std::io::stdin().is_terminal() {
            render::note("waiting for MCP messages, one per line: an MCP client starts this command, see docs/mcp.md");
        }
        serve(dispenser)
    }
}

/// Warns where there is nothing to give, and makes sure that nobody would have to be asked for a passphrase.
fn look(place: &Place, allowed: &Allowed) -> Result<()> {
    let registry = place.registry()?;
    let devices = allowed.devices(&*registry)?;
    if devices.is_empty() {
        render::note("warning: no device matches --allow yet");
        if device::active(&*registry)?.is_empty() {
            looked_in().iter().for_each(|line| render::note(line));
        }
    }
    expect_readable(place, &*registry, &devices)
}

/// Serves until stdin ends, or a signal comes. Then nothing stays taken that isn't answered.
fn serve(dispenser: Dispenser) -> Result<()> {
    let (calls, outbox) = (Arc::new(Calls::default()), Arc::new(Outbox::default()));
    let no_thread =
        |error: std::io::Error| Error::new(Kind::Storage, "io", format!("no thread can be started: {error}"));
    let end_now = {
        let (calls, outbox) = (Arc::clone(&calls), Arc::clone(&outbox));
        move || {
            calls.end(End::Now);
            outbox.close();
        }
    };
    interrupt::on_signal(end_now.clone()).map_err(no_thread)?;
    let writer = {
        let outbox = Arc::clone(&outbox);
        move || {
            outbox.write();
            end_now();
        }
    };
    let reader = {
        let (calls, outbox) = (Arc::clone(&calls), Arc::clone(&outbox));
        move || {
            let _end = AtEnd(Arc::clone(&calls));
            if let Err(error) = Server::new(Arc::new(dispenser), calls, outbox).serve(std::io::stdin().lock()) {
                render::note(&format!("vmfa: stdin: {error}"));
            }
        }
    };
    let start = |name: &str, work: Box<dyn FnOnce() + Send>| thread::Builder::new().name(name.to_owned()).spawn(work);
    // Neither can be interrupted: they end with the process.
    start("writer", Box::new(writer)).map_err(no_thread)?;
    start("reader", Box::new(reader)).map_err(no_thread)?;
    calls.wait_for_end(PATIENCE);
    let finished = outbox.finish(PATIENCE);
    finished.map_err(|error| Error::new(Kind::Storage, "stdout", format!("stdout: {error}")))
}

/// However the reader ends, so does the server.
struct AtEnd(Arc<Calls>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.end(End::Input);
    }
}

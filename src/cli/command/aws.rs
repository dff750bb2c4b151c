//! `vmfa aws`: IAM and STS as a client. One file a command.

mod batch;
mod connect;
mod disable;
mod enable;
mod exec;
mod resync;
mod session;
mod status;

use crate::cli::error::Result;
use crate::cli::{Global, help};

/// Enrol, resynchronize and disable AWS devices, and get sessions with them
///
/// If a command is interrupted, run it again to continue.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true, after_help = help::AWS)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Enable(enable::Args),
    Resync(resync::Args),
    Disable(disable::Args),
    Status(status::Args),
    Session(session::Args),
    Exec(exec::Args),
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        match &self.command {
            Command::Enable(args) => args.run(global),
            Command::Resync(args) => args.run(global),
            Command::Disable(args) => args.run(global),
            Command::Status(args) => args.run(global),
            Command::Session(args) => args.run(global),
            Command::Exec(args) => args.run(global),
        }
    }
}

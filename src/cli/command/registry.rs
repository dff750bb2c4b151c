//! `vmfa registry`: the registry as a whole. One file a command.

mod copy;

use crate::cli::Global;
use crate::cli::error::Result;

/// Move to another registry
///
/// The registry has all that isn't secret: names, parameters, and which codes were handed out. It is a file in vmfa's home, or
/// in PostgreSQL or DynamoDB, which many machines share.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  vmfa registry copy --from file --to postgres://vmfa@db.example.com/vmfa"
)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Copy(copy::Args),
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        match &self.command {
            Command::Copy(args) => args.run(global),
        }
    }
}

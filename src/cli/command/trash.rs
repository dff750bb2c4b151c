//! `vmfa trash`: devices that were removed. One file a command.

mod empty;
mod list;
mod restore;

use crate::cli::Global;
use crate::cli::error::Result;

/// List, restore or delete devices that were removed
///
/// `vmfa remove` and `vmfa add --replace` keep a secret in the trash for 30 days. After that, the next command that adds
/// or removes a device deletes it.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  vmfa trash list
  vmfa trash restore alice
  vmfa trash empty alice"
)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    #[command(visible_alias = "ls")]
    List(list::Args),
    Restore(restore::Args),
    Empty(empty::Args),
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        match &self.command {
            Command::List(args) => args.run(global),
            Command::Restore(args) => args.run(global),
            Command::Empty(args) => args.run(global),
        }
    }
}

//! `vmfa recipients`: who can open what age has encrypted. One file a command.

mod add;
mod change;
mod list;
mod remove;

use crate::cli::Global;
use crate::cli::error::Result;

/// List, add or remove recipients of the age or shared vault
///
/// Each secret is encrypted to all recipients, so that the identity of any of them opens it. A change encrypts all secrets
/// again, by the identity that you use. If it is interrupted, give the same command again.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  vmfa recipients list
  vmfa recipients add -R worker.txt       # with a line such as age1ql3z7hjy5…
  vmfa recipients remove -R worker.txt"
)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    #[command(visible_alias = "ls")]
    List(list::Args),
    Add(add::Args),
    #[command(visible_alias = "rm")]
    Remove(remove::Args),
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        match &self.command {
            Command::List(args) => args.run(global),
            Command::Add(args) => args.run(global),
            Command::Remove(args) => args.run(global),
        }
    }
}

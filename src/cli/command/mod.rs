//! One file a command.

mod add;
mod aws;
mod backup;
mod bench;
mod code;
mod codes;
mod completions;
mod demo;
mod dispense;
mod doctor;
mod drift;
mod edit;
mod export;
mod import;
mod init;
mod list;
mod listen;
#[cfg(target_os = "linux")]
mod lock;
mod man;
mod mcp;
mod pair;
mod qr;
mod recipients;
mod registry;
mod release;
mod remove;
mod rename;
mod restore;
mod scan;
mod serve;
mod share;
mod show;
mod trash;
#[cfg(target_os = "linux")]
mod unlock;
mod uri;
mod verify;
mod watch;

use clap::Subcommand;

use super::Global;
use super::error::Result;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Add(add::Args),
    Import(import::Args),
    Export(export::Args),
    Scan(scan::Args),
    Code(code::Args),
    Pair(pair::Args),
    Verify(verify::Args),
    Drift(drift::Args),
    Release(release::Args),
    #[command(visible_alias = "ls")]
    List(list::Args),
    Watch(watch::Args),
    Show(show::Args),
    Rename(rename::Args),
    Edit(edit::Args),
    #[command(visible_alias = "rm")]
    Remove(remove::Args),
    Trash(trash::Args),
    Qr(qr::Args),
    Uri(uri::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Recipients(recipients::Args),
    Registry(registry::Args),
    Aws(aws::Args),
    Mcp(mcp::Args),
    Share(share::Args),
    Serve(serve::Args),
    Demo(demo::Args),
    #[cfg(target_os = "linux")]
    Unlock(unlock::Args),
    #[cfg(target_os = "linux")]
    Lock(lock::Args),
    Init(init::Args),
    Doctor(doctor::Args),
    Bench(bench::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// The one that is read by itself.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Serving {
    Serve(serve::Args),
}

impl Command {
    /// Whether it speaks to another program on stdin, and ends with it by itself.
    pub(super) const fn speaks_on_stdin(&self) -> bool {
        matches!(self, Self::Mcp(_))
    }

    /// `whole` is the whole command line, for manual pages.
    pub(super) fn run(&self, global: &Global, whole: fn() -> clap::Command) -> Result<()> {
        match self {
            Self::Add(args) => args.run(global),
            Self::Import(args) => args.run(global),
            Self::Export(args) => args.run(global),
            Self::Scan(args) => args.run(global),
            Self::Code(args) => args.run(global),
            Self::Pair(args) => args.run(global),
            Self::Verify(args) => args.run(global),
            Self::Drift(args) => args.run(global),
            Self::Release(args) => args.run(global),
            Self::List(args) => args.run(global),
            Self::Watch(args) => args.run(global),
            Self::Show(args) => args.run(global),
            Self::Rename(args) => args.run(global),
            Self::Edit(args) => args.run(global),
            Self::Remove(args) => args.run(global),
            Self::Trash(args) => args.run(global),
            Self::Qr(args) => args.run(global),
            Self::Uri(args) => args.run(global),
            Self::Backup(args) => args.run(global),
            Self::Restore(args) => args.run(global),
            Self::Recipients(args) => args.run(global),
            Self::Registry(args) => args.run(global),
            Self::Aws(args) => args.run(global),
            Self::Mcp(args) => args.run(global),
            Self::Share(args) => args.run(global),
            Self::Serve(args) => args.run(global),
            Self::Demo(args) => args.run(global),
            #[cfg(target_os = "linux")]
            Self::Unlock(args) => args.run(global),
            #[cfg(target_os = "linux")]
            Self::Lock(args) => args.run(global),
            Self::Init(args) => args.run(global),
            Self::Doctor(args) => args.run(global),
            Self::Bench(args) => args.run(global),
            Self::Completions(args) => args.run(),
            Self::Man(args) => args.run(global, whole()),
        }
    }
}

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

use clap::{Args as _, Subcommand};

use super::Global;
use super::error::Result;

/// The commands, and for each a parser of its own.
macro_rules! commands {
    ($($(#[cfg($when:meta)])? $(#[command($with:meta)])? $variant:ident($module:ident),)*) => {
        #[derive(Debug, Subcommand)]
        pub(super) enum Command {
            $($(#[cfg($when)])? $(#[command($with)])? $variant($module::Args),)*
        }

        impl Command {
            /// The parser of the command of this name alone: making those of all others takes longer than most commands do.
            pub(super) fn parser_of(name: &str) -> Option<clap::Command> {
                $($(#[cfg($when)])?
                if name == stringify!($module) {
                    return Some($module::Args::augment_args(clap::Command::new(stringify!($module))));
                })*
                None
            }
        }
    };
}

commands! {
    Add(add),
    Import(import),
    Export(export),
    Scan(scan),
    Code(code),
    Pair(pair),
    Verify(verify),
    Drift(drift),
    Release(release),
    #[command(visible_alias = "ls")]
    List(list),
    Watch(watch),
    Show(show),
    Rename(rename),
    Edit(edit),
    #[command(visible_alias = "rm")]
    Remove(remove),
    Trash(trash),
    Qr(qr),
    Uri(uri),
    Backup(backup),
    Restore(restore),
    Recipients(recipients),
    Registry(registry),
    Aws(aws),
    Mcp(mcp),
    Share(share),
    Serve(serve),
    Demo(demo),
    #[cfg(target_os = "linux")]
    Unlock(unlock),
    #[cfg(target_os = "linux")]
    Lock(lock),
    Init(init),
    Doctor(doctor),
    Bench(bench),
    Completions(completions),
    Man(man),
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

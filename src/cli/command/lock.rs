use std::io::{self, Write};

use serde::Serialize;

use super::unlock::protected;
use crate::cli::Global;
use crate::cli::agent::Agent;
use crate::cli::error::Result;
use crate::cli::open::Place;
use crate::cli::render::{self, Answer};

/// End what `vmfa unlock` began: the passphrase is asked for again
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa lock")]
pub(in crate::cli) struct Args {}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Locked {
    /// Whether it was unlocked.
    was_unlocked: bool,
}

impl Answer for Locked {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", if self.was_unlocked { "locked" } else { "already locked" })
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let place = Place::find(global)?;
        let (_, content) = protected(&place)?;
        render::print(&Locked { was_unlocked: Agent::of(&place.home, &content).lock() }, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "lock": Locked;
}

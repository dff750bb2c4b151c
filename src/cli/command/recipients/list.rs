use std::io::{self, Write};

use serde::Serialize;

use super::change::{known_recipients, vault};
use crate::cli::error::Result;
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, hints};

/// List the recipients of the age or shared vault
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa recipients list
  vmfa recipients list --json")]
pub(super) struct Args {}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Listed {
    recipients: Vec<String>,
    /// Whether all secrets are encrypted to them; false if a change was interrupted.
    complete: bool,
}

impl Answer for Listed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        self.recipients.iter().try_for_each(|recipient| writeln!(out, "{}", plain(recipient)))?;
        if !self.complete {
            render::note("a change was interrupted: not all secrets are encrypted to all of them");
            render::note(hints::vaults::FINISH_RECIPIENTS);
        }
        Ok(())
    }
}

impl Args {
    #[expect(clippy::unused_self, reason = "as all commands")]
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let place = Place::find(global)?;
        let vault = vault(&place)?;
        let answer = Listed { recipients: known_recipients(&vault)?, complete: !vault.is_changing()? };
        render::print(&answer, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "recipients list": Listed;
}

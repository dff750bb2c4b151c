use std::io::{self, Write};

use serde::Serialize;

use crate::cli::agent::Agent;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer};
use crate::cli::{Global, clock, hints};
use crate::time::duration;
use crate::vault::age::{self, Identity};

/// The longest that an identity is held, in seconds: a week.
const LONGEST: u64 = 7 * 24 * 60 * 60;

/// Enter the age vault's passphrase once for many commands
///
/// A process in the background holds the opened identity, and gives it to commands that you run; `vmfa lock` ends it. It
/// also ends when you log out, or when its time is up, sleep included.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa unlock
  vmfa unlock --for 30m")]
pub(in crate::cli) struct Args {
    /// For how long, such as 30m or 8h; at most 7 days
    #[arg(long = "for", value_name = "TIME", default_value = "8h")]
    time: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Unlocked {
    /// The identity's file.
    identity: String,
    /// Until when, RFC 3339.
    until: String,
    /// Whether the identity is kept off the disk where memory is swapped.
    never_swapped: bool,
}

impl Answer for Unlocked {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "unlocked {} until {} (vmfa lock ends it)", self.identity, self.until)?;
        if !self.never_swapped {
            render::note(
                "warning: this system lets no process lock enough memory, so the identity may be swapped to disk",
            );
        }
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let seconds = duration(&self.time).filter(|seconds| (1..=LONGEST).contains(seconds));
        let seconds = seconds.ok_or_else(|| Error::usage("--for takes a time such as 30m or 8h, of at most 7 days"))?;
        let place = Place::find(global)?;
        let (path, content) = protected(&place)?;
        let agent = Agent::of(&place.home, &content);
        let identity = match agent.identity() {
            Some(known) => known,
            None => age::unlocked(&Identity::File { path: path.clone(), passphrase: place.passphrase() })?,
        };
        agent.lock();
        let never_swapped = agent.start(&identity, seconds)?;
        let until = clock::now().plus(seconds).unwrap_or_else(clock::now).to_rfc3339();
        render::print(&Unlocked { identity: path.display().to_string(), until, never_swapped }, global.json)
    }
}

/// The identity's file and what is in it, if it needs a passphrase.
pub(super) fn protected(place: &Place) -> Result<(std::path::PathBuf, zeroize::Zeroizing<Vec<u8>>)> {
    // What an age vault without an identity says.
    place.age(crate::vault::Kind::Age)?;
    let path = place.identity_file().ok_or_else(nothing)?;
    let content = age::read_identity(&path)?;
    if age::is_encrypted(&content) {
        return Ok((path, content));
    }
    match age::plugins_of(&content).as_slice() {
        [] => Err(nothing()),
        [plugin, ..] => {
            let message = format!("the key of the age vault's identity is held by age-plugin-{plugin}");
            Err(Error::new(Kind::No, "not-protected", message).hint(hints::vaults::PLUGIN_STAYS))
        }
    }
}

fn nothing() -> Error {
    Error::new(Kind::No, "not-protected", "the age vault's identity has no passphrase")
        .hint(hints::vaults::NOTHING_TO_UNLOCK)
}

#[cfg(test)]
crate::cli::schema::answers! {
    "unlock": Unlocked;
}

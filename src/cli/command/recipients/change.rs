//! What adding and removing recipients have in common.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use crate::aws::{LOCK_LIMIT, Locks};
use crate::cli::config::Age as AgeConfig;
use crate::cli::error::{Error, Kind as ErrorKind, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, hints, progress, world};
use crate::device::Devices;
use crate::vault::Kind;
use crate::vault::age;

/// Recipients as the command line gives them.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// The recipient: an age recipient or an SSH public key. Repeat it for more
    #[arg(value_name = "RECIPIENT", required_unless_present = "files")]
    recipients: Vec<String>,
    /// Read recipients from this file, one per line. Repeat it for more
    #[arg(long = "recipients-file", short = 'R', value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Named {
    pub(super) fn all(&self) -> Result<Vec<String>> {
        super::super::backup::all_recipients(&self.recipients, &self.files)
    }
}

/// What a change came to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Changed {
    /// All recipients, after the change.
    recipients: Vec<String>,
    /// The number of files that are encrypted to them now: one for each device, and the vault's own.
    files: usize,
    /// Files that stayed as they were, since the identity can't open them.
    left: Vec<Left>,
}

/// A file that stayed as it was.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Left {
    file: String,
    /// What is wrong with it.
    reason: String,
}

impl Answer for Changed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let s = if self.files == 1 { "" } else { "s" };
        writeln!(out, "encrypted {} file{s} to:", self.files)?;
        for recipient in &self.recipients {
            writeln!(out, "  {}", plain(recipient))?;
        }
        for left in &self.left {
            render::note(&format!("not changed: {}", left.reason));
        }
        Ok(())
    }
}

/// Changes the recipients, and encrypts all that is there to the new ones. `change` makes the new list of the old one.
pub(super) fn change(global: &Global, change: impl FnOnce(Vec<String>) -> Result<Vec<String>>) -> Result<()> {
    let locks = Locks::new(Place::find(global)?.home.locks, LOCK_LIMIT);
    let waiting = |holder| render::note(&format!("waiting for {holder}, which changes the configuration"));
    let _lock = locks.sole("configuration", &world::pause, waiting)?;
    let place = Place::find(global)?;
    let old = vault(&place)?;
    let before = known_recipients(&old)?;
    let after = change(before.clone())?;
    let new = old.with_recipients(after.clone());
    // Nobody locks himself out.
    new.try_identity()?;
    if before != after {
        let registry = place.registry()?;
        // The key that fingerprints are made with stays the same. It is there before anything looks for it.
        let key = Devices { vault: &*old, registry: &*registry }.own_key()?;
        new.take_over_key(&key)?;
        Devices { vault: &new, registry: &*registry }.own_key()?;
        let mut config = place.config.clone();
        let configured =
            config.age.unwrap_or(AgeConfig { recipients: Vec::new(), identity_file: None, identity_in_keyring: false });
        config.age = Some(AgeConfig { recipients: after.clone(), ..configured });
        config.write(place.config_path())?;
    }
    let mut bar = None;
    let outcome = new.rewrap(|done, all| {
        let bar = bar.get_or_insert_with(|| progress::bar("encrypting", all));
        bar.set_length(u64::try_from(all).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    })?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let left: Vec<Left> =
        outcome.left.iter().map(|(place, error)| Left { file: place.clone(), reason: error.to_string() }).collect();
    let complete = left.is_empty();
    render::print(&Changed { recipients: after, files: outcome.items, left }, global.json)?;
    if complete { Ok(()) } else { Err(Error::silent(ErrorKind::No)) }
}

pub(super) fn vault(place: &Place) -> Result<std::sync::Arc<age::Age>> {
    let kind = match (place.explicit(), place.default_kind()?) {
        (Some(kind), _) if !kind.has_recipients() => {
            return Err(Error::usage("only the age and the shared vault have recipients").hint(hints::vaults::SAY_AGE));
        }
        (Some(kind), _) => kind,
        (None, Kind::Shared) => Kind::Shared,
        (None, _) => Kind::Age,
    };
    place.age(kind)
}

/// The recipients, if anybody but a plugin knows them.
pub(super) fn known_recipients(vault: &age::Age) -> Result<Vec<String>> {
    let known = vault.named_recipients()?;
    if known.is_empty() {
        let message = "only the identity's plugin knows the recipients of the vault, so they can't be changed";
        return Err(
            Error::new(ErrorKind::No, "recipients-unknown", message).hint(hints::vaults::NAME_PLUGINS_RECIPIENT)
        );
    }
    Ok(known)
}

#[cfg(test)]
crate::cli::schema::answers! {
    "recipients add": Changed;
    "recipients remove": Changed;
}

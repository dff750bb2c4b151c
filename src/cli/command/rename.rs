use std::io::{self, Write};

use serde::Serialize;

use crate::cli::error::Result;
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates};
use crate::device::{self, Devices};
use crate::name::Name;

/// Rename a device
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa rename alice work/alice")]
pub(in crate::cli) struct Args {
    /// The device's name
    #[arg(add = candidates::device())]
    device: String,
    /// The new name
    new_name: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Renamed {
    /// The name before.
    old_name: String,
    /// The name now.
    name: String,
    /// Why the label in the keyring still shows the old name.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

impl Answer for Renamed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(warning) = &self.warning {
            render::note(&format!("warning: the vault's label still shows the old name: {warning}"));
        }
        writeln!(out, "renamed {} to {}", plain(&self.old_name), plain(&self.name))
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let new_name: Name = self.new_name.parse()?;
        let place = Place::find(global)?;
        let registry = place.registry()?;
        let device = device::find(&*registry, &self.device)?;
        let vault = place.vault_of(&device)?;
        let (renamed, label) = Devices { vault: vault.as_ref(), registry: &*registry }.rename(&device, &new_name)?;
        let answer = Renamed {
            old_name: device.name.to_string(),
            name: renamed.name.to_string(),
            warning: label.err().map(|error| error.to_string()),
        };
        render::print(&answer, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "rename": Renamed;
}

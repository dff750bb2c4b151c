use std::io::{self, Write};

use serde::Serialize;

use crate::cli::error::{Error, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates, hints};
use crate::device::{self, Devices, trash};
use crate::name::Name;
use crate::registry;

/// Bring a device back from the trash
///
/// It is as it was: its codes that were handed out stay used. Of several with one name, the last removed comes back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa trash restore alice
  vmfa trash restore alice --as old/alice
  vmfa trash restore a646cd03             # by the ID in `vmfa trash list`")]
pub(super) struct Args {
    /// The name that the device had, or its ID
    #[arg(add = candidates::trashed())]
    device: String,
    /// Give it another name
    #[arg(long = "as", value_name = "NEW")]
    new_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Restored {
    /// The name that it had.
    old_name: String,
    /// The name now.
    name: String,
    /// How many more of the old name are in the trash.
    more: usize,
    /// Why the label in the keyring still says that it is in the trash.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

impl Answer for Restored {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(warning) = &self.warning {
            render::note(&format!("warning: the vault's label still says that it is in the trash: {warning}"));
        }
        let (old_name, name) = (plain(&self.old_name), plain(&self.name));
        if self.more > 0 {
            render::note(&format!("{} more named {old_name} in the trash: vmfa trash list", self.more));
        }
        if old_name == name { writeln!(out, "restored {name}") } else { writeln!(out, "restored {old_name} as {name}") }
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let new_name: Option<Name> = self.new_name.as_deref().map(str::parse).transpose()?;
        let place = Place::find(global)?;
        let registry = place.registry()?;
        let found = trash::find(&*registry, &self.device)?;
        let device = found.first().ok_or(registry::Error::Gone)?;
        let vault = place.vault_of(device)?;
        let devices = Devices { vault: vault.as_ref(), registry: &*registry };
        let name = new_name.as_ref().unwrap_or(&device.name);
        let (restored, label) = devices.restore(device, name).map_err(|error| match error {
            device::Error::Registry(error @ registry::Error::NameTaken(_)) => {
                Error::from(error).hint(hints::devices::restore_as(&self.device))
            }
            error => error.into(),
        })?;
        let answer = Restored {
            old_name: device.name.to_string(),
            name: restored.name.to_string(),
            more: found.len().saturating_sub(1),
            warning: label.err().map(|error| error.to_string()),
        };
        render::print(&answer, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "trash restore": Restored;
}

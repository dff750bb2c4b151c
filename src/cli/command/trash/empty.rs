use std::io::{self, Write};

use serde::Serialize;

use crate::cli::error::{Error, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates, clock, prompt};
use crate::device::{Devices, trash};
use crate::registry::Device;

/// Delete what is in the trash, for good
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa trash empty
  vmfa trash empty alice --yes")]
pub(super) struct Args {
    /// The names of the devices to delete, or their IDs [default: all]
    #[arg(value_name = "DEVICE", add = candidates::trashed())]
    devices: Vec<String>,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Emptied {
    /// The names that they had.
    deleted: Vec<String>,
}

impl Answer for Emptied {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.deleted.is_empty() {
            render::note("the trash is empty");
        }
        self.deleted.iter().try_for_each(|name| writeln!(out, "deleted {}", plain(name)))
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let place = Place::find(global)?;
        let registry = place.registry()?;
        let mut devices: Vec<Device> = Vec::new();
        for wanted in &self.devices {
            devices.extend(trash::find(&*registry, wanted)?);
        }
        devices.sort_by_key(|device| device.id);
        devices.dedup_by_key(|device| device.id);
        if self.devices.is_empty() {
            devices = trash::list(&*registry)?;
        }
        if !devices.is_empty() && !self.yes {
            let (count, s) = (devices.len(), if devices.len() == 1 { "" } else { "s" });
            if !global.json && prompt::somebody_there() {
                let names: Vec<_> = devices.iter().map(|device| plain(device.name.as_str()).into_owned()).collect();
                render::note(&format!("This deletes {count} secret{s} for good: {}", names.join(", ")));
            }
            prompt::confirm("Delete?", &format!("this would delete {count} secret{s} for good"))?;
        }
        let mut deleted = Vec::new();
        for device in &devices {
            let vault = place.vault_of(device)?;
            let emptied = Devices { vault: vault.as_ref(), registry: &*registry }.remove(device, clock::now());
            emptied.map_err(|error| {
                let name = device.name.as_str();
                Error::from(error).about(&format!("`{name}` ({} of {} were deleted)", deleted.len(), devices.len()))
            })?;
            deleted.push(device.name.to_string());
        }
        render::print(&Emptied { deleted }, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "trash empty": Emptied;
}

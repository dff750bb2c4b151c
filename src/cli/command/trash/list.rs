use std::io::{self, Write};

use serde::Serialize;

use super::super::show::Description;
use crate::cli::Global;
use crate::cli::error::Result;
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, day, plain, table};
use crate::device::trash;
use crate::registry::Device;
use crate::time::Timestamp;

/// List the devices in the trash, the last removed first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa trash list
  vmfa trash list --json")]
pub(super) struct Args {}

/// A device in the trash.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Row {
    #[serde(flatten)]
    device: Description,
    /// When it was removed, RFC 3339.
    removed: Option<String>,
    /// When it may be deleted, RFC 3339.
    kept_until: Option<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Listed {
    devices: Vec<Row>,
}

impl Row {
    fn of(device: &Device) -> Self {
        Self {
            device: Description::of(device, None),
            removed: trash::removed(device).map(Timestamp::to_rfc3339),
            kept_until: trash::kept_until(device).map(Timestamp::to_rfc3339),
        }
    }

    fn cells(&self) -> Vec<String> {
        let text = |text: &str| plain(if text.is_empty() { "-" } else { text }).into_owned();
        let date = |time: &Option<String>| day(time.as_deref().unwrap_or("-")).to_owned();
        // As much of the id as `vmfa trash restore` needs.
        let id = self.device.id.split('-').next().unwrap_or_default().to_owned();
        vec![
            text(&self.device.name),
            text(self.device.described.issuer.as_deref().unwrap_or_default()),
            text(&self.device.described.account),
            date(&self.removed),
            date(&self.kept_until),
            id,
        ]
    }
}

impl Answer for Listed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.devices.is_empty() {
            render::note("the trash is empty");
            return Ok(());
        }
        let rows: Vec<Vec<String>> = self.devices.iter().map(Row::cells).collect();
        table(out, &["NAME", "ISSUER", "ACCOUNT", "REMOVED", "KEPT UNTIL", "ID"], &rows)
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let devices = trash::list(&*Place::find(global)?.registry()?)?;
        render::print(&Listed { devices: devices.iter().map(Row::of).collect() }, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "trash list": Listed;
}

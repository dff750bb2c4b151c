use std::io::{self, Write};

use serde::Serialize;

use crate::cli::Global;
use crate::cli::error::Result;
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, plain, table};
use crate::device;

use super::show::Description;

/// List all devices, or with --vault those of one vault
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {}

#[derive(Debug, Serialize)]
struct Listed {
    devices: Vec<Description>,
}

impl Answer for Listed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.devices.is_empty() {
            render::note("there are no devices yet: vmfa add NAME SOURCE");
            return Ok(());
        }
        let rows: Vec<Vec<String>> = self
            .devices
            .iter()
            .map(|device| {
                vec![
                    plain(&device.name).into_owned(),
                    plain(device.issuer.as_deref().unwrap_or("-")).into_owned(),
                    plain(if device.account.is_empty() { "-" } else { &device.account }).into_owned(),
                    device.r#type.to_owned(),
                    device.vault.to_owned(),
                ]
            })
            .collect();
        table(out, &["NAME", "ISSUER", "ACCOUNT", "TYPE", "VAULT"], &rows)
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let place = Place::find(global)?;
        let mut devices = device::active(&place.registry()?)?;
        if let Some(kind) = place.explicit() {
            devices.retain(|device| device.vault == kind);
        }
        let devices = devices.iter().map(|device| Description::of(device, None)).collect();
        render::print(&Listed { devices }, global.json)
    }
}

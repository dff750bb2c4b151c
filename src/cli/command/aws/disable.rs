use std::io::{self, Write};

use serde::Serialize;

use super::connect;
use crate::cli::error::Result;
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, clock, prompt};

/// Deactivate and delete a device at AWS; then, if you want, its secret here
///
/// For one's own device AWS asks for a session with MFA, which is got with the device's last code. The secret stays until
/// AWS has no such device any more.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The device's name, exactly
    device: String,
    /// Whose device it is [default: who calls]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Remove the secret here, too, without asking
    #[arg(long, conflicts_with = "keep")]
    remove: bool,
    /// Keep the secret here, without asking
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    connect: connect::Args,
}

#[derive(Debug, Serialize)]
struct Answered {
    device: String,
    serial_number: String,
    user: String,
    /// Whether this run did it; else it was done before.
    deactivated: bool,
    deleted: bool,
    /// Whether the secret is gone from here.
    removed: bool,
}

impl Answer for Answered {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let (name, serial) = (plain(&self.device), plain(&self.serial_number));
        if self.deactivated || self.deleted {
            writeln!(out, "disabled {name}: {serial} is deleted")?;
        } else {
            writeln!(out, "{name} was disabled before: there is no {serial}")?;
        }
        if self.removed {
            return writeln!(out, "removed {name}");
        }
        render::note(&format!("its secret is still here, and good for nothing: vmfa remove {name}"));
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let answered = self.connect.open(global, |run| {
            let (device, vault) = run.device(&self.device)?;
            let (identity, user) = run.user(self.user.as_deref())?;
            let flow = run.flow(vault.as_ref());
            let own = identity.user() == Some(&user);
            let done = flow.disable(&device, &user, own).map_err(|error| run.explained(error))?;
            let ask = || {
                !global.json
                    && prompt::somebody_there()
                    && prompt::confirm(&format!("Remove `{}` and its secret here, too?", plain(device.name.as_str())))
                        .is_ok()
            };
            let removed = self.remove || (!self.keep && ask());
            if removed {
                // What a session or a code changed since is no reason to keep it.
                let device = crate::device::find(run.registry, device.name.as_str())?;
                flow.devices.remove(&device, clock::now())?;
            } else {
                flow.forget_sessions(&device)?;
            }
            Ok(Answered {
                device: device.name.to_string(),
                serial_number: device.serial.unwrap_or_default(),
                user,
                deactivated: done.deactivated,
                deleted: done.deleted,
                removed,
            })
        })?;
        render::print(&answered, global.json)
    }
}

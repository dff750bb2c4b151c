use std::io::{self, Write};

use serde::Serialize;

use crate::aws::{Alone, LOCK_LIMIT, Locks, session};
use crate::cli::error::Result;
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, day, plain};
use crate::cli::{Global, candidates, clock, hints, prompt, world};
use crate::device::{self, Devices, trash};
use crate::provision::aws;
use crate::registry::Device;
use crate::time::Timestamp;

/// Remove a device; its secret stays in the trash for 30 days
///
/// `vmfa trash restore NAME` brings it back. Its name is free at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa remove alice
  vmfa remove alice --now                 # delete the secret at once")]
pub(in crate::cli) struct Args {
    /// The device's name
    #[arg(add = candidates::device())]
    device: String,
    /// Delete the secret at once, for good, instead of moving it to the trash
    #[arg(long)]
    now: bool,
    /// Don't ask before deleting with --now
    #[arg(long, short)]
    yes: bool,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Removed {
    removed: String,
    /// Until when the secret is in the trash, RFC 3339. Left out with `--now`.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_until: Option<String>,
    notes: Vec<String>,
}

impl Answer for Removed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "removed {}", plain(&self.removed))?;
        if let Some(until) = &self.kept_until {
            render::note(&format!(
                "its secret is in the trash until {}: to bring it back, vmfa trash restore {}",
                day(until),
                plain(&hints::word(&self.removed))
            ));
        }
        for note in &self.notes {
            render::note(note);
        }
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let place = Place::find(global)?;
        let registry = place.registry()?;
        let device = device::find(&*registry, &self.device)?;
        let notes: Vec<String> = aws_note(&device, global).into_iter().collect();
        let asks = self.now && !self.yes;
        if asks {
            let say = |text: &str| {
                if !global.json {
                    render::note(text)
                }
            };
            if prompt::somebody_there() {
                say(&format!(
                    "This deletes the secret of `{}` from the {} vault. It cannot be undone, and no service shows a secret twice.",
                    plain(device.name.as_str()),
                    device.vault
                ));
            }
            for note in &notes {
                say(note);
            }
            let what = format!(
                "this would delete the secret of `{}` from the {} vault for good",
                plain(device.name.as_str()),
                device.vault
            );
            prompt::confirm("Delete it?", &what)?;
        }
        let vault = place.vault_of(&device)?;
        let _alone = alone(&place, &device)?;
        // This very device, by whatever name now.
        let now = device::active(&*registry)?.into_iter().find(|now| now.id == device.id);
        let device = now.ok_or(crate::registry::Error::Gone)?;
        let devices = Devices { vault: vault.as_ref(), registry: &*registry };
        let kept_until = if self.now {
            devices.remove(&device, clock::now())?;
            None
        } else {
            trash::kept_until(&devices.trash(&device, clock::now())?).map(Timestamp::to_rfc3339)
        };
        let notes = if asks { Vec::new() } else { notes };
        render::print(&Removed { removed: device.name.to_string(), kept_until, notes }, global.json)
    }
}

/// Keeps others from enabling or disabling a device at AWS meanwhile.
pub(super) fn alone(place: &Place, device: &Device) -> Result<Option<Alone>> {
    let waiting = |holder| render::note(&format!("waiting for {holder}, which works on this device"));
    let locks = Locks::new(place.home.locks.clone(), LOCK_LIMIT);
    Ok(device.serial.as_deref().map(|serial| locks.alone(serial, &world::pause, waiting)).transpose()?)
}

/// What AWS still holds of an AWS device, as far as that is known.
fn aws_note(device: &Device, global: &Global) -> Option<String> {
    let aws = device.issuer.as_deref() == Some(aws::ISSUER) || device.serial.is_some();
    let serial = device.serial.as_deref().unwrap_or("ARN");
    // The vault keeps this beside the secret. If reading it would prompt, leave the sentence out instead.
    let disabled_at = || {
        let vault = Place::find_quietly(global).ok()?.vault_of(device).ok()?;
        session::disabled_at(vault.as_ref(), device).ok()?.pop()
    };
    match disabled_at() {
        _ if !aws => None,
        Some(endpoint) => Some(format!("AWS has no {serial} any more: it was deleted at {}", plain(&endpoint))),
        None => Some(format!(
            "if AWS still expects codes of this device, deactivate it there too, or the user can't sign in: \
             vmfa aws disable {}, or aws iam deactivate-mfa-device --user-name USER --serial-number {serial}",
            plain(&hints::word(device.name.as_str()))
        )),
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "remove": Removed;
}

use std::io::{self, Write};

use serde::Serialize;

use super::connect;
use crate::aws;
use crate::aws::settings::Service;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates, clock, hints, prompt};
use crate::device;

/// Deactivate and delete a device at AWS; then, if you want, its secret here
///
/// Asks before it changes anything. To disable your own device, AWS requires a session with MFA: vmfa gets one with a
/// code of that device. The secret stays here until AWS has deleted the device.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa aws disable alice
  vmfa aws disable alice --remove --yes")]
pub(in crate::cli) struct Args {
    /// The device's name
    #[arg(add = candidates::device())]
    device: String,
    /// The user who has the device [default: the user whose keys sign]
    #[arg(long, value_name = "NAME", value_parser = connect::user_name)]
    user: Option<String>,
    /// Deactivate and delete the device at AWS without asking; its secret stays here unless you also say --remove
    #[arg(long, short)]
    yes: bool,
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
        render::note(&format!("its secret is still here, and no longer needed: vmfa remove {}", hints::word(&name)));
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let answered = self.connect.open(global, |run| {
            let device = device::find(run.registry, &self.device)?;
            // Nothing is guessed here: what isn't known to be this device is left alone.
            let serial = device.serial.clone().ok_or_else(|| aws::Error::NoSerial(device.name.clone()))?;
            let (identity, user) = run.user(self.user.as_deref())?;
            if !serial.starts_with(&format!("arn:{}:iam::{}:", identity.partition(), identity.account)) {
                return Err(aws::Error::OtherAccount { serial, arn: identity.arn }.into());
            }
            let vault = run.place.vault_of(&device)?;
            let flow = run.flow(vault.as_ref());
            if !self.yes {
                let at = &run.client.endpoint(Service::Iam).url;
                let of = format!("{} of user {user}", plain(&serial));
                if !global.json && prompt::somebody_there() {
                    render::note(&format!("{of} will be deactivated and deleted at {at}"));
                }
                let what = format!("this would deactivate and delete {of} at {at}");
                prompt::confirm("Deactivate and delete it?", &what)?;
            }
            let alone = flow.alone(&serial).map_err(Error::from)?;
            let own = identity.user() == Some(&user);
            let was_enabled = flow.was_enabled(&device)?;
            let done = flow.disable(&device, &user, own).map_err(|error| run.explained(error))?;
            if !(was_enabled || done.deactivated || done.deleted) {
                let url = &run.client.endpoint(Service::Iam).url;
                return Err(Error::new(
                    Kind::No,
                    "aws-not-there",
                    format!(
                        "there is no {serial} at {url}, and nothing here shows that there was one: its secret is kept"
                    ),
                )
                .hint(hints::aws::remove_here(&plain(device.name.as_str()))));
            }
            let ask = || {
                !(global.json || self.yes)
                    && prompt::somebody_there()
                    && prompt::confirm(
                        &format!("Remove `{}` and its secret here, too?", plain(device.name.as_str())),
                        "",
                    )
                    .is_ok()
            };
            // Nobody else waits for a person.
            drop(alone);
            if !(self.remove || self.keep || self.yes || global.json) && prompt::somebody_there() {
                render::note(&format!("AWS has no {} any more", plain(&serial)));
            }
            let removed = self.remove || (!self.keep && ask());
            if removed {
                let _alone = flow.alone(&serial).map_err(Error::from)?;
                let listed = flow.caller.list_mfa_devices(Some(&user)).map_err(|error| run.explained(error))?;
                if listed.iter().any(|listed| listed.serial == serial) {
                    return Err(Error::new(
                        Kind::No,
                        "aws-of-another",
                        format!("{serial} was enabled again meanwhile: its secret is kept"),
                    ));
                }
                // This very device, by whatever name, and whatever a code changed since.
                let now = device::active(run.registry)?.into_iter().find(|now| now.id == device.id);
                if let Some(now) = now.filter(|now| now.serial.as_ref() == Some(&serial)) {
                    flow.devices.remove(&now, clock::now())?;
                }
            } else {
                flow.remember_disabled(&device)?;
            }
            Ok(Answered {
                device: device.name.to_string(),
                serial_number: serial,
                user,
                deactivated: done.deactivated,
                deleted: done.deleted,
                removed,
            })
        })?;
        render::print(&answered, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "aws disable": Answered;
}

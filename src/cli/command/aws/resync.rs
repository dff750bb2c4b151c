use std::io::{self, Write};

use serde::Serialize;

use super::connect;
use crate::cli::error::{Error, Result};
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates};
use crate::oath::relying_party::PROPAGATION;
use crate::time::words;

/// Resynchronize a device at AWS with two consecutive codes
///
/// Tells how far off the device's clock is, which AWS allows for from then on, and gets a session to check that it works.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa aws resync alice")]
pub(in crate::cli) struct Args {
    /// The device's name
    #[arg(add = candidates::device())]
    device: String,
    /// The user who has the device [default: the user whose keys sign]
    #[arg(long, value_name = "NAME", value_parser = connect::user_name)]
    user: Option<String>,
    /// Don't wait until STS accepts codes
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    connect: connect::Args,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Answered {
    device: String,
    serial_number: String,
    user: String,
    /// The device's clock minus AWS's.
    drift_seconds: i64,
    drift_steps: i64,
    /// Whether a session was had with the device; none where nobody tried.
    checked: Option<bool>,
}

impl Answer for Answered {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "resynchronized {}: ", plain(&self.device))?;
        let (seconds, steps) = (self.drift_seconds.unsigned_abs(), self.drift_steps.unsigned_abs());
        match self.drift_steps {
            0 => writeln!(out, "its clock agrees with AWS's")?,
            steps_off => {
                let way = if steps_off < 0 { "behind" } else { "ahead" };
                writeln!(out, "its clock is {} {way} ({steps} steps), and AWS allows for that now", words(seconds))?;
            }
        }
        match self.checked {
            Some(true) => writeln!(out, "STS accepts its codes"),
            Some(false) => {
                render::note("STS doesn't accept its codes yet: `vmfa aws session` tells why");
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let answered = self.connect.open(global, |run| {
            let (device, vault) = run.device(&self.device)?;
            let (identity, user) = run.user(self.user.as_deref())?;
            let flow = run.flow(vault.as_ref());
            let serial = device.serial.as_deref().unwrap_or_default();
            let alone = flow.alone(serial).map_err(Error::from)?;
            let resynced = flow.resync(&device, &user).map_err(|error| run.explained(error))?;
            drop(alone);
            flow.remember_number(&device)?;
            let own = identity.user() == Some(&user) && run.credentials.session_token.is_none();
            let checked = if own && !self.no_wait {
                Some(run.checked(flow.wait_for_sts(&device, resynced.at, PROPAGATION.changed)))
            } else {
                None
            };
            Ok(Answered {
                device: device.name.to_string(),
                serial_number: device.serial.unwrap_or_default(),
                user,
                drift_seconds: resynced.drift,
                drift_steps: resynced.steps,
                checked,
            })
        })?;
        render::print(&answered, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "aws resync": Answered;
}

use std::io::{self, Write};

use serde::Serialize;

use super::remove::alone;
use super::show::Description;
use crate::cli::error::{Error, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, fields, plain};
use crate::cli::{Global, candidates, clock, hints};
use crate::device::{self, Devices};
use crate::oath::{Algorithm, Digits, MovingFactor};
use crate::provision::aws;
use crate::provision::uri::MAX_TEXT;
use crate::registry::Device;
use crate::time::Period;

/// Change what is not a device's secret
///
/// An empty text, such as --note '', clears it. With another algorithm, length or period, the device gives other codes: use
/// that only if the device was added wrongly. The device as it was is then in the trash.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa edit alice --issuer Example --account alice@example.com
  vmfa edit alice --note 'the phone in the safe has it, too'
  vmfa edit token --digits 8              # its codes change")]
pub(in crate::cli) struct Args {
    /// The device's name
    #[arg(add = candidates::device())]
    device: String,
    /// Who gave the secret
    #[arg(long, value_name = "TEXT")]
    issuer: Option<String>,
    /// For which account
    #[arg(long, value_name = "TEXT")]
    account: Option<String>,
    /// The serial number (ARN) of the device at AWS
    #[arg(long, value_name = "ARN")]
    serial: Option<String>,
    /// Anything that you want to know of it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// `SHA1`, `SHA256` or `SHA512`
    #[arg(long, value_name = "NAME")]
    algorithm: Option<Algorithm>,
    /// How many digits a code has: 6 to 10
    #[arg(long, value_name = "NUMBER")]
    digits: Option<Digits>,
    /// Of a device that goes by time: for how many seconds a code is shown
    #[arg(long, value_name = "SECONDS", conflicts_with = "counter")]
    period: Option<u64>,
    /// Of a counter device: the counter of the next code
    #[arg(long, value_name = "NUMBER")]
    counter: Option<u64>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Edited {
    /// The device now.
    #[serde(flatten)]
    device: Description,
    /// What changed: `issuer`, `account`, `serial_number`, `note`, `algorithm`, `digits`, `period`, `counter`.
    changed: Vec<&'static str>,
    /// That other codes come of it now.
    warnings: Vec<String>,
}

impl Answer for Edited {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        for warning in &self.warnings {
            render::note(&format!("warning: {}", plain(warning)));
        }
        let said = if self.changed.is_empty() { "unchanged" } else { "edited" };
        writeln!(out, "{said} {}", plain(&self.device.name))?;
        fields(out, &self.device.lines())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let texts = [&self.issuer, &self.account, &self.serial, &self.note].iter().any(|text| text.is_some());
        let numbers = self.algorithm.is_some() || self.digits.is_some();
        if !(texts || numbers || self.period.is_some() || self.counter.is_some()) {
            return Err(Error::usage("say what to change").hint(hints::devices::WHAT_TO_EDIT));
        }
        let place = Place::find(global)?;
        let registry = place.registry()?;
        let found = device::find(&*registry, &self.device)?;
        self.applied_to(&found)?;
        let vault = place.vault_of(&found)?;
        let _alone = alone(&place, &found)?;
        // This very device, by whatever name now.
        let now = device::active(&*registry)?.into_iter().find(|now| now.id == found.id);
        let device = now.ok_or(crate::registry::Error::Gone)?;
        let wanted = self.applied_to(&device)?;
        let changed = changes(&device, &wanted);
        let other_codes = ["algorithm", "digits", "period"].iter().any(|what| changed.contains(what));
        let edited = if changed.is_empty() {
            device
        } else {
            Devices { vault: vault.as_ref(), registry: &*registry }.edit(&device, wanted, clock::now())?
        };
        let mut warnings = Vec::new();
        if other_codes {
            let name = &edited.name;
            warnings.push(format!(
                "`{name}` gives other codes now; as it was, it is in the trash: \
                 vmfa trash restore {name} --as NEW"
            ));
        } else if changed.contains(&"counter") {
            warnings.push(format!("`{}` gives other codes now: those from its new counter on", edited.name));
        }
        render::print(&Edited { device: Description::of(&edited, None), changed, warnings }, global.json)
    }

    /// The device with the changes that were asked for.
    fn applied_to(&self, device: &Device) -> Result<Device> {
        let mut wanted = device.clone();
        if let Some(issuer) = text("--issuer", self.issuer.as_ref())? {
            wanted.issuer = Some(issuer).filter(|text| !text.is_empty());
        }
        if let Some(account) = text("--account", self.account.as_ref())? {
            wanted.account = account;
        }
        if let Some(note) = text("--note", self.note.as_ref())? {
            wanted.note = Some(note).filter(|text| !text.is_empty());
        }
        if let Some(serial) = &self.serial {
            if !serial.is_empty() && !aws::is_mfa_arn(serial) {
                return Err(Error::usage("--serial takes the ARN of an MFA device: arn:aws:iam::ACCOUNT:mfa/NAME"));
            }
            wanted.serial = Some(serial.clone()).filter(|text| !text.is_empty());
        }
        wanted.parameters.algorithm = self.algorithm.unwrap_or(device.parameters.algorithm);
        wanted.parameters.digits = self.digits.unwrap_or(device.parameters.digits);
        match (device.parameters.factor, self.period, self.counter) {
            (MovingFactor::Time { .. }, Some(seconds), _) => {
                let period = Period::new(seconds).ok_or_else(|| Error::usage("a period is one second or more"))?;
                wanted.parameters.factor = MovingFactor::Time { period };
            }
            (MovingFactor::Counter { .. }, _, Some(next)) => {
                wanted.parameters.factor = MovingFactor::Counter { next };
            }
            (MovingFactor::Time { .. }, None, Some(_)) => {
                let message = format!("`{}` goes by time", plain(device.name.as_str()));
                return Err(Error::usage(message).hint(hints::devices::HOTP_ALONE));
            }
            (MovingFactor::Counter { .. }, Some(_), None) => {
                let message = format!("`{}` goes by a counter", plain(device.name.as_str()));
                return Err(Error::usage(message).hint(hints::devices::TOTP_ALONE));
            }
            (_, _, None) => {}
        }
        Ok(wanted)
    }
}

/// A text as a source could have it.
fn text(option: &str, given: Option<&String>) -> Result<Option<String>> {
    let Some(text) = given else { return Ok(None) };
    if text.chars().any(char::is_control) {
        return Err(Error::usage(format!("{option} takes one line, without control characters")));
    }
    if text.chars().count() > MAX_TEXT {
        return Err(Error::usage(format!("{option} takes at most {MAX_TEXT} characters")));
    }
    Ok(Some(text.clone()))
}

fn changes(before: &Device, after: &Device) -> Vec<&'static str> {
    let (old, new) = (before.parameters, after.parameters);
    let factor = match new.factor {
        MovingFactor::Time { .. } => "period",
        MovingFactor::Counter { .. } => "counter",
    };
    let all = [
        ("issuer", before.issuer != after.issuer),
        ("account", before.account != after.account),
        ("serial_number", before.serial != after.serial),
        ("note", before.note != after.note),
        ("algorithm", old.algorithm != new.algorithm),
        ("digits", old.digits != new.digits),
        (factor, old.factor != new.factor),
    ];
    all.into_iter().filter(|(_, changed)| *changed).map(|(what, _)| what).collect()
}

#[cfg(test)]
crate::cli::schema::answers! {
    "edit": Edited;
}

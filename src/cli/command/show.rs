use std::io::{self, Write};

use serde::Serialize;

use crate::cli::described::Described;
use crate::cli::error::Result;
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, fields, plain};
use crate::cli::{Global, candidates};
use crate::device;
use crate::provision::Enrolment;
use crate::registry::Device;
use crate::time::Timestamp;

/// Show a device, without its secret
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa show alice
  vmfa show alice --json")]
pub(in crate::cli) struct Args {
    /// The device's name
    #[arg(add = candidates::device())]
    device: String,
}

/// A device without its secret.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Description {
    /// The device's name.
    pub(super) name: String,
    /// A UUID. It stays the same when the device is renamed.
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) described: Described,
    /// The ARN of an AWS device, if it is known.
    serial_number: Option<String>,
    /// What `vmfa edit --note` wrote beside it. Left out if nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Where the secret is: `keyring`, `age` or `shared`.
    pub(super) vault: &'static str,
    /// When the device was added, RFC 3339.
    pub(super) created: String,
    /// When a code was last handed out or verified, RFC 3339. Left out if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_used: Option<String>,
    /// What `vmfa drift` gave the device's clock. Left out if nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    wrong_clock: Option<WrongClock>,
    /// The length of the secret, when the device is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_bits: Option<usize>,
}

/// What `vmfa drift` set.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct WrongClock {
    set_seconds: i64,
    rate_ppm: i64,
}

impl Description {
    /// With the length of the secret where the enrolment is at hand.
    pub(super) fn of(device: &Device, enrolment: Option<&Enrolment>) -> Self {
        Self {
            name: device.name.to_string(),
            id: device.id.to_string(),
            described: Described::of(device.issuer.as_deref(), &device.account, &device.parameters),
            serial_number: device.serial.clone(),
            note: device.note.clone(),
            vault: device.vault.as_str(),
            created: device.created.to_rfc3339(),
            last_used: None,
            wrong_clock: (device.drift.seconds != 0 || device.drift.ppm != 0)
                .then_some(WrongClock { set_seconds: device.drift.seconds, rate_ppm: device.drift.ppm }),
            secret_bits: enrolment.map(|enrolment| enrolment.secret.bits()),
        }
    }

    /// The same with when it was last used.
    pub(super) fn last_used(self, at: Option<Timestamp>) -> Self {
        Self { last_used: at.map(Timestamp::to_rfc3339), ..self }
    }

    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let secret = self.secret_bits.map(|bits| format!("{bits} bits, in the {} vault", self.vault));
        let mut lines = self.described.lines();
        if let Some(serial) = &self.serial_number {
            lines.push(("serial number", plain(serial).into_owned()));
        }
        if let Some(note) = &self.note {
            lines.push(("note", plain(note).into_owned()));
        }
        if let Some(WrongClock { set_seconds, rate_ppm }) = &self.wrong_clock {
            let rate = if *rate_ppm == 0 { String::new() } else { format!(" and {rate_ppm:+} ppm") };
            lines.push((
                "clock",
                format!("set wrong by {}{rate} (`vmfa drift`)", crate::time::signed_words(*set_seconds)),
            ));
        }
        lines.push(("secret", secret.unwrap_or_else(|| format!("in the {} vault, under {}", self.vault, self.id))));
        lines
    }
}

impl Answer for Description {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", plain(&self.name))?;
        let mut lines = self.lines();
        lines.push(("added", self.created.clone()));
        lines.extend(self.last_used.clone().map(|at| ("last used", at)));
        fields(out, &lines)
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let registry = Place::find(global)?.registry()?;
        let device = device::find(&*registry, &self.device)?;
        let last_used = device.ledger.and_then(|ledger| registry.last_uses().ok()?.get(&ledger).copied());
        render::print(&Description::of(&device, None).last_used(last_used), global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "show": Description;
}

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};

use serde::Serialize;

use crate::cli::error::{Error, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, clock, source};
use crate::device::issue::{self, Issued};
use crate::device::{self, Devices};
use crate::oath::MovingFactor;
use crate::registry::Device;
use crate::time::Timestamp;

/// The current code, and nothing else on stdout
///
/// With --from it works without storing anything. A counter device (HOTP) gives its next code, and
/// its counter is written down first.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["device", "from"])))]
#[command(group(clap::ArgGroup::new("step").args(["next", "previous"])))]
pub(in crate::cli) struct Args {
    /// The device's name, exactly
    device: Option<String>,
    /// Read this source instead: a path, `-` for stdin, `clipboard`, or `screen`
    #[arg(long, value_name = "SOURCE")]
    from: Option<OsString>,
    /// Which account, where the source holds several
    #[arg(long, requires = "from")]
    account: Option<String>,
    /// The code at a time: RFC 3339, Unix seconds, or an offset such as +30s or -5m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// The code of the next time step
    #[arg(long)]
    next: bool,
    /// The code of the time step before
    #[arg(long)]
    previous: bool,
    /// So many consecutive codes, a line each
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=i64::from(issue::MOST)))]
    count: u16,
}

/// A code with what it was made of.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Code {
    code: String,
    /// The step of a TOTP code.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
    /// The counter of an HOTP code.
    #[serde(skip_serializing_if = "Option::is_none")]
    counter: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
    /// How long it is still its turn, seen from the time asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    validity_seconds: Option<u64>,
}

impl Code {
    pub(super) fn of(issued: &Issued, time: Timestamp) -> Self {
        let valid = issued.valid;
        Self {
            code: issued.code.to_string(),
            step: valid.map(|_| issued.moving_factor),
            counter: if valid.is_none() { Some(issued.moving_factor) } else { None },
            valid_from: valid.map(|(from, _)| from.to_rfc3339()),
            valid_until: valid.map(|(_, until)| until.to_rfc3339()),
            validity_seconds: valid.map(|(_, until)| until.as_unix().saturating_sub(time.as_unix())),
        }
    }

    pub(super) fn with_validity(&self) -> String {
        match (self.validity_seconds, self.counter) {
            (Some(seconds), _) => format!("{} (valid for {seconds} s)", self.code),
            (None, Some(counter)) => format!("{} (counter {counter})", self.code),
            (None, None) => self.code.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Codes {
    /// The device's name; none with --from.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    issuer: Option<String>,
    account: String,
    /// The first of `codes`, for those who want one.
    #[serde(flatten)]
    first: Code,
    codes: Vec<Code>,
    /// What was odd about the source, with --from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Answer for Codes {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        for code in &self.codes {
            writeln!(out, "{}", code.code)?;
        }
        // For eyes only: where a program reads, nothing is beside the code.
        let eyes = io::stdout().is_terminal() && io::stderr().is_terminal();
        if let (true, [code]) = (eyes, self.codes.as_slice())
            && let Some(seconds) = code.validity_seconds
        {
            render::note(&format!("valid for {seconds} s"));
        }
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        // A time that can't be read is told before anything is opened or asked for.
        self.time()?;
        let offset = i64::from(self.next).saturating_sub(self.previous.into());
        let answer = match (&self.device, &self.from) {
            (Some(name), _) => self.of_device(global, name, offset)?,
            (None, Some(from)) => self.of_source(global, from, offset)?,
            (None, None) => return Err(Error::usage("name a device, or a source with --from")),
        };
        render::print(&answer, global.json)
    }

    fn of_device(&self, global: &Global, name: &str, offset: i64) -> Result<Codes> {
        let place = Place::find(global)?;
        place.expect_reading();
        let registry = place.registry()?;
        let device = device::find(&registry, name)?;
        let vault = place.vault_of(&device)?;
        let devices = Devices { vault: vault.as_ref(), registry: &registry };
        if let MovingFactor::Counter { .. } = device.parameters.factor {
            self.refuse_times()?;
        }
        let enrolment = devices.enrolment(&device)?;
        let time = self.time()?;
        let codes = match device.parameters.factor {
            MovingFactor::Time { .. } => issue::at_time(&enrolment, time, offset, self.count)?,
            MovingFactor::Counter { .. } => devices.next_codes_of(&device, &enrolment, self.count)?,
        };
        let Device { name, issuer, account, .. } = device;
        answer(Some(name.to_string()), issuer, account, &codes, time, Vec::new())
    }

    fn of_source(&self, global: &Global, from: &OsString, offset: i64) -> Result<Codes> {
        let (enrolment, warnings) = source::read_one(Some(from), self.account.as_deref())?;
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        if !global.json {
            for warning in &warnings {
                render::note(&format!("warning: {}", plain(warning)));
            }
        }
        let time = self.time()?;
        let codes = match enrolment.parameters.factor {
            MovingFactor::Time { .. } => issue::at_time(&enrolment, time, offset, self.count)?,
            MovingFactor::Counter { next } => {
                self.refuse_times()?;
                issue::at_counter(&enrolment, next, self.count)?
            }
        };
        answer(None, enrolment.issuer, enrolment.account, &codes, time, warnings)
    }

    /// The time asked for, else now: asked again after whatever had to wait for a person.
    fn time(&self) -> Result<Timestamp> {
        let now = clock::now();
        self.at.as_ref().map_or(Ok(now), |text| Ok(Timestamp::parse(text, now)?))
    }

    fn refuse_times(&self) -> Result<()> {
        if self.at.is_some() || self.next || self.previous {
            return Err(crate::oath::Error::CounterBased.into());
        }
        Ok(())
    }
}

fn answer(
    device: Option<String>,
    issuer: Option<String>,
    account: String,
    issued: &[Issued],
    time: Timestamp,
    warnings: Vec<String>,
) -> Result<Codes> {
    let codes: Vec<Code> = issued.iter().map(|issued| Code::of(issued, time)).collect();
    let first = codes.first().cloned().ok_or(device::Error::NoSuchStep)?;
    Ok(Codes { device, issuer, account, first, codes, warnings })
}

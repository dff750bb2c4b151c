use std::ffi::OsString;
use std::io::{self, Write};

use serde::Serialize;

use super::codes;
use crate::cli::clock;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates, chosen_clock, hints, source};
use crate::device::{self, Devices, accept};
use crate::oath::relying_party::{Refusal, Rules, State, Verdict};
use crate::oath::resync::Solution;
use crate::oath::{Code, MovingFactor, distance};
use crate::provision::Enrolment;
use crate::registry::Device;
use crate::time::{Drift, Timestamp, signed_words, words};

/// Check codes as the service would
///
/// One code is a login; two or more consecutive codes, the oldest first, enable or resynchronize a device. vmfa remembers which
/// codes it accepted, and accepts each once; it also remembers the drift that a pair showed. Exit code 0: accepted; 1: refused.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "vmfa verify [OPTIONS] <DEVICE> [CODE]...\n       vmfa verify [OPTIONS] --from <SOURCE> [CODE]..."
)]
#[command(after_help = "\
Examples:
  vmfa verify alice 123456
  vmfa verify alice 123456 654321         # resynchronize
  vmfa verify alice --reset")]
pub(in crate::cli) struct Args {
    /// The device's name, then codes [default: codes from stdin]
    #[arg(value_name = "DEVICE CODE", add = candidates::device_first())]
    words: Vec<String>,
    /// Read a source instead of a device, and remember nothing: a path, `-` for stdin, `clipboard`, or `screen`
    #[arg(long, value_name = "SOURCE", add = candidates::source())]
    from: Option<OsString>,
    /// Which account, if the source has several
    #[arg(long, requires = "from")]
    account: Option<String>,
    #[command(flatten)]
    search: source::Search,
    #[command(flatten)]
    clock: chosen_clock::Args,
    /// By whose rules: `aws` as measured, `rfc` as RFC 6238 and RFC 4226 recommend [default: `aws` for devices of AWS,
    /// else `rfc`]
    #[arg(long, value_name = "RULES", value_parser = super::pair::rules(), hide_possible_values = true)]
    rules: Option<Rules>,
    /// Check, and remember nothing
    #[arg(long)]
    dry_run: bool,
    /// Forget accepted codes, drift and attempts of the device, as a service does when you enrol it again
    #[arg(long, conflicts_with_all = ["from", "dry_run"])]
    reset: bool,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Reset {
    device: String,
    reset: bool,
}

impl Answer for Reset {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "forgot which codes of {} were accepted, and its drift", plain(&self.device))
    }
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Verified {
    /// The device's name. Left out with `--from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    /// By which rules it was verified.
    rules: &'static str,
    /// Whether the code was accepted.
    accepted: bool,
    /// Of the last code; of a refused one where it can be told.
    step: Option<u64>,
    /// The same of a counter device.
    #[serde(skip_serializing_if = "Option::is_none")]
    counter: Option<u64>,
    /// Device minus reference clock; for a counter, how far past the expected one.
    drift_steps: Option<i64>,
    /// The drift in seconds, in whole steps.
    drift_seconds: Option<i64>,
    /// How far the device's clock is set wrong on purpose, where it is: a drift is whole steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    drift_set_seconds: Option<i64>,
    /// How many steps off the relying party takes the device to be from now on.
    adjustment_steps: Option<i64>,
    /// Whether the code had been accepted before; unknown where it can't be told which code it is.
    used: Option<bool>,
    /// A word for why it was refused.
    reason: Option<&'static str>,
    /// The verdict in words.
    message: String,
}

impl Verified {
    /// The same of a device whose clock may be wrong on purpose.
    fn with_drift(mut self, device: &Device, time: Timestamp) -> Self {
        let shown = device.drift.apply(time).map(|shown| distance(shown.as_unix(), time.as_unix()));
        self.drift_set_seconds = shown.filter(|_| device.drift != Drift::default() && self.drift_steps.is_some());
        if let Some(seconds) = self.drift_set_seconds {
            let side = if seconds < 0 { "behind" } else { "ahead" };
            self.message.push_str(&format!("; `vmfa drift` set it {} {side}", words(seconds.unsigned_abs())));
        }
        self
    }
}

impl Answer for Verified {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}: {}", if self.accepted { "accepted" } else { "refused" }, self.message)
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let clock = self.clock.open(global)?;
        let (name, words) = codes::split("verify", &self.words, self.from.as_deref())?;
        if let (true, Some(name)) = (self.reset, name) {
            return reset(name, words, global);
        }
        let codes = codes::read(words, self.from.as_deref())?;
        let verified = match name {
            Some(name) => {
                let place = Place::find(global)?;
                place.expect_reading();
                let registry = place.registry()?;
                let device = device::find(&*registry, name)?;
                if !self.dry_run {
                    let refused = |error| Error::from(error).hint(hints::devices::DRY_RUN);
                    registry.expect_writable().map_err(refused)?;
                }
                let vault = place.vault_of(&device)?;
                let devices = Devices { vault: vault.as_ref(), registry: &*registry };
                let stored = devices.stored(&device)?;
                let rules = self.rules.unwrap_or(*accept::rules_of(&device));
                let moment = clock.moment();
                let (state, verdict) = if self.dry_run {
                    dry(&stored, &rules, &devices.relying_party(&device, &stored)?, moment.time, &codes)
                } else {
                    devices.verify(&device, &stored, &rules, moment, &codes)?
                };
                verified(Some(name), &stored, &rules, &state, verdict, moment.time, &codes)?
                    .with_drift(&device, moment.time)
            }
            None => {
                let (enrolment, _) = source::read_one(self.from.as_deref(), self.account.as_deref(), &self.search)?;
                let of_source = accept::rules_for(enrolment.issuer.as_deref(), enrolment.serial.as_deref());
                let rules = self.rules.unwrap_or(*of_source);
                let time = clock.time();
                let (state, verdict) = dry(&enrolment, &rules, &accept::fresh_state(&enrolment), time, &codes);
                verified(None, &enrolment, &rules, &state, verdict, time, &codes)?
            }
        };
        render::print(&verified, global.json)?;
        if verified.accepted { Ok(()) } else { Err(Error::silent(Kind::No)) }
    }
}

fn reset(name: &str, words: &[String], global: &Global) -> Result<()> {
    if !words.is_empty() {
        return Err(Error::usage("--reset takes no codes"));
    }
    let place = Place::find(global)?;
    let registry = place.registry()?;
    registry.expect_writable()?;
    let device = device::find(&*registry, name)?;
    let vault = place.vault_of(&device)?;
    Devices { vault: vault.as_ref(), registry: &*registry }.forget_verifications(&device, clock::now())?;
    render::print(&Reset { device: device.name.to_string(), reset: true }, global.json)
}

fn dry(enrolment: &Enrolment, rules: &Rules, state: &State, time: Timestamp, codes: &[Code]) -> (State, Verdict) {
    let (_, verdict) =
        crate::oath::relying_party::accept(rules, &enrolment.secret, &enrolment.parameters, state, time, codes);
    (state.clone(), verdict)
}

fn verified(
    device: Option<&str>,
    enrolment: &Enrolment,
    rules: &Rules,
    state: &State,
    verdict: Verdict,
    time: Timestamp,
    codes: &[Code],
) -> Result<Verified> {
    let mut answer = Verified {
        device: device.map(str::to_owned),
        rules: rules.name(),
        accepted: false,
        step: None,
        counter: None,
        drift_steps: None,
        drift_seconds: None,
        drift_set_seconds: None,
        adjustment_steps: None,
        used: None,
        reason: None,
        message: String::new(),
    };
    let place = Placed::of(enrolment);
    match verdict {
        Verdict::Accepted(found) => {
            answer.accepted = true;
            answer.used = Some(false);
            place.put(&mut answer, found.moving_factor, found.drift);
            answer.adjustment_steps = place.period.map(|_| found.adjustment);
            answer.message = place.describe(found.moving_factor, found.drift);
        }
        Verdict::Refused(refusal) => {
            answer.reason = Some(refusal.code());
            answer.message = refusal.to_string();
            let digits = codes.iter().any(|code| code.to_string().bytes().all(|byte| byte.is_ascii_digit()));
            if matches!(refusal, Refusal::WrongLength { given, expected }
                if digits && given.count().saturating_add(1) == expected.count())
            {
                answer.message.push_str(codes::LOST_ZERO);
            }
            answer.used = match refusal {
                Refusal::Used { .. } => Some(true),
                _ => None,
            };
            match refusal {
                Refusal::Used { step, drift } => place.put(&mut answer, step, drift),
                Refusal::Passed { counter, next } => place.put(&mut answer, counter, distance(counter, next)),
                _ => {}
            }
            if let Some(Solution { candidates, sure, .. }) = accept::elsewhere(enrolment, &refusal, time, state, codes)?
                && let [only] = candidates.as_slice()
            {
                let centre = place.centre(enrolment, state, time)?;
                let drift = distance(*only, centre);
                place.put(&mut answer, *only, drift);
                answer.reason = Some("outside-window");
                answer.used = place.period.map(|_| state.is_used(crate::time::Step::new(*only)));
                let perhaps = if sure { "" } else { "probably " };
                answer.message = format!("outside the window, {perhaps}{}", place.describe(*only, drift));
                if let (Some(period), expected) = (place.period, state.adjustment())
                    && expected != 0
                {
                    let expected = device::drift::seconds(expected, period);
                    answer.message.push_str(&format!("; since the last pair, {} is expected", signed_words(expected)));
                }
            }
        }
    }
    Ok(answer)
}

/// How a moving factor is told: a step of a clock, or a counter.
#[derive(Debug, Clone, Copy)]
struct Placed {
    period: Option<u64>,
}

impl Placed {
    fn of(enrolment: &Enrolment) -> Self {
        Self {
            period: match enrolment.parameters.factor {
                MovingFactor::Time { period } => Some(period.seconds()),
                MovingFactor::Counter { .. } => None,
            },
        }
    }

    fn centre(self, enrolment: &Enrolment, state: &State, time: Timestamp) -> Result<u64> {
        match self.period {
            Some(_) => Ok(enrolment.parameters.step_at(time)?.value()),
            None => Ok(state.next()),
        }
    }

    fn put(self, answer: &mut Verified, moving_factor: u64, drift: i64) {
        answer.step = self.period.map(|_| moving_factor);
        answer.counter = if self.period.is_none() { Some(moving_factor) } else { None };
        answer.drift_steps = Some(drift);
        answer.drift_seconds = self.period.map(|period| device::drift::seconds(drift, period));
    }

    fn describe(self, moving_factor: u64, drift: i64) -> String {
        match self.period {
            Some(period) => format!("step {moving_factor}, {}", device::drift::describe(drift, period)),
            None if drift == 0 => format!("counter {moving_factor}, as expected"),
            None if drift < 0 => format!("counter {moving_factor}, {} before the expected one", drift.unsigned_abs()),
            None => format!("counter {moving_factor}, {drift} past the expected one"),
        }
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "verify": Verified, Reset;
}

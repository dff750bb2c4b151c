use std::ffi::OsString;
use std::io::{self, Write};

use serde::Serialize;

use super::codes;
use crate::cli::chosen_clock::{self, Clock};
use crate::cli::error::{Error, Kind, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, plain};
use crate::cli::server_time::Server;
use crate::cli::{Global, candidates, hints, source};
use crate::device::drift::{change_drift, changed, describe, measure, seconds};
use crate::device::{self, Devices};
use crate::oath::{MovingFactor, distance};
use crate::provision::Enrolment;
use crate::time::{Drift, signed_words, words};

/// How far a device's clock is looked for from two codes, and from more: a day and a year.
const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;

/// A rate past which no clock deserves the name: 10 %.
const FASTEST: i64 = 100_000;

/// Measure how far off another device is, or set this one wrong for tests
///
/// `vmfa drift NAME CODE CODE` measures another device of the same secret, such as a phone, from two of its codes.
/// `vmfa drift NAME --set -95` makes this device's clock wrong, for tests; --clear makes it right again. --against compares
/// this device's clock with a server's. With a name alone, it shows what is set.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "vmfa drift [OPTIONS] <DEVICE> [CODE]...\n       vmfa drift [OPTIONS] --from <SOURCE> <CODE>..."
)]
#[command(after_help = "\
Examples:
  vmfa drift phone 123456 654321          # measure a phone
  vmfa drift alice --set -95              # make it 95 s slow
  vmfa drift alice --clear")]
pub(in crate::cli) struct Args {
    /// The device's name, then consecutive codes, the oldest first, or `-` for stdin
    #[arg(value_name = "DEVICE CODE", add = candidates::device_first())]
    words: Vec<String>,
    /// Read a source instead of a device: a path, `-` for stdin, `clipboard`, or `screen`
    #[arg(long, value_name = "SOURCE", conflicts_with_all = ["against", "set", "rate", "clear"], add = candidates::source())]
    from: Option<OsString>,
    /// Which account, if the source has several
    #[arg(long, requires = "from")]
    account: Option<String>,
    #[command(flatten)]
    search: source::Search,
    #[command(flatten)]
    clock: chosen_clock::Args,
    /// How far from now to search, such as 2h or 30d [default: 1d; with three codes or more 365d]
    #[arg(long, value_name = "TIME", value_parser = within, conflicts_with_all = ["against", "set", "rate", "clear"])]
    within: Option<u64>,
    /// Compare with this server's clock
    #[arg(long, value_name = "URL", conflicts_with_all = ["set", "rate", "clear", "at"])]
    against: Option<String>,
    /// Set the device's clock wrong, such as -95 (behind) or +2m (ahead)
    #[arg(long, value_name = "±SECONDS", allow_hyphen_values = true, conflicts_with = "clear", value_parser = offset)]
    set: Option<i64>,
    /// Make the device's clock gain (or lose) this many parts per million from now on
    #[arg(long, value_name = "PPM", allow_hyphen_values = true, conflicts_with = "clear",
          value_parser = clap::value_parser!(i64).range(-FASTEST..=FASTEST))]
    rate: Option<i64>,
    /// Make the device's clock right again
    #[arg(long)]
    clear: bool,
}

fn within(text: &str) -> std::result::Result<u64, String> {
    let seconds = crate::time::duration(text).filter(|seconds| (1..=10 * YEAR).contains(seconds));
    seconds.ok_or_else(|| "expected a time from 1s to 3650d, such as 2h or 30d".to_owned())
}

fn offset(text: &str) -> std::result::Result<i64, String> {
    let seconds = crate::time::signed_duration(text).filter(|seconds| seconds.unsigned_abs() <= 100 * YEAR);
    seconds.ok_or_else(|| "expected a time such as -95, +95s or -2m".to_owned())
}

/// The clock that a device was given.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Emulated {
    device: String,
    set_seconds: i64,
    rate_ppm: i64,
    /// From when on the rate counts.
    since: Option<String>,
    /// What both come to now.
    drift_seconds: Option<i64>,
    /// Whether it was just changed.
    #[serde(skip)]
    changed: bool,
}

impl Answer for Emulated {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let name = plain(&self.device);
        if self.set_seconds == 0 && self.rate_ppm == 0 {
            writeln!(out, "no drift is set for {name}")?;
            if !self.changed {
                render::note(&hints::devices::measure_drift(&self.device));
            }
            return Ok(());
        }
        write!(out, "the clock of {name} is set wrong by {}", signed_words(self.set_seconds))?;
        if let Some(since) = &self.since {
            write!(out, " and {:+} ppm since {since}", self.rate_ppm)?;
        }
        match self.drift_seconds {
            Some(drift) if self.rate_ppm != 0 => writeln!(out, ": now {}", signed_words(drift)),
            _ => writeln!(out),
        }
    }
}

/// One place where the device may stand.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Candidate {
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counter: Option<u64>,
    drift_steps: i64,
    drift_seconds: Option<i64>,
}

/// What codes say.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Measured {
    /// The device's name; none with --from.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    /// The answer, where there is one.
    drift_steps: Option<i64>,
    drift_seconds: Option<i64>,
    /// A code says no more than in which period it was made.
    uncertainty_seconds: Option<u64>,
    /// Whether there is one answer, and it can't well be there by chance.
    sure: bool,
    codes_given: usize,
    /// How many consecutive codes make sure, as far as was looked.
    codes_needed: usize,
    /// Every answer.
    candidates: Vec<Candidate>,
    #[serde(skip)]
    period: Option<u64>,
    #[serde(skip)]
    within: u64,
    /// What was searched around, where that isn't now.
    #[serde(skip)]
    around: Option<String>,
}

impl Answer for Measured {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.candidates.as_slice() {
            [] if self.period.is_none() => writeln!(out, "these codes are of no counter near this device's")?,
            [] => {
                let around = self.around.as_deref().unwrap_or("now");
                writeln!(out, "this device has no such codes within {} of {around}", words(self.within))?;
                if self.codes_given > 1 {
                    writeln!(out, "check that they are consecutive, the oldest first")?;
                }
                writeln!(out, "to look further: --within TIME")?;
            }
            [only] => {
                let found = self.one(only);
                let found = match (self.uncertainty_seconds, found.strip_suffix(')')) {
                    (Some(seconds), Some(open)) => format!("{open}, ± {seconds} s)"),
                    (Some(seconds), None) => format!("{found} (± {seconds} s)"),
                    (None, _) => found,
                };
                let perhaps = if self.sure { "" } else { "probably: " };
                writeln!(out, "{perhaps}{found}")?;
            }
            several => {
                writeln!(out, "{} drifts fit these codes:", several.len())?;
                for candidate in several {
                    writeln!(out, "  {}", self.one(candidate))?;
                }
            }
        }
        if !self.candidates.is_empty() && !self.sure {
            writeln!(out, "to be sure, give {} consecutive codes, the oldest first", self.codes_needed)?;
        }
        Ok(())
    }
}

impl Measured {
    fn one(&self, candidate: &Candidate) -> String {
        match (self.period, candidate.counter) {
            (Some(period), _) => describe(candidate.drift_steps, period),
            (None, Some(counter)) => {
                format!("the last code is of counter {counter}, {:+} from this device's next", candidate.drift_steps)
            }
            (None, None) => String::new(),
        }
    }
}

/// What a server's clock says.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Compared {
    device: String,
    server: String,
    /// The device's clock minus the server's.
    drift_seconds: f64,
    /// How far the truth may be from that.
    uncertainty_seconds: f64,
    /// How many steps off a code may be for it, at the nearest.
    drift_steps: Option<i64>,
    /// Whether the device has no clock of its own that is set wrong, nor one that was chosen.
    #[serde(skip)]
    of_machine: bool,
}

impl Answer for Compared {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let (drift, uncertainty) = (self.drift_seconds, self.uncertainty_seconds);
        let way = if drift < 0.0 { "behind" } else { "ahead of" };
        let whose = if self.of_machine {
            "this machine's clock".to_owned()
        } else {
            format!("the clock of {}", plain(&self.device))
        };
        let (seconds, server) = (drift.abs(), plain(&self.server));
        writeln!(out, "{whose} is {seconds:.1} s {way} {server} (± {uncertainty:.1} s)")
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let (name, words) = codes::split("drift", &self.words, self.from.as_deref())?;
        let changes = self.set.is_some() || self.rate.is_some() || self.clear;
        if !words.is_empty() && (changes || self.against.is_some()) {
            return Err(Error::usage("codes measure a drift; --against, --set, --rate and --clear take none"));
        }
        let Some(name) = name else {
            let clock = self.clock.open(global)?;
            let codes = codes::read(words, self.from.as_deref())?;
            let (enrolment, _) = source::read_one(self.from.as_deref(), self.account.as_deref(), &self.search)?;
            return self.measured(None, &enrolment, &clock, &codes, global);
        };
        let place = Place::find(global)?;
        if let Some(url) = &self.against {
            return self.compare(&place, name, url, global);
        }
        let clock = self.clock.open(global)?;
        if words.is_empty() {
            return self.emulate(&place, name, &clock, changes, global);
        }
        let codes = codes::read(words, None)?;
        place.expect_reading();
        let registry = place.registry()?;
        let device = device::find(&*registry, name)?;
        let vault = place.vault_of(&device)?;
        let enrolment = Devices { vault: vault.as_ref(), registry: &*registry }.enrolment(&device)?;
        self.measured(Some(name), &enrolment, &clock, &codes, global)
    }

    fn measured(
        &self,
        name: Option<&str>,
        enrolment: &Enrolment,
        clock: &Clock,
        codes: &[crate::oath::Code],
        global: &Global,
    ) -> Result<()> {
        let within = self.within.unwrap_or(if codes.len() > 2 { YEAR } else { DAY });
        let (solution, centre) = measure(enrolment, clock.time(), codes, within)?;
        let period = match enrolment.parameters.factor {
            MovingFactor::Time { period } => Some(period.seconds()),
            MovingFactor::Counter { .. } => None,
        };
        let candidates: Vec<Candidate> = solution
            .candidates
            .iter()
            .map(|place| {
                let drift = distance(*place, centre);
                Candidate {
                    step: period.map(|_| *place),
                    counter: if period.is_none() { Some(*place) } else { None },
                    drift_steps: drift,
                    drift_seconds: period.map(|period| seconds(drift, period)),
                }
            })
            .collect();
        let only = if let [only] = candidates.as_slice() { Some(only) } else { None };
        let answer = Measured {
            device: name.map(str::to_owned),
            drift_steps: only.map(|only| only.drift_steps),
            drift_seconds: only.and_then(|only| only.drift_seconds),
            uncertainty_seconds: period,
            sure: solution.sure,
            codes_given: codes.len(),
            codes_needed: solution.codes_needed,
            candidates,
            period,
            within,
            around: self.clock.at.as_ref().map(|_| clock.time().to_rfc3339()),
        };
        render::print(&answer, global.json)?;
        if answer.sure { Ok(()) } else { Err(Error::silent(Kind::No)) }
    }

    fn emulate(&self, place: &Place, name: &str, clock: &Clock, changes: bool, global: &Global) -> Result<()> {
        let registry = place.registry()?;
        let mut device = device::find(&*registry, name)?;
        if matches!(device.parameters.factor, MovingFactor::Counter { .. }) {
            return Err(Error::usage(format!("`{name}` is a counter device (HOTP): it has no clock"))
                .hint(hints::devices::COUNTER_DRIFT));
        }
        let time = clock.time();
        if changes {
            device = change_drift(&*registry, name, |drift| {
                let drift = if self.clear { Drift::default() } else { drift };
                changed(drift, self.set, self.rate, time)
            })?;
        }
        let Drift { seconds, ppm, since } = device.drift;
        let shown = device.drift.apply(time);
        let since = crate::time::Timestamp::from_unix(since).to_rfc3339();
        let answer = Emulated {
            device: device.name.to_string(),
            changed: changes,
            set_seconds: seconds,
            rate_ppm: ppm,
            since: if ppm == 0 { None } else { Some(since) },
            drift_seconds: shown.map(|shown| distance(shown.as_unix(), time.as_unix())),
        };
        render::print(&answer, global.json)
    }

    fn compare(&self, place: &Place, name: &str, url: &str, global: &Global) -> Result<()> {
        let registry = place.registry()?;
        let device = device::find(&*registry, name)?;
        let clock = self.clock.open(global)?;
        let time = clock.time();
        let difference = Server::ask(url)?.difference();
        let shown = device.drift.apply(time).ok_or(device::Error::NoSuchStep)?;
        let own = i128::from(distance(shown.as_unix(), time.as_unix()).saturating_add(clock.ahead()));
        let milliseconds = difference.milliseconds().saturating_add(own.saturating_mul(1000));
        let period = device.parameters.period().ok().map(|period| i128::from(period.seconds()).saturating_mul(1000));
        let nearest = |period: i128| milliseconds.saturating_add(period.div_euclid(2)).checked_div_euclid(period);
        let answer = Compared {
            device: device.name.to_string(),
            server: url.to_owned(),
            drift_seconds: in_seconds(milliseconds),
            uncertainty_seconds: in_seconds(difference.uncertainty()),
            drift_steps: period.and_then(nearest).and_then(|steps| i64::try_from(steps).ok()),
            of_machine: own == 0,
        };
        render::print(&answer, global.json)
    }
}

/// Milliseconds as seconds with a fraction.
fn in_seconds(milliseconds: i128) -> f64 {
    milliseconds as f64 / 1000.0
}

#[cfg(test)]
crate::cli::schema::answers! {
    "drift": Emulated, Measured, Compared;
}

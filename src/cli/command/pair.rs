use std::ffi::OsString;
use std::io::{self, Write};

use serde::Serialize;

use super::code::{Code, patience};
use crate::cli::chosen_clock::{self, Clock};
use crate::cli::clock;
use crate::cli::error::{Error, Result};
use crate::cli::open::Place;
use crate::cli::remote::{self, Remote};
use crate::cli::render::{self, Answer, plain};
use crate::cli::wait::{self, Waiter, Waiting};
use crate::cli::{Global, candidates, hints, source};
use crate::device::issue::{self, Issued, Leased, Returned};
use crate::device::pair::{Pair, Terms, Which};
use crate::device::{self, Devices, accept};
use crate::oath::MovingFactor;
use crate::oath::relying_party::Rules;
use crate::provision::Enrolment;
use crate::registry::Device;

/// Print two consecutive codes, to enable or resynchronize a device
///
/// They are the previous and the current code, so nobody waits. Both are newer than the last pair given; if there is no such
/// pair yet, the error tells when. A counter device (HOTP) gives its next two codes.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["device", "from"])))]
#[command(group(clap::ArgGroup::new("patient").multiple(true)))]
#[command(after_help = "\
Examples:
  vmfa pair alice
  vmfa pair alice --as aws-cli
  vmfa pair alice --wait")]
pub(in crate::cli) struct Args {
    /// The device's name
    #[arg(add = candidates::device())]
    device: Option<String>,
    /// Read a source instead of a device: a path, `-` for stdin, `clipboard`, or `screen`
    #[arg(long, value_name = "SOURCE", add = candidates::source())]
    from: Option<OsString>,
    /// Which account, if the source has several
    #[arg(long, requires = "from")]
    account: Option<String>,
    #[command(flatten)]
    search: source::Search,
    #[command(flatten)]
    clock: chosen_clock::Args,
    /// Wait for a pair that is newer than the last one
    #[arg(long, conflicts_with_all = ["at", "from"], group = "patient")]
    wait: bool,
    /// Print the current code, and the next when its time comes, for services that refuse past codes
    #[arg(long, conflicts_with_all = ["at", "from"], group = "patient")]
    live: bool,
    /// How long to wait for the pair, such as 45s or 5m
    #[arg(long, value_name = "TIME", default_value = "5m", requires = "patient", value_parser = patience)]
    timeout: u64,
    /// If --clock names a stand-in with virtual time, advance its time instead of waiting
    #[arg(long, requires = "patient")]
    jump: bool,
    /// By `aws` rules the two codes may still be used once each; by `rfc` rules they may not [default: `aws` for devices
    /// of AWS, else `rfc`]
    #[arg(long, value_name = "RULES", value_parser = rules(), conflicts_with = "from", hide_possible_values = true)]
    rules: Option<Rules>,
    /// Print `plain` lines, `json`, or `aws-cli`: options for `aws iam enable-mfa-device` and `resync-mfa-device`
    #[arg(long, value_name = "FORM", value_parser = ["plain", "json", "aws-cli"], default_value = "plain",
          hide_possible_values = true)]
    r#as: String,
}

/// The words for rule sets, for completions too.
pub(super) fn rules() -> impl clap::builder::TypedValueParser<Value = Rules> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(["aws", "rfc"]).try_map(|word| word.parse::<Rules>())
}

/// Two codes, as `--json` has them.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Answered {
    /// The device's name. Left out with `--from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    /// Who gave the secret.
    issuer: Option<String>,
    /// For which account; may be empty.
    account: String,
    /// The ARN of an AWS device, if it is known.
    serial_number: Option<String>,
    /// The first code.
    authentication_code1: String,
    /// The second code, of the next step or counter.
    authentication_code2: String,
    /// Names the pair, for `vmfa release --claim`. Left out with `--from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<String>,
    /// Both with what they were made of.
    codes: [Code; 2],
    #[serde(skip)]
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    /// The first has been written already.
    Second,
    AwsCli,
}

impl Answer for Answered {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let (one, two) = (&self.authentication_code1, &self.authentication_code2);
        match self.form {
            Form::Plain => writeln!(out, "{one}\n{two}"),
            Form::Second => writeln!(out, "{two}"),
            Form::AwsCli => {
                if let Some(serial) = &self.serial_number {
                    write!(out, "--serial-number {} ", plain(serial))?;
                }
                writeln!(out, "--authentication-code1 {one} --authentication-code2 {two}")
            }
        }
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let json = global.json || self.r#as == "json";
        if let (Some(name), Some(remote)) = (&self.device, Remote::find()?) {
            return self.of_server(name, &remote, json);
        }
        let clock = self.clock.open(global)?;
        let answered = match (&self.device, &self.from) {
            (Some(name), _) => self.of_device(global, name, &clock, json)?,
            (None, Some(from)) => self.of_source(from, &clock, json)?,
            (None, None) => return Err(Error::usage("name a device, or a source with --from")),
        };
        render::print(&answered, json)
    }

    /// A pair from the server that `VMFA_URL` names.
    fn of_server(&self, name: &str, remote: &Remote, json: bool) -> Result<()> {
        remote.expect_none(&[
            ("--live", self.live),
            ("--rules", self.rules.is_some()),
            ("--at", self.clock.at.is_some()),
            ("--clock", self.clock.names_clock()),
            ("--jump", self.jump),
            ("--as aws-cli", self.r#as == "aws-cli"),
        ])?;
        let timeout = if self.wait { self.timeout.min(remote::LONGEST_WAIT) } else { 0 };
        let question = serde_json::json!({ "device": name, "timeout": timeout });
        render::print(&remote.pair(&question, timeout)?, json)
    }

    fn of_device(&self, global: &Global, name: &str, clock: &Clock, json: bool) -> Result<Answered> {
        let place = Place::find(global)?;
        place.expect_reading();
        let registry = place.registry()?;
        registry.expect_writable()?;
        let device = device::find(&*registry, name)?;
        let vault = place.vault_of(&device)?;
        let devices = Devices { vault: vault.as_ref(), registry: &*registry };
        let enrolment = devices.enrolment(&device)?;
        let counts = matches!(device.parameters.factor, MovingFactor::Counter { .. });
        if counts {
            if clock.stands_still() {
                return Err(crate::oath::Error::CounterBased.into());
            }
            let codes = devices.next_codes(&device, &enrolment, 2, clock::now())?;
            return self.answered(Some(&device), &enrolment, &codes, clock);
        }
        let rules = self.rules.unwrap_or(*accept::rules_of(&device));
        let terms = Terms {
            live: self.live,
            consumes: rules.pair_uses_steps,
            patience: if self.wait || self.live { self.timeout } else { 0 },
        };
        let pair = devices.pair(&device, &enrolment, clock.moment(), terms)?;
        let mut shown = false;
        if let Err(error) = self.wait_for(&pair, &mut shown, json, &device, clock) {
            if shown {
                let error = error.given_back(false);
                // That it can't be written down is no reason to hide what ended the wait: it only can't be given back.
                return Err(match devices.show_pair(&device, &enrolment, &pair, clock::now()) {
                    Ok(()) => error.hint(hints::devices::release_claim(&plain(device.name.as_str()), pair.token)),
                    Err(_) => error,
                });
            }
            let given_back = devices.release_pair(&device, &enrolment, Which::Own(pair.token), clock.moment());
            return Err(error.given_back(matches!(given_back, Ok(Returned::Yes))));
        }
        if pair.codes.iter().any(|code| code.wait > 0) {
            devices.show_pair(&device, &enrolment, &pair, clock::now())?;
        }
        let mut answered = self.answered(Some(&device), &enrolment, &pair.codes.map(|code| code.issued), clock)?;
        if shown {
            answered.form = Form::Second;
        }
        Ok(answered)
    }

    /// Waits until both codes can be used. In a live pair the first is shown as soon as its time has come.
    fn wait_for(&self, pair: &Pair, shown: &mut bool, json: bool, device: &Device, clock: &Clock) -> Result<()> {
        let name = plain(device.name.as_str());
        let [one, two] = &pair.codes;
        let waiting = Waiting { jump: self.jump, waiter: Waiter::Process };
        let until = |code: &Leased, seconds, what: &str| {
            wait::until(clock, code.ready, seconds, &format!("{what} of {name}"), waiting)
        };
        if self.live {
            until(one, one.wait, "a new code")?;
            if !json && self.r#as == "plain" {
                render::answer(|out| writeln!(out, "{}", one.issued.code))?;
                *shown = true;
            }
            let left = two.wait.saturating_sub(one.wait);
            return until(two, left, "the next code");
        }
        until(two, two.wait, "a new pair")
    }

    fn of_source(&self, from: &OsString, clock: &Clock, json: bool) -> Result<Answered> {
        let (enrolment, warnings) = source::read_one(Some(from), self.account.as_deref(), &self.search)?;
        if !json {
            for warning in &warnings {
                render::note(&format!("warning: {}", plain(&warning.to_string())));
            }
        }
        let codes = match enrolment.parameters.factor {
            MovingFactor::Time { .. } => issue::at_time(&enrolment, clock.time(), -1, 2)?,
            MovingFactor::Counter { .. } if clock.stands_still() => {
                return Err(crate::oath::Error::CounterBased.into());
            }
            MovingFactor::Counter { next } => issue::at_counter(&enrolment, next, 2)?,
        };
        self.answered(None, &enrolment, &codes, clock)
    }

    fn answered(
        &self,
        device: Option<&Device>,
        enrolment: &Enrolment,
        codes: &[Issued],
        clock: &Clock,
    ) -> Result<Answered> {
        let form = if self.r#as == "aws-cli" { Form::AwsCli } else { Form::Plain };
        Ok(Answered { form, ..Answered::of(device, enrolment, codes, clock)? })
    }
}

impl Answered {
    pub(super) fn of(device: Option<&Device>, enrolment: &Enrolment, codes: &[Issued], clock: &Clock) -> Result<Self> {
        let time = clock.time();
        let [one, two] = codes else { return Err(device::Error::NoSuchStep.into()) };
        Ok(Self {
            device: device.map(|device| device.name.to_string()),
            issuer: enrolment.issuer.clone(),
            account: enrolment.account.clone(),
            serial_number: enrolment.serial.clone(),
            authentication_code1: one.code.to_string(),
            authentication_code2: two.code.to_string(),
            claim: one.claim.map(|claim| claim.to_string()),
            codes: [Code::of(one, time), Code::of(two, time)],
            form: Form::Plain,
        })
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "pair": Answered;
}

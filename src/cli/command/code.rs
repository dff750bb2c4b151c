mod lease;
mod patience;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};

use serde::Serialize;

use crate::cli::chosen_clock::{self, Clock};
use crate::cli::clipboard::{Clipboard, Way};
use crate::cli::error::{Error, Result};
use crate::cli::open::Place;
use crate::cli::pattern::Pool;
use crate::cli::remote::{self, Remote};
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates, clipboard, hints, source};
use crate::device::issue::{self, Issued};
use crate::device::{self, Devices};
use crate::oath::MovingFactor;
use crate::registry::Device;
use crate::time::{Timestamp, words};

pub(super) use lease::{Lease, Taken};
pub(super) use patience::patience;

/// Print the current code
///
/// vmfa remembers which codes it gave. With --fresh, no code is given twice, to whichever process: if the current one is used,
/// vmfa waits for the next. A counter device (HOTP) gives its next code. With --from, nothing is stored.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["device", "from"])))]
#[command(group(clap::ArgGroup::new("step").args(["next", "previous"])))]
#[command(group(clap::ArgGroup::new("patient").multiple(true)))]
#[command(after_help = "\
Examples:
  vmfa code alice
  vmfa code alice --copy
  vmfa code 'ci/*' --fresh --min-validity 5s
  vmfa code --from qr.png                 # stores nothing")]
pub(in crate::cli) struct Args {
    /// The device's name; without one, you choose on the terminal. With --fresh also a pool of time-based devices, such as 'ci/*'; `*` and `?` don't match `/`, `**`
    /// does
    #[arg(add = candidates::pool())]
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
    /// Print the code of the next time step
    #[arg(long)]
    next: bool,
    /// Print the code of the previous time step
    #[arg(long)]
    previous: bool,
    /// Number of codes to print, one per line
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=i64::from(issue::MOST)))]
    count: u16,
    /// Print a code that was never given before, under any name of this secret
    #[arg(long, conflicts_with_all = ["from", "next", "previous", "count"], group = "patient")]
    fresh: bool,
    /// Print a code that is good for at least this long, such as 5s; wait for the next if the current one isn't. With
    /// --window, a code counts as good for as long as the service accepts it
    #[arg(long, value_name = "TIME", conflicts_with_all = ["next", "previous", "count"], group = "patient",
          value_parser = patience)]
    min_validity: Option<u64>,
    /// Take an unused code up to N steps away instead of waiting [default N: what the service accepts: AWS 2, others 1]
    #[arg(long, value_name = "N", num_args = 0..=1, requires = "fresh", value_parser = steps)]
    window: Option<Option<u64>>,
    /// How long to wait for the code, such as 45s or 5m; 0s to fail at once
    #[arg(long, value_name = "TIME", default_value = "5m", requires = "patient", value_parser = patience)]
    timeout: u64,
    /// If --clock names a stand-in with virtual time, advance its time instead of waiting
    #[arg(long, requires = "patient")]
    jump: bool,
    /// Copy the code instead of printing it. Over SSH, --copy=osc52 has your terminal copy it, if it can
    #[arg(long, value_name = "WAY", num_args = 0..=1, require_equals = true, default_missing_value = "clipboard",
          conflicts_with = "count", hide_possible_values = true)]
    copy: Option<clipboard::Way>,
    /// How long until the clipboard is cleared, if it still holds the code. With --copy=osc52, vmfa can't clear it
    #[arg(long, value_name = "TIME", default_value = clipboard::CLEAR_AFTER, requires = "copy", value_parser = a_while)]
    clear_after: u64,
}

/// How long a code may stay on the clipboard.
pub(super) fn a_while(text: &str) -> std::result::Result<u64, String> {
    let seconds = crate::time::duration(text).filter(|seconds| (1..=86_400).contains(seconds));
    seconds.ok_or_else(|| "expected a time from 1s to 1d, such as 45s or 5m".to_owned())
}

/// How far a relying party might look.
fn steps(text: &str) -> std::result::Result<u64, String> {
    let steps = text.parse().ok().filter(|steps| *steps <= 1_000);
    steps.ok_or_else(|| "expected a number of steps from 0 to 1000; put the device's name before --window".to_owned())
}

/// A code with what it was made of.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Code {
    /// The code. Left out if it was copied to the clipboard instead.
    #[serde(skip_serializing_if = "String::is_empty")]
    code: String,
    /// TOTP: the number of the time step.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
    /// HOTP: the counter.
    #[serde(skip_serializing_if = "Option::is_none")]
    counter: Option<u64>,
    /// TOTP: when its step begins, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<String>,
    /// TOTP: when its step ends, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
    /// TOTP: seconds from the time asked for to `valid_until`.
    #[serde(skip_serializing_if = "Option::is_none")]
    validity_seconds: Option<u64>,
    /// How long it takes until its turn comes; none where it has come.
    #[serde(skip)]
    starts_in: Option<u64>,
    /// Whether it was handed out before, by this name or another one of the same secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeated: Option<bool>,
    /// Names what was taken, for `vmfa release --claim`.
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<String>,
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
            starts_in: valid.and_then(|(from, _)| from.as_unix().checked_sub(time.as_unix())).filter(|wait| *wait > 0),
            repeated: None,
            claim: issued.claim.map(|claim| claim.to_string()),
        }
    }

    /// How long it is valid, in words; of one that is to come, when.
    fn validity(&self) -> Option<String> {
        let seconds = self.validity_seconds.filter(|seconds| *seconds > 0)?;
        Some(match self.starts_in {
            Some(wait) => format!("valid in {wait} s, for {} s", seconds.saturating_sub(wait)),
            None => format!("valid for {seconds} s"),
        })
    }

    /// The same of a device, whose codes are written down.
    pub(super) fn of_device(issued: &Issued, time: Timestamp) -> Self {
        Self { repeated: issued.valid.map(|_| issued.repeated), ..Self::of(issued, time) }
    }

    pub(super) fn text(&self) -> &str {
        &self.code
    }

    pub(super) const fn seconds_left(&self) -> Option<u64> {
        self.validity_seconds
    }

    pub(super) fn with_validity(&self) -> String {
        match (self.validity(), self.counter) {
            (Some(validity), _) => format!("{} ({validity})", self.code),
            (None, Some(counter)) => format!("{} (counter {counter})", self.code),
            (None, None) => self.code.clone(),
        }
    }
}

/// Codes of a device or a source, as `--json` has them.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Codes {
    /// The device's name. Left out with `--from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    /// Who gave the secret.
    issuer: Option<String>,
    /// For which account; may be empty.
    account: String,
    /// The first of `codes`, for those who want one.
    #[serde(flatten)]
    first: Code,
    /// All codes; the keys of the first one are also at the top level.
    codes: Vec<Code>,
    /// With `--from`: what was odd about the source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// Whether the device's clock is wrong on purpose.
    #[serde(skip)]
    wrong_clock: bool,
}

impl Answer for Codes {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        for code in &self.codes {
            writeln!(out, "{}", code.code)?;
        }
        if let (true, [code]) = (render::for_eyes(), self.codes.as_slice())
            && let Some(validity) = code.validity()
        {
            render::note(&validity);
        }
        if let (true, true, Some(device)) = (render::for_eyes(), self.wrong_clock, &self.device) {
            render::note(&format!("its clock is set wrong: vmfa drift {}", plain(&hints::word(device))));
        }
        Ok(())
    }
}

/// A code that is on the clipboard, and not here.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Copied {
    /// The device's name. Left out with `--from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    /// Who gave the secret.
    issuer: Option<String>,
    /// For which account; may be empty.
    account: String,
    #[serde(flatten)]
    code: Code,
    /// `clipboard` or `osc52`.
    copied: &'static str,
    /// When the clipboard is cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    clear_after_seconds: Option<u64>,
    /// With `--from`: what was odd about the source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip)]
    validity: Option<String>,
}

impl Answer for Copied {
    /// On stderr: stdout is for codes.
    fn human(&self, _: &mut dyn Write) -> io::Result<()> {
        if io::stderr().is_terminal() {
            let validity = self.validity.as_ref().map(|validity| format!(" ({validity})")).unwrap_or_default();
            let name = self.device.as_deref().unwrap_or(&self.account);
            let of = if name.is_empty() { String::new() } else { format!(" of {}", plain(name)) };
            let clear =
                self.clear_after_seconds.map(|seconds| format!("; the clipboard is cleared in {}", words(seconds)));
            render::note(&format!("copied the code{of}{validity}{}", clear.unwrap_or_default()));
        }
        Ok(())
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        // Before a code is taken, which would be used up in vain.
        let clipboard = self.copy.map(|way| Clipboard::reach(way, self.clear_after)).transpose()?;
        if let (Some(name), Some(remote)) = (&self.device, Remote::find()?) {
            return self.of_server(global, name, &remote, clipboard);
        }
        let clock = self.clock.open(global)?;
        let offset = i64::from(self.next).saturating_sub(self.previous.into());
        let answer = match (&self.device, &self.from) {
            (Some(name), _) if self.fresh => self.leased(global, name, &clock)?,
            (Some(name), _) => self.of_device(global, name, &clock, offset)?,
            (None, Some(from)) => self.of_source(global, from, &clock, offset)?,
            (None, None) => return Err(Error::usage("name a device, or a source with --from")),
        };
        match (clipboard, self.copy) {
            (Some(clipboard), Some(way)) => self.copied(clipboard, way, answer, global),
            _ => render::print(&answer, global.json),
        }
    }

    /// A code from the server that `VMFA_URL` names, which hands out each code once.
    fn of_server(&self, global: &Global, name: &str, remote: &Remote, clipboard: Option<Clipboard>) -> Result<()> {
        remote.expect_none(&[
            ("--next", self.next),
            ("--previous", self.previous),
            ("--count", self.count > 1),
            ("--at", self.clock.at.is_some()),
            ("--clock", self.clock.names_clock()),
            ("--jump", self.jump),
        ])?;
        let question = remote::for_code(name, self.window, self.min_validity, self.timeout);
        let code = remote.code(&question, self.timeout)?;
        let Some(clipboard) = clipboard else { return render::print(&code, global.json) };
        clipboard.copy(code.text("code"))?;
        render::print(&code.copied("clipboard"), global.json)
    }

    fn copied(&self, clipboard: Clipboard, way: Way, answer: Codes, global: &Global) -> Result<()> {
        clipboard.copy(&answer.first.code)?;
        let clear_after = (way == Way::Clipboard).then_some(self.clear_after);
        let copied = Copied {
            device: answer.device,
            issuer: answer.issuer,
            account: answer.account,
            validity: answer.first.validity(),
            code: Code { code: String::new(), ..answer.first },
            copied: match way {
                Way::Clipboard => "clipboard",
                Way::Osc52 => "osc52",
            },
            clear_after_seconds: clear_after,
            warnings: answer.warnings,
        };
        render::print(&copied, global.json)
    }

    fn of_device(&self, global: &Global, name: &str, clock: &Clock, offset: i64) -> Result<Codes> {
        let place = Place::find(global)?;
        place.expect_reading();
        let registry = place.registry()?;
        if Pool::of(name).map_or(true, |pool| pool.is_some()) {
            return Err(Error::usage(format!("`{name}` is a pool of devices: --fresh gives a code of it")));
        }
        let device = device::find(&*registry, name)?;
        let vault = place.vault_of(&device)?;
        let devices = Devices { vault: vault.as_ref(), registry: &*registry };
        let (codes, moment) = match device.parameters.factor {
            // A moment that was named is no lease: nobody is promised a code of their own.
            MovingFactor::Time { .. } if clock.stands_still() && registry.expect_writable().is_err() => {
                render::note("warning: the registry can't be written: this code may be handed out again");
                self.wait_for_validity(name, clock, &|time, validity, rounding| {
                    issue::lasting(&device, time, validity, rounding)
                })?;
                let (enrolment, moment) = (devices.enrolment(&device)?, clock.moment());
                (issue::codes_unwritten(&device, &enrolment, moment.time, offset, self.count)?, moment)
            }
            MovingFactor::Time { .. } => {
                registry.expect_writable()?;
                self.lasting_codes(name, &devices, &device, clock, offset)?
            }
            MovingFactor::Counter { .. } => {
                self.refuse_times()?;
                let enrolment = devices.enrolment(&device)?;
                let moment = clock.moment();
                (devices.next_codes(&device, &enrolment, self.count, moment.now)?, moment)
            }
        };
        Codes::of_device(device, &codes, moment.time)
    }

    fn of_source(&self, global: &Global, from: &OsString, clock: &Clock, offset: i64) -> Result<Codes> {
        let (enrolment, warnings) = source::read_one(Some(from), self.account.as_deref(), &self.search)?;
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        if !global.json {
            for warning in &warnings {
                render::note(&format!("warning: {}", plain(warning)));
            }
        }
        let (codes, time) = match enrolment.parameters.factor {
            MovingFactor::Time { .. } => {
                let lasting = |time, validity, rounding| issue::lasting_from(&enrolment, time, validity, rounding);
                let name = if enrolment.account.is_empty() { "the source" } else { &enrolment.account };
                self.wait_for_validity(name, clock, &lasting)?;
                let time = clock.time();
                (issue::at_time(&enrolment, time, offset, self.count)?, time)
            }
            MovingFactor::Counter { next } => {
                self.refuse_times()?;
                (issue::at_counter(&enrolment, next, self.count)?, clock.time())
            }
        };
        let codes = codes.iter().map(|issued| Code::of(issued, time)).collect();
        Codes::new(None, enrolment.issuer, enrolment.account, codes, warnings)
    }

    fn refuse_times(&self) -> Result<()> {
        if self.clock.at.is_some() || self.next || self.previous || self.min_validity.is_some() {
            return Err(crate::oath::Error::CounterBased.into());
        }
        Ok(())
    }
}

impl Codes {
    pub(super) fn of_device(device: Device, issued: &[Issued], time: Timestamp) -> Result<Self> {
        let codes = issued.iter().map(|issued| Code::of_device(issued, time)).collect();
        let wrong_clock = device.drift.seconds != 0 || device.drift.ppm != 0;
        let codes = Self::new(Some(device.name.to_string()), device.issuer, device.account, codes, Vec::new())?;
        Ok(Self { wrong_clock, ..codes })
    }

    fn new(
        device: Option<String>,
        issuer: Option<String>,
        account: String,
        codes: Vec<Code>,
        warnings: Vec<String>,
    ) -> Result<Self> {
        let first = codes.first().cloned().ok_or(device::Error::NoSuchStep)?;
        Ok(Self { device, issuer, account, first, codes, warnings, wrong_clock: false })
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "code": Codes, Copied;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_to_come_is_told_to_be_one() {
        let at = Timestamp::from_unix;
        let issued = |from| Issued {
            code: "123456".parse().unwrap(),
            moving_factor: 2,
            valid: Some((at(from), at(from + 30))),
            repeated: false,
            claim: None,
        };
        let said = |from, time| Code::of(&issued(from), at(time)).validity();
        assert_eq!(said(60, 81).as_deref(), Some("valid for 9 s"));
        assert_eq!(said(60, 60).as_deref(), Some("valid for 30 s"));
        assert_eq!(said(90, 81).as_deref(), Some("valid in 9 s, for 30 s"));
        assert_eq!(said(30, 81), None);
        assert_eq!(Code::of(&issued(90), at(81)).with_validity(), "123456 (valid in 9 s, for 30 s)");
    }
}

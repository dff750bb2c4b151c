use std::io::{self, Write};

use serde::Serialize;

use crate::cli::clock;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::open::Place;
use crate::cli::remote::Remote;
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, candidates, hints};
use crate::device::issue::{Moment, Returned};
use crate::device::pair::Which;
use crate::device::{self, Devices};
use crate::registry::{Device, Token};
use crate::time::Step;

/// Give back a code or a pair that never reached the service
///
/// It can then be handed out again. Don't give back a code that the service may have seen, even if it was refused: that
/// code is used up. So is a code that was shown twice.
///
/// Give --claim, or the code itself, if others use the device too: only then is it certain that what you give back is yours.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true).args(["code", "step", "pair", "claim"])))]
#[command(override_usage = "vmfa release [OPTIONS] <DEVICE> <CODE>...\n       \
                      vmfa release [OPTIONS] <DEVICE> <--step <STEP>|--pair|--claim <CLAIM>>")]
#[command(after_help = "\
Examples:
  vmfa release alice 123456
  vmfa release alice --claim 9f2c4e6ab01d7358")]
pub(in crate::cli) struct Args {
    /// The device's name
    #[arg(add = candidates::device())]
    device: String,
    /// The code, or the two codes of a pair
    #[arg(num_args = 1..=4)]
    code: Vec<String>,
    /// The code's step, as shown by `vmfa code --json`; without the code, make sure that nobody else got it after you
    /// gave it back
    #[arg(long, value_name = "STEP", conflicts_with = "pair")]
    step: Option<u64>,
    /// The last pair; if others take pairs of this device too, give its two codes instead
    #[arg(long)]
    pair: bool,
    /// Exactly what this claim has, as shown by `--json` of `vmfa code` and `vmfa pair`
    #[arg(long, value_name = "CLAIM", conflicts_with_all = ["code", "step", "pair"])]
    claim: Option<Token>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Released {
    /// The device's name.
    device: String,
    /// The step of the code; of a pair none is told.
    step: Option<u64>,
    /// The steps of a claim's codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<u64>,
    /// What was given back: `code` or `pair`.
    released: &'static str,
}

impl Answer for Released {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.steps.len() > 1 {
            return writeln!(out, "gave back {} codes of {}", self.steps.len(), plain(&self.device));
        }
        let of_step = self.step.map(|step| format!(" of step {step}")).unwrap_or_default();
        writeln!(out, "gave back the {}{of_step} of {}", self.released, plain(&self.device))
    }
}

impl Released {
    fn of(device: &Device, step: Option<u64>, released: &'static str) -> Self {
        Self { device: device.name.to_string(), step, steps: Vec::new(), released }
    }

    /// Gives back what a claim has.
    pub(super) fn of_claim(devices: &Devices<'_>, device: &Device, claim: Token) -> Result<Self> {
        expect_returnable(device)?;
        let now = clock::now();
        let enrolment = devices.enrolment(device)?;
        match devices.release_claim(device, &enrolment, claim, Moment { time: now, now })? {
            (Returned::Yes, steps) if steps.is_empty() => Ok(Self::of(device, None, "pair")),
            (Returned::Yes, steps) => {
                let steps: Vec<u64> = steps.into_iter().map(Step::value).collect();
                let only = if let [step] = steps[..] { Some(step) } else { None };
                Ok(Self { steps, ..Self::of(device, only, "code") })
            }
            (Returned::NotThere, _) => {
                let message = format!("`{}` has nothing of the claim {claim}", device.name);
                Err(Error::new(Kind::No, "not-handed-out", message).hint(hints::devices::CLAIM_FORGOTTEN))
            }
            (Returned::Shared, _) => {
                let message = "what this claim has was also given to another process: it stays used up";
                Err(Error::new(Kind::No, "shared", message))
            }
        }
    }
}

/// Counters can't go back: a service that missed one takes the next.
fn expect_returnable(device: &Device) -> Result<()> {
    if device.parameters.period().is_err() {
        return Err(Error::usage(format!("`{}` is a counter device (HOTP): no code is given back", device.name))
            .hint(hints::devices::COUNTER_GOES_ON));
    }
    Ok(())
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        super::codes::refuse_swapped("release", &self.device, &self.code)?;
        let codes = super::codes::joined(&self.code);
        let codes = codes.iter().map(|code| super::codes::parse(code)).collect::<Result<Vec<_>>>()?;
        if self.pair && codes.len() == 1 {
            return Err(Error::usage("a pair has two codes: give both, in order"));
        }
        if codes.len() > 2 {
            return Err(Error::usage(format!("{} codes are given: give one, or the two of a pair", codes.len())));
        }
        if self.step.is_some() && codes.len() == 2 {
            return Err(Error::usage("--step names the step of one code, and a pair has two: leave it out"));
        }
        if let Some(remote) = Remote::find()? {
            let Some(claim) = self.claim else {
                let message = "the server that VMFA_URL names takes back what a claim has, and nothing else";
                return Err(Error::usage(message).hint(hints::share::CLAIM));
            };
            let question = serde_json::json!({ "device": self.device, "claim": claim.to_string() });
            return render::print(&remote.release(&question)?, global.json);
        }
        let place = Place::find(global)?;
        place.expect_reading();
        let registry = place.registry()?;
        registry.expect_writable()?;
        let device = device::find(&*registry, &self.device)?;
        expect_returnable(&device)?;
        let vault = place.vault_of(&device)?;
        let devices = Devices { vault: vault.as_ref(), registry: &*registry };
        let enrolment = devices.enrolment(&device)?;
        let refused = |what: &str| Error::new(Kind::No, "not-handed-out", format!("`{}` {what}", device.name));
        let not_there = |what: &str| refused(&format!("has {what}")).hint(hints::devices::CODE_FORGOTTEN);
        let answer = |step: Option<u64>, released| Released::of(&device, step, released);
        let now = clock::now();
        let moment = Moment { time: now, now };
        let pair = match codes[..] {
            [one, two] => Some(Some([one, two])),
            _ => self.pair.then_some(None),
        };
        let released = if let Some(claim) = self.claim {
            Released::of_claim(&devices, &device, claim)?
        } else if let Some(codes) = pair {
            let which = match codes {
                None => Some(Which::Last),
                Some(codes) => devices.last_pair_as(&device, &enrolment, codes)?.map(Which::Second),
            };
            let returned = which.map(|which| devices.release_pair(&device, &enrolment, which, moment)).transpose()?;
            match returned.unwrap_or(Returned::NotThere) {
                Returned::Yes => answer(None, "pair"),
                Returned::NotThere => return Err(not_there("no pair that could be given back: only the last one can")),
                Returned::Shared => {
                    return Err(refused("handed out another pair recently, or another process waits for the last one")
                        .hint(hints::devices::release_codes(device.name.as_str())));
                }
            }
        } else {
            let step = match (codes.first(), self.step.map(Step::new)) {
                (Some(code), wanted) => {
                    let mut steps = devices.handed_out_as(&device, &enrolment, *code)?;
                    steps.retain(|step| wanted.is_none_or(|wanted| wanted == *step));
                    if steps.len() > 1 {
                        let mut error = Error::new(Kind::No, "ambiguous", "by chance several steps have this code");
                        for step in steps {
                            error = error.hint(hints::devices::step(step.value()));
                        }
                        return Err(error);
                    }
                    steps.first().copied()
                }
                (None, wanted) => wanted,
            };
            let step = step.ok_or_else(|| not_there("handed out no such code"))?;
            match devices.release(&device, &enrolment, step)? {
                Returned::Yes => answer(Some(step.value()), "code"),
                Returned::NotThere => return Err(not_there("handed out no code of this step")),
                Returned::Shared => {
                    return Err(Error::new(
                        Kind::No,
                        "shared",
                        format!(
                            "the code of step {} was also given to another process: it stays used up",
                            step.value()
                        ),
                    ));
                }
            }
        };
        render::print(&released, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "release": Released;
}

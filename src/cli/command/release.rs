use std::io::{self, Write};

use serde::Serialize;

use crate::cli::Global;
use crate::cli::clock;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, plain};
use crate::device::issue::Moment;
use crate::device::{self, Devices};
use crate::time::Step;

/// Give back a code that demonstrably never reached the service
///
/// It may be handed out again afterwards. A code that the service may have seen, even one that it refused, is used up:
/// leave it.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["code", "step", "pair"])))]
pub(in crate::cli) struct Args {
    /// The device's name, exactly
    device: String,
    /// The code, as it was given
    code: Option<String>,
    /// Its step instead, as `vmfa code --json` told it
    #[arg(long, value_name = "STEP")]
    step: Option<u64>,
    /// The last pair
    #[arg(long)]
    pair: bool,
}

#[derive(Debug, Serialize)]
struct Released {
    device: String,
    /// The step of the code; of a pair none is told.
    step: Option<u64>,
    /// What was given back: `code` or `pair`.
    released: &'static str,
}

impl Answer for Released {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let of_step = self.step.map(|step| format!(" of step {step}")).unwrap_or_default();
        writeln!(out, "gave back the {}{of_step} of {}", self.released, plain(&self.device))
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let code = self.code.as_deref().map(super::codes::parse).transpose()?;
        let place = Place::find(global)?;
        place.expect_reading();
        let registry = place.registry()?;
        let device = device::find(&registry, &self.device)?;
        // Counters can't go back: a service that missed one takes the next.
        if device.parameters.period().is_err() {
            return Err(Error::usage(format!("`{}` is a counter device (HOTP): no code is given back", device.name))
                .hint("the service takes the next one as well"));
        }
        let vault = place.vault_of(&device)?;
        let devices = Devices { vault: vault.as_ref(), registry: &registry };
        let enrolment = devices.enrolment(&device)?;
        let not_there = |what: &str| {
            Error::new(Kind::No, "not-handed-out", format!("`{}` has {what}", device.name))
                .hint("what is long past is forgotten")
        };
        let answer = |step: Option<u64>, released| Released { device: device.name.to_string(), step, released };
        let released = if self.pair {
            let now = clock::now();
            if !devices.release_pair(&device, &enrolment, None, Moment { time: now, now })? {
                return Err(not_there("no pair that could be given back: only the last one can"));
            }
            answer(None, "pair")
        } else {
            let step = match code {
                Some(code) => {
                    let steps = devices.handed_out_as(&device, &enrolment, code)?;
                    if steps.len() > 1 {
                        let mut error = Error::new(Kind::No, "ambiguous", "by chance several steps have this code");
                        for step in steps {
                            error = error.hint(format!("--step {}", step.value()));
                        }
                        return Err(error);
                    }
                    steps.first().copied()
                }
                None => self.step.map(Step::new),
            };
            let step = step.ok_or_else(|| not_there("handed out no such code"))?;
            if !devices.release(&device, &enrolment, step)? {
                return Err(not_there("handed out no code of this step"));
            }
            answer(Some(step.value()), "code")
        };
        render::print(&released, global.json)
    }
}

//! What the tools do: as `vmfa list`, `vmfa code --fresh` and `vmfa pair`, with the devices that are allowed, and with every
//! code written down in the audit file before it is answered.

use std::time::Duration;

use super::arguments::Asked;
use super::calls::Call;
use crate::cli::chosen_clock::Clock;
use crate::cli::clock;
use crate::cli::command::code::Codes;
use crate::cli::command::dispense::allowed::Allowed;
use crate::cli::command::dispense::audit::{Audit, Client, Line, What, Who};
use crate::cli::command::dispense::{self, Task, Wish, not_audited};
use crate::cli::command::pair::Answered;
use crate::cli::command::show::Description;
use crate::cli::error::{Error, Result};
use crate::cli::hints;
use crate::cli::open::Place;
use crate::cli::pattern::Pool;
use crate::cli::wait::Waits;
use crate::registry::{Device, Kept};
use crate::time::Timestamp;

/// What hands out codes.
pub(super) struct Dispenser {
    pub(super) place: Place,
    pub(super) allowed: Allowed,
    pub(super) clock: Clock,
    /// Whether a stand-in's virtual time is moved rather than waited for.
    pub(super) jump: bool,
    pub(super) audit: Option<Audit>,
}

/// What a tool answers, as `--json` has it.
#[derive(Debug, serde::Serialize)]
#[serde(untagged)]
pub(super) enum Given {
    Devices { devices: Vec<Description> },
    Codes(Box<Codes>),
    Pair(Box<Answered>),
}

impl Dispenser {
    /// Does what a client asks for. Whatever it fails with, or is cancelled by, nothing stays taken that isn't answered,
    /// but for counters, which never go back.
    pub(super) fn answer(&self, asked: &Asked, client: &Client, call: &Call) -> Result<Given> {
        let place = self.place.afresh();
        let registry = place.registry()?;
        let caller = Caller { call, client, audit: self.audit.as_ref(), tool: asked.tool() };
        let task = Task { vaults: &place, registry: &*registry, clock: &self.clock, jump: self.jump, client: &caller };
        let given = match asked {
            Asked::List => self.list(&*registry),
            Asked::Code { device, timeout, min_validity } => {
                let wish = Wish { window: None, min_validity: *min_validity, timeout: *timeout };
                self.code(&task, device.as_deref(), wish).map(|codes| Given::Codes(Box::new(codes)))
            }
            Asked::Pair { device, timeout } => {
                self.pair(&task, device.as_deref(), *timeout).map(|pair| Given::Pair(Box::new(pair)))
            }
        };
        given.map_err(in_words_of_tools)
    }

    fn list(&self, registry: &dyn Kept) -> Result<Given> {
        let last_uses = registry.last_uses()?;
        let last_use = |device: &Device| device.ledger.and_then(|ledger| last_uses.get(&ledger)).copied();
        let devices = self.allowed.devices(registry)?;
        let described = devices.iter().map(|device| Description::of(device, None).last_used(last_use(device)));
        Ok(Given::Devices { devices: described.collect() })
    }

    fn code(&self, task: &Task<'_, Caller<'_>>, name: Option<&str>, wish: Wish) -> Result<Codes> {
        task.registry.expect_writable()?;
        let pool = name.map(Pool::of).transpose()?.flatten();
        match (name, pool) {
            (Some(name), Some(pattern)) => {
                task.code_of_pool(name, &pattern, self.allowed.devices(task.registry)?, wish)
            }
            _ => task.code(self.allowed.device(task.registry, name)?, wish),
        }
    }

    fn pair(&self, task: &Task<'_, Caller<'_>>, name: Option<&str>, timeout: u64) -> Result<Answered> {
        task.registry.expect_writable()?;
        task.pair(&self.allowed.device(task.registry, name)?, timeout)
    }
}

/// A call, and what is written down of it.
struct Caller<'a> {
    call: &'a Call,
    client: &'a Client,
    audit: Option<&'a Audit>,
    tool: &'static str,
}

impl Waits for Caller<'_> {
    fn begins(&self, seconds: u64, what: &str, until: Timestamp) {
        self.call.begins(seconds, what, until);
    }

    fn pause(&self, limit: Duration) -> Result<()> {
        self.call.pause(limit)
    }

    fn expect_wanted(&self) -> Result<()> {
        self.call.expect_wanted()
    }
}

impl dispense::Client for Caller<'_> {
    fn bind(&self) -> Result<()> {
        self.call.bind()
    }

    fn write_down(&self, device: &Device, what: What) -> Result<()> {
        let Some(audit) = self.audit else { return Ok(()) };
        let who = Who::Agent { tool: self.tool, client: self.client };
        let line = Line { time: clock::now().to_rfc3339(), device: device.name.as_str(), who, what };
        audit.write(&line).map_err(|error| not_audited(audit.path(), &error))
    }
}

/// An error with hints that name arguments of tools instead of a command's options.
fn in_words_of_tools(error: Error) -> Error {
    let hint = match error.code() {
        "no-such-device" if error.hints().iter().any(|hint| hint.contains("vmfa list")) => {
            hints::agents::LIST_FOR_PATTERN
        }
        "no-free-step" | "no-pair-yet" | "expires-soon" => hints::agents::LONGER_TIMEOUT,
        "min-validity" => hints::agents::SHORTER_VALIDITY,
        "no-such-code" => hints::agents::NO_VALIDITY,
        _ => return error,
    };
    error.without_hints().hint(hint)
}

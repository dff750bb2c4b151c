//! What the tools do: as `vmfa list`, `vmfa code --fresh` and `vmfa pair`, with the devices that are allowed, and with every
//! code written down in the audit file before it is answered.

use super::allowed::Allowed;
use super::arguments::Asked;
use super::audit::{Audit, Client, Line, What};
use super::calls::Call;
use crate::cli::chosen_clock::Clock;
use crate::cli::clock;
use crate::cli::command::code::{Codes, Lease};
use crate::cli::command::pair::Answered;
use crate::cli::command::show::Description;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::hints;
use crate::cli::open::Place;
use crate::cli::pattern::Pool;
use crate::cli::render::{note, plain};
use crate::cli::wait::{self, Waiter, Waiting, Waits as _};
use crate::device::issue::{Issued, Returned};
use crate::device::pair::{Pair, Terms, Which};
use crate::device::{self, Devices, accept};
use crate::oath::MovingFactor;
use crate::registry::{Device, Kept};

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
        let task = Task { dispenser: self, place: &place, registry: &*registry, client, call, tool: asked.tool() };
        let given = match asked {
            Asked::List => self.list(&*registry),
            Asked::Code { device, timeout, min_validity } => {
                task.code(device.as_deref(), *timeout, *min_validity).map(|codes| Given::Codes(Box::new(codes)))
            }
            Asked::Pair { device, timeout } => {
                task.pair(device.as_deref(), *timeout).map(|pair| Given::Pair(Box::new(pair)))
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
}

/// One call that hands something out.
struct Task<'a> {
    dispenser: &'a Dispenser,
    place: &'a Place,
    registry: &'a dyn Kept,
    client: &'a Client,
    call: &'a Call,
    tool: &'static str,
}

impl Task<'_> {
    fn code(&self, name: Option<&str>, timeout: u64, min_validity: Option<u64>) -> Result<Codes> {
        self.registry.expect_writable()?;
        let lease = Lease {
            place: self.place,
            registry: self.registry,
            clock: &self.dispenser.clock,
            waiting: self.waiting(),
            window: None,
            min_validity,
            timeout,
        };
        let allowed = &self.dispenser.allowed;
        let pool = name.map(Pool::of).transpose()?.flatten();
        let taken = match (name, pool) {
            (Some(name), Some(pattern)) => lease.of_pool(name, &pattern, allowed.devices(self.registry)?)?,
            _ => lease.of_device(allowed.device(self.registry, name)?)?,
        };
        let issued = taken.issued;
        let what = if issued.valid.is_some() { What::Step } else { What::Counter };
        self.write_down(&taken.device, what(issued.moving_factor), || taken.give_back(self.registry))?;
        Codes::of_device(taken.device, &[issued], self.dispenser.clock.time())
    }

    fn pair(&self, name: Option<&str>, timeout: u64) -> Result<Answered> {
        self.registry.expect_writable()?;
        let clock = &self.dispenser.clock;
        let device = self.dispenser.allowed.device(self.registry, name)?;
        let vault = self.place.vault_of(&device)?;
        let devices = Devices { vault: vault.as_ref(), registry: self.registry };
        let enrolment = devices.enrolment(&device)?;
        if let MovingFactor::Counter { .. } = device.parameters.factor {
            self.call.expect_wanted()?;
            let codes = devices.next_codes(&device, &enrolment, 2, clock::now())?;
            self.write_down(&device, What::Counters(both(&codes)?), || Ok(false))?;
            return Answered::of(Some(&device), &enrolment, &codes, clock);
        }
        let consumes = accept::rules_of(&device).pair_uses_steps;
        let terms = Terms { live: false, consumes, patience: timeout };
        let pair = devices.pair(&device, &enrolment, clock.moment(), terms)?;
        let codes = pair.codes.map(|code| code.issued);
        let give_back = || {
            let returned = devices.release_pair(&device, &enrolment, Which::Own(pair.token), clock.moment())?;
            Ok(returned == Returned::Yes)
        };
        if let Err(error) = self.wait_for(&pair, &device) {
            // Nobody hears of it if it can't be given back now: it then counts as handed out.
            let _: Result<bool> = give_back();
            return Err(error);
        }
        self.write_down(&device, What::Steps(both(&codes)?), give_back)?;
        if pair.codes.iter().any(|code| code.wait > 0) {
            devices.show_pair(&device, &enrolment, &pair, clock::now())?;
        }
        Answered::of(Some(&device), &enrolment, &codes, clock)
    }

    fn wait_for(&self, pair: &Pair, device: &Device) -> Result<()> {
        let [_, second] = &pair.codes;
        let what = format!("a new pair of {}", plain(device.name.as_str()));
        wait::until(&self.dispenser.clock, second.ready, second.wait, &what, self.waiting())
    }

    fn waiting(&self) -> Waiting<'_> {
        Waiting { jump: self.dispenser.jump, waiter: Waiter::One(self.call) }
    }

    /// Writes down what is about to be answered, and gives it back where that can't be done, or where nobody wants it
    /// any more.
    fn write_down(&self, device: &Device, what: What, give_back: impl FnOnce() -> Result<bool>) -> Result<()> {
        let failure = match (self.call.bind(), &self.dispenser.audit) {
            (Err(cancelled), _) => cancelled,
            (Ok(()), None) => return Ok(()),
            (Ok(()), Some(audit)) => {
                let line = Line {
                    time: clock::now().to_rfc3339(),
                    tool: self.tool,
                    device: device.name.as_str(),
                    client: self.client,
                    what,
                };
                let Err(error) = audit.write(&line) else { return Ok(()) };
                note(&plain(&format!("vmfa: the audit file {} can't be written: {error}", audit.path().display())));
                Error::new(Kind::Storage, "audit", format!("the audit file can't be written: {error}"))
            }
        };
        let outcome = match give_back() {
            Ok(true) => "nothing was handed out or used up",
            Ok(false) | Err(_) => "nothing was handed out, but what it had claimed counts as used",
        };
        Err(failure.followed_by(outcome))
    }
}

fn both(codes: &[Issued]) -> Result<[u64; 2]> {
    match codes {
        [one, two] => Ok([one.moving_factor, two.moving_factor]),
        _ => Err(device::Error::NoSuchStep.into()),
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

//! Handing out to the clients of a server, as `vmfa code --fresh`, `vmfa pair` and `vmfa release` do. What is handed out is written
//! down before it is answered, and given back where nobody wants it any more.

pub(super) mod allowed;
pub(super) mod audit;

use self::audit::What;
use super::code::{Codes, Lease, Taken};
use super::pair::Answered;
use super::release::Released;
use crate::cli::chosen_clock::Clock;
use crate::cli::clock;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::hints;
use crate::cli::open::{Place, Vaults};
use crate::cli::pattern::Pool;
use crate::cli::render::{note, plain};
use crate::cli::wait::{self, Waiter, Waiting, Waits};
use crate::device::issue::{Issued, Returned};
use crate::device::pair::{Pair, Terms, Which};
use crate::device::{self, Devices, accept};
use crate::oath::MovingFactor;
use crate::registry::{Device, Kept, Token};

/// Who asks, and may go away before there is an answer.
pub(super) trait Client: Waits {
    /// Has what it is answered with: from now on it doesn't go away.
    ///
    /// # Errors
    ///
    /// It did before.
    fn bind(&self) -> Result<()>;

    /// Writes down what is about to be answered.
    ///
    /// # Errors
    ///
    /// Those of the file that it is written to.
    fn write_down(&self, device: &Device, what: What) -> Result<()>;
}

/// One task for a client.
pub(super) struct Task<'a, C: Client> {
    pub(super) vaults: &'a dyn Vaults,
    pub(super) registry: &'a dyn Kept,
    pub(super) clock: &'a Clock,
    /// Whether a stand-in's virtual time is moved rather than waited for.
    pub(super) jump: bool,
    pub(super) client: &'a C,
}

/// Which code is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// As [`Lease::window`].
    pub(super) window: Option<Option<u64>>,
    /// As [`Lease::min_validity`].
    pub(super) min_validity: Option<u64>,
    /// As [`Lease::timeout`].
    pub(super) timeout: u64,
}

impl<C: Client> Task<'_, C> {
    pub(super) fn code(&self, device: Device, wish: Wish) -> Result<Codes> {
        self.given(self.lease(wish).of_device(device)?)
    }

    /// A code of whichever device of a pool has one soonest.
    pub(super) fn code_of_pool(&self, name: &str, pattern: &Pool, devices: Vec<Device>, wish: Wish) -> Result<Codes> {
        self.given(self.lease(wish).of_pool(name, pattern, devices)?)
    }

    fn lease(&self, Wish { window, min_validity, timeout }: Wish) -> Lease<'_> {
        let Self { vaults, registry, clock, .. } = *self;
        Lease { vaults, registry, clock, waiting: self.waiting(), window, min_validity, timeout }
    }

    fn given(&self, taken: Taken) -> Result<Codes> {
        let issued = taken.issued;
        let what = if issued.valid.is_some() { What::Step } else { What::Counter };
        self.write_down(&taken.device, what(issued.moving_factor), || taken.give_back(self.registry))?;
        Codes::of_device(taken.device, &[issued], self.clock.time())
    }

    pub(super) fn pair(&self, device: &Device, timeout: u64) -> Result<Answered> {
        let vault = self.vaults.vault_of(device)?;
        let devices = Devices { vault: vault.as_ref(), registry: self.registry };
        let enrolment = devices.enrolment(device)?;
        if let MovingFactor::Counter { .. } = device.parameters.factor {
            self.client.expect_wanted()?;
            let codes = devices.next_codes(device, &enrolment, 2, clock::now())?;
            self.write_down(device, What::Counters(both(&codes)?), || Ok(false))?;
            return Answered::of(Some(device), &enrolment, &codes, self.clock);
        }
        let consumes = accept::rules_of(device).pair_uses_steps;
        let terms = Terms { live: false, consumes, patience: timeout };
        let pair = devices.pair(device, &enrolment, self.clock.moment(), terms)?;
        let codes = pair.codes.map(|code| code.issued);
        let give_back = || {
            let returned = devices.release_pair(device, &enrolment, Which::Own(pair.token), self.clock.moment())?;
            Ok(returned == Returned::Yes)
        };
        if let Err(error) = self.wait_for(&pair, device) {
            // Nobody hears of it if it can't be given back now: it then counts as handed out.
            let _: Result<bool> = give_back();
            return Err(error);
        }
        self.write_down(device, What::Steps(both(&codes)?), give_back)?;
        if pair.codes.iter().any(|code| code.wait > 0) {
            devices.show_pair(device, &enrolment, &pair, clock::now())?;
        }
        Answered::of(Some(device), &enrolment, &codes, self.clock)
    }

    /// Gives back what a claim has.
    pub(super) fn release(&self, device: &Device, claim: Token) -> Result<Released> {
        let vault = self.vaults.vault_of(device)?;
        Released::of_claim(&Devices { vault: vault.as_ref(), registry: self.registry }, device, claim)
    }

    fn wait_for(&self, pair: &Pair, device: &Device) -> Result<()> {
        let [_, second] = &pair.codes;
        let what = format!("a new pair of {}", plain(device.name.as_str()));
        wait::until(self.clock, second.ready, second.wait, &what, self.waiting())
    }

    fn waiting(&self) -> Waiting<'_> {
        Waiting { jump: self.jump, waiter: Waiter::One(self.client) }
    }

    /// Writes down what is about to be answered, and gives it back where that can't be done, or where nobody wants it
    /// any more.
    fn write_down(&self, device: &Device, what: What, give_back: impl FnOnce() -> Result<bool>) -> Result<()> {
        let written = self.client.bind().and_then(|()| self.client.write_down(device, what));
        let Err(failure) = written else { return Ok(()) };
        let outcome = match give_back() {
            Ok(true) => "nothing was handed out or used up",
            Ok(false) | Err(_) => "nothing was handed out, but what it had claimed counts as used",
        };
        Err(failure.followed_by(outcome))
    }
}

/// Makes sure that nobody would have to be asked for a passphrase.
pub(super) fn expect_readable(place: &Place, registry: &dyn Kept, devices: &[Device]) -> Result<()> {
    let Some(device) = devices.iter().find(|device| device.vault.has_recipients()) else { return Ok(()) };
    let vault = place.vault_of(device)?;
    match (Devices { vault: vault.as_ref(), registry }).enrolment(device).map_err(Error::from) {
        Err(error) if error.message().ends_with("is protected by a passphrase") => {
            Err(error.hint(hints::vaults::UNLOCK).hint(hints::vaults::PASSPHRASE_FD))
        }
        Err(error) if ["age-identity", "age-plugin"].contains(&error.code()) => Err(error),
        // What is wrong with one device is told when its codes are asked for.
        _ => Ok(()),
    }
}

fn both(codes: &[Issued]) -> Result<[u64; 2]> {
    match codes {
        [one, two] => Ok([one.moving_factor, two.moving_factor]),
        _ => Err(device::Error::NoSuchStep.into()),
    }
}

/// That it can't be written down what is about to be answered.
pub(super) fn not_audited(path: &std::path::Path, error: &std::io::Error) -> Error {
    note(&plain(&format!("vmfa: the audit file {} can't be written: {error}", path.display())));
    Error::new(Kind::Storage, "audit", format!("the audit file can't be written: {error}"))
}

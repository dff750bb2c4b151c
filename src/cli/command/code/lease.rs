//! `--fresh`: codes that were never handed out, of one device or of whichever of a pool has one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Args, Codes};
use crate::cli::Global;
use crate::cli::chosen_clock::Clock;
use crate::cli::clock;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::hints;
use crate::cli::open::{Place, Vaults};
use crate::cli::pattern::{self, Pool};
use crate::cli::render::{self, plain};
use crate::cli::wait::{self, Waiter, Waiting};
use crate::device::issue::{self, Candidate, Issued, Leased, Moment, Terms};
use crate::device::{self, Devices};
use crate::oath::MovingFactor;
use crate::oath::resync::Window;
use crate::provision::Enrolment;
use crate::registry::{self, Device, Registry, Token};
use crate::time::{Timestamp, words};
use crate::vault::{Id, Vault};

/// How often a pool is looked through again because others were faster, or a wait because it took too long.
const ATTEMPTS: u8 = 50;

/// What is leased, and on which terms.
#[derive(Clone, Copy)]
pub(in crate::cli::command) struct Lease<'a> {
    /// Where secrets are.
    pub(in crate::cli::command) vaults: &'a dyn Vaults,
    pub(in crate::cli::command) registry: &'a dyn Registry,
    /// The clock that codes are made by.
    pub(in crate::cli::command) clock: &'a Clock,
    pub(in crate::cli::command) waiting: Waiting<'a>,
    /// How many steps away a code may be; without a number what the service accepts.
    pub(in crate::cli::command) window: Option<Option<u64>>,
    /// For how many seconds the code has to be good.
    pub(in crate::cli::command) min_validity: Option<u64>,
    /// How many seconds may be waited.
    pub(in crate::cli::command) timeout: u64,
}

/// A code that was leased.
pub(in crate::cli::command) struct Taken {
    pub(in crate::cli::command) device: Device,
    pub(in crate::cli::command) issued: Issued,
    vault: Arc<dyn Vault>,
    enrolment: Enrolment,
    /// None of a counter.
    leased: Option<Leased>,
}

impl Taken {
    /// Gives it back; false for a counter, which never goes back.
    pub(in crate::cli::command) fn give_back(&self, registry: &dyn Registry) -> Result<bool> {
        let Some(leased) = &self.leased else { return Ok(false) };
        let devices = Devices { vault: self.vault.as_ref(), registry };
        devices.give_lease_back(&self.device, &self.enrolment, leased)?;
        Ok(true)
    }
}

impl Args {
    pub(super) fn leased(&self, global: &Global, name: &str, clock: &Clock) -> Result<Codes> {
        let place = Place::find(global)?;
        place.expect_reading();
        let registry = place.registry()?;
        registry.expect_writable()?;
        let lease = Lease {
            vaults: &place,
            registry: &*registry,
            clock,
            waiting: self.waiting(),
            window: self.window,
            min_validity: self.min_validity,
            timeout: self.timeout,
        };
        let pool = Pool::of(name)?;
        let taken = match &pool {
            Some(pattern) => lease.of_pool(name, pattern, device::active(&*registry)?),
            None => lease.of_device(device::find(&*registry, name)?),
        };
        let taken = taken.map_err(|error| {
            use hints::devices::{LATER_AT, TIMEOUT, WINDOW_AT, WINDOW_OR_TIMEOUT};
            match (self.window.is_some(), clock.stands_still()) {
                (true, true) => error.instead(WINDOW_OR_TIMEOUT, LATER_AT),
                (true, false) => error.instead(WINDOW_OR_TIMEOUT, TIMEOUT),
                (false, true) => error.instead(WINDOW_OR_TIMEOUT, WINDOW_AT),
                (false, false) => error,
            }
        })?;
        if pool.is_some() && render::for_eyes() {
            render::note(&format!("from {}", plain(taken.device.name.as_str())));
        }
        Codes::of_device(taken.device, &[taken.issued], clock.time())
    }
}

impl Lease<'_> {
    /// A code of a device; of a counter device its next one.
    pub(in crate::cli::command) fn of_device(&self, device: Device) -> Result<Taken> {
        let vault = self.vaults.vault_of(&device)?;
        let devices = Devices { vault: vault.as_ref(), registry: self.registry };
        let enrolment = devices.enrolment(&device)?;
        if let MovingFactor::Counter { .. } = device.parameters.factor {
            if self.clock.stands_still() || self.min_validity.is_some() {
                return Err(crate::oath::Error::CounterBased.into());
            }
            self.waiting.waiter.expect_wanted()?;
            let codes = devices.next_codes(&device, &enrolment, 1, clock::now())?;
            let issued = codes.first().copied().ok_or(device::Error::NoSuchStep)?;
            return Ok(Taken { device, issued, vault, enrolment, leased: None });
        }
        let terms = self.terms(&device);
        for _ in 0..ATTEMPTS {
            let leased = devices.lease(&device, &enrolment, self.clock.moment(), &terms)?;
            if self.wait_for(&devices, &device, &enrolment, &leased, &terms)? {
                return Ok(Taken { device, issued: leased.issued, vault, enrolment, leased: Some(leased) });
            }
        }
        Err(too_busy(device.name.as_str()))
    }

    /// A code of whichever of some devices has one soonest, of those whose names match a pattern.
    pub(in crate::cli::command) fn of_pool(&self, name: &str, pattern: &Pool, devices: Vec<Device>) -> Result<Taken> {
        let mut pool = self.pool(name, pattern, devices)?;
        let mut attempt = 0_u8;
        while attempt < ATTEMPTS {
            let (member, wait) = nearest(&pool, self.registry, name, (self.clock.moment(), attempt > 0))?;
            let devices = Devices { vault: member.vault.as_ref(), registry: self.registry };
            let enrolment = match devices.enrolment(&member.device).map_err(Error::from) {
                Err(error) if error.is_of_one_device() && pool.len() > 1 => {
                    self.leave_out(&member.device, &error);
                    let broken = member.device.id;
                    pool.retain(|other| other.device.id != broken);
                    continue;
                }
                enrolment => enrolment?,
            };
            attempt = attempt.saturating_add(1);
            let terms = Terms { patience: wait, ..member.terms };
            let leased = match devices.lease(&member.device, &enrolment, self.clock.moment(), &terms) {
                // Somebody else was faster.
                Err(device::Error::NoFreeStep { .. }) => continue,
                leased => leased?,
            };
            if self.wait_for(&devices, &member.device, &enrolment, &leased, &terms)? {
                let (device, vault) = (member.device.clone(), Arc::clone(&member.vault));
                return Ok(Taken { device, issued: leased.issued, vault, enrolment, leased: Some(leased) });
            }
        }
        Err(too_busy(name))
    }

    /// The devices that a pattern names. A secret is read only where nothing was handed out yet.
    fn pool(&self, name: &str, pattern: &Pool, devices: Vec<Device>) -> Result<Vec<Member>> {
        let any = !devices.is_empty();
        let timed = |device: &Device| matches!(device.parameters.factor, MovingFactor::Time { .. });
        let devices: Vec<Device> = devices.into_iter().filter(|device| pattern.has(device) && timed(device)).collect();
        let mut begun = self.begin(&devices)?;
        let (mut pool, mut broken) = (Vec::with_capacity(devices.len()), None);
        for device in devices {
            let vault = self.vaults.vault_of(&device)?;
            let ledger = match device.ledger {
                Some(known) => Ok(known),
                None => begun.remove(&device.id).unwrap_or(Err(registry::Error::Gone.into())),
            };
            match ledger.map_err(Error::from) {
                Ok(ledger) => pool.push(Member { ledger, vault, terms: self.terms(&device), device }),
                Err(error) if error.is_of_one_device() => {
                    self.leave_out(&device, &error);
                    broken.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let (true, Some(error)) = (pool.is_empty(), broken) {
            return Err(error);
        }
        if pool.is_empty() {
            return Err(pattern::no_pool(name, any));
        }
        Ok(pool)
    }

    /// The ledgers of those devices of which nothing was handed out yet.
    fn begin(&self, devices: &[Device]) -> Result<BTreeMap<Id, std::result::Result<Id, device::Error>>> {
        let mut begun = BTreeMap::new();
        let mut new: Vec<&Device> = devices.iter().filter(|device| device.ledger.is_none()).collect();
        while let Some(first) = new.first().copied() {
            let (of_vault, others) = new.into_iter().partition::<Vec<_>, _>(|device| device.vault == first.vault);
            let vault = self.vaults.vault_of(first)?;
            begun.extend(Devices { vault: vault.as_ref(), registry: self.registry }.begin_ledgers(&of_vault)?);
            new = others;
        }
        Ok(begun)
    }

    /// Says that a device gives no code, while others of its pool do.
    fn leave_out(&self, device: &Device, error: &Error) {
        let name = plain(device.name.as_str());
        self.waiting.waiter.warn(&format!("warning: `{name}` is left out: {}", plain(error.message())));
    }

    /// What may be taken: neighbours where `--window` says so, and as much time as `--timeout` gives.
    fn terms(&self, device: &Device) -> Terms {
        let window = match self.window {
            None => Window { behind: 0, ahead: 0 },
            Some(Some(steps)) => Window { behind: steps, ahead: steps },
            Some(None) => device::accept::rules_of(device).single,
        };
        Terms {
            window,
            validity: self.min_validity.unwrap_or(0),
            rounding: if self.min_validity.is_some() { rounding(self.clock) } else { 0 },
            patience: if self.clock.stands_still() { 0 } else { self.timeout },
        }
    }

    /// Waits until a leased code can be used. False if it can't be used any more, because a person, another process or a
    /// sleeping machine took too long. Then it is given back.
    fn wait_for(
        &self,
        devices: &Devices<'_>,
        device: &Device,
        enrolment: &Enrolment,
        leased: &Leased,
        terms: &Terms,
    ) -> Result<bool> {
        let what = format!("an unused code of {}", plain(device.name.as_str()));
        if let Err(error) = wait::until(self.clock, leased.ready, leased.wait, &what, self.waiting) {
            let given_back = devices.give_lease_back(device, enrolment, leased).is_ok();
            return Err(error.given_back(given_back));
        }
        Ok(devices.keep_or_give_back(device, enrolment, leased, self.clock.time(), terms)?)
    }
}

impl Args {
    const fn waiting(&self) -> Waiting<'static> {
        Waiting { jump: self.jump, waiter: Waiter::Process }
    }

    /// How many seconds may be waited.
    fn patience(&self, clock: &Clock) -> u64 {
        if clock.stands_still() { 0 } else { self.timeout }
    }

    /// Codes of a device, the first of which is valid for as long as `--min-validity` says. The secret may have to wait
    /// for a person, and the registry for another process: what is too short by then is given back.
    pub(super) fn lasting_codes(
        &self,
        name: &str,
        devices: &Devices<'_>,
        device: &Device,
        clock: &Clock,
        offset: i64,
    ) -> Result<(Vec<Issued>, Moment)> {
        let lasting = |time, validity, rounding| issue::lasting(device, time, validity, rounding);
        for _ in 0..ATTEMPTS {
            self.wait_for_validity(name, clock, &lasting)?;
            let (codes, moment) = devices.codes_now(device, || clock.moment(), offset, self.count)?;
            let Some(validity) = self.min_validity else { return Ok((codes, moment)) };
            let now = clock.moment();
            if lasting(now.time, validity, rounding(clock))?.0 == 0 {
                return Ok((codes, now));
            }
            if let Some(claim) = codes.iter().find_map(|issued| issued.claim) {
                let enrolment = devices.enrolment(device)?;
                devices.release_claim(device, &enrolment, claim, now)?;
            }
        }
        Err(too_busy(name))
    }

    /// Waits for `--min-validity`, until the current code is valid for that long. `lasting` tells in how many seconds one
    /// is, and when that is.
    pub(super) fn wait_for_validity(&self, name: &str, clock: &Clock, lasting: &Lasting<'_>) -> Result<()> {
        let Some(validity) = self.min_validity else { return Ok(()) };
        for _ in 0..ATTEMPTS {
            let (wait, ready) = lasting(clock.time(), validity, rounding(clock))?;
            if wait == 0 {
                return Ok(());
            }
            if wait > self.patience(clock) {
                let (good, wait_in_words) = (words(validity), words(wait));
                let message = format!(
                    "the code of `{name}` is good for less than {good}; the next is at {ready}, in {wait_in_words}"
                );
                let error = Error::new(Kind::No, "expires-soon", message).available(ready, wait);
                return Err(if clock.stands_still() { error } else { error.hint(hints::devices::TIMEOUT) });
            }
            wait::until(clock, ready, wait, &format!("the next code of {}", plain(name)), self.waiting())?;
        }
        Err(too_busy(name))
    }
}

/// In how many seconds there is a code that lasts, and when that is: at a time, for a validity, with a rounding.
type Lasting<'a> = dyn Fn(Timestamp, u64, u64) -> std::result::Result<(u64, Timestamp), device::Error> + 'a;

/// By less than how many seconds a clock rounds its time down; one that stands still loses nothing until the code is used.
fn rounding(clock: &Clock) -> u64 {
    let stands = clock.stands_still() || clock.server().is_some_and(|server| server.stand_in().is_some());
    u64::from(!stands)
}

/// A device of a pool.
struct Member {
    device: Device,
    ledger: Id,
    vault: Arc<dyn Vault>,
    terms: Terms,
}

impl Member {
    const fn candidate(&self) -> Candidate<'_> {
        Candidate { device: &self.device, ledger: self.ledger, terms: &self.terms }
    }
}

/// The device that has a code soonest and nearest to its clock, and in how many seconds. Of several that are as near it is
/// the one that was used least lately, then the first by name. After somebody else was faster it is any of them, so that those
/// who lost don't meet at the next one.
fn nearest<'a>(
    pool: &'a [Member],
    registry: &dyn Registry,
    name: &str,
    (moment, any): (Moment, bool),
) -> Result<(&'a Member, u64)> {
    let mut best = None;
    let mut none = None;
    let mut too_long = None;
    let candidates: Vec<Candidate<'_>> = pool.iter().map(Member::candidate).collect();
    for (member, near) in pool.iter().zip(issue::nearest_leases(registry, &candidates, moment)?) {
        match near {
            Ok(distance) => {
                let last = if any { Token::random().value() } else { distance.recency };
                let near = (distance.wait, distance.steps, last);
                if best.is_none_or(|(nearest, _)| near < nearest) {
                    best = Some((near, member));
                }
            }
            Err(device::Error::NoFreeStep { free, wait, validity, restored, .. }) => {
                none = [none, Some((wait, free, validity, restored))].into_iter().flatten().min();
            }
            // Others of the pool may have a longer period, or a wider window.
            Err(device::Error::TooLong { validity, longest }) => too_long = too_long.max(Some((longest, validity))),
            Err(error) => return Err(error.into()),
        }
    }
    match (best, none) {
        (Some(((wait, ..), member)), _) => Ok((member, wait)),
        (None, Some((wait, free, validity, restored))) => {
            Err(device::Error::NoFreeStep { name: name.to_owned(), validity, restored, free, wait }.into())
        }
        (None, None) => Err(match too_long {
            Some((longest, validity)) => device::Error::TooLong { validity, longest }.into(),
            None => too_busy(name),
        }),
    }
}

fn too_busy(name: &str) -> Error {
    Error::new(Kind::Storage, "conflict", format!("others take the codes of `{name}` faster than this process can"))
}

//! Codes of a device, with what they were made of; and leases, codes that nobody else has or will get.
//!
//! A code is written down before it is given. A step that has to be waited for is taken at once and the wait is known in
//! advance, so that processes that wait stand in line instead of racing.

use std::collections::BTreeSet;
use std::thread;

use super::clock::Clock;
pub use super::lease::{Issued, LONGEST_WAIT, Leased, Moment, Returned, Terms};
use super::ledger::{Claimed, FAR};
use super::pair::Which;
use super::{Devices, Error};
use crate::oath::hotp::{self, Keyed};
use crate::oath::{Code, MovingFactor};
use crate::provision::Enrolment;
use crate::registry::{self, Device, Registry, Run, Runs, Token};
use crate::time::{Step, Timestamp};
use crate::vault::Id;

/// The most codes given at once.
pub const MOST: u16 = 10_000;

impl Issued {
    /// The same after it was taken, or was seen to be taken already.
    fn taken_by(self, claimed: &Claimed) -> Self {
        let own = claimed.steps.contains(&Step::new(self.moving_factor));
        Self { repeated: !own, claim: own.then_some(claimed.token), ..self }
    }
}

/// Steps around a moment that nobody may have any more.
struct Taken {
    steps: BTreeSet<Step>,
    forgotten: Runs,
    restored: Option<Step>,
}

impl From<registry::Taken> for Taken {
    fn from(taken: registry::Taken) -> Self {
        Self { steps: taken.steps.into_iter().collect(), forgotten: taken.forgotten, restored: taken.restored }
    }
}

impl Taken {
    fn has(&self, step: Step) -> bool {
        self.forgotten.contains(step) || self.steps.contains(&step)
    }

    /// As [`Distance::recency`].
    fn recency(&self, clock: &Clock) -> u64 {
        let since =
            |last: &Step| clock.step.value().saturating_sub(last.value()).saturating_mul(clock.period.seconds());
        self.steps.last().map_or(0, |last| LATELY.saturating_sub(since(last)))
    }

    /// The first free step from this one on.
    fn free_from(&self, first: u64) -> Step {
        let mut next = Step::new(first);
        loop {
            let past = match self.forgotten.run_of(next) {
                Some(Run { last, .. }) => last,
                None if self.steps.contains(&next) => next,
                None => return next,
            };
            match past.shifted(1) {
                Some(step) => next = step,
                None => return past,
            }
        }
    }
}

/// Consecutive codes from the step `offset` steps from the one that holds `time`.
///
/// # Errors
///
/// [`Error::NoSuchStep`] where a step lies before the epoch or past 64 bits, and
/// [`crate::oath::Error::CounterBased`] for HOTP.
pub fn at_time(enrolment: &Enrolment, time: Timestamp, offset: i64, count: u16) -> Result<Vec<Issued>, Error> {
    unwritten(&Clock::showing(enrolment.parameters, time, time)?, enrolment, offset, count)
}

fn unwritten(clock: &Clock, enrolment: &Enrolment, offset: i64, count: u16) -> Result<Vec<Issued>, Error> {
    clock.issued_all(&clock.steps(offset, count)?, &enrolment.secret)
}

/// In how many seconds a device's clock comes to a code that is valid for `validity` seconds, and when that is: none
/// where the current one is. For `rounding`, see [`Terms`].
///
/// # Errors
///
/// [`Error::TooLong`] where no code is valid that long, and as [`at_time`].
pub fn lasting(device: &Device, time: Timestamp, validity: u64, rounding: u64) -> Result<(u64, Timestamp), Error> {
    Clock::of(device, time)?.lasting(validity, rounding)
}

/// The same of an enrolment that isn't stored.
///
/// # Errors
///
/// As [`lasting`].
pub fn lasting_from(
    enrolment: &Enrolment,
    time: Timestamp,
    validity: u64,
    rounding: u64,
) -> Result<(u64, Timestamp), Error> {
    Clock::showing(enrolment.parameters, time, time)?.lasting(validity, rounding)
}

/// Consecutive codes of a counter device from `next` on, without moving any counter.
///
/// # Errors
///
/// [`Error::NoSuchStep`] where a counter leaves 64 bits.
pub fn at_counter(enrolment: &Enrolment, next: u64, count: u16) -> Result<Vec<Issued>, Error> {
    let Some(further) = count.checked_sub(1) else { return Ok(Vec::new()) };
    let last = next.checked_add(further.into()).ok_or(Error::NoSuchStep)?;
    let keyed = Keyed::new(&enrolment.secret, enrolment.parameters.algorithm);
    let issued = |(counter, code)| Issued { code, moving_factor: counter, valid: None, repeated: false, claim: None };
    Ok(keyed.codes(next..=last, enrolment.parameters.digits).map(issued).collect())
}

/// Consecutive codes of a device whose registry can't be written: another process may get the same codes as fresh ones.
///
/// # Errors
///
/// As [`at_time`].
pub fn codes_unwritten(
    device: &Device,
    enrolment: &Enrolment,
    time: Timestamp,
    offset: i64,
    count: u16,
) -> Result<Vec<Issued>, Error> {
    unwritten(&Clock::of(device, time)?, enrolment, offset, count)
}

impl Devices<'_> {
    /// Consecutive codes of a time-based device, from the step `offset` steps from its clock's. They are written down
    /// as handed out, and given whether they had been or not.
    ///
    /// # Errors
    ///
    /// As [`at_time`], and those of vault and registry.
    pub fn codes(
        &self,
        device: &Device,
        enrolment: &Enrolment,
        moment: Moment,
        offset: i64,
        count: u16,
    ) -> Result<Vec<Issued>, Error> {
        let clock = Clock::of(device, moment.time)?;
        let steps = clock.steps(offset, count)?;
        let ledger = self.ledger(device, enrolment)?;
        let new = self.claim_all(ledger, &clock, &steps, moment.now)?;
        let issued = clock.issued_all(&steps, &enrolment.secret)?;
        Ok(issued.into_iter().map(|issued| issued.taken_by(&new)).collect())
    }

    /// The same as [`Self::codes`] where the secret isn't at hand: it is read while the steps are written down. `moment`
    /// is asked again afterwards, for the vault may have had to wait for a person; the codes are those of the moment
    /// returned.
    ///
    /// # Errors
    ///
    /// As [`Self::codes`]; then what was taken is given back.
    pub fn codes_now(
        &self,
        device: &Device,
        moment: impl Fn() -> Moment,
        offset: i64,
        count: u16,
    ) -> Result<(Vec<Issued>, Moment), Error> {
        let Some(ledger) = device.ledger else {
            let enrolment = self.enrolment(device)?;
            let moment = moment();
            return Ok((self.codes(device, &enrolment, moment, offset, count)?, moment));
        };
        let asked = moment();
        let clock = Clock::of(device, asked.time)?;
        let steps = clock.steps(offset, count)?;
        let (enrolment, new) = thread::scope(|scope| {
            let claim = || self.claim_all(ledger, &clock, &steps, asked.now);
            let claiming = thread::Builder::new().spawn_scoped(scope, claim);
            let enrolment = self.enrolment(device);
            // Without a thread, one after the other.
            let claimed = claiming.map_or_else(|_| claim(), |claiming| claiming.join().unwrap_or_else(|_| claim()));
            (enrolment, claimed)
        });
        let new = new?;
        match enrolment.map(|enrolment| (enrolment, moment())) {
            Ok((enrolment, now)) if Clock::of(device, now.time).is_ok_and(|now| now.step == clock.step) => {
                let issued = clock.issued_all(&steps, &enrolment.secret)?;
                Ok((issued.into_iter().map(|issued| issued.taken_by(&new)).collect(), now))
            }
            other => {
                self.give_back(&new)?;
                let (enrolment, now) = other?;
                Ok((self.codes(device, &enrolment, now, offset, count)?, now))
            }
        }
    }

    /// A code that was never handed out: of the current step, of a neighbour that the window allows, else of a step to
    /// come, which is taken now and used when it is ready.
    ///
    /// # Errors
    ///
    /// [`Error::NoFreeStep`] where the next one is further away than the patience, [`Error::TooLong`] where none is valid
    /// that long, and those of vault and registry.
    pub fn lease(
        &self,
        device: &Device,
        enrolment: &Enrolment,
        moment: Moment,
        terms: &Terms,
    ) -> Result<Leased, Error> {
        let clock = Clock::of(device, moment.time)?;
        clock.expect_possible(terms)?;
        let ledger = self.ledger(device, enrolment)?;
        let last = Step::new(clock.step.value().saturating_add(terms.window.ahead));
        let taken = self.claim(ledger, &clock, &clock.candidates(terms), (1, last), moment.now)?;
        let Some(step) = taken.steps.first().copied() else {
            let from = [(ledger, first_of(&clock, terms))];
            let taken = self.registry.taken(&from)?.pop().ok_or(registry::Error::Gone)?;
            return Err(no_free_step(device, &taken.into(), &clock, terms));
        };
        let (wait, ready) = clock.wait_for(step, terms.window)?;
        let issued = clock.issued(step, &enrolment.secret)?.taken_by(&taken);
        Ok(Leased { issued, ready, wait, token: taken.token })
    }

    /// Whether a leased code may be shown: it is still this claim's, and one that the relying party takes now, after
    /// however long that took. Otherwise it is given back.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchStep`], and those of vault and registry.
    pub fn keep_or_give_back(
        &self,
        device: &Device,
        enrolment: &Enrolment,
        leased: &Leased,
        time: Timestamp,
        terms: &Terms,
    ) -> Result<bool, Error> {
        let clock = Clock::of(device, time)?;
        let step = Step::new(leased.issued.moving_factor);
        let taken = terms.window.around(clock.step.value()).contains(&step.value());
        if !taken || !clock.lasts(step, terms) {
            self.give_lease_back(device, enrolment, leased)?;
            return Ok(false);
        }
        if leased.wait == 0 {
            return Ok(true);
        }
        let ledger = self.ledger(device, enrolment)?;
        Ok(self.registry.give(ledger, step, leased.token)?)
    }

    /// Gives a lease back that nobody has seen.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn give_lease_back(&self, device: &Device, enrolment: &Enrolment, leased: &Leased) -> Result<(), Error> {
        let (ledger, steps) = (self.ledger(device, enrolment)?, vec![Step::new(leased.issued.moving_factor)]);
        self.give_back(&Claimed { ledger, token: leased.token, steps })
    }

    /// Gives a step back whose code demonstrably never reached the service, and that nobody else was shown or waits for.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn release(&self, device: &Device, enrolment: &Enrolment, step: Step) -> Result<Returned, Error> {
        let ledger = self.ledger(device, enrolment)?;
        let Some(holder) = self.registry.holder(ledger, step)? else { return Ok(Returned::NotThere) };
        if holder.again || !holder.given {
            return Ok(Returned::Shared);
        }
        let released = self.registry.release(ledger, step, holder.token)?;
        Ok(if released { Returned::Yes } else { Returned::Shared })
    }

    /// Gives back what a claim has: the last pair, or codes; of those the ones that nobody else was shown too. The result
    /// are their steps; none of a pair.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn release_claim(
        &self,
        device: &Device,
        enrolment: &Enrolment,
        token: Token,
        moment: Moment,
    ) -> Result<(Returned, Vec<Step>), Error> {
        let ledger = self.ledger(device, enrolment)?;
        if self.registry.ledger(ledger)?.last_pair.is_some_and(|last| last.token == token) {
            return Ok((self.release_pair(device, enrolment, Which::Own(token), moment)?, Vec::new()));
        }
        let claimed = self.registry.claimed_by(ledger, token)?;
        let mut freed = Vec::new();
        for step in &claimed {
            if self.registry.release(ledger, *step, token)? {
                freed.push(*step);
            }
        }
        let returned = match (freed.is_empty(), claimed.is_empty()) {
            (false, _) => Returned::Yes,
            (true, false) => Returned::Shared,
            (true, true) => Returned::NotThere,
        };
        Ok((returned, freed))
    }

    /// The steps handed out whose code this is. Several, by chance, once in a long while.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn handed_out_as(&self, device: &Device, enrolment: &Enrolment, code: Code) -> Result<Vec<Step>, Error> {
        let ledger = self.ledger(device, enrolment)?;
        let mut steps = self.registry.claimed(ledger, Step::new(0), FAR)?;
        steps.retain(|step| hotp::code(&enrolment.secret, step.value(), &enrolment.parameters) == code);
        Ok(steps)
    }

    /// The next codes of a counter device. The counter is moved and written down before a code is made: one that was
    /// given is never given again, under any name, even if the process is killed next.
    ///
    /// # Errors
    ///
    /// [`Error::CounterExhausted`], and those of vault and registry.
    pub fn next_codes(
        &self,
        device: &Device,
        enrolment: &Enrolment,
        count: u16,
        now: Timestamp,
    ) -> Result<Vec<Issued>, Error> {
        let ledger = self.ledger(device, enrolment)?;
        at_counter(enrolment, self.take_counters(device, ledger, count, now)?, count)
    }

    /// Moves the counter of the secret and tells where it was: as far as any of its devices, or any that was removed.
    fn take_counters(&self, device: &Device, ledger: Id, count: u16, now: Timestamp) -> Result<u64, Error> {
        let mut sharers = self.registry.sharers(ledger)?;
        let known = sharers.iter().filter_map(next_counter).max().ok_or_else(|| gone(device))?;
        let (next, moved) = self.change_ledger(ledger, now, |ledger| {
            let next = ledger.counter.map_or(known, |counter| counter.max(known));
            let moved = next.checked_add(count.into()).ok_or_else(|| Error::CounterExhausted(device.name.clone()))?;
            ledger.counter = Some(moved);
            Ok((next, moved))
        })?;
        // The ledger decides. The devices' records follow, for those who look; one that was changed meanwhile follows
        // with the next code.
        for _ in 0..3 {
            for sharer in &mut sharers {
                let moved = next_counter(sharer).map_or(moved, |next| next.max(moved));
                sharer.parameters.factor = MovingFactor::Counter { next: moved };
            }
            match self.registry.update(&sharers) {
                Err(registry::Error::Conflict(_)) => sharers = self.registry.sharers(ledger)?,
                result => {
                    result?;
                    break;
                }
            }
        }
        Ok(next)
    }
}

/// How near a lease is; of several, the least is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Distance {
    /// In how many seconds its code can be used.
    pub wait: u64,
    /// How many steps it is from the device's clock.
    pub steps: u64,
    /// How lately the device gave a code: 0 if that is [`LATELY`] or longer ago, and more the later it was.
    pub recency: u64,
}

/// For how long a device counts as used lately, in seconds.
pub const LATELY: u64 = 600;

/// A device of a pool.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The device.
    pub device: &'a Device,
    /// Where it is written down what was handed out of it.
    pub ledger: Id,
    /// What may be taken of it.
    pub terms: &'a Terms,
}

/// How near a lease of each device of a pool is, if nobody else takes it before. The registry is asked once for all of
/// them.
///
/// # Errors
///
/// Those of the registry; for each device as [`Devices::lease`].
pub fn nearest_leases(
    registry: &dyn Registry,
    pool: &[Candidate<'_>],
    moment: Moment,
) -> Result<Vec<Result<Distance, Error>>, Error> {
    let clock_of = |candidate: &Candidate<'_>| {
        let clock = Clock::of(candidate.device, moment.time)?;
        clock.expect_possible(candidate.terms)?;
        Ok::<_, Error>(clock)
    };
    let clocks: Vec<Result<Clock, Error>> = pool.iter().map(clock_of).collect();
    let possible = pool.iter().zip(&clocks).filter_map(|(candidate, clock)| Some((candidate, clock.as_ref().ok()?)));
    let lately = |clock: &Clock| Step::new(clock.step.value().saturating_sub(LATELY.div_ceil(clock.period.seconds())));
    let from: Vec<(Id, Step)> = possible
        .map(|(candidate, clock)| (candidate.ledger, lately(clock).min(first_of(clock, candidate.terms))))
        .collect();
    let mut taken = registry.taken(&from)?.into_iter().map(Taken::from);
    let near = |(candidate, clock): (&Candidate<'_>, Result<Clock, Error>)| {
        let clock = clock?;
        let taken = taken.next().ok_or(registry::Error::Gone)?;
        match clock.candidates(candidate.terms).into_iter().find(|step| !taken.has(*step)) {
            Some(step) => {
                let (wait, _) = clock.wait_for(step, candidate.terms.window)?;
                let steps = step.value().abs_diff(clock.step.value());
                Ok(Distance { wait, steps, recency: taken.recency(&clock) })
            }
            None => Err(no_free_step(candidate.device, &taken, &clock, candidate.terms)),
        }
    };
    Ok(pool.iter().zip(clocks).map(near).collect())
}

/// The first step that a window allows.
fn first_of(clock: &Clock, terms: &Terms) -> Step {
    Step::new(clock.step.value().saturating_sub(terms.window.behind))
}

fn no_free_step(device: &Device, taken: &Taken, clock: &Clock, terms: &Terms) -> Error {
    let restored = taken.restored.is_some_and(|last| last >= clock.step);
    let beyond = clock.step.value().saturating_add(terms.window.ahead).saturating_add(1);
    match clock.wait_for(taken.free_from(beyond), terms.window) {
        Ok((wait, free)) => {
            let name = device.name.to_string();
            Error::NoFreeStep { name, validity: terms.validity, restored, free, wait }
        }
        Err(error) => error,
    }
}

fn next_counter(device: &Device) -> Option<u64> {
    match device.parameters.factor {
        MovingFactor::Counter { next } => Some(next),
        MovingFactor::Time { .. } => None,
    }
}

fn gone(device: &Device) -> Error {
    Error::NoSuchDevice { name: device.name.to_string(), nearest: None, any: true, trashed: false }
}

//! Codes of a device, with what they were made of; leases and pairs.
//!
//! Whatever is given is written down first. A step that has to be waited for is taken at once and the wait is known in
//! advance, so that processes that wait stand in line instead of racing.

use std::collections::BTreeSet;

use super::ledger::ATTEMPTS;
use super::{Devices, Error};
use crate::oath::resync::Window;
use crate::oath::{Code, MovingFactor, Parameters, hotp, totp};
use crate::provision::Enrolment;
use crate::registry::{self, Device};
use crate::secret::Secret;
use crate::time::{Period, Step, Timestamp};
use crate::vault::Id;

/// The most codes given at once.
pub const MOST: u16 = 10_000;

/// The longest that a lease or a pair may be waited for, in seconds.
pub const LONGEST_WAIT: u64 = 24 * 60 * 60;

/// A code from the far edge of a relying party's window has to arrive before the step ends. With less than so many
/// seconds to go it is not given.
const MARGIN: u64 = 5;

/// A code and the step or counter it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// The code.
    pub code: Code,
    /// The step of a TOTP code, the counter of an HOTP code.
    pub moving_factor: u64,
    /// The first second of a TOTP code, and the first one after it.
    pub valid: Option<(Timestamp, Timestamp)>,
    /// Whether it had been handed out before; never so for a counter.
    pub repeated: bool,
}

/// When something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// By the clock that the device runs on, before any drift it is given.
    pub time: Timestamp,
    /// By the system's clock, which ledgers are kept by.
    pub now: Timestamp,
}

/// What a lease may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How far from the current step a code may be, for the relying party to take it now.
    pub window: Window,
    /// How many seconds may be waited.
    pub patience: u64,
}

/// A code that nobody else has or will get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a lease is used up, whether its code is used or not"]
pub struct Leased {
    /// The code.
    pub issued: Issued,
    /// From when on the relying party takes it.
    pub ready: Timestamp,
    /// How many seconds that is away; none when it can be used now.
    pub wait: u64,
}

/// Two codes of consecutive steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a pair is used up, whether its codes are used or not"]
pub struct Pair {
    /// In order.
    pub codes: [Issued; 2],
    /// In how many seconds each can be used.
    pub waits: [u64; 2],
}

/// How a pair is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairTerms {
    /// (current, next) instead of (previous, current): each code when its step begins.
    pub live: bool,
    /// Whether the relying party takes neither code for anything else afterwards.
    pub consumes: bool,
    /// How many seconds may be waited until a pair is possible.
    pub patience: u64,
}

/// Consecutive codes from the step `offset` steps from the one that holds `time`.
///
/// # Errors
///
/// [`Error::NoSuchStep`] where a step lies before the epoch or past 64 bits, and
/// [`crate::oath::Error::CounterBased`] for HOTP.
pub fn at_time(enrolment: &Enrolment, time: Timestamp, offset: i64, count: u16) -> Result<Vec<Issued>, Error> {
    let clock = Clock::showing(enrolment.parameters, time, time)?;
    clock.steps(offset, count)?.into_iter().map(|step| clock.issued(step, &enrolment.secret, false)).collect()
}

/// Consecutive codes of a counter device from `next` on, without moving any counter.
///
/// # Errors
///
/// [`Error::NoSuchStep`] where a counter leaves 64 bits.
pub fn at_counter(enrolment: &Enrolment, next: u64, count: u16) -> Result<Vec<Issued>, Error> {
    (0..count)
        .map(|index| {
            let counter = next.checked_add(index.into()).ok_or(Error::NoSuchStep)?;
            let code = hotp::code(&enrolment.secret, counter, &enrolment.parameters);
            Ok(Issued { code, moving_factor: counter, valid: None, repeated: false })
        })
        .collect()
}

/// A device's clock at a moment.
#[derive(Debug, Clone, Copy)]
struct Clock {
    parameters: Parameters,
    period: Period,
    /// What the reference clock shows.
    time: Timestamp,
    /// What the device's clock shows.
    shown: Timestamp,
    /// The step of that.
    step: Step,
}

impl Clock {
    fn of(device: &Device, time: Timestamp) -> Result<Self, Error> {
        Self::showing(device.parameters, time, device.drift.apply(time).ok_or(Error::NoSuchStep)?)
    }

    fn showing(parameters: Parameters, time: Timestamp, shown: Timestamp) -> Result<Self, Error> {
        Ok(Self { parameters, period: parameters.period()?, time, shown, step: parameters.step_at(shown)? })
    }

    fn steps(&self, offset: i64, count: u16) -> Result<Vec<Step>, Error> {
        let first = self.step.shifted(offset).ok_or(Error::NoSuchStep)?;
        (0..count).map(|index| first.shifted(index.into()).ok_or(Error::NoSuchStep)).collect()
    }

    /// When a step begins: by the device's clock, and in how many seconds.
    fn begins(&self, step: Step) -> Result<(Timestamp, u64), Error> {
        let start = self.period.start_of(step, totp::EPOCH).ok_or(Error::NoSuchStep)?;
        Ok((start, start.as_unix().saturating_sub(self.shown.as_unix())))
    }

    /// What the reference clock shows when the device's shows this, as far as the rate of a minute says.
    fn reference(&self, shown: Timestamp) -> Timestamp {
        let (ahead, behind) = (self.shown.as_unix(), self.time.as_unix());
        Timestamp::from_unix(shown.as_unix().saturating_add(behind).saturating_sub(ahead))
    }

    fn issued(&self, step: Step, secret: &Secret, repeated: bool) -> Result<Issued, Error> {
        let (start, _) = self.begins(step)?;
        let end = start.plus(self.period.seconds()).ok_or(Error::NoSuchStep)?;
        Ok(Issued {
            code: hotp::code(secret, step.value(), &self.parameters),
            moving_factor: step.value(),
            valid: Some((self.reference(start), self.reference(end))),
            repeated,
        })
    }

    /// In how many seconds the relying party takes a step, and when that is.
    fn wait_for(&self, step: Step, window: Window) -> Result<(u64, Timestamp), Error> {
        let first = Step::new(step.value().saturating_sub(window.ahead));
        let (start, wait) = self.begins(first)?;
        Ok((wait, if wait == 0 { self.time } else { self.reference(start) }))
    }

    /// The steps that a lease may take, the best first: the current one, its neighbours in the window by distance, the
    /// earlier first; then those that have to be waited for.
    fn candidates(&self, terms: &Terms) -> Vec<Step> {
        let Window { behind, ahead } = terms.window;
        let left = self.begins(Step::new(self.step.value().saturating_add(1))).map_or(0, |(_, wait)| wait);
        let behind = if left < MARGIN { behind.saturating_sub(1) } else { behind };
        let mut steps = vec![self.step];
        for distance in 1..=behind.max(ahead) {
            let earlier = (distance <= behind).then(|| self.step.value().checked_sub(distance)).flatten();
            let later = (distance <= ahead).then(|| self.step.value().checked_add(distance)).flatten();
            steps.extend(earlier.into_iter().chain(later).map(Step::new));
        }
        let mut next = self.step.value().saturating_add(ahead);
        loop {
            next = next.saturating_add(1);
            match self.wait_for(Step::new(next), terms.window) {
                Ok((wait, _)) if wait <= terms.patience => steps.push(Step::new(next)),
                _ => return steps,
            }
        }
    }
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
        let new = self.claim(ledger, clock.period, &steps, steps.len(), moment.now)?;
        let new: BTreeSet<Step> = new.into_iter().collect();
        steps.into_iter().map(|step| clock.issued(step, &enrolment.secret, !new.contains(&step))).collect()
    }

    /// A code that was never handed out: of the current step, of a neighbour that the window allows, else of a step to
    /// come, which is taken now and used when it is ready.
    ///
    /// # Errors
    ///
    /// [`Error::NoFreeStep`] where the next one is further away than the patience, and those of vault and registry.
    pub fn lease(
        &self,
        device: &Device,
        enrolment: &Enrolment,
        moment: Moment,
        terms: &Terms,
    ) -> Result<Leased, Error> {
        let clock = Clock::of(device, moment.time)?;
        let ledger = self.ledger(device, enrolment)?;
        let taken = self.claim(ledger, clock.period, &clock.candidates(terms), 1, moment.now)?;
        let Some(step) = taken.first().copied() else {
            return Err(self.no_free_step(device, ledger, &clock, terms));
        };
        let (wait, ready) = clock.wait_for(step, terms.window)?;
        Ok(Leased { issued: clock.issued(step, &enrolment.secret, false)?, ready, wait })
    }

    /// How near a lease is, if nobody else takes it before: in how many seconds, then how many steps from the device's
    /// clock. For choosing from a pool.
    ///
    /// # Errors
    ///
    /// As [`Self::lease`].
    pub fn nearest_lease(
        &self,
        device: &Device,
        ledger: Id,
        moment: Moment,
        terms: &Terms,
    ) -> Result<(u64, u64), Error> {
        let clock = Clock::of(device, moment.time)?;
        let taken = self.taken_around(ledger, &clock, terms)?;
        match clock.candidates(terms).into_iter().find(|step| !taken.contains(step)) {
            Some(step) => Ok((clock.wait_for(step, terms.window)?.0, step.value().abs_diff(clock.step.value()))),
            None => Err(self.no_free_step(device, ledger, &clock, terms)),
        }
    }

    /// Whether a leased code is still one that the relying party takes, after whatever it was that took time.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchStep`].
    pub fn still_good(&self, device: &Device, leased: &Leased, time: Timestamp, terms: &Terms) -> Result<bool, Error> {
        let clock = Clock::of(device, time)?;
        Ok(leased.issued.moving_factor.saturating_add(terms.window.behind) >= clock.step.value())
    }

    fn taken_around(&self, ledger: Id, clock: &Clock, terms: &Terms) -> Result<BTreeSet<Step>, Error> {
        let first = Step::new(clock.step.value().saturating_sub(terms.window.behind));
        Ok(self.registry.claimed(ledger, first, Step::new(i64::MAX.unsigned_abs()))?.into_iter().collect())
    }

    fn no_free_step(&self, device: &Device, ledger: Id, clock: &Clock, terms: &Terms) -> Error {
        let taken = match self.taken_around(ledger, clock, terms) {
            Ok(taken) => taken,
            Err(error) => return error,
        };
        let mut next = Step::new(clock.step.value().saturating_add(terms.window.ahead).saturating_add(1));
        while taken.contains(&next) {
            next = Step::new(next.value().saturating_add(1));
        }
        match clock.wait_for(next, terms.window) {
            Ok((wait, free)) => Error::NoFreeStep { name: device.name.to_string(), free, wait },
            Err(error) => error,
        }
    }

    /// Two codes of consecutive steps, both newer than the last pair that was handed out for this secret, by whatever
    /// name: (previous, current) where that can be.
    ///
    /// # Errors
    ///
    /// [`Error::NoPairYet`] where they are further away than the patience; [`crate::oath::Error::CounterBased`] for
    /// HOTP; and those of vault and registry.
    pub fn pair(
        &self,
        device: &Device,
        enrolment: &Enrolment,
        moment: Moment,
        terms: PairTerms,
    ) -> Result<Pair, Error> {
        let clock = Clock::of(device, moment.time)?;
        let ledger = self.ledger(device, enrolment)?;
        let oldest = if terms.live { Some(clock.step) } else { clock.step.shifted(-1) };
        let mut oldest = oldest.ok_or(Error::NoSuchStep)?;
        for _ in 0..ATTEMPTS {
            let first = self.take_pair(device, ledger, &clock, moment.now, oldest, terms)?;
            let steps = [first, first.shifted(1).ok_or(Error::NoSuchStep)?];
            if terms.consumes {
                let taken = self.claim(ledger, clock.period, &steps, 2, moment.now)?;
                if taken.len() < 2 {
                    for step in taken {
                        self.registry.release(ledger, step)?;
                    }
                    oldest = steps[1];
                    continue;
                }
            }
            let [one, two] = steps.map(|step| clock.issued(step, &enrolment.secret, false));
            let waits = [clock.begins(steps[0])?.1, clock.begins(steps[1])?.1];
            return Ok(Pair { codes: [one?, two?], waits });
        }
        Err(registry::Error::LedgerConflict.into())
    }

    /// Writes a pair down and gives its first step: `oldest`, or what is newer than the last pair.
    fn take_pair(
        &self,
        device: &Device,
        ledger: Id,
        clock: &Clock,
        now: Timestamp,
        oldest: Step,
        terms: PairTerms,
    ) -> Result<Step, Error> {
        let taken = self.change_ledger(ledger, now, |ledger| {
            let after = |last: Step| last.shifted(1).ok_or(Error::NoSuchStep);
            let first = ledger.last_pair.map_or(Ok(oldest), |last| Ok::<_, Error>(after(last)?.max(oldest)))?;
            let second = after(first)?;
            let (start, wait) = clock.begins(if terms.live { first } else { second })?;
            if wait > terms.patience {
                let ready = clock.reference(start);
                return Err(Error::NoPairYet { name: device.name.to_string(), ready, wait });
            }
            ledger.pair_before = ledger.last_pair;
            ledger.last_pair = Some(second);
            Ok(Some(first))
        })?;
        taken.ok_or(Error::NoSuchStep)
    }

    /// Gives a step back whose code demonstrably never reached the service; false where it wasn't handed out.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn release(&self, device: &Device, enrolment: &Enrolment, step: Step) -> Result<bool, Error> {
        let ledger = self.ledger(device, enrolment)?;
        Ok(self.registry.release(ledger, step)?)
    }

    /// The steps handed out whose code this is. Several, by chance, once in a long while.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn handed_out_as(&self, device: &Device, enrolment: &Enrolment, code: Code) -> Result<Vec<Step>, Error> {
        let ledger = self.ledger(device, enrolment)?;
        let mut steps = self.registry.claimed(ledger, Step::new(0), Step::new(i64::MAX.unsigned_abs()))?;
        steps.retain(|step| hotp::code(&enrolment.secret, step.value(), &enrolment.parameters) == code);
        Ok(steps)
    }

    /// Gives the last pair back, if it demonstrably never reached the service; false where there is none that could
    /// be: only the last one can. `consumes` as it was given for the pair.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn release_pair(
        &self,
        device: &Device,
        enrolment: &Enrolment,
        consumes: bool,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let id = self.ledger(device, enrolment)?;
        let released = self.change_ledger(id, now, |ledger| {
            let Some(last) = ledger.last_pair.filter(|last| ledger.pair_before != Some(*last)) else {
                return Ok(None);
            };
            ledger.last_pair = ledger.pair_before;
            Ok(Some(last))
        })?;
        let Some(second) = released else { return Ok(false) };
        if consumes {
            for step in [second.shifted(-1), Some(second)].into_iter().flatten() {
                self.registry.release(id, step)?;
            }
        }
        Ok(true)
    }

    /// The next codes of a counter device. The counter is moved and written down before a code is
    /// made: one that was given is never given again, by whatever name, whatever happens next.
    ///
    /// # Errors
    ///
    /// [`Error::CounterExhausted`], and those of vault and registry.
    pub fn next_codes(&self, device: &Device, count: u16) -> Result<Vec<Issued>, Error> {
        self.next_codes_of(device, &self.enrolment(device)?, count)
    }

    /// The same where what the vault holds is at hand.
    ///
    /// # Errors
    ///
    /// [`Error::CounterExhausted`], and those of vault and registry.
    pub fn next_codes_of(&self, device: &Device, enrolment: &Enrolment, count: u16) -> Result<Vec<Issued>, Error> {
        let ledger = self.ledger(device, enrolment)?;
        at_counter(enrolment, self.take_counters(device, ledger, count)?, count)
    }

    /// Moves the counters of all devices of the secret and tells where the furthest was.
    fn take_counters(&self, device: &Device, ledger: Id, count: u16) -> Result<u64, Error> {
        for _ in 0..ATTEMPTS {
            let mut sharers = self.registry.sharers(ledger)?;
            let counters = sharers.iter().filter_map(|device| match device.parameters.factor {
                MovingFactor::Counter { next } => Some(next),
                MovingFactor::Time { .. } => None,
            });
            let next = counters.max().ok_or_else(|| gone(device))?;
            let moved = next.checked_add(count.into()).ok_or_else(|| Error::CounterExhausted(device.name.clone()))?;
            for sharer in &mut sharers {
                sharer.parameters.factor = MovingFactor::Counter { next: moved };
            }
            match self.registry.update(&sharers) {
                Ok(()) if sharers.iter().any(|sharer| sharer.id == device.id) => return Ok(next),
                Ok(()) => return Err(gone(device)),
                Err(registry::Error::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(registry::Error::Conflict(device.name.clone()).into())
    }
}

fn gone(device: &Device) -> Error {
    Error::NoSuchDevice { name: device.name.to_string(), nearest: None }
}

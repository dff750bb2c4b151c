//! Pairs: two codes of consecutive steps, in order, for enabling a device and for resynchronizing it.

use super::clock::Clock;
use super::issue::{Leased, Moment};
use super::ledger::ATTEMPTS;
use super::{Devices, Error};
use crate::provision::Enrolment;
use crate::registry::{self, Device, LastPair, Ledger, Returnable};
use crate::time::Step;

/// How many steps ahead a relying party takes a pair at the most: what AWS was measured to do.
const REACH: i64 = 1_000;

/// Two codes of consecutive steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a pair is used up, whether its codes are used or not"]
pub struct Pair {
    /// In order.
    pub codes: [Leased; 2],
}

/// How a pair is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// (current, next) instead of (previous, current): each code when its step begins.
    pub live: bool,
    /// Whether the relying party takes neither code for anything else afterwards.
    pub consumes: bool,
    /// How many seconds may be waited until a pair is possible.
    pub patience: u64,
}

impl Devices<'_> {
    /// Two codes of consecutive steps, both newer than the last pair that was handed out for this secret, by whatever
    /// name: (previous, current) where that can be.
    ///
    /// # Errors
    ///
    /// [`Error::NoPairYet`] where they are further away than the patience; [`crate::oath::Error::CounterBased`] for
    /// HOTP; and those of vault and registry.
    pub fn pair(&self, device: &Device, enrolment: &Enrolment, moment: Moment, terms: Terms) -> Result<Pair, Error> {
        let clock = Clock::of(device, moment.time)?;
        let ledger = self.ledger(device, enrolment)?;
        let oldest = if terms.live { Some(clock.step) } else { clock.step.shifted(-1) };
        let mut oldest = oldest.ok_or(Error::NoSuchStep)?;
        for _ in 0..ATTEMPTS {
            let known = self.registry.ledger(ledger)?;
            let first = match known.last_pair {
                Some(last) => after(last.second)?.max(oldest),
                None => oldest,
            };
            let steps = [first, after(first)?];
            let (start, wait) = clock.begins(if terms.live { steps[0] } else { steps[1] })?;
            if wait > terms.patience {
                let ready = clock.reference(start);
                return Err(Error::NoPairYet { name: device.name.to_string(), ready, wait });
            }
            // Claimed before the pair is written down: a death in between costs two steps and repeats none.
            let mut claimed = Vec::new();
            if terms.consumes {
                claimed = self.claim(ledger, clock.period, &steps, 2, moment.now)?;
                if claimed.len() < 2 {
                    self.give_back(ledger, &claimed)?;
                    oldest = if claimed.contains(&first) { after(steps[1])? } else { steps[1] };
                    continue;
                }
            }
            let returnable = Returnable { claimed: terms.consumes, before: known.last_pair.map(|last| last.second) };
            let last_pair = Some(LastPair { second: steps[1], returnable: Some(returnable) });
            match self.registry.update_ledger(&Ledger { last_pair, changed: moment.now, ..known }) {
                Ok(()) => {}
                Err(registry::Error::LedgerConflict) => {
                    self.give_back(ledger, &claimed)?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let code = |step| {
                let (start, wait) = clock.begins(step)?;
                Ok::<_, Error>(Leased {
                    issued: clock.issued(step, &enrolment.secret, false)?,
                    ready: clock.reference(start),
                    wait,
                })
            };
            return Ok(Pair { codes: [code(steps[0])?, code(steps[1])?] });
        }
        Err(registry::Error::LedgerConflict.into())
    }

    /// Gives the last pair back that demonstrably never reached the service; with `second`, only if it ends with that
    /// step. The one before it can't be given back any more, unless it lies so far ahead that no relying party took it.
    /// False where there is none that could be.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn release_pair(
        &self,
        device: &Device,
        enrolment: &Enrolment,
        second: Option<Step>,
        moment: Moment,
    ) -> Result<bool, Error> {
        let id = self.ledger(device, enrolment)?;
        let reachable = Clock::of(device, moment.time)?.step.shifted(REACH).ok_or(Error::NoSuchStep)?;
        let released = self.change_ledger(id, moment.now, |ledger| {
            let last = ledger.last_pair.filter(|last| second.is_none_or(|second| second == last.second));
            let far = |last: LastPair| (last.second > reachable).then_some(Returnable { claimed: false, before: None });
            let Some((last, returnable)) = last.and_then(|last| Some((last, last.returnable.or(far(last))?))) else {
                return Ok(None);
            };
            ledger.last_pair = returnable.before.map(|second| LastPair { second, returnable: None });
            Ok(Some((last.second, returnable.claimed)))
        })?;
        match released {
            Some((second, true)) => self.give_back(id, &[Step::new(second.value().saturating_sub(1)), second])?,
            Some((_, false)) => {}
            None => return Ok(false),
        }
        Ok(true)
    }
}

fn after(step: Step) -> Result<Step, Error> {
    step.shifted(1).ok_or(Error::NoSuchStep)
}

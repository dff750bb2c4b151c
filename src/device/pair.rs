//! Pairs: two codes of consecutive steps, in order, for enabling a device and for resynchronizing it.

use super::clock::Clock;
use super::lease::{Issued, Leased, Moment, Returned};
use super::ledger::{ATTEMPTS, Claimed, FAR};
use super::{Devices, Error};
use crate::oath::{Code, hotp};
use crate::provision::Enrolment;
use crate::registry::{self, Device, LastPair, Ledger, REMEMBERED_AT_LEAST, Returnable, Token};
use crate::time::{Step, Timestamp};

/// How many steps ahead a relying party takes a pair at the most: what AWS was measured to do.
const REACH: i64 = 1_000;

/// Two codes of consecutive steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a pair is used up, whether its codes are used or not"]
pub struct Pair {
    /// In order.
    pub codes: [Leased; 2],
    /// Whose they are.
    pub token: Token,
}

/// Which pair is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one that this claim took.
    Own(Token),
    /// The one that ends with this step: the caller has its codes.
    Second(Step),
    /// The last one, where no other was handed out in the day before it.
    Last,
    /// The last one. The caller holds a lock that keeps others from taking pairs.
    Newest,
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
    /// Two codes of consecutive steps, both newer than the last pair that was handed out for this secret, under any
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
                // Whether the last pair is what stands in the way.
                let handed_out = known.last_pair.is_some_and(|last| after(last.second).is_ok_and(|next| next == first));
                return Err(Error::NoPairYet { name: device.name.to_string(), ready, wait, handed_out });
            }
            // Claimed before the pair is written down: a death in between costs two steps and repeats none.
            let mut claimed = Claimed { ledger, token: Token::random(), steps: Vec::new() };
            if terms.consumes {
                let ready = if wait == 0 { FAR } else { Step::new(0) };
                claimed = self.claim(ledger, &clock, &steps, (2, ready), moment.now)?;
                if claimed.steps.len() < 2 {
                    self.give_back(&claimed)?;
                    oldest = if claimed.steps.contains(&first) { after(steps[1])? } else { steps[1] };
                    continue;
                }
            }
            let token = claimed.token;
            let returnable = Returnable { claimed: terms.consumes, before: known.last_pair.map(|last| last.second) };
            let last_pair = Some(LastPair { second: steps[1], token, given: wait == 0, returnable: Some(returnable) });
            match self.registry.update_ledger(&Ledger { last_pair, changed: moment.now, ..known }) {
                Ok(()) => {}
                Err(registry::Error::LedgerConflict) => {
                    self.give_back(&claimed)?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let code = |step| {
                let (start, wait) = clock.begins(step)?;
                Ok::<_, Error>(Leased {
                    issued: Issued { claim: Some(token), ..clock.issued(step, &enrolment.secret)? },
                    ready: clock.reference(start),
                    wait,
                    token,
                })
            };
            return Ok(Pair { codes: [code(steps[0])?, code(steps[1])?], token });
        }
        Err(registry::Error::LedgerConflict.into())
    }

    /// Writes down that a pair, which was waited for, is shown now.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn show_pair(&self, device: &Device, enrolment: &Enrolment, pair: &Pair, now: Timestamp) -> Result<(), Error> {
        let id = self.ledger(device, enrolment)?;
        for code in &pair.codes {
            self.registry.give(id, Step::new(code.issued.moving_factor), pair.token)?;
        }
        self.change_ledger(id, now, |ledger| {
            if let Some(last) = ledger.last_pair.as_mut().filter(|last| last.token == pair.token) {
                last.given = true;
            }
            Ok(())
        })
    }

    /// Gives a pair back that demonstrably never reached the service. Only the last one can be, and the one before it
    /// not any more, unless it lies so far ahead that no relying party took it.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn release_pair(
        &self,
        device: &Device,
        enrolment: &Enrolment,
        which: Which,
        moment: Moment,
    ) -> Result<Returned, Error> {
        let id = self.ledger(device, enrolment)?;
        let clock = Clock::of(device, moment.time)?;
        let reachable = clock.step.shifted(REACH).ok_or(Error::NoSuchStep)?;
        let recent = REMEMBERED_AT_LEAST.checked_div(clock.period.seconds()).unwrap_or_default();
        let (outcome, freed) = self.change_ledger(id, moment.now, |ledger| {
            let Some(last) = ledger.last_pair else { return Ok((Returned::NotThere, None)) };
            let far = last.second > reachable;
            let beside = last.returnable.and_then(|returnable| returnable.before);
            let alone = beside.is_none_or(|before| last.second.value().abs_diff(before.value()) > recent);
            let retaken = ledger.pair_released == Some(last.second);
            let meant = match which {
                Which::Own(token) => last.token == token,
                Which::Second(second) if last.second == second && retaken => return Ok((Returned::Shared, None)),
                Which::Second(second) => last.second == second && last.given,
                Which::Last if !last.given || !alone || retaken => return Ok((Returned::Shared, None)),
                Which::Last | Which::Newest => true,
            };
            let returnable = last.returnable.or(far.then_some(Returnable { claimed: false, before: None }));
            let Some(returnable) = returnable.filter(|_| meant) else { return Ok((Returned::NotThere, None)) };
            let before = |second| LastPair { second, token: Token::NONE, given: true, returnable: None };
            ledger.last_pair = returnable.before.map(before);
            if last.given {
                ledger.pair_released = Some(last.second);
            }
            Ok((Returned::Yes, returnable.claimed.then_some((last.second, last.token))))
        })?;
        if let Some((second, token)) = freed {
            let steps = vec![Step::new(second.value().saturating_sub(1)), second];
            self.give_back(&Claimed { ledger: id, token, steps })?;
        }
        Ok(outcome)
    }

    /// The step that a pair of codes ends with, where it is the last one that was handed out.
    ///
    /// # Errors
    ///
    /// Those of vault and registry.
    pub fn last_pair_as(
        &self,
        device: &Device,
        enrolment: &Enrolment,
        codes: [Code; 2],
    ) -> Result<Option<Step>, Error> {
        let Some(last) = self.registry.ledger(self.ledger(device, enrolment)?)?.last_pair else { return Ok(None) };
        let code = |step: u64| hotp::code(&enrolment.secret, step, &enrolment.parameters);
        let second = last.second.value();
        Ok((codes == [code(second.saturating_sub(1)), code(second)]).then_some(last.second))
    }
}

fn after(step: Step) -> Result<Step, Error> {
    step.shifted(1).ok_or(Error::NoSuchStep)
}

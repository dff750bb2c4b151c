//! What a device's clock shows, which may be wrong on purpose, and what follows from it: which steps there are to give,
//! and when.

use super::Error;
use super::lease::{Issued, LONGEST_WAIT, Terms};
use crate::oath::hotp::{self, Keyed};
use crate::oath::resync::Window;
use crate::oath::{Code, Parameters, distance, totp};
use crate::registry::Device;
use crate::secret::Secret;
use crate::time::{Period, Step, Timestamp};

/// A code of an earlier step, from the far edge of a relying party's window, has to arrive before the current step
/// ends. With fewer seconds left than this, it isn't given.
const MARGIN: u64 = 5;

/// The most neighbours that are tried, to each side.
const WIDEST: u64 = 1_000;

/// A device's clock at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    parameters: Parameters,
    pub(super) period: Period,
    /// What the reference clock shows.
    time: Timestamp,
    /// What the device's clock shows.
    shown: Timestamp,
    /// The step of that.
    pub(super) step: Step,
}

impl Clock {
    pub(super) fn of(device: &Device, time: Timestamp) -> Result<Self, Error> {
        Self::showing(device.parameters, time, device.drift.apply(time).ok_or(Error::NoSuchStep)?)
    }

    pub(super) fn showing(parameters: Parameters, time: Timestamp, shown: Timestamp) -> Result<Self, Error> {
        Ok(Self { parameters, period: parameters.period()?, time, shown, step: parameters.step_at(shown)? })
    }

    pub(super) fn steps(&self, offset: i64, count: u16) -> Result<Vec<Step>, Error> {
        let first = self.step.shifted(offset).ok_or(Error::NoSuchStep)?;
        let step = |index: u16| {
            let step = first.shifted(index.into()).ok_or(Error::NoSuchStep)?;
            // It ends within what a timestamp can say.
            self.begins(step.shifted(1).ok_or(Error::NoSuchStep)?).map(|_| step)
        };
        (0..count).map(step).collect()
    }

    /// When a step begins: by the device's clock, and in how many seconds.
    pub(super) fn begins(&self, step: Step) -> Result<(Timestamp, u64), Error> {
        let start = self.period.start_of(step, totp::EPOCH).ok_or(Error::NoSuchStep)?;
        Ok((start, start.as_unix().saturating_sub(self.shown.as_unix())))
    }

    /// What the reference clock shows when the device's shows this, as far as the rate of a minute says.
    pub(super) fn reference(&self, shown: Timestamp) -> Timestamp {
        let off = distance(self.time.as_unix(), self.shown.as_unix());
        Timestamp::from_unix(shown.as_unix().saturating_add_signed(off))
    }

    pub(super) fn issued(&self, step: Step, secret: &Secret) -> Result<Issued, Error> {
        self.with_code(step, hotp::code(secret, step.value(), &self.parameters))
    }

    /// The same of consecutive steps.
    pub(super) fn issued_all(&self, steps: &[Step], secret: &Secret) -> Result<Vec<Issued>, Error> {
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Ok(Vec::new()) };
        let keyed = Keyed::new(secret, self.parameters.algorithm);
        let codes = keyed.codes(first.value()..=last.value(), self.parameters.digits);
        codes.map(|(step, code)| self.with_code(Step::new(step), code)).collect()
    }

    fn with_code(&self, step: Step, code: Code) -> Result<Issued, Error> {
        let (start, _) = self.begins(step)?;
        let end = start.plus(self.period.seconds()).ok_or(Error::NoSuchStep)?;
        Ok(Issued {
            code,
            moving_factor: step.value(),
            valid: Some((self.reference(start), self.reference(end))),
            repeated: false,
            claim: None,
        })
    }

    /// In how many seconds the relying party takes a step, and when that is.
    pub(super) fn wait_for(&self, step: Step, window: Window) -> Result<(u64, Timestamp), Error> {
        let first = Step::new(step.value().saturating_sub(window.ahead));
        let (start, wait) = self.begins(first)?;
        Ok((wait, if wait == 0 { self.time } else { self.reference(start) }))
    }

    /// For how many seconds the relying party goes on to take a step.
    pub(super) fn good_for(&self, step: Step, window: Window) -> u64 {
        let end = step.value().saturating_add(window.behind).saturating_add(1);
        self.begins(Step::new(end)).map_or(0, |(_, wait)| wait)
    }

    /// Whether the relying party goes on to take a step for as long as the terms say.
    pub(super) fn lasts(&self, step: Step, terms: &Terms) -> bool {
        let Terms { window, validity, rounding, .. } = *terms;
        validity == 0 || self.good_for(step, window) >= validity.saturating_add(rounding).min(self.longest(window))
    }

    /// For how many seconds a relying party takes a code.
    fn longest(&self, window: Window) -> u64 {
        self.period.seconds().saturating_mul(window.behind.saturating_add(window.ahead).saturating_add(1))
    }

    /// That a code can be valid for as long as the terms say.
    pub(super) fn expect_possible(&self, terms: &Terms) -> Result<(), Error> {
        let longest = self.longest(terms.window);
        if terms.validity > longest { Err(Error::TooLong { validity: terms.validity, longest }) } else { Ok(()) }
    }

    /// In how many seconds there is a step by the device's time that lasts long enough, and when that is.
    pub(super) fn lasting(&self, validity: u64, rounding: u64) -> Result<(u64, Timestamp), Error> {
        let window = Window { behind: 0, ahead: 0 };
        let terms = Terms { window, validity, rounding, patience: 0 };
        self.expect_possible(&terms)?;
        let next = self.step.shifted(1).ok_or(Error::NoSuchStep)?;
        self.wait_for(if self.lasts(self.step, &terms) { self.step } else { next }, window)
    }

    /// The steps that a lease may take, the best first: the current one, its neighbours in the window by distance, the
    /// earlier first; then those that have to be waited for.
    pub(super) fn candidates(&self, terms: &Terms) -> Vec<Step> {
        let Window { behind, ahead } = terms.window;
        let (behind, ahead) = (behind.min(WIDEST), ahead.min(WIDEST));
        let left = self.begins(Step::new(self.step.value().saturating_add(1))).map_or(0, |(_, wait)| wait);
        let behind = if left < MARGIN { behind.saturating_sub(1) } else { behind };
        let mut steps = vec![self.step];
        for distance in 1..=behind.max(ahead) {
            let earlier = (distance <= behind).then(|| self.step.value().checked_sub(distance)).flatten();
            let later = (distance <= ahead).then(|| self.step.value().checked_add(distance)).flatten();
            steps.extend(earlier.into_iter().chain(later).map(Step::new));
        }
        steps.retain(|step| self.lasts(*step, terms));
        let patience = terms.patience.min(LONGEST_WAIT);
        let mut next = self.step.value().checked_add(ahead);
        while let Some(step) = next.and_then(|next| next.checked_add(1)).map(Step::new) {
            match self.wait_for(step, terms.window) {
                Ok((wait, _)) if wait <= patience => steps.push(step),
                _ => break,
            }
            next = Some(step.value());
        }
        steps
    }
}

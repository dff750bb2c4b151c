//! One device as `vmfa watch` knows it.

use crate::cli::render::plain;
use crate::device::issue::Issued;
use crate::oath::{Code, MovingFactor, totp};
use crate::registry::Device;
use crate::time::{Step, Timestamp};

/// A device, and what is known of its current code.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) device: Device,
    /// Name, issuer and account as they are shown.
    pub(super) texts: [String; 3],
    /// The same, to be looked through.
    pub(super) lower: String,
    /// Whether the code of a step had been handed out when the registry was last asked.
    pub(super) used: Option<(Step, bool)>,
    pub(super) shown: Option<Shown>,
    /// The step whose code can't be had: it isn't tried again without a key.
    pub(super) failed: Option<Step>,
}

/// Codes that were handed out to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    /// The step of a TOTP code, the counter of an HOTP code.
    pub(super) factor: u64,
    pub(super) code: Given,
    /// The one after it, where that was asked for.
    pub(super) next: Option<Given>,
}

/// A code, and whether it had been handed out before it was shown here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) code: Code,
    pub(super) used: bool,
}

/// Where a device's clock is within a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) step: Step,
    /// In seconds.
    pub(super) left: u64,
    pub(super) period: u64,
}

impl Row {
    pub(super) fn of(device: Device) -> Self {
        let texts = [device.name.as_str(), device.issuer.as_deref().unwrap_or_default(), device.account.as_str()];
        let texts = texts.map(|text| plain(text).into_owned());
        let filled: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        let lower = filled.join("  ").to_lowercase();
        Self { device, texts, lower, used: None, shown: None, failed: None }
    }

    /// The same device as the registry has it now.
    pub(super) fn renewed(self, device: Device) -> Self {
        let Self { shown, failed, .. } = self;
        let same = device.parameters == self.device.parameters || self.counter().is_some();
        let same = same && device.drift == self.device.drift;
        Self { shown: shown.filter(|_| same), failed, ..Self::of(device) }
    }

    /// The counter of the next code; none of a device that goes by the time.
    pub(super) const fn counter(&self) -> Option<u64> {
        match self.device.parameters.factor {
            MovingFactor::Counter { next } => Some(next),
            MovingFactor::Time { .. } => None,
        }
    }

    /// None of a counter device, and of a clock before 1970.
    pub(super) fn turn(&self, time: Timestamp) -> Option<Turn> {
        let period = self.device.parameters.period().ok()?;
        let (step, left) = period.step_at(self.device.drift.apply(time)?, totp::EPOCH)?;
        Some(Turn { step, left, period: period.seconds() })
    }

    /// The codes that were shown, if this is still their time.
    pub(super) fn current(&self, time: Timestamp) -> Option<Shown> {
        let turn = self.turn(time);
        self.shown.filter(|shown| turn.is_none_or(|turn| turn.step.value() == shown.factor))
    }

    /// Takes in what was handed out. A code that was shown before it was its turn is no other one now.
    pub(super) fn show(&mut self, issued: &[Issued]) {
        let [first, rest @ ..] = issued else { return };
        let before = self.shown;
        let known = |issued: &Issued| {
            let before = before?;
            let is_first = issued.moving_factor == before.factor;
            if is_first { Some(before.code) } else { before.next.filter(|next| next.code == issued.code) }
        };
        let given = |issued: &Issued| known(issued).unwrap_or(Given { code: issued.code, used: issued.repeated });
        self.shown = Some(Shown { factor: first.moving_factor, code: given(first), next: rest.first().map(given) });
        self.failed = None;
    }
}

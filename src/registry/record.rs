//! A device as back-ends with tables store it: one row, with numbers of 64 bits that are signed.

use std::borrow::Cow;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Device, State};
use crate::oath::{Digits, MovingFactor, Parameters};
use crate::time::{Drift, Period, Timestamp};
use crate::vault::Id;

/// The columns of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) state: Cow<'a, str>,
    pub(super) batch: Option<Cow<'a, str>>,
    pub(super) replaces: Option<Cow<'a, str>>,
    pub(super) until: Option<i64>,
    pub(super) trashed: Option<i64>,
    pub(super) issuer: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) account: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) algorithm: Cow<'a, str>,
    pub(super) digits: i64,
    pub(super) period: Option<i64>,
    pub(super) counter: Option<i64>,
    pub(super) serial: Option<Cow<'a, str>>,
    pub(super) note: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) vault: Cow<'a, str>,
    pub(super) created: i64,
    pub(super) drift_seconds: i64,
    pub(super) drift_ppm: i64,
    pub(super) drift_since: i64,
    pub(super) ledger: Option<Cow<'a, str>>,
    pub(super) revision: i64,
}

impl Record<'_> {
    /// The device, or the column that can't be understood.
    pub(super) fn device(self) -> Result<Device, &'static str> {
        let id = |text: Option<Cow<'_, str>>, column| text.map(|text| parse(&text, column)).transpose();
        let time = |seconds: i64| Timestamp::from_unix(seconds.cast_unsigned());
        let until = || self.until.map(time).ok_or("until");
        let state = match &*self.state {
            "active" => State::Active,
            "pending" => State::Pending {
                batch: id(self.batch, "batch")?.ok_or("batch")?,
                replaces: id(self.replaces, "replaces")?,
                until: until()?,
            },
            "retired" => match self.trashed {
                Some(since) => State::Trashed { since: time(since) },
                None => State::Retired { until: until()? },
            },
            _ => return Err("state"),
        };
        let factor = match (self.period, self.counter) {
            (Some(period), None) => MovingFactor::Time { period: Period::new(period.cast_unsigned()).ok_or("period")? },
            (None, Some(next)) => MovingFactor::Counter { next: next.cast_unsigned() },
            _ => return Err("period"),
        };
        let digits = u8::try_from(self.digits).ok().and_then(digits_of).ok_or("digits")?;
        Ok(Device {
            id: parse(&self.id, "id")?,
            name: parse(&self.name, "name")?,
            issuer: self.issuer.map(Cow::into_owned),
            account: self.account.into_owned(),
            parameters: Parameters { algorithm: parse(&self.algorithm, "algorithm")?, digits, factor },
            serial: self.serial.map(Cow::into_owned),
            note: self.note.map(Cow::into_owned),
            vault: parse(&self.vault, "vault")?,
            created: time(self.created),
            state,
            drift: Drift { seconds: self.drift_seconds, ppm: self.drift_ppm, since: self.drift_since.cast_unsigned() },
            ledger: id(self.ledger, "ledger")?,
            revision: self.revision.cast_unsigned(),
        })
    }
}

fn parse<T: FromStr>(text: &str, column: &'static str) -> Result<T, &'static str> {
    text.parse().map_err(|_| column)
}

/// Five are the characters of Steam Guard.
fn digits_of(count: u8) -> Option<Digits> {
    if count == Digits::STEAM.count() { Some(Digits::STEAM) } else { Digits::new(count) }
}

impl<'a> From<&'a Device> for Record<'a> {
    fn from(device: &'a Device) -> Self {
        let (state, batch, replaces, until, trashed) = match device.state {
            State::Active => ("active", None, None, None, None),
            State::Pending { batch, replaces, until } => ("pending", Some(batch), replaces, Some(until), None),
            State::Trashed { since } => ("retired", None, None, None, Some(since)),
            State::Retired { until } => ("retired", None, None, Some(until), None),
        };
        let (period, counter) = match device.parameters.factor {
            MovingFactor::Time { period } => (Some(period.seconds()), None),
            MovingFactor::Counter { next } => (None, Some(next)),
        };
        let time = |time: Timestamp| time.as_unix().cast_signed();
        let text = |id: Id| Cow::from(id.to_string());
        Self {
            id: device.id.to_string().into(),
            name: device.name.as_str().into(),
            state: state.into(),
            batch: batch.map(text),
            replaces: replaces.map(text),
            until: until.map(time),
            trashed: trashed.map(time),
            issuer: device.issuer.as_deref().map(Cow::from),
            account: device.account.as_str().into(),
            algorithm: device.parameters.algorithm.as_str().into(),
            digits: device.parameters.digits.count().into(),
            period: period.map(u64::cast_signed),
            counter: counter.map(u64::cast_signed),
            serial: device.serial.as_deref().map(Cow::from),
            note: device.note.as_deref().map(Cow::from),
            vault: device.vault.as_str().into(),
            created: time(device.created),
            drift_seconds: device.drift.seconds,
            drift_ppm: device.drift.ppm,
            drift_since: device.drift.since.cast_signed(),
            ledger: device.ledger.map(text),
            revision: device.revision.cast_signed(),
        }
    }
}

//! What the table says of itself, and going on with one that knows less than was handed out.

use super::DynamoDb;
use super::action::Write;
use super::devices;
use super::table;
use super::value::{number, text};
use crate::registry::{Accepted, Error};
use crate::time::Timestamp;

impl DynamoDb {
    /// The time that the service's answer tells, in milliseconds: dates are cut to seconds, so it is the middle of one.
    pub(super) fn service_clock(&self) -> Result<Option<i64>, Error> {
        self.registry()?;
        let date = self.client.date().map(|date| date.as_unix().cast_signed());
        Ok(date.map(|seconds| seconds.saturating_mul(1_000).saturating_add(500)))
    }

    /// Nobody knows what is missing of a table that was restored: no counter is skipped. Done in an order in which an interruption
    /// leaves it refusing to hand out codes; given again, it goes on.
    pub(super) fn accept(&self, now: Timestamp) -> Result<Accepted, Error> {
        let before = self.registry()?.accepted;
        let refused: Vec<String> =
            self.places()?.into_iter().filter(|(_, keys)| keys.has_refused()).map(|(place, _)| place).collect();
        if !refused.is_empty() {
            self.leave_ledgers(&refused)?;
        }
        let values = vec![(":accepted", number(now.as_unix().cast_signed()))];
        let accept = Write::update(table::key(), "SET #accepted = :accepted", values);
        if !self.client.write(&accept.only_if("attribute_exists(#pk)", Vec::new()))? {
            return Err(Error::NoRegistry { place: self.client.place.clone() });
        }
        for place in &refused {
            self.change_place(place, &mut |keys| keys.accept())?;
        }
        let before = Some(Timestamp::from_unix(before.cast_unsigned())).filter(|time| time.as_unix() > 0);
        Ok(Accepted { until: now, before, noticed: false, new_key: !refused.is_empty() })
    }

    /// Devices of vaults whose keys are accepted find their ledgers again when their secrets are read next: those get
    /// fingerprints of the new key.
    fn leave_ledgers(&self, places: &[String]) -> Result<(), Error> {
        for stored in self.stored_devices()? {
            let vault = stored.device.vault.as_str();
            let of_vault =
                |place: &String| place.strip_prefix(vault).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
            let Some(ledger) = stored.device.ledger.filter(|_| places.iter().any(of_vault)) else { continue };
            let values = vec![(":ledger", text(ledger))];
            let leave = Write::update(devices::key(stored.device.id), "SET #former = :ledger REMOVE #ledger", values);
            // One that was removed meanwhile has nothing to leave.
            self.client.write(&leave.only_if("#ledger = :ledger", Vec::new()))?;
        }
        Ok(())
    }
}

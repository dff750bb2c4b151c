//! Devices as rows, which travel as JSON: one value in, one value out.

use std::collections::BTreeSet;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::Postgres;
use super::failure::Failure;
use super::link::Link;
use super::values::{of_row, value};
use crate::name::Name;
use crate::registry::record::Record;
use crate::registry::{Device, Error, clash, names_clash};
use crate::vault::Id;

/// How many devices are read at once.
const PAGE: usize = 1_000;

/// Serializes changes that name the same names; the hash of a name is its lock. In order, so that none waits for another
/// in a circle.
const LOCK_NAMES: &str = "SELECT pg_advisory_xact_lock(lock) FROM (SELECT DISTINCT hashtextextended(name, 8531217206)
    AS lock FROM unnest($1::text[]) AS name ORDER BY lock) AS locks";

const OF_NAMES: &str = "SELECT row_to_json(device)::text FROM vmfa.device
    WHERE name = ANY ($1::text[]) AND state <> 'retired' ORDER BY name, id";

const FIND: &str = "SELECT row_to_json(device)::text FROM vmfa.device WHERE name = $1 AND state = 'active'";

const SHARERS: &str = "SELECT row_to_json(device)::text FROM vmfa.device
    WHERE ledger = $1 AND state = 'active' ORDER BY name, id";

const AFTER: &str = "SELECT row_to_json(device)::text FROM vmfa.device
    WHERE (name, id) > ($1, $2) ORDER BY name, id LIMIT $3";

/// All but the ledger, which only [`Registry::join`](crate::registry::Registry::join) writes.
const INSERT: &str = "INSERT INTO vmfa.device (id, name, state, batch, replaces, until, trashed, issuer, account,
    algorithm, digits, period, counter, serial, note, vault, created, drift_seconds, drift_ppm, drift_since, revision)
    SELECT id, name, state, batch, replaces, until, trashed, issuer, account, algorithm, digits, period, counter,
    serial, note, vault, created, drift_seconds, drift_ppm, drift_since, revision
    FROM json_populate_record(NULL::vmfa.device, $1::text::json)";

const UPDATE: &str = "UPDATE vmfa.device AS old SET (name, state, batch, replaces, until, trashed, issuer, account,
    algorithm, digits, period, counter, serial, note, vault, created, drift_seconds, drift_ppm, drift_since, revision)
    = (new.name, new.state, new.batch, new.replaces, new.until, new.trashed, new.issuer, new.account, new.algorithm,
    new.digits, new.period, new.counter, new.serial, new.note, new.vault, new.created, new.drift_seconds,
    new.drift_ppm, new.drift_since, new.revision + 1)
    FROM json_populate_record(NULL::vmfa.device, $1::text::json) AS new
    WHERE old.id = new.id AND old.revision = new.revision RETURNING 1";

const REMOVE: &str = "DELETE FROM vmfa.device WHERE id = ANY ($1)";

const LOOK: &str = "SELECT (SELECT count(*) FROM vmfa.device WHERE state = 'active'),
    current_setting('server_version'), current_setting('fsync') = 'on'";

impl Postgres {
    pub(super) fn insert_devices(&self, devices: &[Device]) -> Result<(), Error> {
        let rows = self.rows(devices)?;
        self.change(&mut |link| {
            let mut known = self.of_names(link, devices)?;
            for (device, row) in devices.iter().zip(&rows) {
                expect_free(&known, device)?;
                link.ask(INSERT, &[(row, Type::TEXT)])?;
                known.push(device.clone());
            }
            Ok(())
        })
    }

    pub(super) fn update_devices(&self, devices: &[Device]) -> Result<(), Error> {
        let rows = self.rows(devices)?;
        self.change(&mut |link| {
            let mut known = self.of_names(link, devices)?;
            for (device, row) in devices.iter().zip(&rows) {
                expect_free(&known, device)?;
                if link.ask(UPDATE, &[(row, Type::TEXT)])?.is_empty() {
                    return Err(Error::Conflict(device.name.clone()).into());
                }
                known.retain(|old| old.id != device.id);
                known.push(device.clone());
            }
            Ok(())
        })
    }

    /// What has these names, which nobody else gives away until the transaction ends.
    fn of_names(&self, link: &mut Link, devices: &[Device]) -> Result<Vec<Device>, Failure> {
        let names: BTreeSet<&str> = devices.iter().map(|device| device.name.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        link.ask(LOCK_NAMES, &[(&names, Type::TEXT_ARRAY)])?;
        self.devices(&link.ask(OF_NAMES, &[(&names, Type::TEXT_ARRAY)])?)
    }

    pub(super) fn device_named(&self, name: &Name) -> Result<Option<Device>, Error> {
        self.again(&mut |link| {
            let rows = link.ask(FIND, &[(&name.as_str(), Type::TEXT)])?;
            Ok(self.devices(&rows)?.into_iter().next())
        })
    }

    pub(super) fn sharers_of(&self, ledger: Id) -> Result<Vec<Device>, Error> {
        self.again(&mut |link| self.devices(&link.ask(SHARERS, &[(&ledger.uuid(), Type::UUID)])?))
    }

    /// In one round trip where they fit on one page; else page by page, all of one moment.
    pub(super) fn all_devices(&self) -> Result<Vec<Device>, Error> {
        self.again(&mut |link| {
            let first = self.page(link, None)?;
            if first.len() < PAGE {
                return Ok(first);
            }
            link.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            let all = self.pages(link);
            link.roll_back();
            all
        })
    }

    fn pages(&self, link: &mut Link) -> Result<Vec<Device>, Failure> {
        let mut all = Vec::new();
        loop {
            let page = self.page(link, all.last())?;
            let last = page.len() < PAGE;
            all.extend(page);
            if last {
                return Ok(all);
            }
        }
    }

    fn page(&self, link: &mut Link, after: Option<&Device>) -> Result<Vec<Device>, Failure> {
        let name = after.map_or("", |device| device.name.as_str());
        let id = after.map_or_else(uuid::Uuid::nil, |device| device.id.uuid());
        let most = i64::try_from(PAGE).unwrap_or(i64::MAX);
        self.devices(&link.ask(AFTER, &[(&name, Type::TEXT), (&id, Type::UUID), (&most, Type::INT8)])?)
    }

    pub(super) fn remove_devices(&self, ids: &[Id]) -> Result<(), Error> {
        let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.uuid()).collect();
        self.ask(REMOVE, &[(&ids, Type::UUID_ARRAY)]).map(|_| ())
    }

    pub(super) fn look(&self) -> Result<String, Error> {
        let (devices, version, flushes) = self.again(&mut |link| {
            let rows = link.ask(LOOK, &[])?;
            let place = self.place.as_str();
            Ok((value::<i64>(place, &rows, 0)?, value::<String>(place, &rows, 1)?, value::<bool>(place, &rows, 2)?))
        })?;
        if !flushes {
            let reason = "fsync is off, so a crash of the server forgets codes that were handed out".to_owned();
            return Err(Error::Engine { place: self.place.clone(), reason });
        }
        if let Some(refused) = self.refused_key()? {
            return Err(refused);
        }
        let version: String = version.chars().filter(|c| !c.is_control()).take(40).collect();
        let plural = if devices == 1 { "" } else { "s" };
        Ok(format!("{}, PostgreSQL {version}, {devices} device{plural}", self.place))
    }

    fn rows(&self, devices: &[Device]) -> Result<Vec<String>, Error> {
        let row = |device: &Device| {
            serde_json::to_string(&Record::from(device))
                .map_err(|error| Error::Engine { place: self.place.clone(), reason: error.to_string() })
        };
        devices.iter().map(row).collect()
    }

    fn devices(&self, rows: &[Row]) -> Result<Vec<Device>, Failure> {
        rows.iter().map(|row| self.device(of_row(&self.place, row, 0)?).map_err(Failure::Final)).collect()
    }

    fn device(&self, text: &str) -> Result<Device, Error> {
        let damaged = |id: String, field| Error::Damaged { place: self.place.clone(), record: "device", id, field };
        let record: Record<'_> = serde_json::from_str(text).map_err(|_| damaged("?".to_owned(), "row"))?;
        let id = record.id.clone();
        record.device().map_err(|field| damaged(id.into_owned(), field))
    }
}

fn expect_free(known: &[Device], new: &Device) -> Result<(), Failure> {
    match known.iter().find(|old| names_clash(new, old)) {
        Some(old) => Err(clash(old).into()),
        None => Ok(()),
    }
}

//! What IAM has beside what is here.

use std::collections::BTreeMap;

use super::Error;
use super::flow::Flow;
use super::iam::Listed;
use super::sts::Identity;
use crate::device;
use crate::name::Name;
use crate::registry::Device;
use crate::time::{Step, Timestamp};

/// Where a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Enabled there, its secret here.
    Matched,
    /// Enabled there, its secret elsewhere.
    MissingHere,
    /// Its secret here, and IAM doesn't have it.
    MissingThere,
    /// IAM has it, and it is enabled for nobody.
    Orphan,
    /// A security key or a hardware token: it has no secret that could be here.
    NotVirtual,
    /// Its secret here; whether IAM has it, the user may not see.
    Unknown,
}

/// Whose devices are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'a> {
    /// All of the account.
    Everybody,
    /// Those of the user who calls, and what is here and enabled for nobody.
    Caller(&'a str),
    /// Those of this user.
    User(&'a str),
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its serial number (ARN).
    pub serial: String,
    /// The user it is enabled for.
    pub user: Option<String>,
    /// Its name here, where its secret is here.
    pub name: Option<Name>,
    /// Where it stands.
    pub standing: Standing,
    /// Since when it is enabled.
    pub enabled: Option<Timestamp>,
    /// Its secret is here, and no single code of it was ever handed out here.
    pub never_used: bool,
}

/// All lines, and whether IAM let everything be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// One a device, by user and serial number.
    pub lines: Vec<Line>,
    /// Whether the account's whole list was seen: without it, orphans are not, nor whose other devices are.
    pub whole: bool,
}

impl Flow<'_> {
    /// Compares.
    ///
    /// # Errors
    ///
    /// [`Error`]; that the account's list may not be seen is none, unless everybody's devices are asked for.
    pub fn status(&self, identity: &Identity, whose: Whose<'_>) -> Result<Status, Error> {
        let (user, all) = match whose {
            Whose::Everybody => (None, true),
            Whose::Caller(user) | Whose::User(user) => (Some(user), false),
        };
        let of_account = format!("arn:{}:iam::{}:mfa/", identity.partition(), identity.account);
        let held: Vec<Device> = device::active(self.devices.registry)?;
        let held: Vec<&Device> = held.iter().filter(|device| device.serial.is_some()).collect();
        let own = match user {
            Some(user) if !all => self.caller.list_mfa_devices(Some(user))?,
            _ => Vec::new(),
        };
        let listed = match self.caller.list_virtual_mfa_devices() {
            Ok(listed) => Some(listed),
            Err(error) if error.has_code("AccessDenied") && !all => None,
            Err(error) => return Err(error),
        };
        let whole = listed.is_some();
        let mut there: BTreeMap<String, Listed> = BTreeMap::new();
        for listed in own.into_iter().chain(listed.unwrap_or_default()) {
            there.entry(listed.serial.clone()).or_insert(listed);
        }
        let mut lines = Vec::new();
        let by_serial: BTreeMap<&str, &Device> =
            held.iter().filter_map(|device| Some((device.serial.as_deref()?, *device))).collect();
        for listed in there.values() {
            let here = by_serial.get(listed.serial.as_str()).copied();
            let of_user = user.is_some() && listed.user.as_deref() == user;
            let nobodys = listed.user.is_none() && listed.enabled.is_none();
            let named_so = nobodys && listed.serial.rsplit('/').next() == user;
            let to_finish = nobodys && here.is_some() && matches!(whose, Whose::Caller(_));
            if all || of_user || named_so || to_finish {
                lines.push(self.line(listed, here)?);
            }
        }
        for device in held {
            let serial = device.serial.as_deref().unwrap_or_default();
            let concerns = !matches!(whose, Whose::User(user) if serial.rsplit('/').next() != Some(user));
            if concerns && serial.starts_with(&of_account) && !there.contains_key(serial) {
                let standing = if whole { Standing::MissingThere } else { Standing::Unknown };
                lines.push(Line {
                    serial: serial.to_owned(),
                    user: None,
                    name: Some(device.name.clone()),
                    standing,
                    enabled: None,
                    never_used: self.never_used(device)?,
                });
            }
        }
        lines.sort_by(|one, two| (&one.user, &one.serial).cmp(&(&two.user, &two.serial)));
        Ok(Status { lines, whole })
    }

    fn line(&self, listed: &Listed, here: Option<&Device>) -> Result<Line, Error> {
        let enabled = listed.user.is_some() || listed.enabled.is_some();
        let standing = match (enabled, here) {
            (false, _) => Standing::Orphan,
            (true, Some(_)) => Standing::Matched,
            (true, None) if listed.serial.contains(":mfa/") => Standing::MissingHere,
            (true, None) => Standing::NotVirtual,
        };
        Ok(Line {
            serial: listed.serial.clone(),
            user: listed.user.clone(),
            name: here.map(|device| device.name.clone()),
            standing,
            enabled: listed.enabled,
            never_used: here.map(|device| self.never_used(device)).transpose()?.unwrap_or(false),
        })
    }

    /// Whether no single code was ever handed out; a pair that enabled it is none.
    fn never_used(&self, device: &Device) -> Result<bool, Error> {
        let Some(ledger) = device.ledger else { return Ok(true) };
        let registry = self.devices.registry;
        let forgotten = registry.ledger(ledger)?.forgotten;
        Ok(forgotten.is_empty()
            && registry.claimed(ledger, Step::new(0), Step::new(i64::MAX.unsigned_abs()))?.is_empty())
    }
}

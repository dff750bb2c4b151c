//! The actions of IAM (2010-05-08) that a virtual MFA device needs.

mod holder;
mod policies;

pub use holder::Holder;
pub use policies::{Attached, Detail, Page};

use std::collections::BTreeSet;

use super::Error;
use super::answer::{Element, date};
use super::client::{Caller, Effect};
use super::settings::Service;
use crate::provision::{self, Enrolment};
use crate::time::Timestamp;
use crate::wire::query::Form;

/// The version of the API.
const VERSION: &str = "2010-05-08";

/// The most pages of a list that are read, each of a thousand.
const PAGES: usize = 1_000;

/// The longest serial number, in bytes.
const LONGEST_SERIAL: usize = 256;

/// A device that IAM lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its serial number (ARN).
    pub serial: String,
    /// The name of the user that it is enabled for; none where it isn't assigned, or is the root user's.
    pub user: Option<String>,
    /// Since when it is enabled.
    pub enabled: Option<Timestamp>,
}

/// A pair of codes, ready to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Codes<'a> {
    /// The earlier one.
    pub first: &'a str,
    /// The one after it.
    pub second: &'a str,
}

impl Caller<'_> {
    pub(super) fn iam(&self, form: &Form, effect: Effect) -> Result<Element, Error> {
        self.client.call(Service::Iam, self.credentials, form, effect)
    }

    /// `CreateVirtualMFADevice`: a new device, with its secret and the serial number that it has to have. The secret is
    /// shown this once.
    ///
    /// # Errors
    ///
    /// [`Error`]; `EntityAlreadyExists` where there is one of this path and name.
    pub fn create_virtual_mfa_device(
        &self,
        serial: &str,
        name: &str,
        path: &str,
        tags: &[(String, String)],
    ) -> Result<Enrolment, Error> {
        let mut form = Form::new("CreateVirtualMFADevice", VERSION)
            .optional("Path", Some(path).filter(|path| *path != "/"))
            .pair("VirtualMFADeviceName", name);
        if !tags.is_empty() {
            form = form.structs("Tags", tags.iter().map(|(key, value)| [("Key", key.as_str()), ("Value", value)]));
        }
        let answer = self.iam(&form, Effect::Changes)?;
        let unreadable = |what| Error::Unreadable { action: "CreateVirtualMFADevice".to_owned(), what };
        let device = answer.child("CreateVirtualMFADeviceResult").and_then(|result| result.child("VirtualMFADevice"));
        let device = device.ok_or_else(|| unreadable("has no device"))?;
        if device.text("SerialNumber") != Some(serial) {
            return Err(unreadable("names another device than was asked for"));
        }
        let seed = device.text("Base32StringSeed").ok_or_else(|| unreadable("has no seed"))?;
        provision::aws::enrolment(serial, seed).map_err(|_| unreadable("has a seed that is none"))
    }

    /// `EnableMFADevice`, for a user.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn enable_mfa_device(&self, user: &str, serial: &str, codes: Codes<'_>) -> Result<(), Error> {
        self.with_codes("EnableMFADevice", user, serial, codes)
    }

    /// `ResyncMFADevice`, of a user.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn resync_mfa_device(&self, user: &str, serial: &str, codes: Codes<'_>) -> Result<(), Error> {
        self.with_codes("ResyncMFADevice", user, serial, codes)
    }

    fn with_codes(&self, action: &str, user: &str, serial: &str, codes: Codes<'_>) -> Result<(), Error> {
        let form = Form::new(action, VERSION)
            .pair("UserName", user)
            .pair("SerialNumber", serial)
            .pair("AuthenticationCode1", codes.first)
            .pair("AuthenticationCode2", codes.second);
        self.iam(&form, Effect::Changes).map(drop)
    }

    /// `DeactivateMFADevice`, of a user.
    ///
    /// # Errors
    ///
    /// [`Error`]; `NoSuchEntity` where it isn't enabled for this user.
    pub fn deactivate_mfa_device(&self, user: &str, serial: &str) -> Result<(), Error> {
        let form = Form::new("DeactivateMFADevice", VERSION).pair("UserName", user).pair("SerialNumber", serial);
        self.iam(&form, Effect::Changes).map(drop)
    }

    /// `DeleteVirtualMFADevice`.
    ///
    /// # Errors
    ///
    /// [`Error`]; `DeleteConflict` where it is enabled for somebody.
    pub fn delete_virtual_mfa_device(&self, serial: &str) -> Result<(), Error> {
        let form = Form::new("DeleteVirtualMFADevice", VERSION).pair("SerialNumber", serial);
        self.iam(&form, Effect::Changes).map(drop)
    }

    /// `ListMFADevices`: those enabled for a user, or for the user who calls.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn list_mfa_devices(&self, user: Option<&str>) -> Result<Vec<Listed>, Error> {
        let form = Form::new("ListMFADevices", VERSION).optional("UserName", user);
        self.pages(&form, "ListMFADevicesResult", "MFADevices", |member| member.text("UserName"))
    }

    /// `ListVirtualMFADevices`, of the whole account.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn list_virtual_mfa_devices(&self) -> Result<Vec<Listed>, Error> {
        let form = Form::new("ListVirtualMFADevices", VERSION);
        self.pages(&form, "ListVirtualMFADevicesResult", "VirtualMFADevices", |member| {
            member.child("User").and_then(|user| user.text("UserName"))
        })
    }

    fn pages(
        &self,
        form: &Form,
        result: &str,
        list: &str,
        user: impl Fn(&Element) -> Option<&str>,
    ) -> Result<Vec<Listed>, Error> {
        let mut devices = Vec::new();
        let mut marker: Option<String> = None;
        let mut seen = BTreeSet::new();
        for _ in 0..PAGES {
            let form = form.clone().pair("MaxItems", "1000").optional("Marker", marker.as_deref());
            let answer = self.iam(&form, Effect::Asks)?;
            let unreadable = |what| Error::Unreadable { action: list.to_owned(), what };
            let page = answer.child(result).ok_or_else(|| unreadable("has no list"))?;
            for member in page.members(list) {
                let serial = member.text("SerialNumber").ok_or_else(|| unreadable("has a device without a number"))?;
                if serial.len() > LONGEST_SERIAL {
                    return Err(unreadable("has a number that is too long"));
                }
                let enabled = member.text("EnableDate");
                devices.push(Listed {
                    serial: serial.to_owned(),
                    user: user(member).map(str::to_owned),
                    enabled: enabled.and_then(date),
                });
            }
            marker = match (page.text("IsTruncated"), page.text("Marker")) {
                (Some("true"), Some(next)) if seen.insert(next.to_owned()) => Some(next.to_owned()),
                (Some("true"), Some(_)) => return Err(unreadable("goes round in a circle")),
                _ => return Ok(devices),
            };
        }
        Err(Error::Unreadable { action: list.to_owned(), what: "has no end" })
    }
}

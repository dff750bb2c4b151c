//! Enrolling: a virtual MFA device created, its secret stored before anything else can fail, and enabled.
//!
//! Each turn looks at what IAM and the registry have, and does the one thing that is missing. So an enrolment that was
//! interrupted, or whose answer was lost, is finished by doing it again.

use std::fmt;

use super::Error;
use super::client::Caller;
use super::flow::Flow;
use super::iam::{Codes, Listed};
use crate::device;
use crate::name::Name;
use crate::registry::Device;
use crate::time::Timestamp;
use crate::vault::Id;

/// Who gets which device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The partition of the account, `aws` for most.
    pub partition: String,
    /// The account's 12 digits.
    pub account: String,
    /// The user's name.
    pub user: String,
    /// The device's name at AWS.
    pub device_name: String,
    /// Its path there; `/` for most.
    pub path: String,
    /// Tags for it.
    pub tags: Vec<(String, String)>,
    /// Its name here.
    pub name: Name,
}

/// A device that is enabled.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// What is here.
    pub device: Device,
    /// How it came to be.
    pub how: How,
    /// Since when it is enabled, by the service's clock.
    pub enabled: Timestamp,
}

/// What had to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Everything.
    New,
    /// An enrolment that was interrupted was finished.
    Finished,
    /// A device that was never enabled and whose secret nobody had was replaced.
    Replaced,
    /// Nothing.
    Already,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::New => "new",
            Self::Finished => "finished",
            Self::Replaced => "replaced",
            Self::Already => "already",
        })
    }
}

impl Wanted {
    /// The serial number (ARN) that the device has, or will have.
    #[must_use]
    pub fn serial(&self) -> String {
        let Self { partition, account, path, device_name, .. } = self;
        format!("arn:{partition}:iam::{account}:mfa{path}{device_name}")
    }
}

impl Flow<'_> {
    /// Enrols one device. What an earlier run left of this enrolment is finished.
    ///
    /// # Errors
    ///
    /// [`Error`]. What is stored here by then stays, for the next run.
    pub fn enroll(&self, wanted: &Wanted) -> Result<Enrolled, Error> {
        let serial = wanted.serial();
        let batch = Id::of(&format!("vmfa enrolment 1\n{serial}"));
        let _alone = self.alone(&serial)?;
        self.devices.settle(batch, self.world().now())?;
        let mut run =
            Run { flow: self, wanted, serial, batch, created: false, replaced: false, in_use: false, unseen: false };
        self.turns(&format!("enrolling {}", wanted.user), || run.turn())
    }
}

/// One enrolment on its way.
struct Run<'a> {
    flow: &'a Flow<'a>,
    wanted: &'a Wanted,
    serial: String,
    batch: Id,
    /// Whether this run created the device.
    created: bool,
    /// Whether it took the place of one that was never enabled.
    replaced: bool,
    /// Whether IAM said that it is in use, but not by which user.
    in_use: bool,
    /// Whether it was made by this run and IAM didn't know it.
    unseen: bool,
}

impl Run<'_> {
    /// Looks, and does what is next; the enrolled device once nothing is left.
    fn turn(&mut self) -> Result<Option<Enrolled>, Error> {
        let caller = self.flow.caller;
        let listed = caller.list_mfa_devices(Some(&self.wanted.user))?;
        let there = listed.iter().find(|listed| listed.serial == self.serial);
        let here = self.flow.held_or_pictured(&self.serial)?;
        match (here, there) {
            (Some(device), Some(there)) => Ok(Some(self.enrolled(device, there.enabled, How::Already))),
            (Some(device), None) => self.enable(device),
            (None, Some(_)) => Err(self.elsewhere()),
            (None, None) => match self.create()? {
                Some(device) => self.enable(device),
                None => Ok(None),
            },
        }
    }

    fn elsewhere(&self) -> Error {
        Error::EnabledElsewhere { serial: self.serial.clone(), user: self.wanted.user.clone() }
    }

    fn enrolled(&self, device: Device, enabled: Option<Timestamp>, otherwise: How) -> Enrolled {
        let how = match (self.replaced, self.created) {
            (true, _) => How::Replaced,
            (false, true) => How::New,
            (false, false) => otherwise,
        };
        Enrolled { device, how, enabled: enabled.unwrap_or_else(|| self.flow.time()) }
    }

    /// Creates the device and stores its secret. None where something stood in the way that is gone now.
    fn create(&mut self) -> Result<Option<Device>, Error> {
        let Wanted { device_name, path, tags, name, .. } = self.wanted;
        let registry = self.flow.devices.registry;
        if registry.find(name)?.is_some() {
            return Err(Error::NameTaken { name: name.clone(), serial: self.serial.clone() });
        }
        // The vault is opened, and unlocked, before there is something that has to be stored.
        self.flow.devices.own_key()?;
        let enrolment = match self.flow.caller.create_virtual_mfa_device(&self.serial, device_name, path, tags) {
            Ok(enrolment) => enrolment,
            Err(error) if error.has_code("EntityAlreadyExists") => return self.replace().map(|()| None),
            Err(error) => return Err(error),
        };
        let now = self.flow.world().now();
        let stored = self.flow.devices.add_as(self.batch, &[(name.clone(), enrolment)], false, now);
        self.created = true;
        match stored {
            Ok(stored) => Ok(stored.into_iter().next()),
            Err(error) => {
                // Nobody has its secret: it would stand in the way of the next run. Where it can't be deleted, that one
                // tells.
                let _ = self.flow.caller.delete_virtual_mfa_device(&self.serial);
                Err(match error {
                    device::Error::Registry(crate::registry::Error::NameTaken(name)) => {
                        Error::NameTaken { name, serial: self.serial.clone() }
                    }
                    error => error.into(),
                })
            }
        }
    }

    /// There is a device of this number whose secret isn't here. Nobody has it, if it was never enabled.
    fn replace(&mut self) -> Result<(), Error> {
        if let Some(owner) = owner(self.flow.caller, &self.serial, &self.wanted.user) {
            return Err(Error::OfAnother { serial: self.serial.clone(), owner });
        }
        match self.flow.caller.delete_virtual_mfa_device(&self.serial) {
            Ok(()) => {
                self.replaced = true;
                Ok(())
            }
            Err(error) if error.has_code("NoSuchEntity") => Ok(()),
            Err(error) if error.has_code("DeleteConflict") => {
                // Somebody has just enabled it: for this user, or for another.
                let listed = self.flow.caller.list_mfa_devices(Some(&self.wanted.user))?;
                Err(if listed.iter().any(|listed| listed.serial == self.serial) {
                    self.elsewhere()
                } else {
                    Error::OfAnother { serial: self.serial.clone(), owner: "somebody else".to_owned() }
                })
            }
            Err(Error::Refused(refusal)) if refusal.code == "AccessDenied" => {
                Err(Error::Orphan { serial: self.serial.clone(), refusal })
            }
            Err(error) => Err(error),
        }
    }

    /// Enables the device whose secret is here.
    fn enable(&mut self, device: Device) -> Result<Option<Enrolled>, Error> {
        let enrolment = self.flow.devices.enrolment(&device)?;
        // IAM shows that it isn't enabled: the last pair, if there is one, wasn't taken.
        for again in [true, false] {
            let pair = self.flow.pair(&device, &enrolment, again)?;
            let codes = Codes { first: &pair.first, second: &pair.second };
            let error = match self.flow.caller.enable_mfa_device(&self.wanted.user, &self.serial, codes) {
                Ok(()) => {
                    self.flow.remember_number(&device)?;
                    return Ok(Some(self.enrolled(device, None, How::Finished)));
                }
                Err(error) => error,
            };
            self.flow.take_back(&device, &enrolment, &pair, &error);
            let Error::Refused(refusal) = error else { return Err(error) };
            match refusal.code.as_str() {
                // An answer was lost, or somebody else enabled it: the next turn tells.
                "EntityAlreadyExists" => {
                    let owner = owner(self.flow.caller, &self.serial, &self.wanted.user);
                    // Who else has it may not be seen; that it isn't this user's is, the second time.
                    let unseen = std::mem::replace(&mut self.in_use, true).then(|| "somebody else".to_owned());
                    return match owner.or(unseen) {
                        Some(owner) => Err(Error::OfAnother { serial: self.serial.clone(), owner }),
                        None => Ok(None),
                    };
                }
                // It was made just now, and doesn't show yet.
                "NoSuchEntity" if self.created && !self.unseen => {
                    self.unseen = true;
                    self.flow.caller.client.pause_after(2)?;
                    return Ok(None);
                }
                "NoSuchEntity" => {
                    return match self.flow.caller.list_mfa_devices(Some(&self.wanted.user)) {
                        Ok(_) => Err(Error::NotThere { name: device.name, serial: self.serial.clone() }),
                        // It is the user who isn't there.
                        Err(_) => Err(Error::Refused(refusal)),
                    };
                }
                // A pair that was taken once isn't taken again, even after the device was deactivated.
                "InvalidAuthenticationCode" if again => {}
                "InvalidAuthenticationCode" => {
                    return Err(self.flow.refused_pair(&device, &enrolment, &pair, refusal)?);
                }
                _ => return Err(Error::Refused(refusal)),
            }
        }
        Ok(None)
    }
}

/// Whose a device is, if it isn't this user's, nor nobody's, as far as that can be seen.
fn owner(caller: Caller<'_>, serial: &str, user: &str) -> Option<String> {
    let all = caller.list_virtual_mfa_devices().ok()?;
    match all.into_iter().find(|listed| listed.serial == serial)? {
        Listed { user: Some(owner), .. } if owner == user => None,
        Listed { user: Some(owner), .. } => Some(format!("user {owner}")),
        Listed { enabled: Some(_), .. } => Some("the root user".to_owned()),
        Listed { .. } => None,
    }
}

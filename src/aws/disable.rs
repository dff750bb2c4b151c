//! Disabling: deactivated and deleted at AWS, with the session that AWS asks for. The secret stays until that is done.

use super::Error;
use super::flow::Flow;
use super::iam::Codes;
use crate::registry::Device;

/// What had to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disabled {
    /// Whether this run deactivated it.
    pub deactivated: bool,
    /// Whether this run deleted it.
    pub deleted: bool,
}

impl Flow<'_> {
    /// Deactivates and deletes a user's device. What an earlier run left of it is finished. `own` where the user is the
    /// one who calls: AWS wants a session with MFA then.
    ///
    /// A device that was deactivated and may not be deleted without such a session is enabled once more to get one:
    /// its secret is here.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn disable(&self, device: &Device, user: &str, own: bool) -> Result<Disabled, Error> {
        let mut done = Disabled::default();
        let mut enabled_again = false;
        self.turns(&format!("disabling {}", device.name), || {
            let serial = Self::serial(device)?;
            let listed = self.caller.list_mfa_devices(Some(user))?;
            let needs_session = own && self.caller.credentials.session_token.is_none();
            if listed.iter().any(|listed| listed.serial == serial) {
                let session = if needs_session { Some(self.session_of(device)?) } else { None };
                let credentials = session.as_ref().map_or(self.caller.credentials, |session| &session.credentials);
                let signed = self.signed_by(credentials);
                match signed.caller.deactivate_mfa_device(user, serial) {
                    Ok(()) => done.deactivated = true,
                    Err(error) if error.has_code("NoSuchEntity") => {}
                    Err(error) => return Err(signed.explained(error)),
                }
                return Ok(None);
            }
            let session = if needs_session { self.kept_of_user(device)? } else { None };
            let credentials = session.as_ref().map_or(self.caller.credentials, |session| &session.credentials);
            let signed = self.signed_by(credentials);
            match signed.caller.delete_virtual_mfa_device(serial) {
                Ok(()) => {
                    done.deleted = true;
                    Ok(Some(done))
                }
                Err(error) if error.has_code("NoSuchEntity") => Ok(Some(done)),
                Err(error) if error.has_code("DeleteConflict") => {
                    Err(Error::OfAnother { serial: serial.to_owned(), owner: "somebody else".to_owned() })
                }
                Err(error) if error.has_code("AccessDenied") && needs_session && !enabled_again => {
                    enabled_again = true;
                    match self.enable_again(device, user, serial) {
                        // Whether it is there, who may not delete it isn't told.
                        Err(error) if error.has_code("NoSuchEntity") => Ok(Some(done)),
                        result => result.map(|()| None),
                    }
                }
                Err(error) => Err(signed.explained(error)),
            }
        })
    }

    /// A session of the user with this device: a kept one, or a new one.
    fn session_of(&self, device: &Device) -> Result<super::sts::Temporary, Error> {
        match self.kept_of_user(device)? {
            Some(kept) => Ok(kept),
            None => Ok(self.session(device, &super::session::Wanted::default())?.temporary),
        }
    }

    fn enable_again(&self, device: &Device, user: &str, serial: &str) -> Result<(), Error> {
        self.world().tell("deleting it takes a session with MFA: the device is enabled once more to get one");
        let enrolment = self.devices.enrolment(device)?;
        let pair = self.pair(device, &enrolment, false)?;
        self.caller.enable_mfa_device(user, serial, Codes { first: &pair.first, second: &pair.second })?;
        self.wait_for_sts(device, self.caller.client.time()).map(drop)
    }
}

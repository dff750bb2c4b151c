//! Disabling: deactivated and deleted at AWS, with the session that AWS asks for. The secret stays until that is done.

use super::Error;
use super::flow::Flow;
use super::iam::Codes;
use super::session::Wanted;
use super::sts::Temporary;
use crate::oath::relying_party::PROPAGATION;
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
        let needs_session = own && self.caller.credentials.session_token.is_none();
        // Kept here as well: one that the vault doesn't take is needed all the same.
        let mut session: Option<Temporary> = None;
        let (mut renewed, mut enabled_again) = (false, false);
        self.turns(&format!("disabling {}", device.name), || {
            let serial = Self::serial(device)?;
            let listed = self.caller.list_mfa_devices(Some(user))?;
            let enabled = listed.iter().any(|listed| listed.serial == serial);
            if needs_session && session.is_none() {
                session = self.kept_of_user(device)?;
            }
            if enabled && needs_session && session.is_none() {
                session = Some(self.session(device, &Wanted::default())?.temporary);
            }
            let credentials = session.as_ref().map_or(self.caller.credentials, |session| &session.credentials);
            let signed = self.signed_by(credentials);
            if enabled {
                if !needs_session {
                    // Should this run die, the next one knows that there was something to do.
                    self.remember_enabled(device)?;
                }
                match signed.caller.deactivate_mfa_device(user, serial) {
                    Ok(()) => done.deactivated = true,
                    Err(error) if error.has_code("NoSuchEntity") => {}
                    // A kept one may be over, or too old for a policy.
                    Err(error) if needs_session && !renewed && is_about_session(&error) => {
                        renewed = true;
                        let fresh = Wanted { fresh: true, ..Wanted::default() };
                        session = Some(self.session(device, &fresh)?.temporary);
                    }
                    Err(error) => return Err(signed.explained(error)),
                }
                return Ok(None);
            }
            match signed.caller.delete_virtual_mfa_device(serial) {
                Ok(()) => {
                    done.deleted = true;
                    Ok(Some(done))
                }
                Err(error) if error.has_code("NoSuchEntity") => Ok(Some(done)),
                Err(error) if error.has_code("DeleteConflict") => {
                    Err(Error::OfAnother { serial: serial.to_owned(), owner: "somebody else".to_owned() })
                }
                Err(error) if needs_session && !enabled_again && is_about_session(&error) => {
                    enabled_again = true;
                    // Who may not delete it may see that it isn't there.
                    let all = self.caller.list_virtual_mfa_devices().ok();
                    if all.is_some_and(|all| !all.iter().any(|listed| listed.serial == serial)) {
                        return Ok(Some(done));
                    }
                    match self.enable_again(device, user, serial) {
                        // Whether it is there, who may not delete it isn't told.
                        Err(error) if error.has_code("NoSuchEntity") => Ok(Some(done)),
                        result => {
                            session = result?;
                            Ok(None)
                        }
                    }
                }
                Err(error) => Err(signed.explained(error)),
            }
        })
    }

    fn enable_again(&self, device: &Device, user: &str, serial: &str) -> Result<Option<Temporary>, Error> {
        let enrolment = self.devices.enrolment(device)?;
        let pair = self.pair(device, &enrolment, false)?;
        self.caller.enable_mfa_device(user, serial, Codes { first: &pair.first, second: &pair.second })?;
        self.world().tell("deleting it takes a session with MFA: the device is enabled once more to get one");
        self.wait_for_sts(device, self.time(), PROPAGATION.enabled)
    }
}

/// Whether another session may be the cure.
fn is_about_session(error: &Error) -> bool {
    ["AccessDenied", "ExpiredToken", "InvalidClientTokenId"].iter().any(|code| error.has_code(code))
}

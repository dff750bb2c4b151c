//! Sessions with MFA: one code, one session, shared by all who ask for the same until it is over.

use zeroize::Zeroizing;

use super::cache::{Cache, Contents};
use super::explain::Cause;
use super::flow::Flow;
use super::lock::Lock;
use super::settings::Service;
use super::sts::{RoleRequest, Temporary, Token};
use super::{Error, Refusal};
use crate::oath::relying_party::PROPAGATION;
use crate::registry::Device;
use crate::time::Timestamp;

/// How often STS is asked whether it knows yet what IAM did, and how many seconds lie between.
const QUESTIONS: u8 = 5;
const BETWEEN: u64 = 3;

/// What the keys of users' own sessions have after what they have in common.
const USER: &str = "user ";

/// What a session is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// In seconds; AWS's default where it is left out.
    pub duration: Option<u64>,
    /// A role, instead of the user.
    pub role: Option<Role>,
    /// A new one, even where there is one that would do.
    pub fresh: bool,
}

/// A role to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// The name of the session.
    pub session_name: String,
    /// What its trust policy may ask for.
    pub external_id: Option<String>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What to sign with, and until when.
    pub temporary: Temporary,
    /// Whether it was there already.
    pub cached: bool,
}

impl Flow<'_> {
    /// A session: one that is kept, else a new one, for a code that nobody has had.
    ///
    /// # Errors
    ///
    /// [`Error`]: refusals of codes are explained.
    pub fn session(&self, device: &Device, wanted: &Wanted) -> Result<Session, Error> {
        let serial = Self::serial(device)?;
        let key = self.key(serial, wanted);
        let cache = Cache::of(self.devices.vault, device);
        let good = |contents: &Contents| if wanted.fresh { None } else { self.good(contents, &key) };
        // Whoever has the lock may be long in getting another one.
        let meanwhile = || {
            let found = if wanted.fresh { None } else { good(&cache.read()?) };
            if found.is_none() {
                self.world().tell(&format!("waiting for another vmfa that gets a session with {}", device.name));
            }
            Ok(found)
        };
        let lock = self.locks.take(&format!("session-{}", device.id), meanwhile)?;
        if let Lock::Needless(temporary) = lock {
            return Ok(Session { temporary, cached: true });
        }
        let contents = match cache.read() {
            Err(_) if wanted.fresh => Contents::default(),
            result => result?,
        };
        if let Some(temporary) = good(&contents) {
            return Ok(Session { temporary, cached: true });
        }
        if self.caller.credentials.session_token.is_some() && wanted.role.is_none() {
            return Err(Error::Temporary);
        }
        let temporary = self.with_code(device, |token| self.ask(wanted, token))?;
        self.keep(device, contents, &key, &temporary);
        Ok(Session { temporary, cached: false })
    }

    /// A session of the user that was had before with this device and isn't over, whatever it was asked for with.
    pub(super) fn kept_of_user(&self, device: &Device) -> Result<Option<Temporary>, Error> {
        let prefix = format!("{}{USER}", self.prefix(Self::serial(device)?));
        let contents = Cache::of(self.devices.vault, device).read()?;
        Ok(contents.newest(&prefix, self.world().now(), self.service_time()))
    }

    /// Whether it is known that the device was enabled at this endpoint: by a session with these keys, or by a run that
    /// was about to disable it.
    ///
    /// # Errors
    ///
    /// Those of the vault.
    pub fn was_enabled(&self, device: &Device) -> Result<bool, Error> {
        let prefix = self.prefix(Self::serial(device)?);
        let contents = Cache::of(self.devices.vault, device).read()?;
        Ok(contents.has(&prefix) || contents.is_marked(&self.caller.client.endpoint(Service::Iam).url))
    }

    /// Writes down that the device is enabled where IAM is.
    pub(super) fn remember_enabled(&self, device: &Device) -> Result<(), Error> {
        self.mark(device, false)
    }

    /// Forgets the sessions of a device, but not that it was enabled where IAM is.
    ///
    /// # Errors
    ///
    /// Those of the vault.
    pub fn forget_sessions(&self, device: &Device) -> Result<(), Error> {
        self.mark(device, true)
    }

    fn mark(&self, device: &Device, without_sessions: bool) -> Result<(), Error> {
        let cache = Cache::of(self.devices.vault, device);
        let _lock = self.locks.take(&format!("session-{}", device.id), || Ok(None::<()>))?;
        Ok(cache.mark(&self.caller.client.endpoint(Service::Iam).url, without_sessions)?)
    }

    /// Waits until STS knows what IAM did `since`: until a session can be had, which is kept. None where it still
    /// doesn't know after the longest time that was measured.
    ///
    /// # Errors
    ///
    /// [`Error`], but not that STS doesn't know yet.
    pub fn wait_for_sts(&self, device: &Device, since: Timestamp) -> Result<Option<Temporary>, Error> {
        let serial = Self::serial(device)?;
        let _lock = self.locks.take(&format!("session-{}", device.id), || Ok(None::<()>))?;
        let wanted = Wanted::default();
        let first = since.plus(PROPAGATION.least).unwrap_or(since);
        let wait = first.as_unix().saturating_sub(self.caller.client.time().as_unix());
        let mut wait = wait.min(PROPAGATION.least);
        let enrolment = self.devices.enrolment(device)?;
        for _ in 0..QUESTIONS {
            self.wait(wait, "STS to know the device")?;
            wait = BETWEEN;
            let leased = self.code(device, &enrolment)?;
            let used = self.moment();
            let code = Zeroizing::new(leased.issued.code.to_string());
            match self.ask(&wanted, Token { serial, code: &code }) {
                Ok(temporary) => {
                    let contents = Cache::of(self.devices.vault, device).read().unwrap_or_default();
                    self.keep(device, contents, &self.key(serial, &wanted), &temporary);
                    return Ok(Some(temporary));
                }
                Err(Error::Refused(refusal)) if is_about_code(&refusal) => {
                    // What is refused when it must be known is refused for another reason.
                    let late = since.plus(PROPAGATION.most).is_some_and(|late| self.caller.client.time() >= late);
                    if late
                        && let Some((cause, _)) = self.explain_code(device, &refusal, used, true)
                        && !matches!(cause, Cause::NotYet { .. })
                    {
                        return Err(Error::Explained { cause: Box::new(cause), refusal });
                    }
                }
                Err(error) if error.is_unclear() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Calls with a code: another one after a failure, and once more where waiting is the cure.
    fn with_code<T>(&self, device: &Device, call: impl Fn(Token<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let serial = Self::serial(device)?;
        let enrolment = self.devices.enrolment(device)?;
        let (mut attempt, mut cured) = (1_u8, false);
        loop {
            let leased = self.code(device, &enrolment)?;
            let used = self.moment();
            let code = Zeroizing::new(leased.issued.code.to_string());
            let error = match call(Token { serial, code: &code }) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if let Error::Unreachable { perhaps_done: false, .. } = error {
                let _ = self.devices.give_lease_back(device, &enrolment, &leased);
                return Err(error);
            }
            if error.is_unclear() && attempt < self.caller.client.attempts() {
                self.caller.client.pause_after(attempt)?;
                attempt = attempt.saturating_add(1);
                continue;
            }
            let Error::Refused(refusal) = error else { return Err(error) };
            let Some((cause, cure)) = self.explain_code(device, &refusal, used, cured) else {
                return Err(Error::Refused(refusal));
            };
            match cure {
                Some(wait) if self.retry && !cured => {
                    self.world().tell(&format!("{cause}: trying once more"));
                    self.wait(wait, waiting_for(&cause))?;
                    cured = true;
                }
                _ => return Err(Error::Explained { cause: Box::new(cause), refusal }),
            }
        }
    }

    fn ask(&self, wanted: &Wanted, token: Token<'_>) -> Result<Temporary, Error> {
        match &wanted.role {
            None => self.caller.session_token(wanted.duration, token),
            Some(role) => {
                let request = RoleRequest {
                    arn: &role.arn,
                    session_name: &role.session_name,
                    external_id: role.external_id.as_deref(),
                    duration: wanted.duration,
                };
                self.caller.assume_role(&request, Some(token))
            }
        }
    }

    /// A session that is worth handing out, by the clock that is known best.
    fn good(&self, contents: &Contents, key: &str) -> Option<Temporary> {
        contents.find(key, self.world().now(), self.service_time())
    }

    /// The service's time, where it is known.
    fn service_time(&self) -> Option<Timestamp> {
        let known = self.caller.client.difference().map(|_| self.caller.client.time());
        self.clock.map_or(known, |clock| Some(clock()))
    }

    /// That it can't be kept is no reason not to hand it out.
    fn keep(&self, device: &Device, others: Contents, key: &str, temporary: &Temporary) {
        let cache = Cache::of(self.devices.vault, device);
        let world = self.world();
        let now = world.now();
        let ahead = self.clock.map_or_else(
            || self.caller.client.ahead(),
            |clock| i64::try_from(i128::from(clock().as_unix()).saturating_sub(now.as_unix().into())).unwrap_or(0),
        );
        if let Err(error) = cache.keep(others, key, temporary, now, ahead) {
            world.tell(&format!("warning: the session isn't kept for the next command: {error}"));
        }
        // A device that was removed meanwhile leaves nothing.
        let gone = |devices: Vec<Device>| !devices.iter().any(|other| other.id == device.id);
        if self.devices.registry.list().is_ok_and(gone) {
            let _ = cache.forget();
        }
    }

    /// What sessions of a user's key with a device have in common. Parts are quoted, so that no two read the same.
    fn prefix(&self, serial: &str) -> String {
        let (id, url) = (&self.caller.credentials.access_key_id, &self.caller.client.endpoint(Service::Sts).url);
        format!("{id:?} {serial:?} {url:?} ")
    }

    /// What makes two sessions the same.
    fn key(&self, serial: &str, wanted: &Wanted) -> String {
        let (prefix, duration) = (self.prefix(serial), wanted.duration);
        match &wanted.role {
            None => format!("{prefix}{USER}{duration:?}"),
            Some(Role { arn, session_name, external_id }) => {
                format!("{prefix}role {arn:?} {session_name:?} {external_id:?} {duration:?}")
            }
        }
    }
}

/// Whether STS refused a code, for whatever reason.
pub(super) fn is_about_code(refusal: &Refusal) -> bool {
    refusal.service == Service::Sts && refusal.message.starts_with("MultiFactorAuthentication failed")
}

fn waiting_for(cause: &Cause) -> &'static str {
    match cause {
        Cause::NotYet { .. } => "STS to know the device",
        Cause::Budget { .. } => "the device's next codes to be looked at",
        _ => "another code",
    }
}

//! Sessions with MFA: one code, one session, shared by all who ask for the same until it is over.

use std::time::Duration;

use zeroize::Zeroizing;

use super::cache::{Cache, Contents, Mark};
use super::cause::Cause;
use super::client::Caller;
use super::contact::Now;
use super::flow::Flow;
use super::lock::Lock;
use super::settings::Service;
use super::sts::{RoleRequest, Temporary, Token};
use super::{Error, Holder};
use crate::oath::relying_party::PROPAGATION;
use crate::registry::{Device, State};
use crate::time::Timestamp;
use crate::vault;

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
    /// How long it must still be valid, in seconds. Default: five minutes, or a tenth of its lifetime if that is less.
    pub least: Option<u64>,
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

/// Where `disable` deleted a device and nobody has enabled it since, as far as is known here.
///
/// # Errors
///
/// Those of the vault.
pub fn disabled_at(vault: &dyn vault::Vault, device: &Device) -> Result<Vec<String>, vault::Error> {
    Ok(Cache::of(vault, device).read()?.disabled_at())
}

/// A kept session that may be handed out.
struct Good {
    temporary: Temporary,
    /// Whether the service had to be asked because its time wasn't certain.
    asked: bool,
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
        // The holder of the lock may take long to get another session.
        let meanwhile = |holder: Holder| {
            let found = if wanted.fresh { None } else { self.good(&cache.read()?, &key, wanted)? };
            if found.is_none() {
                self.world().tell(&format!("waiting for {holder}, which is getting a session with {}", device.name));
            }
            Ok(found.map(|good| good.temporary))
        };
        let lock = self.locks.take(&format!("session-{}", device.id), &|time| self.world().pause(time), meanwhile)?;
        if let Lock::Needless(temporary) = lock {
            return Ok(Session { temporary, cached: true });
        }
        let contents = match cache.read() {
            Err(_) if wanted.fresh => Contents::default(),
            result => result?,
        };
        if !wanted.fresh
            && let Some(Good { temporary, asked }) = self.good(&contents, &key, wanted)?
        {
            if asked {
                self.kept(cache.confirm(contents, &key, self.now()));
            }
            return Ok(Session { temporary, cached: true });
        }
        if self.caller.credentials.session_token.is_some() && wanted.role.is_none() {
            return Err(Error::Temporary);
        }
        let temporary = self.with_code(device, |token| self.ask(wanted, token))?;
        self.keep(device, contents, &key, &temporary);
        let left = self.now().service.map(|time| temporary.expiration.as_unix().saturating_sub(time.as_unix()));
        match (left, wanted.least) {
            (Some(left), Some(least)) if left < least => Err(Error::TooShort { left, least }),
            _ => Ok(Session { temporary, cached: false }),
        }
    }

    /// A kept session of the user with this device that hasn't expired, asked for in any way.
    pub(super) fn kept_of_user(&self, device: &Device) -> Result<Option<Temporary>, Error> {
        let prefix = format!("{}{USER}", self.prefix(Self::serial(device)?));
        let contents = Cache::of(self.devices.vault, device).read()?;
        Ok(contents.newest(&prefix, &self.now()))
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
        self.mark(device, Mark::Enabled)
    }

    /// Writes down that the device was deleted where IAM is, and forgets its sessions.
    ///
    /// # Errors
    ///
    /// Those of the vault.
    pub fn remember_disabled(&self, device: &Device) -> Result<(), Error> {
        self.mark(device, Mark::Disabled)
    }

    fn mark(&self, device: &Device, mark: Mark) -> Result<(), Error> {
        let cache = Cache::of(self.devices.vault, device);
        let _lock = self.alone_at_sessions(device)?;
        Ok(cache.mark(&self.caller.client.endpoint(Service::Iam).url, mark)?)
    }

    /// Keeps others from getting or changing sessions of a device, as long as what is returned lives.
    fn alone_at_sessions(&self, device: &Device) -> Result<Lock<()>, Error> {
        let waiting = |holder: Holder| {
            self.world().tell(&format!("waiting for {holder}, which uses the sessions of {}", device.name));
            Ok(None)
        };
        self.locks.take(&format!("session-{}", device.id), &|time| self.world().pause(time), waiting)
    }

    /// Waits until STS knows what IAM did `since`, which takes `long`: until a session can be had, which is kept. None where
    /// it still doesn't know after the longest time that was measured.
    ///
    /// # Errors
    ///
    /// [`Error`], but not that STS doesn't know yet.
    pub fn wait_for_sts(&self, device: &Device, since: Timestamp, long: Duration) -> Result<Option<Temporary>, Error> {
        let serial = Self::serial(device)?;
        let _lock = self.alone_at_sessions(device)?;
        let wanted = Wanted::default();
        // A code that comes too early is lost. Both `since` and the time now are cut to whole seconds.
        let settled = long.as_secs().saturating_add(2);
        let first = since.plus(settled).unwrap_or(since);
        let wait = first.as_unix().saturating_sub(self.time().as_unix());
        let mut wait = wait.min(settled);
        let enrolment = self.devices.enrolment(device)?;
        for _ in 0..QUESTIONS {
            self.wait(wait, KNOWN).map_err(|error| self.until_known(error, since))?;
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
                Err(Error::Refused(refusal)) if refusal.is_about_code() => {
                    // What is refused when it must be known is refused for another reason.
                    let late =
                        since.plus(PROPAGATION.most.as_secs()).is_some_and(|late| self.caller.client.time() >= late);
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

    /// Where no time passes by itself, nobody tries again in two seconds: it takes what it takes at the most.
    fn until_known(&self, error: Error, since: Timestamp) -> Error {
        let known = since.plus(PROPAGATION.most.as_secs()).unwrap_or(since);
        let left = known.as_unix().saturating_sub(self.time().as_unix());
        match error {
            Error::StandsStill { endpoint, what, .. } if left > 0 => {
                Error::StandsStill { endpoint, seconds: left, until: known, what }
            }
            error => error,
        }
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

    /// A kept session that certainly has time enough left: by the service's clock as this run heard it, else as the last
    /// contact proves, else as the service says when it is asked with the session itself. An endpoint that isn't AWS's
    /// is always asked: a stand-in that was restarted doesn't know the sessions that it gave before.
    fn good(&self, contents: &Contents, key: &str, wanted: &Wanted) -> Result<Option<Good>, Error> {
        let Some(kept) = contents.find(key) else { return Ok(None) };
        let least = wanted.least.unwrap_or_else(|| kept.least());
        let now = self.now();
        let left = kept.left(&now);
        if left.is_some_and(|left| left <= least) || left.is_none() && kept.left_at(now.system) <= least {
            return Ok(None);
        }
        let temporary = kept.temporary();
        let client = self.caller.client;
        let forgetful = !client.endpoint(Service::Sts).is_aws();
        if left.is_some() && !forgetful {
            return Ok(Some(Good { temporary, asked: false }));
        }
        match (Caller { client, credentials: &temporary.credentials }).identity() {
            Ok(_) => {}
            Err(Error::Refused(refusal)) if !refusal.is_failure() && !refusal.is_throttling() => return Ok(None),
            Err(error) => return Err(error),
        }
        let lasts = kept.left(&self.now()).is_some_and(|left| left > least);
        Ok(lasts.then_some(Good { temporary, asked: left.is_none() }))
    }

    /// What all clocks show.
    fn now(&self) -> Now {
        let world = self.world();
        Now { system: world.now(), boot: world.boot(), service: self.caller.client.told() }
    }

    /// That it can't be kept is no reason not to hand it out.
    fn keep(&self, device: &Device, others: Contents, key: &str, temporary: &Temporary) {
        let cache = Cache::of(self.devices.vault, device);
        let endpoint = self.caller.client.endpoint(Service::Iam);
        self.kept(cache.keep(others, &endpoint.url, key, temporary, self.now()));
        // A device that was removed meanwhile leaves nothing.
        let active = |other: &Device| other.id == device.id && other.state == State::Active;
        let gone = |devices: Vec<Device>| !devices.iter().any(active);
        if self.devices.registry.list().is_ok_and(gone) {
            let _ = cache.forget();
        }
    }

    fn kept(&self, result: Result<(), vault::Error>) {
        if let Err(error) = result {
            self.world().tell(&format!("warning: the session isn't kept for the next command: {error}"));
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

/// What is waited for after a device was enabled.
const KNOWN: &str = "a session with the device";

fn waiting_for(cause: &Cause) -> &'static str {
    match cause {
        Cause::NotYet { .. } => KNOWN,
        Cause::Budget { .. } => "the device's next codes to be looked at",
        _ => "another code",
    }
}

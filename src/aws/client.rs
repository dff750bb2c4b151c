//! Requests: signed, sent, and where that is a cure sent again.
//!
//! Only throttled calls, and calls that ask without changing anything, are repeated here. What became of a call that
//! failed on the way is for the flows to find out.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use zeroize::Zeroizing;

use super::answer::Element;
use super::settings::{Endpoint, Service};
use super::{Error, Refusal, World};
use crate::oath::distance;
use crate::time::Timestamp;
use crate::time::difference::Difference;
use crate::wire::query::{Form, Parameters};
use crate::wire::sigv4::{self, Credentials, Payload, Request, Signer};
use crate::wire::xml::Failure;

/// Clocks that are nearer than this are taken for the same, in seconds: dates are only so exact.
const SAME: u64 = 2;

/// How far one time is ahead of another by the service's clock, in seconds; nothing where that is less than dates tell.
pub(super) fn apart(time: Timestamp, by_service: Timestamp) -> i64 {
    let apart = distance(time.as_unix(), by_service.as_unix());
    if apart.unsigned_abs() < SAME { 0 } else { apart }
}

/// The longest pause between two attempts, in milliseconds, and the first one, which doubles.
const LONGEST_PAUSE: u64 = 20_000;
const FIRST_PAUSE: u64 = 500;

/// The most characters of an error's code or message that are looked at; AWS's longest have some hundred.
const LONGEST_MESSAGE: usize = 2_000;

/// A service whose clock is further away than this, in seconds, refuses signatures. One that doesn't, and says so all the
/// same, isn't believed: codes would be made for a time that somebody else chose.
const FARTHEST: u64 = sigv4::SKEW;

/// Parameters whose values are shown to nobody.
const SECRET: &[&str] = &["AuthenticationCode1", "AuthenticationCode2", "TokenCode"];

/// Carries requests.
pub trait Transport: Send + Sync + fmt::Debug {
    /// POSTs a body, and gives back what came.
    ///
    /// # Errors
    ///
    /// What happened, and whether the request may have arrived.
    fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Incoming, Lost>;
}

/// An answer as it came. `Debug` leaves the body out.
pub struct Incoming {
    /// Of HTTP.
    pub status: u16,
    /// The header `Date`.
    pub date: Option<String>,
    /// All of it; a transport bounds it.
    pub body: Zeroizing<Vec<u8>>,
}

/// No answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// What happened.
    pub reason: String,
    /// Whether the request may have arrived.
    pub perhaps_arrived: bool,
}

/// What an action does, and so whether it may be repeated when the service failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It asks.
    Asks,
    /// It changes something, or uses a code up.
    Changes,
}

/// IAM and STS.
#[derive(Debug)]
pub struct Client<'a> {
    iam: Endpoint,
    sts: Endpoint,
    transport: &'a dyn Transport,
    world: &'a dyn World,
    attempts: u8,
    clocks: Mutex<Clocks>,
}

/// What is known of the service's clock.
#[derive(Debug, Default, Clone, Copy)]
struct Clocks {
    difference: Option<Difference>,
    /// What the last date said, however far away.
    told: Option<Difference>,
    /// Whether it may be further away than signatures allow: the service said so itself, or its time is virtual.
    far: bool,
    /// Whether requests are signed by it, for the system's is too wrong.
    sign_by_it: bool,
}

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// What.
    pub client: &'a Client<'a>,
    /// With which keys.
    pub credentials: &'a Credentials,
}

impl<'a> Client<'a> {
    /// A client that makes at most this many attempts.
    #[must_use]
    pub fn new(iam: Endpoint, sts: Endpoint, transport: &'a dyn Transport, world: &'a dyn World, attempts: u8) -> Self {
        Self { iam, sts, transport, world, attempts: attempts.max(1), clocks: Mutex::default() }
    }

    /// The world around it.
    #[must_use]
    pub const fn world(&self) -> &'a dyn World {
        self.world
    }

    /// Where a service is.
    #[must_use]
    pub const fn endpoint(&self, service: Service) -> &Endpoint {
        match service {
            Service::Iam => &self.iam,
            Service::Sts => &self.sts,
        }
    }

    /// The system's clock minus the service's, once an answer told.
    #[must_use]
    pub fn difference(&self) -> Option<Difference> {
        self.clocks().difference
    }

    /// How far the service's clock is ahead of the system's, in seconds; nothing where that is less than dates tell, or
    /// not known yet.
    #[must_use]
    pub fn ahead(&self) -> i64 {
        let ahead = self.difference().map_or(0, Difference::server_ahead);
        if ahead.unsigned_abs() < SAME { 0 } else { ahead }
    }

    /// The service's time, as far as it is known.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        let now = self.world.now();
        now.shifted(self.ahead()).unwrap_or(now)
    }

    /// The service's time as its last answer told, however far from the system's that is. For judging what the service
    /// itself judges by its clock; codes are made by [`Self::time`].
    #[must_use]
    pub fn told(&self) -> Option<Timestamp> {
        let told = self.clocks().told?;
        self.world.now().shifted(told.server_ahead())
    }

    /// Calls an action.
    ///
    /// # Errors
    ///
    /// [`Error`], once nothing is left to try.
    pub fn call(
        &self,
        service: Service,
        credentials: &Credentials,
        form: &Form,
        effect: Effect,
    ) -> Result<Element, Error> {
        let body = form.clone().body();
        let parameters = Parameters::parse(body.as_bytes()).unwrap_or_default();
        let call = Call { service, action: parameters.get("Action").unwrap_or_default(), body: &body, credentials };
        let mut attempt = 1_u8;
        loop {
            self.world.debug(&|| self.described(&call, &parameters));
            let error = match self.once(&call) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            self.world.debug(&|| format!("  {error}"));
            let Some(refusal) = error.refusal() else { return Err(error) };
            if refusal.is_skew() && self.sign_by_its_clock() {
                continue;
            }
            let repeat = refusal.is_throttling() || (refusal.is_failure() && effect == Effect::Asks);
            if !repeat || attempt >= self.attempts {
                return Err(error);
            }
            self.pause_after(attempt)?;
            attempt = attempt.saturating_add(1);
        }
    }

    /// Pauses before an attempt after this one: longer and longer, and everybody for another time.
    ///
    /// # Errors
    ///
    /// [`Interrupted`](super::Interrupted).
    pub fn pause_after(&self, attempt: u8) -> Result<(), Error> {
        let doublings = u32::from(attempt.saturating_sub(1));
        let doubled = FIRST_PAUSE.saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
        Ok(self.world.pause(self.world.random(doubled.min(LONGEST_PAUSE)).saturating_add(1))?)
    }

    /// How often something is tried.
    #[must_use]
    pub const fn attempts(&self) -> u8 {
        self.attempts
    }

    fn once(&self, call: &Call<'_>) -> Result<Element, Error> {
        let endpoint = self.endpoint(call.service);
        let (host, path) = host_and_path(&endpoint.url);
        let headers = [("host", host), ("content-type", Form::CONTENT_TYPE)];
        let request = Request {
            method: "POST",
            path,
            query: "",
            headers: headers.iter().map(|(name, value)| (*name, *value)).collect(),
        };
        let signed = Signer::new(call.credentials, &endpoint.signing_region, call.service.as_str())
            .sign(&request, Payload::Bytes(call.body.as_bytes()), self.signing_time())
            .map_err(|error| Error::Unsigned { action: call.action.to_owned(), reason: error.to_string() })?;
        let mut headers = vec![("content-type", Form::CONTENT_TYPE)];
        headers.extend(signed.iter().map(|(name, value)| (*name, value.as_str())));
        let sent = self.world.milliseconds();
        let answer = self.transport.post(&endpoint.url, &headers, call.body).map_err(|lost| Error::Unreachable {
            endpoint: endpoint.url.clone(),
            reason: lost.reason,
            perhaps_done: lost.perhaps_arrived,
        })?;
        let received = self.world.milliseconds();
        self.read_date(answer.date.as_deref(), sent, received);
        self.world.debug(&|| format!("  status {} in {} ms", answer.status, received.saturating_sub(sent)));
        let unreadable = |what| Error::Unreadable { action: call.action.to_owned(), what };
        if answer.status == 200 {
            return Element::read(&answer.body).ok_or_else(|| unreadable("is not what the service answers"));
        }
        if (300..400).contains(&answer.status) {
            return Err(unreadable("leads elsewhere, which a signed request doesn't follow"));
        }
        let mut failure = Failure::read(&answer.body).unwrap_or_default();
        for text in [&mut failure.code, &mut failure.message] {
            // A signature that doesn't fit is answered with what was signed, and a session's token is in there.
            let own = text.split("The Canonical String").next().unwrap_or_default();
            *text = own.chars().take(LONGEST_MESSAGE).collect();
        }
        Err(Refusal {
            service: call.service,
            action: call.action.to_owned(),
            status: answer.status,
            code: failure.code,
            message: failure.message,
            request_id: failure.request_id,
        }
        .into())
    }

    fn read_date(&self, date: Option<&str>, sent: i128, received: i128) {
        let date = date.and_then(|text| httpdate::parse_http_date(text).ok());
        let Some(date) = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok()) else { return };
        let told = Difference::of(date.as_secs().into(), sent, received);
        let mut clocks = self.clocks();
        clocks.told = Some(told);
        let change = clocks.difference.map_or(0, Difference::server_ahead).abs_diff(told.server_ahead());
        // A clock that is known to be far away may move on.
        let near = told.server_ahead().unsigned_abs() <= FARTHEST || (clocks.far && change <= FARTHEST);
        drop(clocks);
        if near {
            self.narrow(told);
        }
    }

    /// Takes in what was learned of the service's clock, which may be virtual. The latest is right where it contradicts what was known: time may
    /// have been moved.
    pub fn learn(&self, latest: Difference) {
        let mut clocks = self.clocks();
        clocks.far = true;
        clocks.told = Some(latest);
        drop(clocks);
        self.narrow(latest);
    }

    fn narrow(&self, latest: Difference) {
        let mut clocks = self.clocks();
        clocks.difference = Some(clocks.difference.and_then(|known| known.and(latest)).unwrap_or(latest));
    }

    /// Signs by the service's clock from now on; false where that is so already or no clock is known.
    fn sign_by_its_clock(&self) -> bool {
        let mut clocks = self.clocks();
        let changes = !clocks.sign_by_it && clocks.told.is_some();
        if changes {
            clocks.sign_by_it = true;
            clocks.far = true;
            clocks.difference = clocks.told;
        }
        changes
    }

    fn signing_time(&self) -> Timestamp {
        if self.clocks().sign_by_it { self.time() } else { self.world.now() }
    }

    fn clocks(&self) -> MutexGuard<'_, Clocks> {
        self.clocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn described(&self, call: &Call<'_>, parameters: &Parameters) -> String {
        let shown =
            parameters.iter().filter(|(name, _)| !matches!(*name, "Action" | "Version")).map(|(name, value)| {
                let value = if SECRET.contains(&name) { "(hidden)" } else { value };
                format!(" {name}={value}")
            });
        let text: String = shown.collect();
        let (url, id) = (&self.endpoint(call.service).url, &call.credentials.access_key_id);
        format!("{}:{}{text}  {url}  as {id}", call.service.as_str(), call.action)
    }
}

/// One call.
struct Call<'a> {
    service: Service,
    action: &'a str,
    body: &'a str,
    credentials: &'a Credentials,
}

/// What a URL of an endpoint says about `host` and the path.
fn host_and_path(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find('/').map(|slash| rest.split_at(slash)) {
        Some((host, path)) => (host, path),
        None => (rest, "/"),
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("status", &self.status).field("date", &self.date).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A date and a clock are both cut to seconds, so a device that is set wrong by 95 s would seem to be wrong by 96 s.
    #[test]
    fn times_nearer_than_dates_tell_are_the_same() {
        let at = Timestamp::from_unix;
        let apart = |time, by_service| apart(at(time), at(by_service));
        assert_eq!((apart(100, 100), apart(101, 100), apart(99, 100)), (0, 0, 0));
        assert_eq!((apart(102, 100), apart(98, 100), apart(0, u64::MAX)), (2, -2, i64::MIN));
    }
}

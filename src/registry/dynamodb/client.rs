//! Requests: signed, sent, and sent again where that helps.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

use super::failure::{Failure, of_service, readable};
use super::way::{Credentials, Way};
use crate::registry::Error;
use crate::time::Timestamp;
use crate::vault::Id;
use crate::wire::sigv4::{Payload, Request, Signer};

/// What bodies are: "DynamoDB low-level API".
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// The first pause before something is tried again, and the longest.
const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(1);

/// How long nobody is told of a wait.
const QUIET: Duration = Duration::from_secs(1);

/// Hears of a wait, and what it is for.
pub(super) type Notice = Box<dyn Fn(&str) + Send + Sync>;

/// Why the service didn't do something, once nothing is left to try.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The condition isn't met.
    Condition,
    /// A transaction's conditions: whether each action's is met.
    #[cfg_attr(not(feature = "age"), expect(dead_code, reason = "only the shared vault asks which one it was"))]
    Cancelled(Vec<bool>),
    /// Everything else.
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Refusal {
    /// The error, where no condition was set.
    pub(super) fn into_error(self, place: &str) -> Error {
        match self {
            Self::Failed(error) => error,
            Self::Condition | Self::Cancelled(_) => {
                Error::Engine { place: place.to_owned(), reason: "a condition failed that nobody set".to_owned() }
            }
        }
    }
}

/// The service, as far as it is asked about one table.
pub(super) struct Client {
    /// The table, as messages name it.
    pub(super) place: String,
    pub(super) table: String,
    pub(super) way: Way,
    /// How long something is tried again.
    pub(super) patience: Duration,
    pub(super) notice: Option<Notice>,
    credentials: Mutex<Option<Credentials>>,
    /// How far the service's clock is ahead of the system's, in seconds, where that is so far that it refused a signature.
    ahead: AtomicI64,
    /// The last date that it told, in Unix seconds.
    date: AtomicU64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Client {
    pub(super) fn new(place: String, table: String, way: Way, patience: Duration) -> Self {
        Self {
            place,
            table,
            way,
            patience,
            notice: None,
            credentials: Mutex::default(),
            ahead: AtomicI64::new(0),
            date: AtomicU64::new(0),
        }
    }

    /// The time that the service's last answer told.
    pub(super) fn date(&self) -> Option<Timestamp> {
        Some(self.date.load(Ordering::Relaxed)).filter(|seconds| *seconds > 0).map(Timestamp::from_unix)
    }

    /// Asks until there is an answer, or patience is over.
    pub(super) fn ask(&self, operation: &'static str, request: Map<String, Value>) -> Result<Value, Refusal> {
        let body = Value::Object(request).to_string();
        let mut pauses = Pauses::new(self);
        let (mut arrived, mut renewed, mut set) = (false, false, false);
        loop {
            let failure = match self.once(operation, &body) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let error = match failure {
                Failure::Condition => return Err(Refusal::Condition),
                Failure::Cancelled(met) => return Err(Refusal::Cancelled(met)),
                Failure::Final(error) => return Err(error.into()),
                Failure::Expired(_) if !renewed => {
                    renewed = true;
                    *self.credentials.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    continue;
                }
                Failure::Skewed(_) if !set && self.date().is_some() => {
                    set = true;
                    self.set_clock();
                    continue;
                }
                Failure::Expired(error) | Failure::Skewed(error) => return Err(error.into()),
                Failure::Again(error) => error,
                Failure::Lost { reason, arrived: perhaps } => {
                    arrived |= perhaps;
                    Error::Unreachable { place: self.place.clone(), reason }
                }
            };
            if !pauses.pause(&error) {
                return Err(match error {
                    // A single write that is repeated finds what the first one did; so only these are in doubt.
                    Error::Unreachable { place, reason } if arrived && operation == "TransactWriteItems" => {
                        Error::Unknown { place, reason }
                    }
                    error => error,
                }
                .into());
            }
        }
    }

    /// Signs by the service's clock from now on.
    fn set_clock(&self) {
        let (now, date) = (self.way.world.now().as_unix(), self.date().map_or(0, Timestamp::as_unix));
        self.ahead.store(date.cast_signed().saturating_sub(now.cast_signed()), Ordering::Relaxed);
    }

    fn once(&self, operation: &str, body: &str) -> Result<Value, Failure> {
        let credentials = self.credentials()?;
        let (host, path) = host_and_path(&self.way.url);
        let target = format!("DynamoDB_20120810.{operation}");
        let own = [("content-type", CONTENT_TYPE), ("x-amz-target", target.as_str())];
        let headers = std::iter::once(&("host", host)).chain(&own).map(|(name, value)| (*name, *value)).collect();
        let request = Request { method: "POST", path, query: "", headers };
        let now = self.way.world.now();
        let time = now.shifted(self.ahead.load(Ordering::Relaxed)).unwrap_or(now);
        let signed = Signer::new(&credentials, &self.way.region, "dynamodb")
            .sign(&request, Payload::Bytes(body.as_bytes()), time)
            .map_err(|error| Error::Refused { place: self.place.clone(), reason: error.to_string() })?;
        let mut headers = own.to_vec();
        headers.extend(signed.iter().map(|(name, value)| (*name, value.as_str())));
        let scheme = self.way.url.split_once("://").map_or("https", |(scheme, _)| scheme);
        let answer = self
            .way
            .transport
            .post(&format!("{scheme}://{host}{path}"), &headers, body)
            .map_err(|lost| Failure::Lost { reason: readable(&lost.reason), arrived: lost.perhaps_arrived })?;
        if let Some(date) = answer.date {
            self.date.store(date.as_unix(), Ordering::Relaxed);
        }
        if answer.status != 200 {
            return Err(of_service(&self.place, answer.status, &answer.body));
        }
        serde_json::from_slice(&answer.body).ok().filter(Value::is_object).ok_or_else(|| self.odd().into())
    }

    /// What is signed with, fetched once until it is over.
    fn credentials(&self) -> Result<Credentials, Error> {
        let mut kept = self.credentials.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(credentials) = &*kept {
            return Ok(credentials.clone());
        }
        let fetched = self.way.keys.fetch(&self.place)?;
        *kept = Some(fetched.clone());
        Ok(fetched)
    }

    /// The error for an answer that the service never gives.
    pub(super) fn odd(&self) -> Error {
        let reason = "the answer is not one that DynamoDB gives".to_owned();
        Error::Engine { place: self.place.clone(), reason }
    }
}

/// Pauses that grow, of random lengths, so that those who were refused together don't come back together.
pub(super) struct Pauses<'a> {
    client: &'a Client,
    is_over: Box<dyn Fn() -> bool + Send + Sync>,
    is_long: Box<dyn Fn() -> bool + Send + Sync>,
    told: bool,
    next: Duration,
}

impl<'a> Pauses<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        let world = &client.way.world;
        let (is_over, is_long) = (world.deadline(client.patience), world.deadline(QUIET));
        Self { client, is_over, is_long, told: false, next: FIRST }
    }

    /// Pauses because of an error; false where patience is over.
    pub(super) fn pause(&mut self, error: &Error) -> bool {
        if (self.is_over)() {
            return false;
        }
        if !self.told && (self.is_long)() {
            self.told = true;
            if let Some(tell) = &self.client.notice {
                tell(&error.to_string());
            }
        }
        // Between a half and all of it.
        let half = self.next.mul_f64(0.5);
        let more = u32::try_from(Id::random().low_bits() >> 33).unwrap_or_default();
        let time = half.saturating_add(half.mul_f64(f64::from(more) / f64::from(u32::MAX >> 1)));
        self.client.way.world.pause(time.min(self.client.patience));
        self.next = self.next.saturating_mul(2).min(LONGEST);
        true
    }
}

/// What a URL of an endpoint says about `host` and the path.
fn host_and_path(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find('/').map(|slash| rest.split_at(slash)) {
        Some((host, path)) => (host, path),
        None => (rest, "/"),
    }
}

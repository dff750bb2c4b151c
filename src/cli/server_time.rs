//! What a server's clock shows: the `Date` of its answers (RFC 9110, section 6.6.1).

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use super::clock;
use super::error::{Error, Kind, Result};
use super::hints;
use super::stand_in::{self, StandIn};
use crate::time::Timestamp;
use crate::time::difference::Difference;

/// How often a server is asked at first, and how long an answer may take. When that time is over, nothing more is asked.
const QUESTIONS: u8 = 4;
const LIMIT: Duration = Duration::from_secs(10);

/// How long an answer is used: either clock may be set.
const GOOD: Duration = Duration::from_secs(5);

/// A server whose clock is looked at.
pub(super) struct Server {
    url: String,
    agent: ureq::Agent,
    known: Mutex<Known>,
    stand_in: OnceLock<Option<StandIn>>,
}

/// What its last answers told.
struct Known {
    difference: Difference,
    is_old: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Server {
    /// Asks a server, several times.
    ///
    /// # Errors
    ///
    /// A URL that isn't one, a server that doesn't answer or gives no date.
    pub(super) fn ask(url: &str) -> Result<Self> {
        let (scheme, rest) = url.split_once("://").map_or((None, ""), |(scheme, rest)| (Some(scheme), rest));
        if rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@')) {
            return Err(Error::usage("a clock's URL can't have a user or password: it was not used"));
        }
        let scheme = scheme.map(str::to_ascii_lowercase);
        if !matches!(scheme.as_deref(), Some("http" | "https")) {
            return Err(Error::usage(format!("`{url}` is not an http:// or https:// URL")));
        }
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(LIMIT))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("vmfa/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        let expired = clock::deadline(LIMIT);
        let first = ask(&agent, url)?;
        let known = Mutex::new(Known { difference: first, is_old: clock::deadline(GOOD) });
        let server = Self { url: url.to_owned(), agent, known, stand_in: OnceLock::new() };
        // A stand-in speaks no TLS. What it shows while its time stands is exact, and later dates would say less.
        if scheme.as_deref() == Some("http") && server.standing().is_some() {
            return Ok(server);
        }
        let mut known = first;
        for _ in 1..QUESTIONS {
            if expired() {
                break;
            }
            // The connection stands by now, so later answers are quicker. One that fails or contradicts says nothing.
            known = ask(&server.agent, url).ok().and_then(|next| known.and(next)).unwrap_or(known);
        }
        *server.known() = Known { difference: known, is_old: clock::deadline(GOOD) };
        Ok(server)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What its answers told so far.
    pub(super) fn difference(&self) -> Difference {
        self.known().difference
    }

    /// Whether it was found to be a stand-in with virtual time. Nothing is asked.
    pub(super) fn is_known_to_stand(&self) -> bool {
        matches!(self.stand_in.get(), Some(Some(_)))
    }

    /// The time that it shows, if that is virtual: no system clock is asked, which goes on while this one stands.
    pub(super) fn standing(&self) -> Option<Timestamp> {
        let (told, _, received) = clock::timed(|| self.stand_in()?.time());
        let told = told.filter(|told| told.is_virtual)?;
        self.known().difference = Difference::standing(told.unix.into(), received);
        Some(Timestamp::from_unix(told.unix))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to add to the system's time to have the server's, in seconds: as the last answer told, if that isn't old and
    /// its time isn't known to be virtual; else it is asked.
    pub(super) fn ahead(&self) -> i64 {
        let is_virtual = self.is_known_to_stand();
        let known = self.known();
        let (ahead, is_old) = (known.difference.server_ahead(), Arc::clone(&known.is_old));
        drop(known);
        if is_virtual || is_old() { self.asked_again() } else { ahead }
    }

    /// The same, asked now. A server that doesn't answer any more is taken to go on as it did.
    pub(super) fn asked_again(&self) -> i64 {
        let latest = match self.stand_in.get() {
            Some(Some(stand_in)) => {
                let (told, _, received) = clock::timed(|| stand_in.time());
                told.map(|told| Difference::standing(told.unix.into(), received))
            }
            _ => ask(&self.agent, &self.url).ok(),
        };
        let mut known = self.known();
        if let Some(latest) = latest {
            // Where the two contradict each other, time was moved.
            known.difference = known.difference.and(latest).unwrap_or(latest);
        }
        known.is_old = clock::deadline(GOOD);
        known.difference.server_ahead()
    }

    /// The stand-in that it is, where its time is virtual: it stands until somebody moves it.
    pub(super) fn stand_in(&self) -> Option<&StandIn> {
        let look = || {
            let (scheme, rest) = self.url.split_once("://")?;
            let authority = rest.split(['/', '?', '#']).next()?;
            let stand_in = StandIn::by(self.agent.clone(), &format!("{scheme}://{authority}"));
            stand_in.time().filter(|told| told.is_virtual).map(|_| stand_in)
        };
        self.stand_in.get_or_init(look).as_ref()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url).finish_non_exhaustive()
    }
}

fn ask(agent: &ureq::Agent, url: &str) -> Result<Difference> {
    let failed = |reason: String| {
        let reason = reason.strip_prefix("io: ").unwrap_or(&reason);
        Error::new(Kind::Remote, "server-time", format!("the time at {url} can't be read: {reason}"))
            .hint(stand_in::hint(url).unwrap_or_else(|| hints::serve::any_clock(url)))
    };
    let (answer, sent, received) = clock::timed(|| agent.head(url).header("cache-control", "no-cache").call());
    let answer = answer.map_err(|error| failed(error.to_string()))?;
    let date = answer.headers().get("date").ok_or_else(|| failed("the answer has no date".to_owned()))?;
    // An answer that a cache kept tells an old time (RFC 9111, section 5.1).
    if answer.headers().get("age").is_some_and(|age| age != "0") {
        return Err(failed("the answer comes from a cache, and its date is old".to_owned()));
    }
    let date = date.to_str().ok().and_then(|text| httpdate::parse_http_date(text).ok());
    let date = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
    let date = date.ok_or_else(|| failed("the answer's date can't be read".to_owned()))?;
    Ok(Difference::of(i128::from(date.as_secs()), sent, received))
}

//! The way to the service, which is handed in: who carries requests, who signs them, and what the time is.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::registry::Error;
use crate::time::Timestamp;

pub use crate::wire::sigv4::Credentials;

/// Carries requests over HTTP.
pub trait Transport: Send + Sync + fmt::Debug {
    /// POSTs a body, and gives back what came.
    ///
    /// # Errors
    ///
    /// [`Lost`], where no answer came.
    fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer, Lost>;
}

/// What came back. `Debug` leaves the body out.
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// The header `Date`.
    pub date: Option<Timestamp>,
    /// All of it; a transport bounds it.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("date", &self.date).finish_non_exhaustive()
    }
}

/// No answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// What happened.
    pub reason: String,
    /// Whether the request may have arrived.
    pub perhaps_arrived: bool,
}

/// Gives what requests are signed with.
pub trait Keys: Send + Sync + fmt::Debug {
    /// Fetches the credentials, anew each time: those of before may be over.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], why there are none, about the registry at `place`.
    fn fetch(&self, place: &str) -> Result<Credentials, Error>;
}

/// Clocks and pauses.
pub trait World: Send + Sync + fmt::Debug {
    /// The system's time.
    fn now(&self) -> Timestamp;

    /// Tells whether this much time has passed since, by a clock that nobody sets.
    fn deadline(&self, limit: Duration) -> Box<dyn Fn() -> bool + Send + Sync>;

    /// Pauses.
    fn pause(&self, time: Duration);
}

/// Where the service is, and how it is reached.
#[derive(Debug)]
pub struct Way {
    /// Scheme, host and port, perhaps a path; without a slash at the end.
    pub url: String,
    /// For which region requests are signed.
    pub region: String,
    /// Who carries requests.
    pub transport: Box<dyn Transport>,
    /// What they are signed with.
    pub keys: Box<dyn Keys>,
    /// Clocks and pauses.
    pub world: Box<dyn World>,
}

//! What flows need of the world around them: clocks, waits, random numbers, and somebody to tell.

use std::fmt;

use super::contact::Boot;
use super::error::{Error, Interrupted};
use crate::time::Timestamp;
use crate::time::difference::Difference;

/// What flows need of the world around them.
pub trait World: Send + Sync + fmt::Debug {
    /// The system's time, in milliseconds since 1970.
    fn milliseconds(&self) -> i128;

    /// How long this boot of the machine has lasted; none where there is no clock that nobody sets and that goes on
    /// while the machine sleeps.
    fn boot(&self) -> Option<Boot> {
        None
    }

    /// Waits for this many seconds of the service's time, and says for what.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`], and [`Error::StandsStill`] where no time passes there.
    fn wait(&self, seconds: u64, what: &str) -> Result<(), Error>;

    /// Pauses before something is tried again, in milliseconds.
    ///
    /// # Errors
    ///
    /// [`Interrupted`].
    fn pause(&self, milliseconds: u64) -> Result<(), Interrupted>;

    /// A random number below another one, so that clients that were refused together don't come back together.
    fn random(&self, below: u64) -> u64;

    /// Shows the user what is happening.
    fn tell(&self, note: &str);

    /// Logs a request for debugging: without secrets.
    fn debug(&self, line: &dyn Fn() -> String);

    /// The system's clock minus the service's, where that is virtual and so can't be known from answers that came before a
    /// wait.
    fn difference(&self) -> Option<Difference> {
        None
    }

    /// The system's time.
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(u64::try_from(self.milliseconds().div_euclid(1000)).unwrap_or(0))
    }
}

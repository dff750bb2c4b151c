//! A server's time: real, or virtual and moved by tests.

mod instant;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use self::instant::Instant;
use crate::time::Timestamp;

/// A server's clock.
#[derive(Clone)]
pub enum Clock {
    /// As somebody else tells it.
    Real(Arc<dyn Fn() -> Instant + Send + Sync>),
    /// Stands until it is moved.
    Virtual {
        /// Where it stands, in Unix milliseconds.
        stands: Arc<AtomicU64>,
        /// The time by which clients sign, who don't know of this one.
        clients: Option<Tell>,
    },
}

/// Tells the time.
pub type Tell = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Why a clock isn't moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Real time goes by itself.
    #[error("this server runs on real time: start it with `--time virtual` to move it")]
    Real,
    /// Codes that were refused as used would be accepted again.
    #[error("{to} is before {now}: time goes backwards only with \"force\": true")]
    Backwards {
        /// Where it stands.
        now: Instant,
        /// Where it should go.
        to: Instant,
    },
    /// A restarted server wouldn't know, so it isn't moved.
    #[error("the time wasn't moved, since it can't be stored: {reason}")]
    NotKept {
        /// Why not.
        reason: String,
    },
    /// 64 bits of seconds.
    #[error("that is before 1970 or too far in the future")]
    OutOfRange,
}

/// A week before the year 10000: dates on the wire tell four digits, and credentials end after now.
const LATEST: Timestamp = Timestamp::from_unix(253_401_695_999);

impl Clock {
    /// One that stands at a time.
    #[must_use]
    pub fn standing_at(time: impl Into<Instant>) -> Self {
        Self::Virtual { stands: Arc::new(AtomicU64::new(time.into().as_unix_millis())), clients: None }
    }

    /// The same, and clients may sign by another one too.
    #[must_use]
    pub fn beside(self, clients: Tell) -> Self {
        match self {
            Self::Virtual { stands, .. } => Self::Virtual { stands, clients: Some(clients) },
            real @ Self::Real(_) => real,
        }
    }

    /// Another one that shows the same, and moves alone.
    pub(super) fn copy(&self) -> Self {
        match self {
            Self::Real(tell) => Self::Real(Arc::clone(tell)),
            Self::Virtual { .. } => Self::standing_at(self.instant()),
        }
    }

    /// The times by which a request may be signed.
    pub(super) fn signing(&self) -> impl Iterator<Item = Timestamp> {
        let clients = match self {
            Self::Virtual { clients: Some(tell), .. } => Some(tell()),
            _ => None,
        };
        std::iter::once(self.now()).chain(clients)
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.instant().timestamp()
    }

    /// The same to the millisecond.
    #[must_use]
    pub fn instant(&self) -> Instant {
        match self {
            Self::Real(tell) => tell(),
            Self::Virtual { stands, .. } => Instant::from_unix_millis(stands.load(Ordering::SeqCst)),
        }
    }

    /// Whether it can be moved.
    #[must_use]
    pub const fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual { .. })
    }

    /// Moves it.
    ///
    /// # Errors
    ///
    /// Real time; a time before the one it shows, without `force`; one that no date can tell.
    pub fn set(&self, to: impl Into<Instant>, force: bool) -> Result<Instant, Error> {
        let Self::Virtual { stands, .. } = self else { return Err(Error::Real) };
        let to = to.into();
        if to.timestamp() > LATEST {
            return Err(Error::OutOfRange);
        }
        let moved = stands.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
            (force || to.as_unix_millis() >= now).then_some(to.as_unix_millis())
        });
        moved.map(|_| to).map_err(|now| Error::Backwards { now: Instant::from_unix_millis(now), to })
    }

    /// Moves it by seconds.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn advance(&self, seconds: i64, force: bool) -> Result<Instant, Error> {
        let Self::Virtual { stands, .. } = self else { return Err(Error::Real) };
        let moved = |now: u64| {
            let to = Instant::from_unix_millis(now.checked_add_signed(seconds.checked_mul(1_000)?)?);
            (to.timestamp() <= LATEST).then_some(to)
        };
        if seconds < 0 && !force {
            let now = self.instant();
            let to = moved(now.as_unix_millis()).unwrap_or(Instant::from_unix_millis(0));
            return Err(Error::Backwards { now, to });
        }
        stands
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| moved(now).map(Instant::as_unix_millis))
            .ok()
            .and_then(moved)
            .ok_or(Error::OutOfRange)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} clock at {}", if self.is_virtual() { "virtual" } else { "real" }, self.instant())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Timestamp::from_unix(seconds).into()
    }

    #[test]
    fn virtual_time_stands_until_it_is_moved_and_backwards_by_force_only() {
        let clock = Clock::standing_at(at(1_000));
        assert_eq!(clock.instant(), at(1_000));
        assert_eq!(clock.advance(30, false), Ok(at(1_030)));
        assert_eq!(clock.set(at(1_030), false), Ok(at(1_030)));
        assert_eq!(clock.set(at(1_029), false), Err(Error::Backwards { now: at(1_030), to: at(1_029) }));
        assert_eq!(clock.advance(-1, false), Err(Error::Backwards { now: at(1_030), to: at(1_029) }));
        assert_eq!(clock.instant(), at(1_030));
        assert_eq!(clock.set(at(5), true), Ok(at(5)));
        assert_eq!(clock.advance(-4, true), Ok(at(1)));
        assert_eq!(clock.advance(-4, true), Err(Error::OutOfRange));
        assert_eq!(clock.advance(i64::MAX, true), Err(Error::OutOfRange));
        assert_eq!(clock.set(Instant::from_unix_millis(u64::MAX), true), Err(Error::OutOfRange));
        assert_eq!(clock.instant(), at(1));
        assert_eq!(clock.set(Instant::from_unix_millis(7_250), false), Ok(Instant::from_unix_millis(7_250)));
        assert_eq!(clock.advance(2, false), Ok(Instant::from_unix_millis(9_250)));
        assert_eq!(clock.now(), Timestamp::from_unix(9));
    }

    #[test]
    fn a_copy_shows_the_same_to_the_millisecond_and_moves_alone() {
        let clock = Clock::standing_at(Instant::from_unix_millis(1_250));
        assert_eq!(clock.copy().advance(1, false), Ok(Instant::from_unix_millis(2_250)));
        assert_eq!(clock.instant(), Instant::from_unix_millis(1_250));
    }

    #[test]
    fn real_time_is_not_moved() {
        let clock = Clock::Real(Arc::new(|| at(7)));
        assert_eq!(clock.instant(), at(7));
        assert_eq!(clock.set(at(8), true), Err(Error::Real));
        assert_eq!(clock.advance(1, true), Err(Error::Real));
    }
}

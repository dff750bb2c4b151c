//! Asking again: what a lost connection leaves unknown, and what is done about it.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::Postgres;
use super::failure::Failure;
use super::link::{Link, Parameter};
use super::values::value;
use crate::registry::Error;
use crate::vault::Id;

/// The first pause before something is tried again, and the longest.
const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(1);

/// How long nobody is told of a wait.
const QUIET: Duration = Duration::from_secs(1);

/// Begins a transaction and gives it a number, by which its outcome is known after the connection was lost.
const BEGIN: &str = "BEGIN";
const NUMBER: &str = "SELECT pg_current_xact_id()::text";
const OUTCOME: &str = "SELECT pg_xact_status($1::text::xid8)";

/// Pauses that grow, of random lengths, so that those who were cut off together don't come back together.
struct Pauses {
    left: Duration,
    next: Duration,
    waited: Duration,
}

impl Pauses {
    /// Pauses; false where patience is over.
    fn pause(&mut self, link: &Link) -> bool {
        let Some(left) = self.left.checked_sub(self.next) else { return false };
        self.left = left;
        self.waited = self.waited.saturating_add(self.next);
        // Between a half and all of it.
        let half = self.next.mul_f64(0.5);
        let more = u32::try_from(Id::random().low_bits() >> 33).unwrap_or_default();
        link.pause(half.saturating_add(half.mul_f64(f64::from(more) / f64::from(u32::MAX >> 1))));
        self.next = self.next.saturating_mul(2).min(LONGEST);
        true
    }
}

impl Postgres {
    const fn pauses(&self) -> Pauses {
        Pauses { left: self.patience, next: FIRST, waited: Duration::ZERO }
    }

    /// Does something that may be done again: it only reads, or the second time finds what the first one did and counts
    /// it as somebody else's.
    pub(super) fn again<T>(&self, work: &mut dyn FnMut(&mut Link) -> Result<T, Failure>) -> Result<T, Error> {
        let mut link = self.link();
        let mut pauses = self.pauses();
        let mut notice = self.notice.as_ref();
        loop {
            let failure = match work(&mut link) {
                Ok(done) => return Ok(done),
                Err(failure @ Failure::Final(_)) => return Err(failure.into_error(&self.place)),
                Err(failure) => failure,
            };
            if let Failure::Again(Error::ReadOnly { .. }) = failure {
                link.leave();
            }
            let told = notice.take_if(|_| pauses.waited > QUIET);
            if !pauses.pause(&link) {
                return Err(failure.into_error(&self.place));
            }
            if let Some(tell) = told {
                tell(&failure.into_error(&self.place).to_string());
            }
        }
    }

    /// One statement that may be done again.
    pub(super) fn ask(&self, sql: &'static str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        self.again(&mut |link| link.ask(sql, parameters))
    }

    /// One transaction, done once: where the connection is lost on the way it is begun again, and where it is lost at the
    /// end, the server is asked how that ended.
    pub(super) fn change<T>(&self, work: &mut dyn FnMut(&mut Link) -> Result<T, Failure>) -> Result<T, Error> {
        self.again(&mut |link| {
            link.begin(BEGIN)?;
            let number = |link: &mut Link| value::<String>(&self.place, &link.ask(NUMBER, &[])?, 0);
            let done = number(link).and_then(|number| Ok((number, work(link)?)));
            let (number, done) = match done {
                Ok(done) => done,
                Err(failure) => {
                    link.roll_back();
                    return Err(failure);
                }
            };
            match link.commit() {
                Ok(()) => Ok(done),
                Err(Failure::Lost(reason)) => self.settle(link, &number, reason).map(|()| done),
                Err(failure) => Err(failure),
            }
        })
    }

    /// How a transaction ended whose end wasn't heard of.
    fn settle(&self, link: &mut Link, number: &str, reason: String) -> Result<(), Failure> {
        let unknown = || Failure::Final(Error::Unknown { place: self.place.clone(), reason: reason.clone() });
        let mut pauses = self.pauses();
        loop {
            let outcome = link.ask(OUTCOME, &[(&number, Type::TEXT)]);
            match outcome.and_then(|rows| value::<Option<String>>(&self.place, &rows, 0)) {
                Ok(Some(outcome)) if outcome == "committed" => return Ok(()),
                Ok(Some(outcome)) if outcome == "aborted" => return Err(Failure::Lost(reason)),
                // Still on its way, or no server there yet.
                Ok(Some(_)) | Err(Failure::Lost(_)) if pauses.pause(link) => {}
                _ => return Err(unknown()),
            }
        }
    }
}

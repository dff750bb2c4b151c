//! The clock that codes are made by, as the command line chooses it: `--clock` and `--at`.

use std::sync::Arc;

use super::Global;
use super::clock::{now, timed};
use super::environment;
use super::error::{Error, Result};
use super::hints;
use super::open::Place;
use super::server_time::Server;
use crate::device::issue::Moment;
use crate::time::Timestamp;
use crate::time::difference::Difference;

/// Which clock, and which time of it.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// A time other than now: RFC 3339, Unix seconds, or an offset such as +30s or -5m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) at: Option<String>,
    #[command(flatten)]
    which: Which,
}

/// Which clock.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(super) struct Which {
    /// The clock to make codes by: `system`, a server's (URL), the `registry`'s, or the system's shifted, such as +90s
    /// [env: VMFA_CLOCK]
    #[arg(long, value_name = "CLOCK", allow_hyphen_values = true)]
    clock: Option<String>,
}

/// The clock that the arguments choose; if that is a server's, it has been asked.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    /// The time at which it stands still, with `--at`.
    at: Option<Timestamp>,
    ahead: Ahead,
}

/// How far a clock is ahead of the system's.
#[derive(Debug, Clone)]
enum Ahead {
    /// By a number of seconds.
    By(i64),
    /// As far as a server's clock, asked again and again since somebody may set it.
    Server(Arc<Server>),
}

impl Args {
    /// Whether the command line names a clock.
    pub(super) const fn names_clock(&self) -> bool {
        self.which.is_given()
    }

    /// As [`Which::open`], at the time asked for.
    ///
    /// # Errors
    ///
    /// And what is no time.
    pub(super) fn open(&self, global: &Global) -> Result<Clock> {
        let clock = self.which.open(global)?;
        let at = self.at.as_ref().map(|text| Timestamp::parse(text, clock.time())).transpose()?;
        Ok(Clock { at, ..clock })
    }
}

impl Which {
    /// A clock that was named elsewhere.
    pub(super) const fn named(clock: Option<String>) -> Self {
        Self { clock }
    }

    /// Whether the command line names one.
    pub(super) const fn is_given(&self) -> bool {
        self.clock.is_some()
    }

    /// As [`Self::open`]; none where nobody named one.
    ///
    /// # Errors
    ///
    /// The same.
    pub(super) fn open_if_named(&self, global: &Global) -> Result<Option<Clock>> {
        let named = self.clock.is_some() || environment::text("VMFA_CLOCK").is_some();
        if named { self.open(global).map(Some) } else { Ok(None) }
    }

    /// Reads the arguments, and asks the server or the registry where one is named.
    ///
    /// # Errors
    ///
    /// What can't be read, or a server that doesn't tell the time.
    pub(super) fn open(&self, global: &Global) -> Result<Clock> {
        let named = match &self.clock {
            Some(text) => Some(text.clone()),
            None => environment::text("VMFA_CLOCK"),
        };
        Self::of(named.as_deref(), global).map_err(|error| match &self.clock {
            Some(_) => error,
            None => error.about("VMFA_CLOCK").hint(hints::registries::UNSET_CLOCK),
        })
    }

    fn of(named: Option<&str>, global: &Global) -> Result<Clock> {
        let ahead = match named {
            None | Some("system") => Ahead::By(0),
            Some("registry") => Ahead::By(of_registry(global)?),
            Some(url) if url.contains("://") => Ahead::Server(Arc::new(Server::ask(url)?)),
            Some(text) => Ahead::By(shift(text)?),
        };
        let clock = Clock { at: None, ahead };
        let reachable = now().shifted(clock.ahead()).filter(|time| *time <= Timestamp::LATEST).map(|_| clock);
        reachable.ok_or_else(|| Error::usage("that clock stands before 1970 or after the year 9999"))
    }
}

/// How far the registry's own clock is ahead of the system's, in seconds: those who share a database agree on a time.
fn of_registry(global: &Global) -> Result<i64> {
    let registry = Place::find(global)?.registry()?;
    // The first question connects, which takes time that is no part of the answer's.
    registry.clock()?;
    match timed(|| registry.clock()) {
        (Ok(Some(time)), sent, received) => Ok(Difference::at(time.into(), sent, received).server_ahead()),
        (Ok(None), ..) => Ok(0),
        (Err(error), ..) => Err(error.into()),
    }
}

fn shift(text: &str) -> Result<i64> {
    let signed = text.starts_with(['+', '-']).then(|| crate::time::signed_duration(text)).flatten();
    signed.ok_or_else(|| {
        Error::usage(format!("`{text}` is no clock: `system`, `registry`, a URL, or an offset such as +90s or -5m"))
    })
}

impl Clock {
    /// The time asked for, else now by this clock: asked again after whatever had to wait for a person.
    pub(super) fn time(&self) -> Timestamp {
        let shown = || self.server().filter(|server| server.is_known_to_stand())?.standing();
        let going = || {
            let ahead = self.ahead();
            now().shifted(ahead)
        };
        self.at.or_else(shown).or_else(going).unwrap_or(now())
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { time: self.time(), now: now() }
    }

    /// This clock minus the system's, in seconds.
    pub(super) fn ahead(&self) -> i64 {
        match &self.ahead {
            Ahead::By(seconds) => *seconds,
            Ahead::Server(server) => server.ahead(),
        }
    }

    /// The server whose clock it is.
    pub(super) fn server(&self) -> Option<&Server> {
        match &self.ahead {
            Ahead::By(_) => None,
            Ahead::Server(server) => Some(server),
        }
    }

    /// Whether it stands still, so that nothing can be waited for.
    pub(super) const fn stands_still(&self) -> bool {
        self.at.is_some()
    }
}

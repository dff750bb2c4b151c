//! The stand-in: its server on a free port, its clock, its events.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::bench::{ACCOUNT, Bench, REGION, Virtual};
use super::device::Shelf;
use super::{Client, Error};
use crate::aws::Locks;
use crate::aws::https::{ClearText, Https};
use crate::serve::http::Server;
use crate::serve::scenario::{Scenario, UserKeys};
use crate::serve::time::{Clock, Tell};
use crate::serve::{self, Begun, Event, Stand, random};
use crate::time::Timestamp;
use crate::wire::sigv4::Credentials;

/// 2026-01-01T00:00:00Z, the first second of a step.
const START: Timestamp = Timestamp::from_unix(1_767_225_600);

/// How long a call may take, and how long a lock of another thread is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How an [`Aws`] begins.
///
/// ```
/// use vmfa::testing::{Aws, Options};
/// use vmfa::time::Timestamp;
///
/// let aws = Aws::start_with(Options { starts_at: Timestamp::from_unix(1_800_000_000), ..Options::default() })?;
/// assert_eq!(aws.now(), Timestamp::from_unix(1_800_000_000));
/// # Ok::<(), vmfa::testing::Error>(())
/// ```
pub struct Options {
    /// Where its time begins: 2026-01-01T00:00:00Z by default.
    pub starts_at: Timestamp,
    /// Users, policies and devices to begin with; the format is that of `vmfa serve --scenario`.
    pub scenario: Option<Scenario>,
    /// The clock that other clients sign by. The AWS SDKs sign by the system's, so give that one to use them; without
    /// it, only requests signed at the virtual time are accepted.
    pub clients: Option<Tell>,
}

impl Default for Options {
    fn default() -> Self {
        Self { starts_at: START, scenario: None, clients: None }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("starts_at", &self.starts_at).finish_non_exhaustive()
    }
}

/// A stand-in for IAM and STS in this process, which ends when this is dropped.
///
/// It listens on a free port of 127.0.0.1. Its time is virtual: it stands until [`advance`](Self::advance) moves it, or
/// somebody waits for a code.
#[derive(Debug)]
pub struct Aws {
    bench: Arc<Bench>,
    stand: Arc<Stand>,
    administrator: Credentials,
    users: BTreeMap<String, UserKeys>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<io::Result<()>>>,
}

impl Aws {
    /// Starts an empty account with an administrator.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where no port, thread or temporary directory is to be had; [`Error::Serve`].
    pub fn start() -> Result<Self, Error> {
        Self::start_with(Options::default())
    }

    /// Starts with other options.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); a scenario that can't be made.
    pub fn start_with(options: Options) -> Result<Self, Error> {
        let Options { starts_at, scenario, clients } = options;
        let clock = Clock::standing_at(starts_at);
        let clock = match clients {
            Some(tell) => clock.beside(tell),
            None => clock,
        };
        let (stand, begun) = Stand::open(serve::Options {
            account: ACCOUNT.to_owned(),
            alias: None,
            clock: clock.clone(),
            starts_at: None,
            random: Box::new(random::System),
            state: None,
            scenario,
        })?;
        let Begun { administrator, users, devices: seeded, .. } = begun;
        let administrator = Credentials::new(&administrator.access_key_id, &administrator.secret_access_key, None);
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let https = Https::new(None, PATIENCE, ClearText::Here, None).map_err(Error::Client)?;
        let directory = tempfile::tempdir()?;
        let bench = Bench {
            endpoint,
            https,
            world: Virtual { clock: clock.clone() },
            administrator: administrator.clone(),
            shelf: Arc::new(Shelf::new(clock)),
            seeded,
            locks: Locks::new(directory.path().join("locks"), PATIENCE.as_secs()),
            directory,
        };
        let stand = Arc::new(stand);
        let (stop, stopped) = oneshot::channel::<()>();
        let served = Arc::clone(&stand);
        let server = std::thread::Builder::new().name("vmfa stand-in".to_owned()).spawn(move || {
            Server::new(served, None).run(listener, async {
                let _ = stopped.await;
            })
        })?;
        Ok(Self { bench: Arc::new(bench), stand, administrator, users, stop: Some(stop), server: Some(server) })
    }

    /// Its URL, such as `http://127.0.0.1:41234`: for `AWS_ENDPOINT_URL`, or an SDK's setting of that name.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.bench.endpoint
    }

    /// The number of its account.
    #[must_use]
    pub const fn account(&self) -> &'static str {
        ACCOUNT
    }

    /// The keys of its administrator, who may do everything.
    #[must_use]
    pub const fn credentials(&self) -> &Credentials {
        &self.administrator
    }

    /// Environment variables for a program that is to use it: the endpoint, the administrator's keys, a region, and
    /// `VMFA_CLOCK`, so that `vmfa` goes by its time.
    ///
    /// ```
    /// let aws = vmfa::testing::Aws::start()?;
    /// let mut program = std::process::Command::new("my-program");
    /// program.envs(aws.environment());
    /// # Ok::<(), vmfa::testing::Error>(())
    /// ```
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.bench.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", self.administrator.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.administrator.secret_access_key.to_string()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("VMFA_CLOCK", self.bench.endpoint.clone()),
        ]
    }

    /// Its clock: copies of it move together. For devices of your own ([`Device::from_source`](super::Device::from_source)).
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.stand.clock()
    }

    /// Its time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock().now()
    }

    /// Moves its time on by this many seconds, and returns the new time.
    ///
    /// # Errors
    ///
    /// [`Error::Time`] where no date can tell it.
    pub fn advance(&self, seconds: u64) -> Result<Timestamp, Error> {
        let seconds = i64::try_from(seconds).map_err(|_| serve::time::Error::OutOfRange)?;
        Ok(self.clock().advance(seconds, false)?.timestamp())
    }

    /// What it accepted and refused so far, the oldest first; [`Event::why`] says why, as AWS never does. The last 10,000
    /// are remembered.
    ///
    /// ```
    /// use vmfa::testing::{Aws, Ended, Service};
    ///
    /// let aws = Aws::start()?;
    /// let alice = aws.user("alice")?;
    /// assert!(alice.call(Service::Iam, "ListUsers", &[]).is_err());
    /// let last = aws.events().pop().expect("one call, one event");
    /// assert_eq!((last.action.as_str(), last.ended), ("ListUsers", Ended::Refused));
    /// # Ok::<(), vmfa::testing::Error>(())
    /// ```
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.stand.events_after(0, usize::MAX)
    }

    /// A client with the administrator's keys.
    #[must_use]
    pub fn administrator(&self) -> Client {
        Client::new(&self.bench, None, self.administrator.clone())
    }

    /// A client with the keys of a user: the scenario's where it gives some, else new ones of a new user. A new user has
    /// no policies, so no permissions but to get a session.
    ///
    /// # Errors
    ///
    /// [`Error::Aws`] where the user can't be created: a name that IAM doesn't take, or that is taken.
    pub fn user(&self, name: &str) -> Result<Client, Error> {
        let credentials = match self.users.get(name) {
            Some(keys) => Credentials::new(&keys.access_key_id, &keys.secret_access_key, None),
            None => self.administrator().create_user(name)?,
        };
        Ok(Client::new(&self.bench, Some(name.to_owned()), credentials))
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

//! The connection: opened when it is needed, opened again when it was lost, and never waited for without end.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

use super::address::{Address, Host, Protection};
use super::failure::{Failure, of_client, readable};
use super::stream::{Bounded, Budget, Socket, connector, protect};
use crate::registry::Error;

/// How long it may take to reach a host, and to be let in.
const REACH: Duration = Duration::from_secs(10);

/// How long an answer may take; the server gives up earlier.
const ANSWER: Duration = Duration::from_secs(30);

/// What every session begins with. Names are looked up nowhere but where they are said to be; and what waits for a lock
/// is given up. Statements aren't compiled, and planned once: either takes longer than any of them. What is answered has reached
/// the disk, whatever the server's default is. The version is the registry's.
const HELLO: &str = "SELECT version, pg_catalog.pg_is_in_recovery(),
    pg_catalog.set_config('search_path', 'pg_catalog', false),
    pg_catalog.set_config('statement_timeout', '20s', false),
    pg_catalog.set_config('jit', 'off', false),
    pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', false),
    pg_catalog.set_config('synchronous_commit', CASE pg_catalog.current_setting('synchronous_commit')
        WHEN 'off' THEN 'on' ELSE pg_catalog.current_setting('synchronous_commit') END, false),
    pg_catalog.set_config('idle_in_transaction_session_timeout', '20s', false)
    FROM vmfa.registry";

/// The same where there may be no registry yet.
const HELLO_TO_NONE: &str = "SELECT 0::bigint, pg_catalog.pg_is_in_recovery(),
    pg_catalog.set_config('search_path', 'pg_catalog', false),
    pg_catalog.set_config('statement_timeout', '20s', false),
    pg_catalog.set_config('jit', 'off', false),
    pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', false),
    pg_catalog.set_config('synchronous_commit', CASE pg_catalog.current_setting('synchronous_commit')
        WHEN 'off' THEN 'on' ELSE pg_catalog.current_setting('synchronous_commit') END, false),
    pg_catalog.set_config('idle_in_transaction_session_timeout', '20s', false)";

/// A value, and its type in the database.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// What a registry has to be, for a session to begin.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected {
    /// Of this version.
    Version(i64),
    /// Whatever there is: it is about to be made.
    Anything,
}

struct Session {
    client: Client,
    driver: JoinHandle<()>,
    budget: Budget,
    /// What was asked before; from the second time on the server needn't read it again.
    asked: HashMap<&'static str, Option<Statement>>,
}

/// One session at a time, with the server that lets in and can write.
pub(super) struct Link {
    address: Address,
    place: String,
    expected: Expected,
    runtime: Runtime,
    session: Option<Session>,
    /// Whether the session is with a replica, which can only be read.
    standby: bool,
    /// While one is open, the session must not be replaced by another, which doesn't know of it.
    in_transaction: bool,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(address: Address, expected: Expected) -> Result<Self, Error> {
        let place = address.to_string();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Engine { place: place.clone(), reason: error.to_string() })?;
        Ok(Self { address, place, expected, runtime, session: None, standby: false, in_transaction: false })
    }

    /// Whether a session is open, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        self.session.as_ref().is_some_and(|session| !session.client.is_closed())
    }

    /// Asks one thing, in one round trip where it is asked for the first time.
    pub(super) fn ask(&mut self, sql: &'static str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Failure> {
        self.open()?;
        let Self { runtime, session, place, .. } = self;
        let Some(Session { client, budget, asked, .. }) = session else { return Err(lost()) };
        budget.renew();
        let answer = async {
            let statement = match asked.get(sql) {
                None => {
                    asked.insert(sql, None);
                    return client.query_typed(sql, parameters).await;
                }
                Some(Some(statement)) => statement.clone(),
                Some(None) => {
                    let types: Vec<Type> = parameters.iter().map(|(_, of)| of.clone()).collect();
                    let statement = client.prepare_typed(sql, &types).await?;
                    asked.insert(sql, Some(statement.clone()));
                    statement
                }
            };
            let values: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|(value, _)| *value).collect();
            client.query(&statement, &values).await
        };
        let answered = runtime.block_on(async { timeout(ANSWER, answer).await });
        let outcome = match answered {
            Ok(answer) => answer.map_err(|error| of_client(place, &error)),
            Err(_) => Err(Failure::Lost("no answer".to_owned())),
        };
        self.noting(outcome)
    }

    /// The same thing for several parameters, in order: all are sent before the first answer is waited for.
    pub(super) fn ask_each<const N: usize>(
        &mut self,
        sql: &'static str,
        parameters: &[[Parameter<'_>; N]],
    ) -> Result<Vec<Vec<Row>>, Failure> {
        // The first by itself, until the server has read the statement.
        let known = self.session.as_ref().is_some_and(|session| matches!(session.asked.get(sql), Some(Some(_))));
        let (alone, rest) = parameters.split_at(if known { 0 } else { parameters.len().min(2) });
        let mut answers = alone.iter().map(|parameters| self.ask(sql, parameters)).collect::<Result<Vec<_>, _>>()?;
        self.open()?;
        let Self { runtime, session, place, .. } = self;
        let Some(Session { client, budget, asked, .. }) = session else { return Err(lost()) };
        let Some(Some(statement)) = asked.get(sql) else { return Ok(answers) };
        budget.renew();
        let all = async {
            let values: Vec<Vec<&(dyn ToSql + Sync)>> =
                rest.iter().map(|parameters| parameters.iter().map(|(value, _)| *value).collect()).collect();
            let asking: Vec<_> = values.iter().map(|values| Box::pin(client.query(statement, values))).collect();
            all_of(asking).await
        };
        let answered = runtime.block_on(async { timeout(ANSWER, all).await });
        let outcome = match answered {
            Ok(answers) => answers.map_err(|error| of_client(place, &error)),
            Err(_) => Err(Failure::Lost("no answer".to_owned())),
        };
        answers.extend(self.noting(outcome)?);
        Ok(answers)
    }

    /// The same for what has no parameters and no answer, such as several statements.
    pub(super) fn tell(&mut self, sql: &str) -> Result<(), Failure> {
        self.open()?;
        let Self { runtime, session, place, .. } = self;
        let Some(Session { client, budget, .. }) = session else { return Err(lost()) };
        budget.renew();
        let answered = runtime.block_on(async { timeout(ANSWER, client.batch_execute(sql)).await });
        let outcome = match answered {
            Ok(answer) => answer.map_err(|error| of_client(place, &error)),
            Err(_) => Err(Failure::Lost("no answer".to_owned())),
        };
        self.noting(outcome)
    }

    fn noting<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        if !matches!(outcome, Err(Failure::Lost(_))) {
            return outcome;
        }
        match self.session.take() {
            Some(session) if session.budget.is_exceeded() => Err(too_large(&self.place)),
            _ => outcome,
        }
    }

    /// Begins a transaction; what follows belongs to it until [`Self::commit`] or [`Self::roll_back`].
    pub(super) fn begin(&mut self, how: &str) -> Result<(), Failure> {
        self.tell(how)?;
        self.in_transaction = true;
        Ok(())
    }

    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        let outcome = self.tell("COMMIT");
        self.in_transaction = false;
        outcome
    }

    /// Where that fails, the session is given up, and the server undoes what is open.
    pub(super) fn roll_back(&mut self) {
        if self.session.is_some() && self.tell("ROLLBACK").is_err() {
            self.session = None;
        }
        self.in_transaction = false;
    }

    /// Opens a session, and refuses one with a replica; where it can take over, that is tried again.
    pub(super) fn expect_writable(&mut self) -> Result<(), Failure> {
        self.open()?;
        if self.standby {
            let reason = "the server is a replica".to_owned();
            return Err(Failure::Again(Error::ReadOnly { place: self.place.clone(), reason }));
        }
        Ok(())
    }

    /// Gives the session up: another host may be the one that can write by now.
    pub(super) fn leave(&mut self) {
        self.session = None;
    }

    /// Waits without keeping the server waiting.
    pub(super) fn pause(&self, duration: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(duration).await });
    }

    fn open(&mut self) -> Result<(), Failure> {
        if self.is_open() {
            return Ok(());
        }
        self.session = None;
        if self.in_transaction {
            return Err(lost());
        }
        // The first host that can write; a replica is good for reading.
        let mut standby = None;
        let mut failure = lost();
        for host in self.address.hosts.clone() {
            match self.reach(&host) {
                Ok((session, false)) => {
                    (self.session, self.standby) = (Some(session), false);
                    return Ok(());
                }
                Ok((session, true)) => standby = standby.or(Some(session)),
                Err(other) => failure = other,
            }
        }
        (self.session, self.standby) = (standby, true);
        if self.session.is_some() { Ok(()) } else { Err(failure) }
    }

    /// A session with a host, and whether that is a replica.
    fn reach(&self, host: &Host) -> Result<(Session, bool), Failure> {
        let Self { address, place, runtime, .. } = self;
        let secure = match (address.protection, host.is_here()) {
            (Protection::Tls, _) => true,
            (Protection::AsNeeded, here) => !here && !address.plain,
            (Protection::Plain, here) if here || address.plain => false,
            (Protection::Plain, _) => return Err(Error::ClearText { place: place.clone() }.into()),
        };
        let refused = |reason: String| Failure::Final(Error::Refused { place: place.clone(), reason });
        let tls = if secure { Some(connector(address.roots.as_deref()).map_err(refused)?) } else { None };
        let spent = Budget::new();
        let budget = spent.clone();
        let open = async {
            let socket = connect(host).await.map_err(|error| of_socket(place, &error))?;
            let socket = match (tls, host) {
                (Some(tls), Host::Tcp(name, _)) => {
                    protect(socket, &tls, name).await.map_err(|error| of_handshake(place, &error))?
                }
                (None, _) | (_, Host::Socket(..)) => socket,
            };
            let socket = Bounded { socket, budget: budget.clone() };
            let connected = config(address).connect_raw(socket, NoTls).await;
            let (client, connection) = connected.map_err(|error| of_client(place, &error))?;
            let driver = tokio::spawn(async {
                // An error of the connection is returned by the next query.
                let _ = connection.await;
            });
            let hello = match self.expected {
                Expected::Version(_) => HELLO,
                Expected::Anything => HELLO_TO_NONE,
            };
            let hello = client.query_typed(hello, &[]).await.map_err(|error| of_client(place, &error))?;
            let (version, standby) = greeting(&hello).ok_or_else(|| Error::Damaged {
                place: place.clone(),
                record: "registry",
                id: "-".to_owned(),
                field: "version",
            })?;
            self.expect(version)?;
            Ok((Session { client, driver, budget, asked: HashMap::new() }, standby))
        };
        let opened = runtime.block_on(async { timeout(REACH, open).await });
        match opened {
            Err(_) => Err(Failure::Lost(format!("{host} doesn't answer"))),
            Ok(Err(Failure::Lost(_))) if spent.is_exceeded() => Err(too_large(place)),
            Ok(opened) => opened,
        }
    }

    fn expect(&self, version: i64) -> Result<(), Error> {
        let Expected::Version(known) = self.expected else { return Ok(()) };
        let place = self.place.clone();
        match version {
            found if found < known => Err(Error::Outdated { place, found, known }),
            found if found > known => Err(Error::TooNew { path: place, found, known }),
            _ => Ok(()),
        }
    }
}

/// What several futures come to, all begun in their order; or the first error.
async fn all_of<T, E>(futures: Vec<Pin<Box<impl Future<Output = Result<T, E>>>>>) -> Result<Vec<T>, E> {
    let mut under_way: Vec<_> = futures.into_iter().map(|future| (future, None)).collect();
    poll_fn(|context| {
        let mut pending = false;
        for (future, done) in under_way.iter_mut().filter(|(_, done)| done.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(outcome) => *done = Some(outcome?),
                Poll::Pending => pending = true,
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(Ok(())) }
    })
    .await?;
    Ok(under_way.into_iter().filter_map(|(_, done)| done).collect())
}

/// Says good-bye, so that the server doesn't log a client that vanished.
impl Drop for Link {
    fn drop(&mut self) {
        if let Some(Session { client, driver, .. }) = self.session.take() {
            drop(client);
            let _ = self.runtime.block_on(async { timeout(Duration::from_millis(100), driver).await });
        }
    }
}

fn lost() -> Failure {
    Failure::Lost("the connection was lost".to_owned())
}

fn too_large(place: &str) -> Failure {
    Failure::Final(Error::Engine { place: place.to_owned(), reason: "its answer is too large".to_owned() })
}

fn greeting(rows: &[Row]) -> Option<(i64, bool)> {
    let row = rows.first()?;
    Some((row.try_get(0).ok()?, row.try_get(1).ok()?))
}

async fn connect(host: &Host) -> io::Result<Box<dyn Socket>> {
    match host {
        Host::Tcp(name, port) => {
            let socket = tokio::net::TcpStream::connect((name.as_str(), *port)).await?;
            socket.set_nodelay(true)?;
            Ok(Box::new(socket))
        }
        #[cfg(unix)]
        Host::Socket(directory, port) => {
            Ok(Box::new(tokio::net::UnixStream::connect(directory.join(format!(".s.PGSQL.{port}"))).await?))
        }
        #[cfg(not(unix))]
        Host::Socket(..) => Err(io::Error::new(io::ErrorKind::Unsupported, "there are no such sockets here")),
    }
}

fn config(address: &Address) -> Config {
    let mut config = Config::new();
    // Protection is this file's.
    config.ssl_mode(tokio_postgres::config::SslMode::Disable).application_name("vmfa");
    if let Some(user) = address.user() {
        config.user(user);
    }
    if let Some(password) = &address.password {
        config.password(password.as_bytes());
    }
    if let Some(database) = address.database() {
        config.dbname(database);
    }
    config
}

fn of_socket(place: &str, error: &io::Error) -> Failure {
    let reason = readable(&error.to_string());
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput => {
            Failure::Final(Error::Refused { place: place.to_owned(), reason })
        }
        _ => Failure::Lost(reason),
    }
}

/// A certificate that isn't trusted is so tomorrow, too; a connection that broke isn't.
fn of_handshake(place: &str, error: &io::Error) -> Failure {
    let reason = readable(&error.to_string());
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => {
            Failure::Final(Error::Refused { place: place.to_owned(), reason })
        }
        _ => Failure::Lost(reason),
    }
}

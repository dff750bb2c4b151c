//! A stand-in without a socket, reached by the client through a transport that loses and breaks what it is told to.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use vmfa::aws::client::{Caller, Client, Incoming, Lost, Transport};
use vmfa::aws::enroll::Wanted;
use vmfa::aws::flow::Flow;
use vmfa::aws::settings::Endpoint;
use vmfa::aws::{Boot, Error, Interrupted, Locks, World};
use vmfa::device::Devices;
use vmfa::registry::memory::Memory as Registry;
use vmfa::serve::{Outcome, Request, Stand};
use vmfa::time::Timestamp;
use vmfa::vault::memory::Memory as Vault;
use vmfa::wire::sigv4::Credentials;
use vmfa::wire::xml;
use zeroize::Zeroizing;

pub use crate::serve::support::{ACCOUNT, Aws};

/// What becomes of a request on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrives, and so does its answer.
    Good,
    /// It never arrives.
    LostBefore,
    /// It arrives, and the answer is lost.
    LostAfter,
    /// The service fails before it does anything.
    FailsBefore,
    /// The service fails once it has done it.
    FailsAfter,
    /// There are too many.
    Throttled,
}

type Chooser = Box<dyn Fn(usize, &str) -> Fate + Send + Sync>;

fn date(time: Timestamp) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(time.as_unix()))
}

/// Requests go to the stand-in of this process.
pub struct Wire<'a> {
    stand: &'a Stand,
    date: Option<String>,
    fate: Chooser,
    sent: AtomicUsize,
    /// The actions that arrived, in order.
    pub arrived: Mutex<Vec<String>>,
    /// The codes that were sent for sessions, whatever became of them.
    pub codes: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Wire<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl<'a> Wire<'a> {
    pub fn good(aws: &'a Aws) -> Self {
        Self::with(aws, |_, _| Fate::Good)
    }

    /// With a fate for each request, by its number and action.
    pub fn with(aws: &'a Aws, fate: impl Fn(usize, &str) -> Fate + Send + Sync + 'static) -> Self {
        Self {
            stand: &aws.stand,
            date: None,
            fate: Box::new(fate),
            sent: AtomicUsize::new(0),
            arrived: Mutex::default(),
            codes: Mutex::default(),
        }
    }

    /// With this date on every answer.
    pub fn dated(self, date: &str) -> Self {
        Self { date: Some(date.to_owned()), ..self }
    }

    fn date(&self) -> Option<String> {
        Some(self.date.clone().unwrap_or_else(|| date(self.stand.clock().now())))
    }

    /// How many requests were sent.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    /// How often an action arrived.
    pub fn count(&self, action: &str) -> usize {
        self.arrived.lock().unwrap().iter().filter(|arrived| *arrived == action).count()
    }
}

impl Transport for Wire<'_> {
    fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Incoming, Lost> {
        let action = body.strip_prefix("Action=").unwrap().split('&').next().unwrap().to_owned();
        let fate = (self.fate)(self.sent.fetch_add(1, Ordering::SeqCst), &action);
        self.codes.lock().unwrap().extend(body.split_once("TokenCode=").map(|(_, code)| code.to_owned()));
        let lost = |perhaps_arrived| Lost { reason: "the connection broke".to_owned(), perhaps_arrived };
        let answer = |status, code: &str| Incoming {
            status,
            date: self.date(),
            body: Zeroizing::new(xml::error(xml::IAM, status, code, "injected", "id").as_bytes().to_vec()),
        };
        match fate {
            Fate::LostBefore => return Err(lost(false)),
            Fate::FailsBefore => return Ok(answer(500, "ServiceFailure")),
            Fate::Throttled => return Ok(answer(400, "Throttling")),
            Fate::Good | Fate::LostAfter | Fate::FailsAfter => {}
        }
        self.arrived.lock().unwrap().push(action);
        let host = url.split_once("://").unwrap().1.to_owned();
        let mut all = vec![("host".to_owned(), host.into_bytes())];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())));
        let outcome = self.stand.answer(Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: all,
            body: Zeroizing::new(body.as_bytes().to_vec()),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        });
        let Outcome::Answer(response) = outcome else { panic!("passed on") };
        match fate {
            Fate::LostAfter => Err(lost(true)),
            Fate::FailsAfter => Ok(answer(503, "ServiceUnavailable")),
            _ => Ok(Incoming {
                status: response.status,
                date: self.date(),
                body: Zeroizing::new(response.body.to_vec()),
            }),
        }
    }
}

/// A world whose clock is the stand-in's, or off by so many seconds; whoever waits moves it.
pub struct Virtual<'a> {
    aws: &'a Aws,
    /// The system's clock minus the stand-in's.
    pub off: i64,
    /// Which boot of the machine this is, and how far its clock is ahead of the stand-in's.
    pub boot: Option<(&'static str, i64)>,
    random: AtomicU64,
    pub told: Mutex<Vec<String>>,
    pub debugged: Mutex<Vec<String>>,
    pub waited: AtomicU64,
}

impl std::fmt::Debug for Virtual<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Virtual")
    }
}

impl<'a> Virtual<'a> {
    pub fn of(aws: &'a Aws) -> Self {
        Self::off_by(aws, 0)
    }

    pub fn off_by(aws: &'a Aws, off: i64) -> Self {
        Self {
            aws,
            off,
            boot: Some(("one", 0)),
            random: AtomicU64::new(7),
            told: Mutex::default(),
            debugged: Mutex::default(),
            waited: AtomicU64::new(0),
        }
    }

    pub fn told(&self) -> String {
        self.told.lock().unwrap().join("\n")
    }

    pub fn waited(&self) -> u64 {
        self.waited.load(Ordering::SeqCst)
    }
}

impl World for Virtual<'_> {
    fn milliseconds(&self) -> i128 {
        (i128::from(self.aws.now()) + i128::from(self.off)) * 1000
    }

    fn boot(&self) -> Option<Boot> {
        let (id, begin) = self.boot?;
        Some(Boot { id: id.to_owned(), seconds: self.aws.now().checked_add_signed(begin)? })
    }

    fn wait(&self, seconds: u64, what: &str) -> Result<(), Error> {
        self.told.lock().unwrap().push(format!("waits {seconds} s for {what}"));
        self.waited.fetch_add(seconds, Ordering::SeqCst);
        self.aws.wait(seconds);
        Ok(())
    }

    fn pause(&self, _milliseconds: u64) -> Result<(), Interrupted> {
        Ok(())
    }

    fn random(&self, below: u64) -> u64 {
        let next = self.random.load(Ordering::SeqCst).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.random.store(next, Ordering::SeqCst);
        (next >> 33) % below.max(1)
    }

    fn tell(&self, note: &str) {
        self.told.lock().unwrap().push(note.to_owned());
    }

    fn debug(&self, line: &dyn Fn() -> String) {
        self.debugged.lock().unwrap().push(line());
    }
}

/// What is here.
pub struct Here {
    pub vault: Vault,
    pub registry: Registry,
    #[expect(dead_code, reason = "it goes when this goes")]
    directory: tempfile::TempDir,
    pub locks: Locks,
}

impl Here {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let locks = Locks::new(directory.path().join("locks"), 10);
        Self { vault: Vault::default(), registry: Registry::default(), directory, locks }
    }

    pub fn devices(&self) -> Devices<'_> {
        Devices { vault: &self.vault, registry: &self.registry }
    }

    pub fn flow<'a>(&'a self, client: &'a Client<'a>, credentials: &'a Credentials) -> Flow<'a> {
        let caller = Caller { client, credentials };
        Flow { caller, devices: self.devices(), locks: &self.locks, clock: None, retry: true }
    }
}

/// A client of a transport.
pub fn client<'a>(wire: &'a dyn Transport, world: &'a dyn World) -> Client<'a> {
    client_of(wire, world, true)
}

/// The same; of AWS itself where its endpoint is no other.
pub fn client_of<'a>(wire: &'a dyn Transport, world: &'a dyn World, custom: bool) -> Client<'a> {
    let endpoint = Endpoint { url: "http://127.0.0.1".to_owned(), signing_region: "us-east-1".to_owned(), custom };
    Client::new(endpoint.clone(), endpoint, wire, world, 4)
}

/// The device of a user, named as the user everywhere.
pub fn wanted(user: &str) -> Wanted {
    Wanted {
        partition: "aws".to_owned(),
        account: ACCOUNT.to_owned(),
        user: user.to_owned(),
        device_name: user.to_owned(),
        path: "/".to_owned(),
        tags: Vec::new(),
        name: user.parse().unwrap(),
    }
}

//! A session with a keyring: the connection, calls, and the key that secrets are encrypted with on the bus.

use std::cell::{Cell, OnceCell, RefCell};
use std::fs;
use std::num::NonZeroU32;
use std::thread;
use std::time::Duration;

use zvariant::{DynamicDeserialize, DynamicType, OwnedObjectPath, OwnedValue, Value};

use super::super::super::Provider;
use super::super::Error;
use super::super::transfer::{self, ALGORITHM, Key, Private};
use crate::bus::{self, BUS, Bus, Place};
use crate::time::Deadline;

pub(super) const PROVIDER: &str = "org.freedesktop.secrets";
pub(super) const SERVICE_PATH: &str = "/org/freedesktop/secrets";
pub(super) const SERVICE: &str = "org.freedesktop.Secret.Service";
pub(super) const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const SESSION: &str = "org.freedesktop.Secret.Session";

const THE_SERVICE: Place<'static> = Place { name: PROVIDER, path: SERVICE_PATH, interface: SERVICE };

/// How often a provider is asked that isn't ready, and how long it is left alone in between.
const TRIES: u8 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// The bus name that a process owns while it creates an item that must be the only one; and how often it is tried for, with
/// the pause between: five seconds.
const TURN: &str = "vmfa.keyring.Turn";
const TURNS: u16 = 1000;
const DO_NOT_QUEUE: u32 = 4;
const HAVE_IT: u32 = 1;

/// How often another session is opened where both sides may make different keys.
const AGREEMENTS: u8 = 8;

/// A connection to the bus, and an agreement with the provider on how secrets travel over it. For one thread at a time.
pub(in super::super) struct Session {
    bus: OnceCell<RefCell<Bus>>,
    proposal: Cell<Option<Proposal>>,
    agreement: OnceCell<Agreement>,
    provider: OnceCell<Provider>,
    /// Whether a prompt to unlock waited for a person, where nobody may be asked: it isn't shown a second time.
    pub(super) needs_person: Cell<bool>,
    limit: Duration,
    deadline: Cell<Deadline>,
}

/// A public key on its way.
struct Proposal {
    private: Private,
    call: NonZeroU32,
}

pub(super) struct Agreement {
    pub(super) session: OwnedObjectPath,
    pub(super) key: Key,
}

impl Session {
    /// One that isn't connected yet.
    pub(super) fn new(limit: Duration) -> Self {
        let deadline = Cell::new(Deadline::after(limit));
        Self {
            bus: OnceCell::new(),
            proposal: Cell::new(None),
            agreement: OnceCell::new(),
            provider: OnceCell::new(),
            needs_person: Cell::new(false),
            limit,
            deadline,
        }
    }

    /// Gives what follows as long as anything may take.
    pub(super) fn begin(&self) {
        self.deadline.set(Deadline::after(self.limit));
    }

    /// When that is over.
    pub(super) fn deadline(&self) -> Deadline {
        self.deadline.get()
    }

    /// Connects and proposes an agreement, but doesn't wait for answers. What goes wrong is told to the call that needs it.
    pub(super) fn warm_up(&self) {
        if let Ok(proposal) = self.propose() {
            self.proposal.set(Some(proposal));
        }
    }

    /// Has `work` done with the bus, until `deadline` at the latest.
    pub(super) fn with_bus<T>(
        &self,
        deadline: Deadline,
        work: impl FnOnce(&mut Bus) -> Result<T, bus::Error>,
    ) -> Result<T, bus::Error> {
        let bus = match self.bus.get() {
            Some(bus) => bus,
            None => {
                let connected = Bus::connect(self.deadline())?;
                self.bus.get_or_init(|| RefCell::new(connected))
            }
        };
        let mut bus = bus.borrow_mut();
        bus.set_deadline(deadline.min(self.deadline()));
        work(&mut bus)
    }

    /// An error of the bus or the provider as one of the vault.
    pub(super) fn said(&self, error: bus::Error) -> Error {
        match error {
            bus::Error::NoBus(tried) => Error::NoBus { tried },
            bus::Error::Late => {
                Error::TimedOut { seconds: self.limit.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX) }
            }
            bus::Error::Answered { name, text } => match name.as_str() {
                // Somebody locked it between two calls.
                "org.freedesktop.Secret.Error.IsLocked" => Error::Locked(self.provider()),
                // Nobody has the name, and nobody could be started to have it.
                "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
                    Error::NoProvider
                }
                spawn if spawn.starts_with("org.freedesktop.DBus.Error.Spawn.") => Error::NoProvider,
                _ => Error::Keyring(bus::Error::Answered { name, text }.to_string()),
            },
            error => Error::Keyring(error.to_string()),
        }
    }

    /// Calls a method of the Secret Service.
    pub(super) fn call<R>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        arguments: &(impl serde::Serialize + DynamicType),
    ) -> Result<R, Error>
    where
        R: for<'d> DynamicDeserialize<'d>,
    {
        let to = Place { name: PROVIDER, path, interface };
        let mut again = TRIES;
        loop {
            again = again.saturating_sub(1);
            match self.with_bus(self.deadline(), |bus| bus.call(to, method, arguments)?.body()) {
                Err(error) if again > 0 && path == SERVICE_PATH && is_not_ready(&error) => thread::sleep(PAUSE),
                result => return result.map_err(|error| self.said(error)),
            }
        }
    }

    fn call_bus<R>(&self, method: &str, arguments: &(impl serde::Serialize + DynamicType)) -> Result<R, Error>
    where
        R: for<'d> DynamicDeserialize<'d>,
    {
        self.with_bus(self.deadline(), |bus| bus.call(BUS, method, arguments)?.body()).map_err(|error| self.said(error))
    }

    pub(super) fn agreement(&self) -> Result<&Agreement, Error> {
        if let Some(agreed) = self.agreement.get() {
            return Ok(agreed);
        }
        let agreed = self.agree()?;
        Ok(self.agreement.get_or_init(|| agreed))
    }

    /// Sends a public key.
    fn propose(&self) -> Result<Proposal, Error> {
        let mut again = AGREEMENTS;
        loop {
            again = again.saturating_sub(1);
            let private = Private::random().map_err(failed)?;
            let public = private.public();
            // KWallet takes a number whose first bit is set for a negative one, and loses its first byte where all of that
            // byte's are set.
            if public.first() == Some(&0xff) && again > 0 {
                continue;
            }
            let arguments = (ALGORITHM, Value::from(public.to_vec()));
            let sent = self.with_bus(self.deadline(), |bus| bus.send(THE_SERVICE, "OpenSession", &arguments));
            return sent.map(|call| Proposal { private, call }).map_err(|error| self.said(error));
        }
    }

    fn agree(&self) -> Result<Agreement, Error> {
        let (mut tries, mut again) = (TRIES, AGREEMENTS);
        let mut under_way = self.proposal.take();
        loop {
            let proposal = match under_way.take() {
                Some(proposal) => proposal,
                None => self.propose()?,
            };
            let answer = self.with_bus(self.deadline(), |bus| bus.answer(proposal.call)?.body());
            let (output, session): (OwnedValue, OwnedObjectPath) = match answer {
                Err(error) if tries > 0 && is_not_ready(&error) => {
                    tries = tries.saturating_sub(1);
                    thread::sleep(PAUSE);
                    continue;
                }
                answer => answer.map_err(|error| self.said(error))?,
            };
            let public = Vec::<u8>::try_from(output).map_err(unexpected)?;
            match proposal.private.agree(&public) {
                Ok(key) => return Ok(Agreement { session, key }),
                // One in 256: both choose another number.
                Err(transfer::Error::LeadingZero) if again > 0 => {
                    again = again.saturating_sub(1);
                    let _ = self.call::<()>(session.as_str(), SESSION, "Close", &());
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Who has the name of the Secret Service, once somebody has it.
    pub(super) fn provider(&self) -> Provider {
        if let Some(known) = self.provider.get() {
            return known.clone();
        }
        let process: Result<u32, Error> = self.call_bus("GetConnectionUnixProcessID", &(PROVIDER,));
        let Ok(process) = process else { return Provider::Unknown };
        // Everybody may read it, even of another user's process.
        let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        self.provider.get_or_init(|| Provider::of_process(name.trim_end())).clone()
    }

    /// Does what no two may do at once. The bus is what all who use a keyring have in common, and it takes a name away
    /// from a process that ends.
    pub(in super::super) fn in_turn<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let mut have = false;
        for _ in 0..TURNS {
            match self.call_bus("RequestName", &(TURN, DO_NOT_QUEUE)) {
                Ok(HAVE_IT) => {
                    have = true;
                    break;
                }
                Ok::<u32, _>(_) => thread::sleep(PAUSE),
                // A bus that gives no names, as in some sandboxes: what comes of two at once is cleared up.
                Err(_) => break,
            }
        }
        let result = work();
        if have {
            // Where it can't be given back, the session ends, and with it the connection that has it.
            let released = self.call_bus::<u32>("ReleaseName", &(TURN,));
            return result.and_then(|done| released.map(|_| done));
        }
        result
    }
}

/// GNOME Keyring gets to know a new connection while it handles its first calls, which are to the service itself, and
/// says of one that comes too early that it has no such method. It has done nothing then.
fn is_not_ready(error: &bus::Error) -> bool {
    matches!(error, bus::Error::Answered { name, .. } if name == "org.freedesktop.DBus.Error.UnknownMethod")
}

pub(super) fn failed(error: transfer::Error) -> Error {
    Error::Keyring(error.to_string())
}

/// A property that is of another type than the API says.
pub(super) fn unexpected(error: zvariant::Error) -> Error {
    Error::Keyring(error.to_string())
}

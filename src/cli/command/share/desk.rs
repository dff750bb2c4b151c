//! What clients are given: codes, pairs, and the names of devices, of those that their token allows.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::access::Holder;
use super::calls::Call;
use super::fleet::{Fleet, Snapshot};
use super::member::Member;
use super::metrics::Seen;
use super::secrets::Secrets;
use super::trouble::Trouble;
use super::wishes::{ForCode, ForPair, ForRelease};
use crate::cli::chosen_clock::Clock;
use crate::cli::clock;
use crate::cli::command::code::Codes;
use crate::cli::command::dispense::audit::{Audit, Line, What, Who};
use crate::cli::command::dispense::{self, Task, Wish, not_audited};
use crate::cli::command::pair::Answered;
use crate::cli::command::release::Released;
use crate::cli::command::show::Description;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::hints;
use crate::cli::open::{Place, Vaults as _};
use crate::cli::pattern::Pool;
use crate::cli::wait::Waits;
use crate::device::{self, Devices, fleet};
use crate::name::Name;
use crate::registry::{Device, Kept};
use crate::time::{Timestamp, words};

/// How many devices of a pool are tried one by one before all are looked at.
const TRIES: usize = 8;

/// For how many seconds a pool leaves out a device whose secret can't be read.
const ASIDE: u64 = 60;

/// What hands out.
pub(super) struct Desk {
    secrets: Secrets,
    registry: Arc<dyn Kept>,
    fleet: Arc<Fleet>,
    clock: Clock,
    jump: bool,
    audit: Option<Audit>,
    /// What keeps it from handing out.
    pub(super) trouble: Trouble,
}

/// A client's request: who, and by which path.
pub(super) struct Caller {
    pub(super) holder: Arc<Holder>,
    pub(super) call: Arc<Call>,
    pub(super) peer: IpAddr,
    pub(super) path: &'static str,
}

/// The devices that a client may use.
#[derive(Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Listed {
    devices: Vec<Description>,
}

/// A caller, and where what it gets is written down.
struct Audited<'a> {
    caller: &'a Caller,
    audit: Option<&'a Audit>,
    fleet: &'a Arc<Fleet>,
    trouble: &'a Trouble,
}

impl Desk {
    /// Reads the devices, and one secret: nobody could be asked for a passphrase later.
    pub(super) fn open(
        place: Place,
        registry: Arc<dyn Kept>,
        clock: Clock,
        jump: bool,
        audit: Option<Audit>,
    ) -> Result<Self> {
        let fleet = Arc::new(Fleet::open(Arc::clone(&registry))?);
        dispense::expect_readable(&place, &*registry, &fleet.now()?.devices())?;
        Ok(Self { secrets: Secrets::of(place), registry, fleet, clock, jump, audit, trouble: Trouble::new() })
    }

    pub(super) fn code(&self, caller: &Caller, wanted: &ForCode) -> Result<Codes> {
        let wish = wanted.wish()?;
        self.expect_writable()?;
        match Pool::of(&wanted.device)? {
            None => {
                let member = self.member(caller, &wanted.device)?;
                self.with_ledger(&member).and_then(|device| self.task(caller, |task| task.code(device, wish)))
            }
            Some(pattern) => self.code_of_pool(caller, &wanted.device, &pattern, wish),
        }
    }

    /// A code of the device that has one soonest, as far as is known; else of whichever really has.
    fn code_of_pool(&self, caller: &Caller, name: &str, pattern: &Pool, wish: Wish) -> Result<Codes> {
        let terms = (wish.window, wish.min_validity);
        let mut line = self.fleet.now()?.line(&caller.holder, name, pattern, terms);
        if line.is_empty() {
            line = self.fleet.again()?.line(&caller.holder, name, pattern, terms);
        }
        if line.is_empty() {
            let message = format!("no time-based device that you may use has a name that matches `{name}`");
            return Err(Error::new(Kind::No, "no-such-device", message).hint(hints::share::OTHER_PATTERN));
        }
        let patience = if self.clock.stands_still() { 0 } else { wish.timeout };
        let mut broken = Vec::new();
        for _ in 0..TRIES {
            let now = self.clock.time();
            let Some(next) = line.next(now, patience) else {
                if !broken.is_empty() || line.is_to_be_looked_at(now) {
                    break;
                }
                let (at, wait) = (line.first(), line.first().as_unix().saturating_sub(now.as_unix()));
                return Err(in_words_of_requests(none_before(name, at, wait)));
            };
            let id = next.member.as_read().id;
            if broken.contains(&id) {
                line.is_aside(&next, now.plus(ASIDE).unwrap_or(now));
                break;
            }
            let device = self.with_ledger(next.member);
            match device.and_then(|device| self.task(caller, |task| task.code(device, wish))) {
                // Another one's may be there.
                Err(error) if error.is_of_one_device() => {
                    self.trouble.tell(&error.about(next.member.name()));
                    line.is_aside(&next, now.plus(ASIDE).unwrap_or(now));
                    broken.push(id);
                }
                Err(error) if error.code() == "no-free-step" => {
                    let at = error.available_at().unwrap_or(next.at).max(now.plus(1).unwrap_or(now));
                    line.is_later(&next, at);
                }
                // Others were faster at this one, again and again.
                Err(error) if error.code() == "conflict" => line.is_later(&next, now),
                Err(error) => {
                    // It was given back.
                    line.is_later(&next, now);
                    return Err(error);
                }
                given => return given,
            }
        }
        self.task(caller, |task| task.code_of_pool(name, pattern, line.devices(), wish))
    }

    pub(super) fn pair(&self, caller: &Caller, wanted: &ForPair) -> Result<Answered> {
        let timeout = wanted.timeout()?;
        self.expect_writable()?;
        let device = self.with_ledger(&*self.member(caller, &wanted.device)?)?;
        self.task(caller, |task| task.pair(&device, timeout))
    }

    pub(super) fn release(&self, caller: &Caller, wanted: &ForRelease) -> Result<Released> {
        let claim = wanted.claim()?;
        self.expect_writable()?;
        let device = self.with_ledger(&*self.member(caller, &wanted.device)?)?;
        let released = self.task(caller, |task| task.release(&device, claim))?;
        self.fleet.now()?.is_free(device.name.as_str());
        Ok(released)
    }

    pub(super) fn list(&self, holder: &Holder) -> Result<Listed> {
        let last_uses = self.registry.last_uses()?;
        let last_use = |device: &Device| device.ledger.and_then(|ledger| last_uses.get(&ledger)).copied();
        let devices = self.fleet.now()?.allowed(holder);
        let described = devices.iter().map(|device| Description::of(device, None).last_used(last_use(device)));
        Ok(Listed { devices: described.collect() })
    }

    /// What can be seen of the fleet now.
    pub(super) fn seen(&self) -> Result<Seen> {
        let devices = self.fleet.now()?.devices();
        let (timed, free) = fleet::free_now(&*self.registry, &devices, self.clock.time())?;
        Ok(Seen { devices: timed, free })
    }

    /// Whether codes could be handed out, as far as is known.
    pub(super) fn probe(&self) -> Result<()> {
        self.trouble.expect_none(self.fleet.reading_takes())
    }

    /// Reads the devices again, where they changed, and forgets the secrets of those that are gone.
    pub(super) fn tidy(&self) -> Result<()> {
        self.expect_writable()?;
        self.fleet.look()?;
        self.secrets.keep(&self.fleet.ids());
        Ok(())
    }

    fn expect_writable(&self) -> Result<()> {
        Ok(self.registry.expect_writable()?)
    }

    fn task<T>(&self, caller: &Caller, work: impl FnOnce(&Task<'_, Audited<'_>>) -> Result<T>) -> Result<T> {
        let (audit, fleet, trouble) = (self.audit.as_ref(), &self.fleet, &self.trouble);
        let client = Audited { caller, audit, fleet, trouble };
        let Self { secrets, registry, clock, jump, .. } = self;
        let task = Task { vaults: secrets, registry: &**registry, clock, jump: *jump, client: &client };
        match work(&task) {
            // A keyring that was restarted has another connection.
            Err(error) if error.code().starts_with("keyring") => {
                self.secrets.reopen();
                Err(error)
            }
            done => done.map_err(in_words_of_requests),
        }
    }

    /// The device of a name. One that isn't allowed is as one that isn't there.
    fn member(&self, caller: &Caller, name: &str) -> Result<Arc<Member>> {
        let allowed = |snapshot: &Snapshot| {
            let member = snapshot.named(name)?;
            caller.holder.allowed.has(&member.device()).then(|| Arc::clone(member))
        };
        if let Some(member) = allowed(&*self.fleet.now()?) {
            return Ok(member);
        }
        let snapshot = self.fleet.again()?;
        if let Some(member) = allowed(&snapshot) {
            return Ok(member);
        }
        if name.chars().count() > Name::MAX_CHARS {
            let failure = Error::new(Kind::No, "no-such-device", "no device has so long a name");
            return Err(failure.hint(hints::share::OTHER_PATTERN));
        }
        let failure = match device::find_among(snapshot.allowed(&caller.holder), name) {
            Err(error @ device::Error::NoSuchDevice { .. }) => {
                let nearest = match &error {
                    device::Error::NoSuchDevice { nearest, .. } => nearest.clone(),
                    _ => None,
                };
                let failure = Error::new(Kind::No, "no-such-device", error.to_string());
                nearest.iter().map(|near| hints::did_you_mean(near)).fold(failure, Error::hint)
            }
            Err(error) => error.into(),
            // It was added this moment.
            Ok(_) => Error::new(Kind::Storage, "conflict", format!("`{name}` is being added")),
        };
        Err(failure.hint(hints::share::OTHER_PATTERN))
    }

    /// A device, and the ledger that it has from now on.
    fn with_ledger(&self, member: &Member) -> Result<Device> {
        let device = member.device();
        if device.ledger.is_some() {
            return Ok(device);
        }
        let vault = self.secrets.vault_of(&device)?;
        let devices = Devices { vault: vault.as_ref(), registry: &*self.registry };
        let ledger = devices.ledger(&device, &devices.enrolment(&device)?)?;
        member.learn(ledger);
        Ok(Device { ledger: Some(ledger), ..device })
    }
}

/// As the registry would say it.
fn none_before(name: &str, at: Timestamp, wait: u64) -> Error {
    let in_words = words(wait);
    let message = format!("all codes of `{name}` up to now are used; the next is at {at}, in {in_words}");
    Error::new(Kind::No, "no-free-step", message).available(at, wait)
}

/// An error with hints that name keys of a request instead of a command's options.
fn in_words_of_requests(error: Error) -> Error {
    let hint = match error.code() {
        "no-free-step" | "no-pair-yet" | "expires-soon" => hints::agents::LONGER_TIMEOUT,
        "min-validity" => hints::agents::SHORTER_VALIDITY,
        _ => return error,
    };
    error.without_hints().hint(hint)
}

impl Waits for Audited<'_> {
    fn begins(&self, seconds: u64, what: &str, until: Timestamp) {
        self.caller.call.begins(seconds, what, until);
    }

    fn pause(&self, limit: Duration) -> Result<()> {
        self.caller.holder.expect_known()?;
        self.caller.call.pause(limit)
    }

    fn expect_wanted(&self) -> Result<()> {
        self.caller.call.expect_wanted()
    }

    fn warn(&self, text: &str) {
        self.trouble.tell_text(text);
    }
}

impl dispense::Client for Audited<'_> {
    fn bind(&self) -> Result<()> {
        self.caller.holder.expect_known()?;
        self.caller.call.bind()
    }

    fn write_down(&self, device: &Device, what: What) -> Result<()> {
        if self.fleet.now()?.named(device.name.as_str()).is_none_or(|member| member.as_read().id != device.id) {
            let message = format!("`{}` was removed meanwhile", device.name);
            return Err(Error::new(Kind::No, "no-such-device", message));
        }
        let Some(audit) = self.audit else { return Ok(()) };
        let Caller { holder, peer, path, .. } = self.caller;
        let who = Who::Worker { path, token: &holder.name, peer: peer.to_string() };
        let line = Line { time: clock::now().to_rfc3339(), device: device.name.as_str(), who, what };
        audit.write(&line).map_err(|error| not_audited(audit.path(), &error))
    }
}

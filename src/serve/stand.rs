//! The stand-in itself: requests in, answers out, one at a time on the account, without a socket.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::account::Account;
use super::actions::{Action, Service};
use super::asked::Asked;
use super::authenticate::{self, SigningKeys};
use super::authorize::{self, Origin};
use super::caller::Caller;
use super::console::memory::Console;
use super::contract::Contract;
use super::events::{Ended, Event, Events};
use super::fault::Fault;
use super::foreign::Foreign;
use super::message::{Request, Response};
use super::random::{Random, RequestIds};
use super::scenario::Seeded;
use super::store::Store;
use super::time::{Clock, Instant};
use crate::time::Timestamp;
use crate::wire::query::Parameters;
use crate::wire::sigv4::{self, Accept, Payload, Presented, SKEW, SigningKey};
use crate::wire::xml;

/// A stand-in for IAM and STS of one account.
///
/// It has no socket and reads no clock: [`answer`](Stand::answer) takes a request and gives the answer, by the clock
/// and the random numbers that were handed in.
pub struct Stand {
    /// The account's number.
    id: String,
    pub(super) clock: Clock,
    state: Mutex<State>,
    events: Mutex<Events>,
    keys: Mutex<SigningKeys>,
    pub(super) request_ids: RequestIds,
    pub(super) console: Console,
    /// What a scenario made.
    devices: Vec<Seeded>,
}

/// What changes together.
pub(super) struct State {
    pub(super) account: Account,
    pub(super) random: Box<dyn Random>,
    pub(super) store: Option<Store>,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Outcome {
    /// It is answered here.
    Answer(Response),
    /// It is for another service, and allowed.
    Pass {
        /// Rewritten from what was read.
        request: Request,
        /// What to answer where there is no other service.
        otherwise: Response,
    },
}

/// How a request ended.
enum Handled {
    Ours(Service, Result<Zeroizing<String>, Fault>),
    Foreign(Foreign, Result<(), Fault>),
}

impl Stand {
    pub(super) fn new(
        account: Account,
        clock: Clock,
        random: Box<dyn Random>,
        store: Option<Store>,
        devices: Vec<Seeded>,
    ) -> Self {
        Self {
            id: account.id().to_owned(),
            clock,
            state: Mutex::new(State { account, random, store }),
            events: Mutex::default(),
            keys: Mutex::default(),
            request_ids: RequestIds::default(),
            console: Console::default(),
            devices,
        }
    }

    /// The account's state, even if a thread panicked while it held the lock.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn events(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time it lives by.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Moves the clock, and keeps where it stands; `how` moves a copy of it.
    pub(super) fn move_clock(
        &self,
        how: impl FnOnce(&Clock) -> Result<Instant, super::time::Error>,
    ) -> Result<(), super::time::Error> {
        let mut state = self.state();
        // It is stored first: if that fails, the time stays where it was.
        let time = how(&self.clock.copy())?;
        state.account.edit_settings().time = Some(time);
        state.store().map_err(|fault| super::time::Error::NotKept { reason: fault.why.unwrap_or_default() })?;
        self.clock.set(time, true).map(|_| ())
    }

    /// The time, as a header tells it: RFC 9110, section 5.6.7.
    pub(super) fn http_date(&self) -> String {
        let since = std::time::Duration::from_secs(self.clock.now().as_unix());
        httpdate::fmt_http_date(std::time::UNIX_EPOCH.checked_add(since).unwrap_or(std::time::UNIX_EPOCH))
    }

    /// The devices of the scenario that it began with, as they were then.
    #[must_use]
    pub fn seeded(&self) -> &[Seeded] {
        &self.devices
    }

    /// How many events there were.
    #[must_use]
    pub fn event_count(&self) -> u64 {
        self.events().count()
    }

    /// What was accepted or refused after an event's number, the oldest first, up to a limit.
    #[must_use]
    pub fn events_after(&self, number: u64, most: usize) -> Vec<Event> {
        self.events().after(number, most)
    }

    /// Answers a request that is signed for AWS, or should be.
    #[must_use]
    pub fn answer(&self, mut request: Request) -> Outcome {
        let now = self.clock.instant();
        let request_id = self.request_ids.next();
        let mut event = Event::new(now.timestamp(), &request_id, "", "");
        event.sent_by(request.header("user-agent"));
        let handled = self.handle(&mut request, now, &mut event, &request_id);
        match &handled {
            Handled::Ours(_, Err(fault)) | Handled::Foreign(_, Err(fault)) => event.refuse(fault),
            Handled::Foreign(_, Ok(())) => event.ended = Ended::Passed,
            Handled::Ours(_, Ok(_)) => {}
        }
        self.events().add(event);
        match handled {
            Handled::Ours(_, Ok(body)) => Outcome::Answer(Response::xml(200, &request_id, body)),
            Handled::Ours(service, Err(fault)) => {
                let body = xml::error(service.namespace(), fault.status, fault.code, &fault.message, &request_id);
                Outcome::Answer(Response::xml(fault.status, &request_id, body))
            }
            Handled::Foreign(foreign, Ok(())) => {
                let otherwise = foreign.nowhere(&request_id);
                Outcome::Pass { request: foreign.passed(request), otherwise }
            }
            Handled::Foreign(foreign, Err(fault)) => Outcome::Answer(foreign.refusal(&fault, &request_id)),
        }
    }

    fn handle(&self, request: &mut Request, now: Instant, event: &mut Event, request_id: &str) -> Handled {
        let time = now.timestamp();
        let signed = request.signed();
        let presented = match Presented::read(&signed) {
            Ok(presented) => presented,
            Err(error) => {
                // Federation is asked for without a signature: that it isn't there is the better answer.
                let federation = request.parameters().ok().filter(is_federation);
                let fault = federation.and_then(|input| {
                    input.get("Action").unwrap_or_default().clone_into(&mut event.action);
                    find_action(Service::Sts, &input).err()
                });
                return Handled::Ours(request.service_by_version(), Err(fault.unwrap_or_else(|| error.into())));
            }
        };
        let scope = presented.scope();
        event.service.clone_from(&scope.service);
        let caller = self.authenticate(request, &signed, &presented, time);
        let origin = Origin {
            peer: request.peer,
            user_agent: request.header("user-agent").map(str::to_owned),
            region: scope.region.clone(),
        };
        let Some(service) = Service::named(&scope.service) else {
            let caller = match caller {
                Ok(caller) => caller,
                Err(fault) => return Handled::Foreign(Foreign::unread(&presented, request), Err(fault)),
            };
            let foreign = Foreign::of(&presented, &self.id, request);
            event.action = foreign.shown();
            let allowed = self.allow(&foreign, &caller, &origin, time, event);
            return Handled::Foreign(foreign, allowed);
        };
        let result = caller.and_then(|caller| {
            event.principal = Some(caller.arn(&self.state().account));
            let input = request.parameters()?;
            input.get("Action").unwrap_or_default().clone_into(&mut event.action);
            event.hide(&input);
            let asked = Asked { caller: &caller, origin: &origin, input: &input, now, request_id };
            self.run(service, &asked, event)
        });
        Handled::Ours(service, result)
    }

    /// Who signed it. Faults that can be seen without a key are reported first, as AWS does.
    fn authenticate(
        &self,
        request: &Request,
        signed: &sigv4::Request<'_>,
        presented: &Presented,
        now: Timestamp,
    ) -> Result<Caller, Fault> {
        let service = &presented.scope().service;
        // On virtual time, clients sign by another clock.
        let near = |time: &Timestamp| time.as_unix().abs_diff(presented.date().as_unix()) <= SKEW;
        let accept = Accept::new(service, self.clock.signing().find(near).unwrap_or(now));
        presented.check(signed, &accept)?;
        let keys = || self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let (caller, known) = {
            let state = self.state();
            let (caller, secret) = authenticate::find(&state.account, presented, now)?;
            (caller, keys().get(secret, presented).ok_or_else(|| secret.clone()))
        };
        let verify = |key: &SigningKey| presented.verify(key, signed, Payload::Bytes(&request.body), &accept);
        match known {
            Ok(key) => verify(&key)?,
            Err(secret) => {
                let key = SigningKey::derive(&secret, presented.scope());
                verify(&key)?;
                keys().keep(secret, presented, Arc::new(key));
            }
        }
        Ok(caller)
    }

    /// Whether the policies allow a call of another service.
    fn allow(
        &self,
        foreign: &Foreign,
        caller: &Caller,
        origin: &Origin,
        now: Timestamp,
        event: &mut Event,
    ) -> Result<(), Fault> {
        let mut state = self.state();
        event.principal = Some(caller.arn(&state.account));
        event.why = Some(foreign.authorize(&state.account, caller, origin, now)?);
        state.account.note_use(caller, &event.service, &origin.region, now);
        state.store()
    }

    /// Runs an action of IAM for somebody who is signed in to the console: by the contract, the policies and the handler
    /// that a signed request meets, and with an event that says where it came from. Gives the answer's XML.
    ///
    /// # Errors
    ///
    /// As a signed request's.
    pub(super) fn act(
        &self,
        caller: &Caller,
        origin: &Origin,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Zeroizing<String>, Fault> {
        let now = self.clock.instant();
        let request_id = self.request_ids.next();
        let service = Service::Iam;
        let mut event = Event::new(now.timestamp(), &request_id, service.name(), action);
        event.principal = Some(caller.arn(&self.state().account));
        let input: Parameters = [("Action", action), ("Version", service.version())]
            .into_iter()
            .chain(parameters.iter().copied())
            .collect();
        let asked = Asked { caller, origin, input: &input, now, request_id: &request_id };
        let result = self.run(service, &asked, &mut event);
        if let Err(fault) = &result {
            event.refuse(fault);
        }
        event.why = Some(match event.why.take() {
            Some(why) => format!("in the console: {why}"),
            None => "in the console".to_owned(),
        });
        self.events().add(event);
        result
    }

    /// Whether policies allow somebody an action of IAM; nothing is done, and no event tells of it.
    pub(super) fn may(&self, caller: &Caller, origin: &Origin, action: &str, parameters: &[(&str, &str)]) -> bool {
        let input: Parameters = parameters.iter().copied().collect();
        let (now, state) = (self.clock.now(), self.state());
        let Some(action) = Action::find(Service::Iam, action) else { return false };
        let wish = action.wish(&state.account, caller, &input);
        wish.is_none_or(|wish| authorize::authorize(&state.account, caller, origin, wish, now).is_ok())
    }

    /// Finds, checks, authorizes and runs the action of an input.
    fn run(&self, service: Service, asked: &Asked<'_>, event: &mut Event) -> Result<Zeroizing<String>, Fault> {
        let action = find_action(service, asked.input)?;
        Contract::get().check(service.name(), action.name, asked.input)?;
        let mut state = self.state();
        let State { account, random, .. } = &mut *state;
        let body = asked.call(action, account, random.as_mut(), event);
        // A failure may have come halfway.
        if body.as_ref().is_err_and(|fault| fault.status >= 500) {
            account.undo();
        }
        // A refusal may have cost an attempt: that is stored too.
        state.store()?;
        body
    }
}

/// Whether a request is one of those that STS takes unsigned.
fn is_federation(input: &Parameters) -> bool {
    matches!(input.get("Action"), Some("AssumeRoleWithSAML" | "AssumeRoleWithWebIdentity"))
}

fn find_action(service: Service, input: &Parameters) -> Result<&'static Action, Fault> {
    let (name, version) = (input.get("Action").unwrap_or_default(), input.get("Version"));
    let unknown = || {
        let version = version.unwrap_or("NO_VERSION_SPECIFIED");
        Fault::new("InvalidAction", 400, format!("Could not find operation {name} for version {version}"))
    };
    if version != Some(service.version()) {
        return Err(unknown());
    }
    Action::find(service, name).ok_or_else(unknown)
}

impl State {
    /// Stores what changed, where there is a place to.
    ///
    /// # Errors
    ///
    /// `ServiceFailure`: what isn't stored isn't done, now or later.
    pub(super) fn store(&mut self) -> Result<(), Fault> {
        let Some(store) = &mut self.store else {
            self.account.stored();
            return Ok(());
        };
        store.write(&mut self.account).map_err(|error| {
            self.account.undo();
            Fault::failure(error.to_string())
        })
    }
}

impl Event {
    /// Ends as a refusal.
    pub(super) fn refuse(&mut self, fault: &Fault) {
        self.ended = Ended::Refused;
        self.status = Some(fault.status);
        self.code = Some(fault.code.to_owned());
        self.message = Some(fault.message.clone());
        self.why.clone_from(&fault.why);
    }
}

impl std::fmt::Debug for Stand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stand").field("clock", &self.clock).finish_non_exhaustive()
    }
}

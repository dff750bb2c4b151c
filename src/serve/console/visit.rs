//! A visit: a browser's request with what is known of who sent it, and what pages do for them.

use super::answer;
use super::attempts::{self, TooMany};
use super::page::{Badge, Message, Offer, Problem, Shell, html};
use super::session::{COOKIE, Key, Person, Session, Stage};
use crate::serve::authorize::Origin;
use crate::serve::caller::Caller;
use crate::serve::events::Event;
use crate::serve::fault::Fault;
use crate::serve::message::{Request, Response};
use crate::serve::stand::Stand;
use crate::time::Timestamp;
use crate::wire::query::Parameters;

/// Where what was done about devices leads back to.
pub(super) const SECURITY: &str = "/console/security";

/// The region that console requests count as made in.
pub(super) const REGION: &str = "us-east-1";

/// A request of a browser, with what is known of it.
pub(super) struct Visit<'a> {
    pub(super) stand: &'a Stand,
    pub(super) request: &'a Request,
    pub(super) now: Timestamp,
    /// What came with it: of a POST the form, else the query string.
    pub(super) input: Parameters,
    pub(super) session: Option<(Key, Session)>,
}

/// Somebody's visit who has given a right password.
pub(super) struct Signed<'a> {
    pub(super) visit: &'a Visit<'a>,
    pub(super) key: Key,
    pub(super) person: &'a Person,
    /// The user's name, as it is written.
    pub(super) name: String,
    pub(super) arn: String,
}

impl Visit<'_> {
    pub(super) fn stage(&self) -> Option<Stage> {
        self.person().map(|person| person.stage)
    }

    pub(super) fn person(&self) -> Option<&Person> {
        self.session.as_ref().and_then(|(_, session)| session.person.as_ref())
    }

    pub(super) fn signed(&self, answer: impl FnOnce(&Signed<'_>) -> Response) -> Response {
        let Some((key, session)) = &self.session else { return Response::redirect(place(None)) };
        let Some(person) = &session.person else { return Response::redirect(place(None)) };
        let (name, arn) = self.name_and_arn(person);
        answer(&Signed { visit: self, key: *key, person, name, arn })
    }

    pub(super) fn name_and_arn(&self, person: &Person) -> (String, String) {
        let state = self.stand.state();
        let name = state.account.users.get(&person.user).map(|user| user.name.clone());
        (name.unwrap_or_default(), person.caller().arn(&state.account))
    }

    /// What was sent under a name.
    pub(super) fn sent(&self, name: &str) -> &str {
        self.input.get(name).unwrap_or_default()
    }

    /// The same without blanks, as apps write codes.
    pub(super) fn sent_code(&self, name: &str) -> String {
        self.sent(name).chars().filter(|character| !character.is_whitespace()).collect()
    }

    pub(super) fn origin(&self) -> Origin {
        Origin {
            peer: self.request.peer,
            user_agent: self.request.header("user-agent").map(str::to_owned),
            region: REGION.to_owned(),
        }
    }

    pub(super) fn shell(&self, place: &'static str, problem: Option<Problem>) -> Shell {
        let badge = self.person().map(|person| Badge {
            name: self.name_and_arn(person).0,
            signed_in: person.stage == Stage::In,
            mfa: person.authenticated.is_some(),
        });
        let sessions = &self.stand.console.sessions;
        let notice = self.session.as_ref().and_then(|(key, _)| sessions.edit(*key, |session| session.notice.take()));
        let state = self.stand.state();
        Shell {
            account: state.account.id().to_owned(),
            alias: state.account.alias().map(str::to_owned),
            token: self.session.as_ref().map(|(_, session)| session.token.clone()).unwrap_or_default(),
            badge,
            place,
            notice: notice.flatten(),
            problem,
        }
    }

    pub(super) fn refuse(&self, status: u16, title: &str, text: &str) -> Response {
        html(status, &Message { shell: self.shell("", None), title, text, onward: false })
    }

    /// What isn't anybody's fault.
    pub(super) fn fail(&self, fault: &Fault) -> Response {
        self.refuse(fault.status, "Failed", fault.why.as_deref().unwrap_or(&fault.message))
    }

    /// Begins a session in the place of the one there is, under a new id: an id that somebody planted or saw before is
    /// worth nothing after a password or a code.
    pub(super) fn renew(&self, person: Person, notice: Option<&str>) -> Response {
        let sessions = &self.stand.console.sessions;
        let old = self.session.as_ref().map(|(key, _)| *key);
        // Signed out meanwhile: that stands.
        if !old.is_some_and(|key| sessions.end(key)) {
            return Response::redirect(place(None));
        }
        let place = place(Some(person.stage));
        let begun = sessions.begin(Some(person), self.now, self.stand.state().random.as_mut());
        match begun {
            Ok((id, key, _)) => {
                sessions.edit(key, |session| session.notice = notice.map(str::to_owned));
                with_cookie(Response::redirect(place), &id)
            }
            Err(error) => self.fail(&error.into()),
        }
    }

    /// Looks at a password where there weren't too many wrong ones for a user's key from this address.
    ///
    /// # Errors
    ///
    /// What `look` finds, or that there were too many; `is_wrong` tells which faults count.
    pub(super) fn guess<T>(
        &self,
        user_key: &str,
        is_wrong: impl FnOnce(&Fault) -> bool,
        look: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let (attempts, key) = (&self.stand.console.attempts, attempts::Key::of(self.request.peer, user_key));
        attempts.begin(key, self.now).map_err(|TooMany(seconds)| {
            let wait = if seconds > 60 { format!("{} minutes", seconds.div_ceil(60)) } else { "a minute".to_owned() };
            Fault::new("FailedAuthentication", 429, format!("Too many wrong passwords. Try again in {wait}."))
                .because(format!("the password was not looked at; the next one is in {seconds} s"))
        })?;
        let found = look();
        if !found.as_ref().is_err_and(is_wrong) {
            attempts.was_right(key);
        }
        found
    }

    /// Puts down what was done about signing in, and why.
    pub(super) fn note(&self, action: &str, principal: Option<&str>, result: Result<&str, &Fault>) {
        let request_id = self.stand.request_ids.next();
        let mut event = Event::new(self.now, &request_id, "console", action);
        event.principal = principal.map(str::to_owned);
        match result {
            Ok(why) => event.why = Some(why.to_owned()),
            Err(fault) => event.refuse(fault),
        }
        self.stand.events().add(event);
    }
}

impl Signed<'_> {
    pub(super) fn act(&self, action: &str, parameters: &[(&str, &str)]) -> Result<answer::Element, Fault> {
        let body = self.visit.stand.act(&self.person.caller(), &self.visit.origin(), action, parameters)?;
        Ok(answer::Element::read(&body))
    }

    /// An action with the device and the two codes that were sent.
    pub(super) fn pair(&self, action: &str) -> Result<answer::Element, Fault> {
        let (one, two) = (self.visit.sent_code("code1"), self.visit.sent_code("code2"));
        let parameters = [
            ("UserName", self.name.as_str()),
            ("SerialNumber", self.visit.sent("serial")),
            ("AuthenticationCode1", &one),
            ("AuthenticationCode2", &two),
        ];
        self.act(action, &parameters)
    }

    pub(super) fn shell(&self, problem: Option<Problem>) -> Shell {
        self.visit.shell("security", problem)
    }

    /// Whether an action is to be offered; `own` for one that needs MFA even if policies don't ask for it.
    pub(super) fn offer(&self, action: &str, parameters: &[(&str, &str)], own: bool) -> Offer {
        self.offered(own, |caller| self.visit.stand.may(caller, &self.visit.origin(), action, parameters))
    }

    pub(super) fn offered(&self, own: bool, may: impl Fn(&Caller) -> bool) -> Offer {
        let person = self.person;
        match person.authenticated {
            _ if !(own && person.authenticated.is_none()) && may(&person.caller()) => Offer::Open,
            None if may(&person.caller_with_mfa(self.visit.now)) => Offer::NeedsMfa,
            _ => Offer::Denied,
        }
    }

    /// Whether the user has MFA devices, or this one.
    pub(super) fn holds(&self, serial: Option<&str>) -> bool {
        let state = self.visit.stand.state();
        let devices =
            state.account.users.get(&self.person.user).map(|user| user.devices.as_slice()).unwrap_or_default();
        serial.map_or(!devices.is_empty(), |serial| devices.iter().any(|held| held == serial))
    }

    /// Whether there is an unassigned device of a serial number, as far as this user may know.
    pub(super) fn is_there(&self, action: &str, serial: &str) -> bool {
        let parameters = [("UserName", self.name.as_str()), ("SerialNumber", serial)];
        let state = |stand: &Stand| stand.state().account.devices.get(serial).map(|device| device.assigned.is_none());
        self.offer(action, &parameters, false) != Offer::Open || state(self.visit.stand) == Some(true)
    }

    pub(super) fn no_such_device(&self) -> Response {
        let text = "There is no such device, or it isn't yours. Security credentials lists those that are.";
        self.visit.refuse(404, "No such device", text)
    }

    pub(super) fn edit(&self, edit: impl FnOnce(&mut Person)) {
        let session = |session: &mut Session| session.person.as_mut().map(edit);
        let _ = self.visit.stand.console.sessions.edit(self.key, session);
    }

    /// Back to the list, with a word about what was done.
    pub(super) fn done(&self, place: &str, notice: String) -> Response {
        let _ = self.visit.stand.console.sessions.edit(self.key, |session| session.notice = Some(notice));
        Response::redirect(place)
    }
}

/// Where somebody belongs who has come this far.
pub(super) fn place(stage: Option<Stage>) -> &'static str {
    match stage {
        None => "/console/sign-in",
        Some(Stage::Code) => "/console/sign-in/mfa",
        Some(Stage::NewPassword) => "/console/sign-in/password",
        Some(Stage::In) => "/console",
    }
}

/// Sets the cookie: for this host and the console alone, for no script, and not sent along from other sites.
pub(super) fn with_cookie(mut response: Response, id: &str) -> Response {
    response.headers.push(("set-cookie", format!("{COOKIE}={id}; Path=/console; HttpOnly; SameSite=Strict")));
    response
}

pub(super) fn without_cookie(mut response: Response) -> Response {
    response.headers.push(("set-cookie", format!("{COOKIE}=; Path=/console; HttpOnly; SameSite=Strict; Max-Age=0")));
    response
}

//! The console: server-rendered pages at `/console`, for people and for suites that drive a browser.
//!
//! Whoever signs in does what they do by [`Stand::act`], under the same contract, policies and handlers as a signed request.
//! No page has a script; a change is a POST of a form with the session's token, and a success answers with a redirect.

mod answer;
mod attempts;
mod devices;
mod keys;
mod page;
mod security;
mod session;
mod sign_in;
mod wizard;
mod words;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use self::attempts::{Attempts, TooMany};
use self::page::{Badge, Message, Offer, Problem, Shell, html};
use self::session::{COOKIE, Key, Person, Session, Sessions, Stage};
use super::authorize::Origin;
use super::caller::Caller;
use super::control;
use super::events::Event;
use super::fault::Fault;
use super::stand::{Request, Response, Stand};
use crate::time::Timestamp;
use crate::wire::query::Parameters;

const STYLE: &str = include_str!("style.css");

/// What every answer carries: nothing but our own style and pictures, no frames, no traces.
const HEADERS: [(&str, &str); 4] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    // Nothing goes to other sites. With `no-referrer`, browsers would hide from us too that a form is our own: they send
    // `Origin: null` with it (Fetch standard, "append a request `Origin` header").
    ("referrer-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// Where what was done about devices leads back to.
const SECURITY: &str = "/console/security";

/// The region that console requests count as made in.
const REGION: &str = "us-east-1";

/// What a console remembers: who is signed in, and who gave wrong passwords.
#[derive(Debug, Default)]
pub(super) struct Console {
    sessions: Sessions,
    attempts: Attempts,
}

/// A request of a browser, with what is known of it.
struct Visit<'a> {
    stand: &'a Stand,
    request: &'a Request,
    now: Timestamp,
    /// What came with it: of a POST the form, else the query string.
    input: Parameters,
    session: Option<(Key, Session)>,
}

/// Somebody's visit who has given a right password.
struct Signed<'a> {
    visit: &'a Visit<'a>,
    key: Key,
    person: &'a Person,
    /// The user's name, as it is written.
    name: String,
    arn: String,
}

impl Stand {
    /// Answers a browser's request for `/console` or below.
    ///
    /// A sign-in takes some milliseconds over the password: this isn't for a thread on which others wait.
    #[must_use]
    pub fn console(&self, request: &Request) -> Response {
        let mut response = self.visit(request);
        response.headers.extend(HEADERS.map(|(name, value)| (name, value.to_owned())));
        response
    }

    fn visit(&self, request: &Request) -> Response {
        let now = self.clock.now();
        let post = request.method == "POST";
        let bytes = if post { request.body.as_slice() } else { request.query.as_bytes() };
        let parsed = Parameters::parse(bytes);
        let readable = parsed.is_ok();
        let visit = Visit { stand: self, request, now, input: parsed.unwrap_or_default(), session: None };
        if control::foreign_page(request).is_some() {
            let text = "A page of another site asked for this, or it came under a name: the console answers to addresses and to \
                        localhost.";
            return visit.refuse(403, "Not from here", text);
        }
        if !readable {
            return visit.refuse(400, "Unreadable", "What the browser sent can't be read.");
        }
        match request.method.as_str() {
            "GET" | "HEAD" | "POST" => {}
            _ => return visit.refuse(405, "Not that way", "Pages are fetched with GET, and forms are sent with POST."),
        }
        if request.path == "/console/style.css" && !post {
            let headers = vec![("content-type", "text/css; charset=utf-8".to_owned())];
            return Response { status: 200, headers, body: Zeroizing::new(STYLE.as_bytes().to_vec()) };
        }
        let visit = Visit { session: self.session(request, now), ..visit };
        if post { visit.post() } else { visit.get() }
    }

    /// The session that the browser's cookie names, unless its user is gone or has another password.
    fn session(&self, request: &Request, now: Timestamp) -> Option<(Key, Session)> {
        let (key, session) = self.console.sessions.find(session::id_of(request.header("cookie")?)?, now)?;
        if session.person.as_ref().is_some_and(|person| !person.is_current(&self.state().account)) {
            self.console.sessions.end(key);
            return None;
        }
        Some((key, session))
    }
}

impl Visit<'_> {
    fn get(&self) -> Response {
        // A link on another site: the browser withholds the cookie, and a new one would end the session that it belongs to.
        if self.session.is_none() && self.request.header("sec-fetch-site") == Some("cross-site") {
            let shell = self.shell("", None);
            let text = "This link goes to the console of a stand-in.";
            return html(200, &Message { shell, title: "To the console", text, onward: true });
        }
        let path = self.request.path.as_str();
        match (self.stage(), path) {
            (None, "/console/sign-in") => sign_in::page(self),
            (Some(Stage::Code), "/console/sign-in/mfa") => self.signed(sign_in::code_page),
            (Some(Stage::NewPassword), "/console/sign-in/password") => self.signed(sign_in::password_page),
            (Some(Stage::In), "/console") => self.signed(security::home),
            (Some(Stage::In), "/console/security") => self.signed(security::page),
            (Some(Stage::In), "/console/password") => self.signed(sign_in::password_page),
            (Some(Stage::In), "/console/keys") => self.signed(keys::page),
            (Some(Stage::In), "/console/mfa/assign") => self.signed(wizard::page),
            (Some(Stage::In), "/console/mfa/register") => self.signed(wizard::register_page),
            (Some(Stage::In), "/console/mfa/resync") => self.signed(devices::resync_page),
            (Some(Stage::In), "/console/mfa/remove") => self.signed(devices::remove_page),
            (Some(Stage::In), "/console/mfa/delete") => self.signed(devices::delete_page),
            (Some(Stage::In), _) if !is_place(path) => {
                self.refuse(404, "No such page", "The console has no such page.")
            }
            (stage, _) => Response::redirect(place(stage)),
        }
    }

    fn post(&self) -> Response {
        let token = self.session.as_ref().map(|(_, session)| session.token.as_bytes());
        let sent = self.input.get("token").unwrap_or_default();
        if !token.is_some_and(|token| bool::from(token.ct_eq(sent.as_bytes()))) {
            let text = "The page that this was sent from is too old, or its session is over. Nothing was done.";
            return self.refuse(403, "Out of date", text);
        }
        match (self.stage(), self.request.path.as_str()) {
            (None, "/console/sign-in") => sign_in::submit(self),
            (Some(_), "/console/sign-out") => sign_in::sign_out(self),
            (Some(Stage::Code), "/console/sign-in/mfa") => self.signed(sign_in::submit_code),
            (Some(Stage::NewPassword), "/console/sign-in/password") => self.signed(sign_in::change_password),
            (Some(Stage::In), "/console/password") => self.signed(sign_in::change_password),
            (Some(Stage::In), "/console/keys/create") => self.signed(keys::create),
            (Some(Stage::In), "/console/keys/update") => self.signed(keys::update),
            (Some(Stage::In), "/console/keys/delete") => self.signed(keys::delete),
            (Some(Stage::In), "/console/mfa/assign") => self.signed(wizard::create),
            (Some(Stage::In), "/console/mfa/register") => self.signed(wizard::register),
            (Some(Stage::In), "/console/mfa/cancel") => self.signed(wizard::cancel),
            (Some(Stage::In), "/console/mfa/resync") => self.signed(devices::resync),
            (Some(Stage::In), "/console/mfa/remove") => self.signed(devices::remove),
            (Some(Stage::In), "/console/mfa/delete") => self.signed(devices::delete),
            (stage, _) => Response::redirect(place(stage)),
        }
    }

    fn stage(&self) -> Option<Stage> {
        self.person().map(|person| person.stage)
    }

    fn person(&self) -> Option<&Person> {
        self.session.as_ref().and_then(|(_, session)| session.person.as_ref())
    }

    fn signed(&self, answer: impl FnOnce(&Signed<'_>) -> Response) -> Response {
        let Some((key, session)) = &self.session else { return Response::redirect(place(None)) };
        let Some(person) = &session.person else { return Response::redirect(place(None)) };
        let (name, arn) = self.name_and_arn(person);
        answer(&Signed { visit: self, key: *key, person, name, arn })
    }

    fn name_and_arn(&self, person: &Person) -> (String, String) {
        let state = self.stand.state();
        let name = state.account.users.get(&person.user).map(|user| user.name.clone());
        (name.unwrap_or_default(), person.caller().arn(&state.account))
    }

    /// What was sent under a name.
    fn sent(&self, name: &str) -> &str {
        self.input.get(name).unwrap_or_default()
    }

    /// The same without blanks, as apps write codes.
    fn sent_code(&self, name: &str) -> String {
        self.sent(name).chars().filter(|character| !character.is_whitespace()).collect()
    }

    fn origin(&self) -> Origin {
        Origin {
            peer: self.request.peer,
            user_agent: self.request.header("user-agent").map(str::to_owned),
            region: REGION.to_owned(),
        }
    }

    fn shell(&self, place: &'static str, problem: Option<Problem>) -> Shell {
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

    fn refuse(&self, status: u16, title: &str, text: &str) -> Response {
        html(status, &Message { shell: self.shell("", None), title, text, onward: false })
    }

    /// What isn't anybody's fault.
    fn fail(&self, fault: &Fault) -> Response {
        self.refuse(fault.status, "Failed", fault.why.as_deref().unwrap_or(&fault.message))
    }

    /// Begins a session in the place of the one there is, under a new id: an id that somebody planted or saw before is
    /// worth nothing after a password or a code.
    fn renew(&self, person: Person, notice: Option<&str>) -> Response {
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
    fn guess<T>(
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
    fn note(&self, action: &str, principal: Option<&str>, result: Result<&str, &Fault>) {
        let request_id = uuid::Uuid::new_v4().to_string();
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
    fn act(&self, action: &str, parameters: &[(&str, &str)]) -> Result<answer::Element, Fault> {
        let body = self.visit.stand.act(&self.person.caller(), &self.visit.origin(), action, parameters)?;
        Ok(answer::Element::read(&body))
    }

    /// An action with the device and the two codes that were sent.
    fn pair(&self, action: &str) -> Result<answer::Element, Fault> {
        let (one, two) = (self.visit.sent_code("code1"), self.visit.sent_code("code2"));
        let parameters = [
            ("UserName", self.name.as_str()),
            ("SerialNumber", self.visit.sent("serial")),
            ("AuthenticationCode1", &one),
            ("AuthenticationCode2", &two),
        ];
        self.act(action, &parameters)
    }

    fn shell(&self, problem: Option<Problem>) -> Shell {
        self.visit.shell("security", problem)
    }

    /// Whether an action is to be offered; `own` for one that takes MFA whatever the policies say.
    fn offer(&self, action: &str, parameters: &[(&str, &str)], own: bool) -> Offer {
        self.offered(own, |caller| self.visit.stand.may(caller, &self.visit.origin(), action, parameters))
    }

    fn offered(&self, own: bool, may: impl Fn(&Caller) -> bool) -> Offer {
        let person = self.person;
        match person.authenticated {
            _ if !(own && person.authenticated.is_none()) && may(&person.caller()) => Offer::Open,
            None if may(&person.caller_with_mfa(self.visit.now)) => Offer::NeedsMfa,
            _ => Offer::Denied,
        }
    }

    /// Whether the user has MFA devices, or this one.
    fn holds(&self, serial: Option<&str>) -> bool {
        let state = self.visit.stand.state();
        let devices =
            state.account.users.get(&self.person.user).map(|user| user.devices.as_slice()).unwrap_or_default();
        serial.map_or(!devices.is_empty(), |serial| devices.iter().any(|held| held == serial))
    }

    /// Whether there is an unassigned device of a serial number, as far as this user may know.
    fn is_there(&self, action: &str, serial: &str) -> bool {
        let parameters = [("UserName", self.name.as_str()), ("SerialNumber", serial)];
        let state = |stand: &Stand| stand.state().account.devices.get(serial).map(|device| device.assigned.is_none());
        self.offer(action, &parameters, false) != Offer::Open || state(self.visit.stand) == Some(true)
    }

    fn no_such_device(&self) -> Response {
        let text = "There is no such device, or it isn't yours. Security credentials lists those that are.";
        self.visit.refuse(404, "No such device", text)
    }

    fn edit(&self, edit: impl FnOnce(&mut Person)) {
        let session = |session: &mut Session| session.person.as_mut().map(edit);
        let _ = self.visit.stand.console.sessions.edit(self.key, session);
    }

    /// Back to the list, with a word about what was done.
    fn done(&self, place: &str, notice: String) -> Response {
        let _ = self.visit.stand.console.sessions.edit(self.key, |session| session.notice = Some(notice));
        Response::redirect(place)
    }
}

/// Where somebody belongs who has come this far.
fn place(stage: Option<Stage>) -> &'static str {
    match stage {
        None => "/console/sign-in",
        Some(Stage::Code) => "/console/sign-in/mfa",
        Some(Stage::NewPassword) => "/console/sign-in/password",
        Some(Stage::In) => "/console",
    }
}

/// Whether there is a page, if for somebody else or as the target of a form only.
fn is_place(path: &str) -> bool {
    let pages = ["/console/", "/console/sign-in", "/console/sign-in/mfa", "/console/sign-in/password"];
    pages.contains(&path) || ["/console/sign-out", "/console/mfa/cancel"].contains(&path)
}

/// Sets the cookie: for this host and the console alone, for no script, and not sent along from other sites.
fn with_cookie(mut response: Response, id: &str) -> Response {
    response.headers.push(("set-cookie", format!("{COOKIE}={id}; Path=/console; HttpOnly; SameSite=Strict")));
    response
}

fn without_cookie(mut response: Response) -> Response {
    response.headers.push(("set-cookie", format!("{COOKIE}=; Path=/console; HttpOnly; SameSite=Strict; Max-Age=0")));
    response
}

//! The console: server-rendered pages at `/console`, for people and for suites that drive a browser.
//!
//! Signed-in users act by [`Stand::act`], under the same contract, policies and handlers as a signed request.
//! No page has a script; a change is a POST of a form with the session's token, and a success answers with a redirect.

mod answer;
mod attempts;
mod devices;
mod keys;
pub(super) mod memory;
mod page;
mod security;
mod session;
mod sign_in;
mod visit;
mod wizard;
mod words;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use self::page::{Message, html};
use self::session::{Key, Session, Stage};
use self::visit::{Visit, place};
use super::host::foreign_page;
use super::message::{Request, Response};
use super::stand::Stand;
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
        if foreign_page(request).is_some() {
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
}

/// Whether there is a page, if for somebody else or as the target of a form only.
fn is_place(path: &str) -> bool {
    let pages = ["/console/", "/console/sign-in", "/console/sign-in/mfa", "/console/sign-in/password"];
    pages.contains(&path) || ["/console/sign-out", "/console/mfa/cancel"].contains(&path)
}

//! The pages, one struct a template of `templates/console`.

use askama::Template;
use zeroize::Zeroizing;

use super::session::{Enrolment, FreshKey};
use crate::serve::fault::Fault;
use crate::serve::message::Response;

/// Room for most pages, so that what they show is not copied about while they grow.
const ROOM: usize = 16_384;

/// What frames every page.
pub(super) struct Shell {
    pub(super) account: String,
    pub(super) alias: Option<String>,
    /// What the forms carry.
    pub(super) token: Zeroizing<String>,
    pub(super) badge: Option<Badge>,
    /// Which place of the navigation it is.
    pub(super) place: &'static str,
    pub(super) notice: Option<String>,
    pub(super) problem: Option<Problem>,
}

/// Who is there.
pub(super) struct Badge {
    pub(super) name: String,
    pub(super) signed_in: bool,
    pub(super) mfa: bool,
}

/// What went wrong.
#[derive(Default)]
pub(super) struct Problem {
    pub(super) message: String,
    /// Of the API.
    pub(super) code: Option<&'static str>,
    /// What AWS doesn't say.
    pub(super) why: Option<String>,
    /// What can be done.
    pub(super) advice: Option<String>,
}

/// A device in a list.
pub(super) struct Device {
    pub(super) serial: String,
    pub(super) name: String,
    /// Since when.
    pub(super) assigned: String,
    /// Whether it is being set up in this session.
    pub(super) current: bool,
    /// What is done first with such a device: resync it, or enter its codes.
    pub(super) first: Offer,
    /// What may be done after that: remove or delete it.
    pub(super) second: Offer,
}

/// Whether something is offered: nothing is that would be denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    Open,
    /// It would be allowed after a sign-in with MFA.
    NeedsMfa,
    Denied,
}

impl Offer {
    pub(super) fn is_open(self) -> bool {
        self == Self::Open
    }

    pub(super) fn needs_mfa(self) -> bool {
        self == Self::NeedsMfa
    }
}

/// An access key in a list.
pub(super) struct AccessKey {
    pub(super) id: String,
    /// `Active` or `Inactive`.
    pub(super) status: String,
    pub(super) created: String,
}

#[derive(Template)]
#[template(path = "console/sign_in.html")]
pub(super) struct SignIn<'a> {
    pub(super) shell: Shell,
    pub(super) account: &'a str,
    pub(super) user: &'a str,
    pub(super) wrong: bool,
}

#[derive(Template)]
#[template(path = "console/code.html")]
pub(super) struct Code<'a> {
    pub(super) shell: Shell,
    pub(super) devices: Vec<Device>,
    pub(super) chosen: &'a str,
}

#[derive(Template)]
#[template(path = "console/password.html")]
pub(super) struct Password<'a> {
    pub(super) shell: Shell,
    pub(super) user: &'a str,
    pub(super) action: &'static str,
    pub(super) required: bool,
}

#[derive(Template)]
#[template(path = "console/home.html")]
pub(super) struct Home<'a> {
    pub(super) shell: Shell,
    pub(super) name: &'a str,
    pub(super) arn: &'a str,
    pub(super) since: String,
    pub(super) authenticated: Option<String>,
}

#[derive(Template)]
#[template(path = "console/security.html")]
pub(super) struct Security<'a> {
    pub(super) shell: Shell,
    pub(super) name: &'a str,
    pub(super) arn: &'a str,
    pub(super) password_used: String,
    pub(super) user_problem: Option<Problem>,
    pub(super) devices: Vec<Device>,
    pub(super) devices_problem: Option<Problem>,
    pub(super) unassigned: Vec<Device>,
    pub(super) unassigned_problem: Option<Problem>,
    pub(super) change_password: Offer,
    pub(super) access_keys: Offer,
    pub(super) assign: Offer,
}

#[derive(Template)]
#[template(path = "console/assign.html")]
pub(super) struct Assign<'a> {
    pub(super) shell: Shell,
    pub(super) name: &'a str,
    pub(super) user: &'a str,
}

#[derive(Template)]
#[template(path = "console/register.html")]
pub(super) struct Register<'a> {
    pub(super) shell: Shell,
    pub(super) serial: &'a str,
    pub(super) name: &'a str,
    /// What is shown while it is set up.
    pub(super) enrolment: Option<&'a Enrolment>,
}

#[derive(Template)]
#[template(path = "console/resync.html")]
pub(super) struct Resync<'a> {
    pub(super) shell: Shell,
    pub(super) serial: &'a str,
    pub(super) name: &'a str,
}

#[derive(Template)]
#[template(path = "console/remove.html")]
pub(super) struct Remove<'a> {
    pub(super) shell: Shell,
    pub(super) serial: &'a str,
    pub(super) name: &'a str,
    /// Whether it is somebody's.
    pub(super) assigned: bool,
}

#[derive(Template)]
#[template(path = "console/keys.html")]
pub(super) struct Keys<'a> {
    pub(super) shell: Shell,
    pub(super) name: &'a str,
    pub(super) keys: Vec<AccessKey>,
    pub(super) keys_problem: Option<Problem>,
    pub(super) create: Offer,
    pub(super) update: Offer,
    pub(super) delete: Offer,
    /// The one that was just created.
    pub(super) fresh: Option<&'a FreshKey>,
}

#[derive(Template)]
#[template(path = "console/message.html")]
pub(super) struct Message<'a> {
    pub(super) shell: Shell,
    pub(super) title: &'a str,
    pub(super) text: &'a str,
    /// Whether the browser goes on to the console by itself.
    pub(super) onward: bool,
}

impl Shell {
    /// Whether policies were in the way: the same again would be denied again.
    pub(super) fn was_denied(&self) -> bool {
        self.problem.as_ref().is_some_and(|problem| problem.code == Some("AccessDenied"))
    }
}

impl Problem {
    pub(super) fn new(message: &str) -> Self {
        Self { message: message.to_owned(), ..Self::default() }
    }

    pub(super) fn of(fault: &Fault) -> Self {
        Self { message: fault.message.clone(), code: Some(fault.code), why: fault.why.clone(), advice: None }
    }

    #[must_use]
    pub(super) fn advise(mut self, advice: &str) -> Self {
        self.advice = Some(advice.to_owned());
        self
    }
}

impl Device {
    pub(super) fn new(serial: &str) -> Self {
        Self {
            serial: serial.to_owned(),
            name: name_of(serial).to_owned(),
            assigned: String::new(),
            current: false,
            first: Offer::Open,
            second: Offer::Open,
        }
    }
}

/// The name in a serial number; names have no slash.
pub(super) fn name_of(serial: &str) -> &str {
    serial.rsplit_once('/').map_or(serial, |(_, name)| name)
}

/// A page as an answer.
pub(super) fn html(status: u16, page: &impl Template) -> Response {
    let mut text = Zeroizing::new(String::with_capacity(ROOM));
    if let Err(error) = page.render_into(&mut *text) {
        return Response::text(500, &format!("the page can't be made: {error}\n"));
    }
    Response {
        status,
        headers: vec![("content-type", "text/html; charset=utf-8".to_owned())],
        body: Zeroizing::new(text.as_bytes().to_vec()),
    }
}

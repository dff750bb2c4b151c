//! A browser as far as the console needs one: cookies, forms, redirects. It reads pages by their `data-testid`s.

use std::net::{IpAddr, Ipv4Addr};

use vmfa::provision::base32;
use vmfa::serve::{Request, Response};
use vmfa::wire::query::Form;
use zeroize::Zeroizing;

use crate::serve::support::{ACCOUNT, Aws, Device};

pub const PASSWORD: &str = "correct-Horse-7";

pub struct Browser<'a> {
    pub aws: &'a Aws,
    pub cookie: Option<String>,
    pub page: Page,
    /// Where it is.
    pub peer: IpAddr,
}

#[derive(Debug, Clone, Default)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl<'a> Browser<'a> {
    pub fn new(aws: &'a Aws) -> Self {
        Self { aws, cookie: None, page: Page::default(), peer: IpAddr::V4(Ipv4Addr::LOCALHOST) }
    }

    /// Sends one request and follows nothing.
    pub fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> &Page {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut all = vec![("host".to_owned(), b"127.0.0.1:4566".to_vec())];
        if let Some(cookie) = &self.cookie {
            all.push(("cookie".to_owned(), format!("vmfa_console={cookie}").into_bytes()));
        }
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())));
        let response: Response = self.aws.stand.console(&Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: all,
            body: Zeroizing::new(body.as_bytes().to_vec()),
            peer: self.peer,
        });
        self.page = Page {
            status: response.status,
            headers: response.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            body: String::from_utf8(response.body.to_vec()).unwrap(),
        };
        if let Some(set) = self.page.header("set-cookie") {
            let (name, rest) = set.split_once('=').unwrap();
            assert_eq!(name, "vmfa_console");
            let value = rest.split(';').next().unwrap();
            self.cookie = (!value.is_empty()).then(|| value.to_owned());
        }
        &self.page
    }

    /// Opens a page and whatever it redirects to; says where that was.
    pub fn open(&mut self, path: &str) -> String {
        self.request("GET", path, &[], "");
        self.follow(path)
    }

    /// Sends the form that the page has, with the hidden fields that it has; says where that led.
    pub fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let body = self.page.form(fields);
        self.request("POST", path, &[], &body);
        self.follow(path)
    }

    fn follow(&mut self, path: &str) -> String {
        let mut place = path.to_owned();
        for _ in 0..5 {
            let Some(to) = self.page.header("location").map(str::to_owned) else { return place };
            assert_eq!(self.page.status, 303);
            self.request("GET", &to, &[], "");
            place = to;
        }
        panic!("redirects without end from {path}");
    }

    /// Gives a name and a password; says where that led.
    pub fn sign_in(&mut self, user: &str, password: &str) -> String {
        self.open("/console/sign-in");
        let fields = [("account", ACCOUNT), ("username", user), ("password", password)];
        self.submit("/console/sign-in", &fields)
    }

    /// Goes through both steps of the wizard; gives the device.
    pub fn assign(&mut self, name: &str) -> Device {
        let device = self.begin(name);
        self.aws.wait(60);
        let [one, two] = device.pair(self.aws.now());
        let place = self.submit("/console/mfa/register", &[("code1", &one), ("code2", &two)]);
        assert_eq!(place, "/console/security", "{}", self.page.body);
        device
    }

    /// Goes through the first step of the wizard.
    pub fn begin(&mut self, name: &str) -> Device {
        self.open("/console/mfa/assign");
        let place = self.submit("/console/mfa/assign", &[("device-name", name)]);
        assert_eq!(place, "/console/mfa/register", "{}", self.page.body);
        let seed = base32::parse(&self.page.text("secret-key")).unwrap();
        Device { serial: format!("arn:aws:iam::{ACCOUNT}:mfa/{name}"), seed, ahead: 0.into() }
    }

    /// Signs in with a code of a device.
    pub fn sign_in_with(&mut self, user: &str, device: &Device) -> String {
        assert_eq!(self.sign_in(user, PASSWORD), "/console/sign-in/mfa");
        let code = device.code(self.aws.now(), 0);
        self.submit("/console/sign-in/mfa", &[("device", &device.serial), ("code", &code)])
    }
}

impl Page {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    fn form(&self, fields: &[(&str, &str)]) -> String {
        // The sign-out form comes first; the last form is the page's own.
        let own = self.body.rsplit("<form").next().unwrap_or_default();
        let hidden = own.split("<input type=\"hidden\" name=\"").skip(1).map(|rest| {
            let (name, rest) = rest.split_once('"').unwrap();
            (name, unescape(rest.split("value=\"").nth(1).unwrap().split('"').next().unwrap()))
        });
        let mut pairs: Vec<(&str, String)> = hidden.collect();
        pairs.retain(|(name, _)| fields.iter().all(|(field, _)| field != name));
        pairs.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let form = pairs.iter().fold(Form::new("", ""), |form, (name, value)| form.pair(name, value));
        form.body().to_string()
    }

    pub fn has(&self, id: &str) -> bool {
        self.body.contains(&format!("data-testid=\"{id}\""))
    }

    /// The text in the first element of a `data-testid`, without its tags.
    #[track_caller]
    pub fn text(&self, id: &str) -> String {
        self.all(id).into_iter().next().unwrap_or_else(|| panic!("no {id} in {}", self.body))
    }

    pub fn all(&self, id: &str) -> Vec<String> {
        let mark = format!("data-testid=\"{id}\"");
        let texts = self.body.split(&mark).skip(1);
        texts
            .map(shown)
            .map(|rest| unescape(rest.split_once('>').unwrap().1.split('<').next().unwrap()).trim().to_owned())
            .collect()
    }
}

/// Without the elements that are within a text.
fn shown(html: &str) -> String {
    let mut parts = html.split("<time datetime=\"");
    let mut text = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|rest| text.push_str(rest.split_once("\">").unwrap().1));
    ["<wbr>", "<code>", "</code>", "</time>", "<span class=\"spacious\">"]
        .iter()
        .fold(text, |text, tag| text.replace(tag, ""))
}

pub fn unescape(text: &str) -> String {
    let pairs = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// A user with a password and policies of `vectors/policies`.
pub fn user(aws: &Aws, name: &str, policies: &[&str]) {
    aws.root().ok("CreateUser", &[("UserName", name)]);
    aws.root().ok("CreateLoginProfile", &[("UserName", name), ("Password", PASSWORD)]);
    for policy in policies {
        let document = std::fs::read_to_string(format!("vectors/policies/{policy}.json")).unwrap();
        let parameters = [("UserName", name), ("PolicyName", policy), ("PolicyDocument", &document)];
        aws.root().ok("PutUserPolicy", &parameters);
    }
}

//! A stand-in without a socket, on virtual time, and a client that signs.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use vmfa::oath::{Parameters, totp};
use vmfa::secret::Secret;
use vmfa::serve::random::{self, Random};
use vmfa::serve::time::Clock;
use vmfa::serve::{Begun, Event, Options, Outcome, Request, Response, Stand};
use vmfa::time::Timestamp;
use vmfa::wire::query::Form;
use vmfa::wire::sigv4::{self, Credentials, Payload, Signer};
use vmfa::wire::xml::Failure;
use zeroize::Zeroizing;

/// When the stories begin: the first second of a step and of a window of the budget.
pub const START: u64 = 1_790_000_100 / 180 * 180;

pub const ACCOUNT: &str = "123456789012";

/// Everything is allowed.
pub const ALLOW_ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// A trust policy that leaves it to the account.
pub fn trust_of_account() -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

/// Bytes that are the same in every run.
pub struct Foreseeable(pub u64);

impl Random for Foreseeable {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), random::Error> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
        Ok(())
    }
}

/// A stand-in and its clock.
pub struct Aws {
    pub stand: Stand,
    pub clock: Clock,
    pub administrator: Credentials,
}

impl Aws {
    pub fn new() -> Self {
        Self::begin(None)
    }

    /// One that keeps its account in a directory.
    pub fn kept_in(directory: &Path) -> Self {
        Self::begin(Some(directory.to_owned()))
    }

    fn begin(state: Option<PathBuf>) -> Self {
        let clock = Clock::standing_at(Timestamp::from_unix(START));
        let options = Options {
            account: ACCOUNT.to_owned(),
            alias: None,
            clock,
            starts_at: None,
            random: Box::new(Foreseeable(1)),
            state,
            scenario: None,
        };
        let (stand, begun) = Stand::open(options).unwrap();
        Self::of(stand, &begun)
    }

    /// Around a stand-in that began.
    pub fn of(stand: Stand, begun: &Begun) -> Self {
        let administrator = &begun.administrator;
        let clock = stand.clock().clone();
        let administrator = Credentials::new(&administrator.access_key_id, &administrator.secret_access_key, None);
        Self { stand, clock, administrator }
    }

    pub fn now(&self) -> u64 {
        self.clock.now().as_unix()
    }

    pub fn wait(&self, seconds: u64) {
        self.clock.advance(seconds.try_into().unwrap(), false).unwrap();
    }

    /// The administrator's client.
    pub fn root(&self) -> Client<'_> {
        Client { aws: self, credentials: self.administrator.clone() }
    }

    /// A client with other credentials.
    pub fn client(&self, credentials: &Credentials) -> Client<'_> {
        Client { aws: self, credentials: credentials.clone() }
    }

    /// A new user with an access key.
    pub fn user(&self, name: &str) -> Client<'_> {
        let root = self.root();
        root.ok("CreateUser", &[("UserName", name)]);
        self.key_of(name)
    }

    /// A new access key of a user.
    pub fn key_of(&self, name: &str) -> Client<'_> {
        let answer = self.root().ok("CreateAccessKey", &[("UserName", name)]);
        self.client(&Credentials::new(&answer.text("AccessKeyId"), &answer.text("SecretAccessKey"), None))
    }

    /// The last event.
    pub fn why(&self) -> String {
        self.events().pop().and_then(|event| event.why).unwrap_or_default()
    }

    pub fn events(&self) -> Vec<Event> {
        self.stand.events_after(0, usize::MAX)
    }
}

/// Somebody who calls.
pub struct Client<'a> {
    pub aws: &'a Aws,
    pub credentials: Credentials,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer(pub String);

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl Client<'_> {
    /// Calls an action of IAM or, where its name says so, of STS.
    pub fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Result<Answer, Refused> {
        let sts = ["GetSessionToken", "AssumeRole", "GetCallerIdentity", "GetAccessKeyInfo"].contains(&action);
        let (service, version) = if sts { ("sts", "2011-06-15") } else { ("iam", "2010-05-08") };
        let form = parameters.iter().fold(Form::new(action, version), |form, (name, value)| form.pair(name, value));
        let response = self.send(service, form.body().as_bytes());
        let body = String::from_utf8(response.body.to_vec()).unwrap();
        if response.status == 200 {
            return Ok(Answer(body));
        }
        let failure = Failure::read(body.as_bytes()).unwrap_or_else(|| panic!("{}: {body}", response.status));
        Err(Refused { status: response.status, code: failure.code, message: failure.message })
    }

    /// What must succeed.
    #[track_caller]
    pub fn ok(&self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        match self.call(action, parameters) {
            Ok(answer) => answer,
            Err(refused) => panic!("{action} {parameters:?}: {refused:?}\nwhy: {}", self.aws.why()),
        }
    }

    /// What must be refused, as code, status and message.
    #[track_caller]
    pub fn refused(&self, action: &str, parameters: &[(&str, &str)]) -> (String, u16, String) {
        match self.call(action, parameters) {
            Ok(answer) => panic!("{action} {parameters:?} succeeded: {}", answer.0),
            Err(refused) => (refused.code, refused.status, refused.message),
        }
    }

    /// Signs a form and sends it.
    pub fn send(&self, service: &str, body: &[u8]) -> Response {
        let mut headers = vec![
            ("host".to_owned(), b"127.0.0.1".to_vec()),
            ("content-type".to_owned(), Form::CONTENT_TYPE.as_bytes().to_vec()),
        ];
        let now = self.aws.clock.now();
        let signed = Signer::new(&self.credentials, "us-east-1", service)
            .sign(
                &sigv4::Request {
                    method: "POST",
                    path: "/",
                    query: "",
                    headers: headers.iter().map(|(name, value)| (name, value)).collect(),
                },
                Payload::Bytes(body),
                now,
            )
            .unwrap();
        headers.extend(signed.into_iter().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())));
        let outcome = self.aws.stand.answer(Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body: Zeroizing::new(body.to_vec()),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        });
        match outcome {
            Outcome::Answer(response) => response,
            Outcome::Pass { .. } => panic!("passed on"),
        }
    }

    /// A session of `GetSessionToken`.
    pub fn session(&self, parameters: &[(&str, &str)]) -> Self {
        let answer = self.ok("GetSessionToken", parameters);
        Self { aws: self.aws, credentials: answer.credentials() }
    }
}

impl Answer {
    /// The text of the first element of a name.
    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        self.all(name).into_iter().next().unwrap_or_else(|| panic!("no {name} in {}", self.0))
    }

    /// The texts of all elements of a name.
    pub fn all(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let parts = self.0.split(&open).skip(1);
        parts.filter_map(|part| Some(part.split_once(&close)?.0.to_owned())).collect()
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains(&format!("<{name}>"))
    }

    /// Those that an answer of STS carries.
    pub fn credentials(&self) -> Credentials {
        Credentials::new(&self.text("AccessKeyId"), &self.text("SecretAccessKey"), Some(&self.text("SessionToken")))
    }
}

/// A virtual MFA device at the other end of an enrolment.
pub struct Device {
    pub serial: String,
    pub seed: Secret,
    /// How far its clock is ahead, in seconds.
    pub ahead: RefCell<i64>,
}

impl Device {
    /// Of an answer to `CreateVirtualMFADevice`.
    pub fn of(answer: &Answer) -> Self {
        use base64::Engine as _;
        let text = base64::prelude::BASE64_STANDARD.decode(answer.text("Base32StringSeed")).unwrap();
        let seed = vmfa::provision::base32::parse(str::from_utf8(&text).unwrap()).unwrap();
        Self { serial: answer.text("SerialNumber"), seed, ahead: RefCell::new(0) }
    }

    /// The code so many steps from the one that the device shows at a time.
    pub fn code(&self, now: u64, steps: i64) -> String {
        let time = now.checked_add_signed(*self.ahead.borrow() + 30 * steps).unwrap();
        totp::code(&self.seed, Timestamp::from_unix(time), totp::EPOCH, &Parameters::DEFAULT).unwrap().to_string()
    }

    /// (previous, current).
    pub fn pair(&self, now: u64) -> [String; 2] {
        [self.code(now, -1), self.code(now, 0)]
    }
}

/// What AWS answers to a pair that it doesn't accept.
pub const INVALID_PAIR: (&str, u16, &str) =
    ("InvalidAuthenticationCode", 403, "Authentication code for device is not valid.");

/// What STS answers to a code that is wrong or used.
pub const BAD_CODE: (&str, u16, &str) =
    ("AccessDenied", 403, "MultiFactorAuthentication failed with invalid MFA one time pass code. ");

/// What STS answers in four cases.
pub const UNABLE: (&str, u16, &str) = (
    "AccessDenied",
    403,
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and \
     associated with this user.",
);

/// What IAM answers to who adds or removes own devices without MFA.
pub const NEEDS_MFA: (&str, u16, &str) = (
    "AccessDenied",
    403,
    "To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user.",
);

/// As borrowed text, to be compared.
pub fn said(refused: &(String, u16, String)) -> (&str, u16, &str) {
    (&refused.0, refused.1, &refused.2)
}

impl Client<'_> {
    /// A new device of that name.
    #[track_caller]
    pub fn device(&self, name: &str) -> Device {
        Device::of(&self.ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", name)]))
    }

    /// `EnableMFADevice` or `ResyncMFADevice`.
    pub fn pair(&self, action: &str, user: &str, device: &Device, codes: [String; 2]) -> Result<Answer, Refused> {
        self.call(
            action,
            &[
                ("UserName", user),
                ("SerialNumber", &device.serial),
                ("AuthenticationCode1", &codes[0]),
                ("AuthenticationCode2", &codes[1]),
            ],
        )
    }

    /// Enables a device by its current pair.
    #[track_caller]
    pub fn enable(&self, user: &str, device: &Device) {
        self.pair("EnableMFADevice", user, device, device.pair(self.aws.now())).unwrap();
    }

    /// `GetSessionToken` with a code.
    pub fn token(&self, device: &Device, code: &str) -> Result<Answer, Refused> {
        self.call("GetSessionToken", &[("SerialNumber", &device.serial), ("TokenCode", code)])
    }
}

impl Refused {
    pub fn said(&self) -> (&str, u16, &str) {
        (&self.code, self.status, &self.message)
    }
}

impl Aws {
    /// A user with a key, and an enabled device of the same name that STS knows of.
    pub fn user_with_device(&self, name: &str) -> (Client<'_>, Device) {
        let user = self.user(name);
        let device = self.root().device(name);
        self.root().enable(name, &device);
        self.wait(10);
        (user, device)
    }

    /// Attaches a policy of AWS's own to a user.
    pub fn allow(&self, user: &str, policy: &str) {
        let arn = format!("arn:aws:iam::aws:policy/{policy}");
        self.root().ok("AttachUserPolicy", &[("UserName", user), ("PolicyArn", &arn)]);
    }

    /// The adjustment of a device, as the last accepted pair was explained.
    pub fn explained(&self) -> String {
        self.events().into_iter().rev().find(|event| event.action.ends_with("MFADevice")).unwrap().why.unwrap()
    }
}

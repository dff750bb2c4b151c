//! A stand-in in this process, and a client that signs.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::cli::error::{Error, Kind, Result};
use crate::serve::time::Clock;
use crate::serve::{Options, Outcome, Request, Response, Stand, random};
use crate::time::Timestamp;
use crate::wire::query::Form;
use crate::wire::sigv4::{self, Payload, Signer};
use crate::wire::xml::Failure;

pub(super) use crate::wire::sigv4::Credentials as Keys;

/// The number of the account.
pub(super) const ACCOUNT: &str = "123456789012";

pub(super) struct Aws(Stand);

/// What came back.
pub(super) struct Answer {
    pub(super) refused: bool,
    /// For people: a message where it was refused.
    pub(super) text: String,
    /// The event's reason where it was refused.
    pub(super) why: Option<String>,
    body: Zeroizing<String>,
}

impl Aws {
    /// A new account on virtual time, and its administrator.
    pub(super) fn open(now: Timestamp) -> Result<(Self, Keys)> {
        let (stand, begun) = Stand::open(Options {
            account: ACCOUNT.to_owned(),
            alias: None,
            clock: Clock::standing_at(now),
            starts_at: None,
            random: Box::new(random::System),
            state: None,
            scenario: None,
        })?;
        let keys = Keys::new(&begun.administrator.access_key_id, &begun.administrator.secret_access_key, None);
        Ok((Self(stand), keys))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.clock().now()
    }

    pub(super) fn wait(&self, seconds: i64) -> Result<()> {
        let moved = self.0.clock().advance(seconds, false);
        moved.map(|_| ()).map_err(|error| Error::new(Kind::Remote, "demo", error.to_string()))
    }

    /// Calls an action of IAM or STS.
    pub(super) fn call(&self, keys: &Keys, action: &str, parameters: &[(&str, &str)]) -> Answer {
        let (service, version) = match action {
            "GetSessionToken" => ("sts", "2011-06-15"),
            _ => ("iam", "2010-05-08"),
        };
        self.send(keys, service, action, version, parameters)
    }

    /// The same, which has to succeed.
    pub(super) fn done(&self, keys: &Keys, action: &str, parameters: &[(&str, &str)]) -> Result<Answer> {
        let answer = self.call(keys, action, parameters);
        if answer.refused {
            return Err(Error::new(Kind::Remote, "demo", format!("{action}: {}", answer.text)));
        }
        Ok(answer)
    }

    /// A call of EC2, of which there is the permission only.
    pub(super) fn ec2(&self, keys: &Keys) -> Answer {
        self.send(keys, "ec2", "DescribeInstances", "2016-11-15", &[])
    }

    fn send(&self, keys: &Keys, service: &str, action: &str, version: &str, parameters: &[(&str, &str)]) -> Answer {
        let form = parameters.iter().fold(Form::new(action, version), |form, (name, value)| form.pair(name, value));
        match self.signed(keys, service, form) {
            Ok(Outcome::Answer(response)) => self.read(&response),
            Ok(Outcome::Pass { .. }) => Answer::good("allowed by the policies".to_owned()),
            Err(error) => Answer { refused: true, ..Answer::good(error.to_string()) },
        }
    }

    fn signed(&self, keys: &Keys, service: &str, form: Form) -> std::result::Result<Outcome, sigv4::Error> {
        let body = form.body();
        let mut headers = vec![
            ("host".to_owned(), b"localhost".to_vec()),
            ("content-type".to_owned(), Form::CONTENT_TYPE.as_bytes().to_vec()),
        ];
        let request = sigv4::Request {
            method: "POST",
            path: "/",
            query: "",
            headers: headers.iter().map(|(name, value)| (name, value)).collect(),
        };
        let payload = Payload::Bytes(body.as_bytes());
        let signed = Signer::new(keys, "us-east-1", service).sign(&request, payload, self.now())?;
        headers.extend(signed.into_iter().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())));
        Ok(self.0.answer(Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body: Zeroizing::new(body.as_bytes().to_vec()),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        }))
    }

    fn read(&self, response: &Response) -> Answer {
        let body = Zeroizing::new(String::from_utf8_lossy(&response.body).into_owned());
        if response.status == 200 {
            return Answer { body, ..Answer::good("accepted".to_owned()) };
        }
        let failure = Failure::read(body.as_bytes()).unwrap_or_default();
        let text = format!("{} {}: {}", response.status, failure.code, failure.message.trim_end());
        let why = self.0.events_after(self.0.event_count().saturating_sub(1), 1).pop().and_then(|event| event.why);
        Answer { refused: true, text, why, body }
    }
}

impl Answer {
    /// Something that went well.
    pub(super) fn good(text: String) -> Self {
        Self { refused: false, text, why: None, body: Zeroizing::default() }
    }

    /// The same with other words, where it went well.
    pub(super) fn saying(self, text: String) -> Self {
        if self.refused { self } else { Self { text, ..self } }
    }

    /// The text of an element.
    fn element(&self, name: &str) -> Result<&str> {
        let text = self.body.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once("</"));
        text.map(|(text, _)| text)
            .ok_or_else(|| Error::new(Kind::Remote, "demo", format!("the answer has no {name}: {}", self.text)))
    }

    /// What an element holds as base64.
    pub(super) fn blob(&self, name: &str) -> Result<Zeroizing<Vec<u8>>> {
        let bytes = BASE64_STANDARD.decode(self.element(name)?);
        bytes.map(Zeroizing::new).map_err(|error| Error::new(Kind::Remote, "demo", error.to_string()))
    }

    /// The keys of an answer of `CreateAccessKey` or `GetSessionToken`.
    pub(super) fn keys(&self) -> Result<Keys> {
        let token = self.element("SessionToken").ok();
        Ok(Keys::new(self.element("AccessKeyId")?, self.element("SecretAccessKey")?, token))
    }
}

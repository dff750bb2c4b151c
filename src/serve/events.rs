//! What was accepted or refused, and why: the thing that AWS never tells.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use zeroize::Zeroizing;

use crate::time::Timestamp;
use crate::wire::query::Parameters;

/// How many are remembered; older ones make room.
pub(super) const REMEMBERED: usize = 10_000;

/// One request, as it ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Event {
    /// Counted from 1.
    pub number: u64,
    /// By the server's clock, RFC 3339.
    pub time: String,
    /// As the answer has it.
    pub request_id: String,
    /// `iam`, `sts`, `console`, or the service of a call that was passed on.
    pub service: String,
    /// Such as `EnableMFADevice`; empty where the request names none.
    pub action: String,
    /// The caller's ARN, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// What the client calls itself: the application ID of the SDKs (`AWS_SDK_UA_APP_ID`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// How it ended.
    #[serde(rename = "outcome")]
    pub ended: Ended,
    /// Of HTTP; what another service answered isn't known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The error's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The error's message, as the client got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// In words, what AWS doesn't say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What isn't told, until the event is kept.
    #[serde(skip)]
    pub(super) hidden: Vec<Zeroizing<String>>,
}

/// Parameters whose values no event tells, should a message repeat them.
const HIDDEN: &[&str] = &[
    "TokenCode",
    "AuthenticationCode1",
    "AuthenticationCode2",
    "Password",
    "OldPassword",
    "NewPassword",
    "ExternalId",
];

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It was done.
    Accepted,
    /// It wasn't.
    Refused,
    /// It was allowed, and is another service's.
    Passed,
}

/// How many characters of a text are remembered: clients write some of them.
const TEXT: usize = 2_000;

/// The last of them.
#[derive(Debug, Default)]
pub(super) struct Events {
    last: VecDeque<Event>,
    count: u64,
}

impl Events {
    /// Adds one, and gives it its number.
    pub(super) fn add(&mut self, mut event: Event) {
        self.count = self.count.saturating_add(1);
        event.number = self.count;
        event.shorten();
        if self.last.len() >= REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back(event);
    }

    /// The events after a number, the oldest first, up to a limit.
    pub(super) fn after(&self, number: u64, most: usize) -> Vec<Event> {
        self.last.iter().filter(|event| event.number > number).take(most).cloned().collect()
    }

    /// How many there were.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }
}

/// A text without a value, where it stands by itself: a code's digits may be an account's too.
fn without(text: &str, value: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(value) {
        let within = before.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
        left.push_str(before);
        left.push_str(if within { value } else { "…" });
        rest = after;
    }
    left.push_str(rest);
    left
}

impl Event {
    /// Keeps in mind what this input has that isn't told.
    pub(super) fn hide(&mut self, input: &Parameters) {
        let values = HIDDEN.iter().filter_map(|name| input.get(name)).filter(|value| !value.is_empty());
        self.hidden = values.map(|value| Zeroizing::new(value.to_owned())).collect();
    }

    fn shorten(&mut self) {
        for text in [&mut self.message, &mut self.why].into_iter().flatten() {
            for value in &self.hidden {
                *text = without(text, value);
            }
        }
        self.hidden.clear();
        let texts = [&mut self.service, &mut self.action].into_iter();
        let more = [&mut self.principal, &mut self.app, &mut self.code, &mut self.message, &mut self.why];
        let more = more.into_iter().flatten();
        for text in texts.chain(more) {
            if text.len() > TEXT && text.chars().nth(TEXT).is_some() {
                // Copied: a text that is cut keeps its room.
                *text = text.chars().take(TEXT).chain(['…']).collect();
            }
        }
        if self.ended == Ended::Accepted {
            self.status = Some(200);
        }
    }

    /// Keeps the application ID of a `User-Agent`.
    pub(super) fn sent_by(&mut self, agent: Option<&str>) {
        let id = agent.and_then(|agent| agent.split_whitespace().find_map(|word| word.strip_prefix("app/")));
        self.app = id.map(str::to_owned);
    }

    /// An event without what isn't known yet.
    pub(super) fn new(time: Timestamp, request_id: &str, service: &str, action: &str) -> Self {
        Self {
            number: 0,
            time: time.to_rfc3339(),
            request_id: request_id.to_owned(),
            service: service.to_owned(),
            action: action.to_owned(),
            principal: None,
            app: None,
            ended: Ended::Accepted,
            status: None,
            code: None,
            message: None,
            why: None,
            hidden: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_known_by_the_id_that_it_gives_itself() {
        let app = |agent| {
            let mut event = Event::new(Timestamp::from_unix(0), "", "", "");
            event.sent_by(agent);
            event.app
        };
        assert_eq!(app(Some("Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 app/gw0-7 m/b")).as_deref(), Some("gw0-7"));
        assert_eq!((app(Some("curl/8.1 apps/x")), app(None)), (None, None));
    }

    #[test]
    fn what_is_hidden_is_hidden_where_it_stands_by_itself() {
        let text = "Value '123456' of arn:aws:iam::123456789012:mfa/a, 123456";
        assert_eq!(without(text, "123456"), "Value '…' of arn:aws:iam::123456789012:mfa/a, …");
        assert_eq!(without(text, "no"), text);
    }
}

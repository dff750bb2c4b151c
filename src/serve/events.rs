//! What was accepted or refused, and why: the thing that AWS never tells.

use std::collections::VecDeque;

use serde::Serialize;

use crate::time::Timestamp;

/// How many are remembered; older ones make room.
pub(super) const REMEMBERED: usize = 10_000;

/// One request, as it ended.
#[derive(Debug, Clone, Serialize)]
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
    /// The ARN of whoever asked, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// `accepted` or `refused`.
    pub outcome: &'static str,
    /// Of HTTP.
    pub status: u16,
    /// The error's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The error's message, as the client got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// In words, what AWS doesn't say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

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
        if self.last.len() >= REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back(event);
    }

    /// Those after a number, the oldest first, at most so many.
    pub(super) fn after(&self, number: u64, most: usize) -> Vec<Event> {
        self.last.iter().filter(|event| event.number > number).take(most).cloned().collect()
    }

    /// How many there were.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }
}

impl Event {
    /// An event without what isn't known yet.
    pub(super) fn new(time: Timestamp, request_id: &str, service: &str, action: &str) -> Self {
        Self {
            number: 0,
            time: time.to_rfc3339(),
            request_id: request_id.to_owned(),
            service: service.to_owned(),
            action: action.to_owned(),
            principal: None,
            outcome: "accepted",
            status: 200,
            code: None,
            message: None,
            why: None,
        }
    }
}
